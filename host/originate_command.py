"""The arguments of the API command `originate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from host.arguments import separate
from host.leading_number import leading_int

SYNTAX: Final = (
    "<call url> <exten>|&<application_name>(<app_args>) "
    "[<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]"
)
USAGE: Final = f"-USAGE: {SYNTAX}\n"

DEFAULT_TIMEOUT: Final = 60
_MAX_ARGUMENTS: Final = 7
# FreeSWITCH splits into one part more than it could use, to notice when there are too many.
_PARTS: Final = 10


class OriginateUsageError(ValueError):
    """Arguments that `originate` cannot use; the text is the command's whole reply."""


@dataclass(frozen=True, slots=True)
class OriginateCommand:
    """What `originate` was asked to do.

    Either `application` is set (then `arguments` is None when there was no bracket), or the call goes to
    `extension` of `dialplan` and `context`. `timeout` is in seconds.
    """

    call_url: str
    extension: str
    application: str | None = None
    arguments: str | None = None
    dialplan: str = "XML"
    context: str = "default"
    caller_id_name: str | None = None
    caller_id_number: str | None = None
    timeout: int = DEFAULT_TIMEOUT


def parse_originate(text: str) -> OriginateCommand:
    """Parse the arguments of `originate`; raises OriginateUsageError.

    FreeSWITCH: `undef` leaves an argument out; `&app(args)` ends at the first `)`, what follows is lost; `&` alone
    is an extension.
    """
    parts: list[str | None] = list(separate(text, " ", _PARTS))
    if not 2 <= len(parts) <= _MAX_ARGUMENTS:
        raise OriginateUsageError(USAGE)
    parts = [None if part is not None and part.lower() == "undef" else part for part in parts]
    parts += [None] * (_MAX_ARGUMENTS - len(parts))
    call_url, extension, dialplan, context, name, number, timeout = parts
    if extension is None:
        raise OriginateUsageError(USAGE)
    application: str | None = None
    arguments: str | None = None
    if extension.startswith("&") and len(extension) > 1:
        application, bracket, inside = extension[1:].partition(")")[0].partition("(")
        arguments = inside if bracket else None
    return OriginateCommand(
        call_url=call_url or "",
        extension=extension,
        application=application,
        arguments=arguments,
        dialplan="XML" if dialplan is None else dialplan,
        context="default" if context is None else context,
        caller_id_name=name,
        caller_id_number=number,
        timeout=DEFAULT_TIMEOUT if timeout is None else leading_int(timeout),
    )
