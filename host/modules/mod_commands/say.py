"""The command `say_string`: which files say something."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable
from host.arguments import separate
from host.interfaces import ApiRequest
from host.ivr.say import say_string as spoken_string

commands: Final = ApiTable("mod_commands")
command = commands.command

_USAGE: Final = (
    "-ERR Usage: <module_name>[.<ext>] <lang>[.<ext>] <say_type> <say_method> [<say_gender>] <text>\n"
)
_SCHEME: Final = "file_string://"


@command("say_string")
def say_string(request: ApiRequest) -> str:
    """Return the files as one `file_string://`; a text after `~` gives the bare list.

    FreeSWITCH: the language decides which module speaks; of the module named, only the file ending counts.
    """
    parts = separate(request.argument, " ", 6)
    if len(parts) < 5:
        return _USAGE
    module, language, say_type, method, *gender, text = parts
    _, dot, ending = module.partition(".")
    if not dot:
        language, _, ending = language.partition(".")
    spoken = spoken_string(
        request.switch,
        text.removeprefix("~"),
        language,
        say_type,
        method,
        gender[0] if gender else None,
        ending,
        session=request.session,
    )
    if spoken is None:
        return _USAGE
    return spoken.removeprefix(_SCHEME) if text.startswith("~") else spoken
