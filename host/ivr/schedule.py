"""Have something happen to a call later: a hangup, a transfer, a broadcast, a heartbeat.

The call's UUID is the group of these tasks; they end with the call at the latest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.clock import SECOND, Timer
from host.hangup_cause import HangupCause
from host.ivr.broadcast import broadcast
from host.leading_number import leading_long
from host.log import LogLevel
from host.scheduler import LONGEST, Task

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_HEARTBEAT: Final = "heartbeat_task"


def delay_until(switch: Switch, when: str) -> int:
    """Return in how many seconds `+N` (N seconds from now) or `N` (since the epoch) is; 0 when it has passed."""
    number = min(max(leading_long(when.removeprefix("+")), 0), LONGEST)
    return number if when.startswith("+") else max(0, number - switch.clock.time() // SECOND)


def schedule_hangup(
    switch: Switch, delay: int, uuid: str, cause: HangupCause, *, other_leg: bool = False
) -> Task:
    """Hang a call up, or with `other_leg` whom it is bridged with, in `delay` seconds."""

    def hang_up() -> None:
        session = switch.find_session(uuid)
        if session is not None and other_leg:
            partner = switch.find_session(session.partner or "")
            if partner is None:
                session.channel.log(LogLevel.WARNING, "No channel to hangup")
            session = partner
        if session is not None:
            session.channel.hangup(cause)

    return switch.scheduler.add(delay, "switch_ivr_schedule_hangup", uuid, hang_up)


def schedule_transfer(
    switch: Switch, delay: int, uuid: str, extension: str, dialplan: str = "", context: str = ""
) -> Task:
    """Transfer a call in `delay` seconds."""

    def transfer() -> None:
        session = switch.find_session(uuid)
        if session is not None:
            session.transfer(extension, dialplan, context)

    return switch.scheduler.add(delay, "switch_ivr_schedule_transfer", uuid, transfer)


def schedule_broadcast(
    switch: Switch, delay: int, uuid: str, text: str, legs: str = "aleg", *, interval: int = 0
) -> Task:
    """Have a call play or execute `text` in `delay` seconds, and every `interval` seconds from then on."""
    return switch.scheduler.add(
        delay,
        "switch_ivr_schedule_broadcast",
        uuid,
        lambda: broadcast(switch, uuid, text, legs),
        interval=interval,
    )


def start_heartbeat(session: Session, seconds: int, *, at_once: bool = False, scheduled: bool = True) -> None:
    """Tell of the call with SESSION_HEARTBEAT every `seconds` (1 or more), in place of a heartbeat that it has.

    One that is not `scheduled` is no task. FreeSWITCH: it goes with the call's frames.
    """
    stop_heartbeat(session)
    channel = session.channel

    def beat() -> None:
        if channel.up:
            channel.fire("SESSION_HEARTBEAT")

    def beat_on() -> None:
        if channel.up:
            beat()
            channel.private[_HEARTBEAT] = session.clock.call_later(seconds * SECOND, beat_on)

    if not scheduled:
        delay = 0 if at_once else seconds * SECOND
        channel.private[_HEARTBEAT] = session.clock.call_later(delay, beat_on)
        return
    channel.private[_HEARTBEAT] = session.switch.scheduler.add(
        0 if at_once else seconds,
        "switch_core_session_sched_heartbeat",
        session.uuid,
        beat,
        interval=seconds,
    )


def stop_heartbeat(session: Session) -> None:
    """End the call's heartbeat; harmless when it has none."""
    task = session.channel.private.pop(_HEARTBEAT, None)
    if isinstance(task, Task):
        session.switch.scheduler.delete(task.id)
    elif isinstance(task, Timer):
        task.cancel()
