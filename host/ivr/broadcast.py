"""Have a running call play or execute something, one after another (FreeSWITCH: switch_ivr_broadcast)."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.event import Event
from host.hangup_cause import HangupCause, find_cause
from host.inbox import Command
from host.ivr.media_path import media_off, media_on
from host.session_message import obey, tell_message

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_QUEUE: Final = "broadcasts"
# FreeSWITCH: applications whose work begins when they are over (SAF_MEDIA_TAP).
_TAPS: Final = frozenset(
    {
        "eavesdrop", "native_eavesdrop", "displace_session", "start_dtmf", "fax_detect", "tone_detect",
        "record_session", "record_session_mask", "record_session_unmask", "record_session_pause",
        "record_session_resume", "three_way",
    }
)  # fmt: skip
# FreeSWITCH: what is broadcast begins after so many frames of sound.
_LEAD_FRAMES: Final = 5


@dataclass(frozen=True, slots=True)
class Broadcast:
    """An application with its data; with `cause` the call is hung up after it.

    It begins when `lead_frames` frames of sound have come in, and is done `loops` times, -1 until it is stopped.
    """

    application: str
    data: str
    cause: HangupCause | None = None
    lead_frames: int = 0
    loops: int = 1


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

    FreeSWITCH: the leg that is bridged hears nothing of it meanwhile. Without a bridge, `bleg` is nobody. Sound that
    passes from far end to far end comes back here first, and leaves again when a broadcast to the leg itself is over.
    """
    session = switch.find_session(uuid)
    if session is None or session.channel.down:
        return False
    wanted = replace(parse_broadcast(text), lead_frames=_LEAD_FRAMES)
    relayed = Flag.PROXY_MEDIA in session.channel.flags
    bypassed = media_on(session, rebridge=True) and not relayed
    partner = switch.find_session(session.partner) if session.partner is not None else None
    both = "both" in legs
    if both or "aleg" in legs:
        if bypassed and wanted.application not in _TAPS:
            session.channel.flags.add(Flag.BROADCAST_DROP_MEDIA)
        queue_broadcast(session, wanted)
    if partner is not None and (both or "bleg" in legs):
        queue_broadcast(partner, wanted)
    return True


def queue_broadcast(session: Session, wanted: Broadcast) -> None:
    """Have the session's thread execute `wanted` when those queued before are over."""
    _queue(session).append(wanted)
    session.inbox.put(Command(_drain))


def play_music(session: Session, path: str) -> None:
    """Have a call play `path` again and again until `stop_broadcast`."""
    queue_broadcast(session, Broadcast("playback", path, lead_frames=_LEAD_FRAMES, loops=-1))


def stop_broadcast(session: Session) -> None:
    """End the broadcast that runs, and music that has not begun; any thread may call this."""
    queue = _queue(session)
    for wanted in [one for one in queue if one.loops < 0]:
        with suppress(ValueError):  # it begins this moment
            queue.remove(wanted)
    if Flag.BROADCAST in session.channel.flags:
        session.channel.set_flag(Flag.STOP_BROADCAST)
        session.break_off()


def flush_broadcasts(session: Session) -> None:
    """Forget what is queued and has not begun."""
    _queue(session).clear()


def _queue(session: Session) -> deque[Broadcast]:
    queue = session.channel.private.setdefault(_QUEUE, deque())
    assert isinstance(queue, deque)
    return queue


def _messages(switch: Switch, wanted: Broadcast) -> list[Event]:
    """Return the messages that FreeSWITCH sends to a call to have something broadcast."""
    messages = [_execute(switch, wanted.application, wanted.data)]
    if wanted.lead_frames:
        messages[0].add_header("lead-frames", str(wanted.lead_frames))
    if wanted.loops != 1:
        messages[0].add_header("loops", str(wanted.loops))
    if wanted.cause is not None:
        messages.append(_execute(switch, "hangup", wanted.cause.name))
    return messages


def _execute(switch: Switch, application: str, data: str) -> Event:
    message = switch.new_event("COMMAND")
    message.add_header("call-command", "execute")
    message.add_header("execute-app-name", application)
    if data:
        message.add_header("execute-app-arg", data)
    message.add_header("event-lock", "true")
    return message


def _drain(session: Session) -> None:
    """Execute what is queued. What comes meanwhile is executed by the drain that runs, not inside of it."""
    channel = session.channel
    if Flag.BROADCAST in channel.flags:
        return
    channel.flags.add(Flag.BROADCAST)
    queue = _queue(session)
    try:
        while queue and channel.ready:
            for message in _messages(session.switch, queue.popleft()):
                obey(session, message)
                tell_message(session, message)
    finally:
        channel.clear_flag(Flag.BROADCAST)
        if session.playing is not None:
            session.playing.resume()  # the file that was interrupted
    if Flag.BROADCAST_DROP_MEDIA in channel.flags:
        channel.flags.discard(Flag.BROADCAST_DROP_MEDIA)
        media_off(session)
