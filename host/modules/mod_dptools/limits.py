"""Applications that let only so many calls use a resource at once, or within a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host import limit as limits
from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel_state import ChannelState
from host.hangup_cause import parse_cause
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_SYNTAX: Final = "<backend> <realm> <id> [<max>[/interval]] [number [dialplan [context]]]"
_HASH_SYNTAX: Final = "<realm> <id> [<max>[/interval]] [number [dialplan [context]]]"
_EXECUTE_SYNTAX: Final = "<backend> <realm> <id> <max>[/interval] <application> [application arguments]"
_HASH_EXECUTE_SYNTAX: Final = "<realm> <id> <max>[/interval] <application> [application arguments]"

_EXCEEDED: Final = "limit_exceeded"
# FreeSWITCH: the variable that lets the applications be used as they were before back ends could be chosen.
_COMPATIBLE: Final = "switch_limit_backwards_compat_flag"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("limit", _SYNTAX, "Limit")
def limit(session: Session, data: str) -> None:
    """Count the call with a resource; one too many is transferred, to `limit_exceeded` or `number`.

    A number `!CAUSE` hangs it up. Without a maximum, or with a negative one, it is counted only. The call is given
    back when it ends or is transferred.
    """
    parts = separate(data, " ", 7)
    compatible = session.channel.is_true(_COMPATIBLE)
    if parts and compatible and session.switch.limits.get(parts[0]) is None:
        session.channel.log(LogLevel.WARNING, f"Unknown backend '{parts[0]}': falling back on db")
        parts = separate(f"db {data}", " ", 7)
    if len(parts) < 3:
        session.channel.log(LogLevel.ERR, f"USAGE: limit {_SYNTAX}")
        return
    backend, realm, resource, maximum, *where = [*parts[:3], *(parts[3:] or [""])]
    if _take(session, backend, realm, resource, maximum):
        return
    extension = where[0] if where else _EXCEEDED
    if extension.startswith("!"):
        session.channel.hangup(parse_cause(extension[1:]))
    else:
        session.transfer(extension, *where[1:])


@_application("limit_execute", _EXECUTE_SYNTAX, "Limit")
def limit_execute(session: Session, data: str) -> None:
    """Execute an application while the call is counted with a resource; one too many goes on without."""
    parts = separate(data, " ", 6)
    if len(parts) == 5 and session.channel.is_true(_COMPATIBLE):
        session.channel.log(LogLevel.WARNING, "limit_execute without a backend: defaulting to db")
        parts = separate(f"db {data}", " ", 6)
    if len(parts) < 6:
        session.channel.log(LogLevel.ERR, f"USAGE: limit_execute {_EXECUTE_SYNTAX}")
        return
    name, realm, resource, maximum, application, argument = parts
    if not _take(session, name, realm, resource, maximum):
        return
    session.execute(application, argument)
    backend = session.switch.limits.get(name)
    # FreeSWITCH: a call that was sent elsewhere or hung up gives it back by itself.
    if backend is not None and session.channel.state is ChannelState.CS_EXECUTE:
        backend.release(session, realm, resource)


@_application("limit_hash", _HASH_SYNTAX, "Limit")
def limit_hash(session: Session, data: str) -> None:
    """Do as `limit hash`, where the compatibility is switched on."""
    if _may_be_deprecated(session, "limit_hash"):
        limit(session, f"hash {data}")


@_application("limit_hash_execute", _HASH_EXECUTE_SYNTAX, "Limit")
def limit_hash_execute(session: Session, data: str) -> None:
    """Do as `limit_execute hash`, where the compatibility is switched on."""
    if _may_be_deprecated(session, "limit_hash_execute"):
        limit_execute(session, f"hash {data}")


def _take(session: Session, name: str, realm: str, resource: str, maximum: str) -> bool:
    backend = session.switch.limits.get(name)
    if backend is None:
        session.channel.log(LogLevel.ERR, f"Limit subsystem {name} not found!")
        return False
    return limits.take(session, backend, realm, resource, *limits.parse_maximum(maximum))


def _may_be_deprecated(session: Session, name: str) -> bool:
    """Return whether an application may still be used.

    FreeSWITCH: only with the variable that mod_limit, itself deprecated, sets.
    """
    allowed = session.channel.is_true(_COMPATIBLE)
    if allowed:
        session.channel.log(LogLevel.WARNING, f"Using deprecated '{name}': use limit with the backend hash")
    else:
        session.channel.log(LogLevel.ERR, f"'{name}' (deprecated) is only available after loading mod_limit.")
    return allowed
