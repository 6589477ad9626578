"""Applications that have something happen to the call later, or again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.hangup_cause import HangupCause, parse_cause
from host.ivr.schedule import (
    delay_until,
    schedule_broadcast,
    schedule_hangup,
    schedule_transfer,
    start_heartbeat,
    stop_heartbeat,
)
from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.scheduler import Task
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_HEARTBEAT_SYNTAX: Final = "[0|<seconds>]"
# FreeSWITCH: what enable_heartbeat takes 0 for.
_DEFAULT_HEARTBEAT: Final = 60


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("sched_hangup", "[+]<time> [<cause>]", "Schedule a hangup in the future")
def sched_hangup(session: Session, data: str) -> None:
    """Hang up at a time, with ALLOTTED_TIMEOUT or the cause given; with `bleg` behind it whom the call is bridged with.

    FreeSWITCH: at once, and this call, when the time has come already.
    """
    parts = separate(data, " ", 5)
    if not parts:
        return
    cause = parse_cause(parts[1]) if len(parts) > 1 else HangupCause.ALLOTTED_TIMEOUT
    delay = delay_until(session.switch, parts[0])
    if not delay:
        session.channel.hangup(cause)
        return
    other_leg = len(parts) > 2 and parts[2].lower() == "bleg"
    schedule_hangup(session.switch, delay, session.uuid, cause, other_leg=other_leg)


@_application(
    "sched_transfer", "[+]<time> <extension> <dialplan> <context>", "Schedule a transfer in the future"
)
def sched_transfer(session: Session, data: str) -> None:
    """Transfer at a time; the variable `last_sched_id` is the task's number."""
    parts = separate(data, " ", 4)
    if len(parts) > 1:
        when, *where = parts
        delay = delay_until(session.switch, when)
        _note(session, schedule_transfer(session.switch, delay, session.uuid, *where))
    elif data:
        session.channel.log(LogLevel.ERR, "Invalid Args")


@_application("sched_broadcast", "[+]<time> <path> [aleg|bleg|both]", "Schedule a broadcast in the future")
def sched_broadcast(session: Session, data: str) -> None:
    """Play or execute something at a time, on top of what the call does then; sets `last_sched_id`."""
    parts = separate(data, " ", 6)
    if len(parts) > 1:
        when, path, *legs = parts
        delay = delay_until(session.switch, when.removeprefix("@"))
        task = schedule_broadcast(session.switch, delay, session.uuid, path, legs[0] if legs else "aleg")
        _note(session, task)
    elif data:
        session.channel.log(LogLevel.ERR, "Invalid Args")


@_application("sched_cancel", "[group]", "cancel scheduled tasks")
def sched_cancel(session: Session, data: str) -> None:
    """Cancel a task by its number, those of a group by its name, those of the call without either."""
    scheduler = session.switch.scheduler
    if data.isascii() and data.isdigit():
        scheduler.delete(leading_int(data))
    else:
        scheduler.delete_group(data or session.uuid)


@_application("enable_heartbeat", _HEARTBEAT_SYNTAX, "Enable Media Heartbeat")
def enable_heartbeat(session: Session, data: str) -> None:
    """Tell of the call with SESSION_HEARTBEAT every so many seconds; with `heartbeat_fire_on_set` also at once.

    FreeSWITCH: 0 is every minute.
    """
    seconds = leading_int(data)
    if not data or seconds < 0:
        session.channel.log(LogLevel.ERR, f"Usage: {_HEARTBEAT_SYNTAX}")
        return
    start_heartbeat(session, seconds or _DEFAULT_HEARTBEAT, at_once=_at_once(session), scheduled=False)


@_application("enable_keepalive", _HEARTBEAT_SYNTAX, "Enable Keepalive")
def enable_keepalive(session: Session, data: str) -> None:
    """Ask the endpoint to look every so many seconds whether the far end is there, and tell as `enable_heartbeat`."""
    seconds = leading_int(data)
    if data and seconds >= 0:
        session.io.message(session, "keepalive", str(seconds))
    enable_heartbeat(session, data)


@_application("sched_heartbeat", _HEARTBEAT_SYNTAX, "Enable Scheduled Heartbeat")
def sched_heartbeat(session: Session, data: str) -> None:
    """Tell of the call with SESSION_HEARTBEAT every so many seconds; 0 ends it."""
    seconds = leading_int(data)
    if not data or seconds < 0:
        session.channel.log(LogLevel.ERR, f"Usage: {_HEARTBEAT_SYNTAX}")
    elif seconds:
        start_heartbeat(session, seconds, at_once=_at_once(session))
    else:
        stop_heartbeat(session)


def _at_once(session: Session) -> bool:
    return is_true(session.channel.get_variable("heartbeat_fire_on_set"))


def _note(session: Session, task: Task) -> None:
    session.channel.set_variable("last_sched_id", str(task.id))
