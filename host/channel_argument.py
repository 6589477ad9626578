"""The channel that an API command names first, and the words after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.api_table import Refused, UsageError
from host.arguments import separate

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.session import Session

NO_CHANNEL: Final = "-ERR No such channel!\n"
NO_SESSION: Final = "-ERR Cannot locate session!\n"


def parts_of(request: ApiRequest, least: int, most: int, after: str = "") -> list[str]:
    """Return the argument's words, the last holding the rest; UsageError(`after`) when there are fewer than `least`."""
    found = separate(request.argument, " ", most)
    if len(found) < least:
        raise UsageError(after)
    return found


def words_of(request: ApiRequest, least: int, most: int) -> list[str]:
    """Return the argument's words as `parts_of` does, `least` at 1 or more; UsageError also when the first is empty."""
    found = parts_of(request, least, most)
    if not found[0]:
        raise UsageError
    return found


def uuid_and_text(request: ApiRequest) -> tuple[str, str]:
    """Return the UUID and all that stands behind it, as it is; UsageError when either is empty."""
    uuid, _, text = request.argument.partition(" ")
    if not uuid or not text:
        raise UsageError
    return uuid, text


def uuid_and_words(request: ApiRequest) -> tuple[str, str]:
    """Return the UUID and the words behind it, cleaned as one; UsageError when either is empty."""
    uuid, text = words_of(request, 2, 2)
    if not text:
        raise UsageError
    return uuid, text


def find(request: ApiRequest, uuid: str) -> Session | None:
    """Return the session of a UUID, None when it is not there or has hung up (FreeSWITCH: it cannot be located)."""
    session = request.switch.find_session(uuid)
    return session if session is not None and session.channel.up else None


def session_of(request: ApiRequest, uuid: str, reply: str) -> Session:
    """Return the session of a UUID as `find` does; Refused with `reply` when there is none."""
    session = find(request, uuid)
    if session is None:
        raise Refused(reply)
    return session


def no_such_channel(uuid: str) -> str:
    """Return the error of the commands that name what they looked for."""
    return f"-ERR No such channel {uuid}!\n"
