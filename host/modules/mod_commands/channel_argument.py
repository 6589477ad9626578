"""The channel that a `uuid_*` command names first, and the words after it."""

from __future__ import annotations

from host.api_table import UsageError
from host.arguments import separate
from host.interfaces import ApiRequest
from host.session import Session

NO_CHANNEL = "-ERR No such channel!\n"
NO_SESSION = "-ERR Cannot locate session!\n"


def words(request: ApiRequest, least: int, most: int) -> list[str]:
    """Return the argument's words, the last holding the rest; UsageError when there are fewer than `least`."""
    found = separate(request.argument, " ", most)
    if len(found) < least or not found[0]:
        raise UsageError
    return found


def uuid_and_text(request: ApiRequest) -> tuple[str, str]:
    """Return the UUID and all that stands behind it, as it is; UsageError when either is empty."""
    uuid, _, text = request.argument.partition(" ")
    if not uuid or not text:
        raise UsageError
    return uuid, text


def find(request: ApiRequest, uuid: str) -> Session | None:
    """Return the session of a UUID, None when it is not there or has hung up (FreeSWITCH: it cannot be located)."""
    session = request.switch.find_session(uuid)
    return session if session is not None and session.channel.up else None


def no_such_channel(uuid: str) -> str:
    """Return the error of the commands that name what they looked for."""
    return f"-ERR No such channel {uuid}!\n"
