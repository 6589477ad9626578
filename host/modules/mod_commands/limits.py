"""Commands about limited resources."""

from __future__ import annotations

from typing import Final

from host import limit
from host.api_table import ApiTable
from host.arguments import separate
from host.channel_argument import session_of
from host.hangup_cause import HangupCause, find_cause
from host.interfaces import ApiRequest

commands: Final = ApiTable("mod_commands")
command = commands.command

_TOO_MANY: Final = "limit_exceeded"
_UUID_LIMIT: Final = "<uuid> <backend> <realm> <resource> [<max>[/interval]] [number [dialplan [context]]]"


@command("limit_usage", "<backend> <realm> <id>", "Get the usage count of a limited resource")
def limit_usage(request: ApiRequest) -> str:
    """Tell how many count. FreeSWITCH: realm and id alone are those of the back end `db`."""
    return _usage_of(request, request.argument)


@command("limit_hash_usage", "<realm> <id>", "Deprecated: gets the usage count of a limited resource")
def limit_hash_usage(request: ApiRequest) -> str:
    if not request.argument:
        return (
            "USAGE: limit_hash_usage <realm> <id> [rate]"
            " (Using deprecated limit api, check limit_usage with backend param)\n"
        )
    return _usage_of(request, f"hash {request.argument}")


@command("limit_status", "<backend>", "Get the status of a limit backend")
def limit_status(request: ApiRequest) -> str:
    if not request.argument:
        return "USAGE: limit_status <backend>\n"
    backend = request.switch.limits.get(request.argument.split(" ")[0])
    return "-ERR" if backend is None else backend.status()


@command("limit_reset", "<backend>", "Reset the counters of a limit backend")
def limit_reset(request: ApiRequest) -> str:
    if not request.argument:
        return "USAGE: limit_reset <backend>\n"
    backend = request.switch.limits.get(request.argument.split(" ")[0])
    return "+OK" if backend is not None and backend.reset() else "-ERR"


@command(
    "limit_interval_reset",
    "<backend> <realm> <resource>",
    "Reset the interval counter for a limited resource",
)
def limit_interval_reset(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 4)
    if len(parts) < 3:
        return "USAGE: limit_interval_reset <backend> <realm> <resource>\n"
    backend = request.switch.limits.get(parts[0])
    if backend is not None:
        backend.reset_interval(parts[1], parts[2])
    return "+OK"  # FreeSWITCH: whatever the back end makes of it


@command("uuid_limit", _UUID_LIMIT, "Increase limit resource")
def uuid_limit(request: ApiRequest) -> str:
    """Count a call with a resource; one that is too many is transferred, by default to `limit_exceeded`.

    `!CAUSE` in place of the extension hangs it up. FreeSWITCH: a back end that is not there lets nobody pass.
    """
    parts = separate(request.argument, " ", 8)
    if len(parts) < 4:
        return f"USAGE: uuid_limit {_UUID_LIMIT}\n"
    uuid, name, realm, resource, *more = parts
    session = session_of(request, uuid, f"-ERR Cannot find session with uuid {uuid}\n")
    backend = request.switch.limits.get(name)
    maximum, interval = limit.parse_maximum(more[0] if more else "")
    if backend is None or not limit.take(session, backend, realm, resource, maximum, interval):
        extension, *where = more[1:4] or [_TOO_MANY]
        if extension.startswith("!"):
            session.channel.hangup(find_cause(extension[1:]) or HangupCause.NORMAL_CLEARING)
        else:
            session.transfer(extension, *where)
    return "+OK"


@command("uuid_limit_release", "<uuid> <backend> [realm] [resource]", "Release limit resource")
def uuid_limit_release(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 5)
    if len(parts) < 2:
        return "USAGE: uuid_limit_release <uuid> <backend> [realm] [resource]\n"
    uuid, name, *what = parts
    session = session_of(request, uuid, f"-ERR Cannot find session with uuid {uuid}\n")
    backend = request.switch.limits.get(name)
    if backend is not None:
        if len(what) > 1:
            backend.release(session, what[0], what[1])
        else:
            backend.release(session)
    return "+OK"


def _usage_of(request: ApiRequest, text: str) -> str:
    """Return the count of `[backend] realm id [rate]`, or the usage."""
    parts = separate(text, " ", 5)
    if len(parts) == 2:
        parts = ["db", *parts]
    if len(parts) < 3:
        return "USAGE: limit_usage <backend> <realm> <id> [rate]\n"
    name, realm, resource, *more = parts
    with_rate = bool(more) and more[0].lower() == "rate"
    backend = request.switch.limits.get(name)
    count, rate = backend.usage(realm, resource) if backend is not None else (0, 0)
    return f"{count}/{rate}" if with_rate else str(count)
