"""Have a running call play or execute something, one after another (FreeSWITCH: switch_ivr_broadcast)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause, find_cause
from host.inbox import Command

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_QUEUE: Final = "broadcasts"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """An application with its data; with `cause` the call is hung up after it."""

    application: str
    data: str
    cause: HangupCause | None = None


def parse_broadcast(text: str) -> Broadcast:
    """Return what `app::args`, `app!CAUSE::args` or a file's path means."""
    application, separator, data = text.partition("::")
    if not separator:
        return Broadcast("playback", text)
    application, hang_up, cause = application.partition("!")
    return Broadcast(
        application, data, (find_cause(cause) or HangupCause.NORMAL_CLEARING) if hang_up else None
    )


def broadcast(switch: Switch, uuid: str, text: str, legs: str = "aleg") -> bool:
    """Queue `text` on a call's legs (`aleg`, `bleg`, `both`, as words in `legs`); False when there is no such call.

    FreeSWITCH: the leg that is bridged hears nothing of it meanwhile. Without a bridge, `bleg` is nobody.
    """
    session = switch.find_session(uuid)
    if session is None or session.channel.down:
        return False
    wanted = parse_broadcast(text)
    partner = switch.find_session(session.partner) if session.partner is not None else None
    both = "both" in legs
    if both or "aleg" in legs:
        queue_broadcast(session, wanted)
    if partner is not None and (both or "bleg" in legs):
        queue_broadcast(partner, wanted)
    return True


def queue_broadcast(session: Session, wanted: Broadcast) -> None:
    """Have the session's thread execute `wanted` when those queued before are over."""
    _queue(session).append(wanted)
    session.inbox.put(Command(_drain))


def flush_broadcasts(session: Session) -> None:
    """Forget what is queued and has not begun."""
    _queue(session).clear()


def _queue(session: Session) -> deque[Broadcast]:
    queue = session.channel.private.setdefault(_QUEUE, deque())
    assert isinstance(queue, deque)
    return queue


def _drain(session: Session) -> None:
    """Execute what is queued. What comes meanwhile is executed by the drain that runs, not inside of it."""
    channel = session.channel
    if Flag.BROADCAST in channel.flags:
        return
    channel.flags.add(Flag.BROADCAST)
    queue = _queue(session)
    try:
        while queue and channel.ready:
            wanted = queue.popleft()
            session.execute(wanted.application, wanted.data)
            # FreeSWITCH: the application stays the current one after the broadcast is over.
            executed = session.private("last_app", tuple)
            if not channel.down and executed is not None:
                channel.variables.set("current_application", str(executed[0]))
                channel.variables.set("current_application_data", str(executed[1]))
            if wanted.cause is not None:
                channel.hangup(wanted.cause)
    finally:
        channel.clear_flag(Flag.BROADCAST)
        if session.playing is not None:
            session.playing.resume()  # the file that was interrupted
