"""How far a call has come to be answered: it rings, has early media, is answered.

The first three functions are what this side asks of its endpoint; the marks note that it has happened, on either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import CallState
from host.log import LogLevel
from host.session_state import run_moment
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def answer(session: Session) -> Status:
    """Answer the call; FALSE when it is hung up. Only the far end can answer a leg that we call."""
    channel = session.channel
    if channel.outbound:
        return Status.SUCCESS
    if channel.down:
        return Status.FALSE
    if Flag.ANSWERED not in channel.flags:
        session.io.answer(session)
        mark_answered(session)
    return Status.SUCCESS


def pre_answer(session: Session) -> Status:
    """Start early media; FALSE when the call is hung up."""
    channel = session.channel
    if channel.down:
        return Status.FALSE
    if Flag.ANSWERED not in channel.flags and Flag.EARLY_MEDIA not in channel.flags:
        if not channel.outbound:
            session.io.pre_answer(session)
        mark_pre_answered(session)
    return Status.SUCCESS


def ring_ready(session: Session) -> Status:
    """Tell the far end that it rings."""
    channel = session.channel
    if channel.down:
        return Status.FALSE
    if not channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA, Flag.RING_READY}:
        if not channel.outbound:
            session.io.ring_ready(session)
        mark_ring_ready(session)
    return Status.SUCCESS


def mark_answered(session: Session) -> None:
    """Note that the call is answered: event CHANNEL_ANSWER, `execute_on_answer`, `api_on_answer`."""
    channel = session.channel
    if Flag.ANSWERED in channel.flags or channel.down:
        return
    channel.flags.add(Flag.ANSWERED)
    channel.profile.times.answered = session.clock.time()
    channel.fire("CHANNEL_ANSWER")
    channel.variables.set("endpoint_disposition", "ANSWER")
    channel.log(LogLevel.NOTICE, f"Channel [{channel.name}] has been answered", observed=True)
    session.switch.observe("answer", channel)
    channel.changed()
    run_moment(session, "answer")
    if Flag.EARLY_MEDIA not in channel.flags:
        run_moment(session, "media")
    channel.set_call_state(CallState.ACTIVE)


def mark_pre_answered(session: Session) -> None:
    """Note early media: event CHANNEL_PROGRESS_MEDIA, `execute_on_pre_answer`, `execute_on_media`."""
    channel = session.channel
    if Flag.EARLY_MEDIA in channel.flags or Flag.ANSWERED in channel.flags or channel.down:
        return
    channel.flags.add(Flag.EARLY_MEDIA)
    _note_progress(session, "progress_media")
    channel.variables.set("endpoint_disposition", "EARLY MEDIA")
    channel.log(LogLevel.NOTICE, f"Pre-Answer {channel.name}!", observed=True)
    channel.fire("CHANNEL_PROGRESS_MEDIA")
    session.switch.observe("pre_answer", channel)
    channel.changed()
    for moment in ("pre_answer", "media"):
        run_moment(session, moment)
    channel.set_call_state(CallState.EARLY)


def _note_progress(session: Session, which: str) -> None:
    """Note when it rang first, or had early media (`which` of the profile's times), also for who it is placed for."""
    profile = session.channel.profile
    if getattr(profile.times, which):
        return
    now = session.clock.time()
    setattr(profile.times, which, now)
    if profile.originator is not None:
        caller = session.switch.find_session(profile.originator.uuid)
        if caller is not None and not getattr(caller.channel.profile.times, which):
            setattr(caller.channel.profile.times, which, now)
        setattr(profile.originator.times, which, now)


def mark_ring_ready(session: Session) -> None:
    """Note that it rings: event CHANNEL_PROGRESS, `execute_on_ring`."""
    channel = session.channel
    if channel.flags & {Flag.RING_READY, Flag.EARLY_MEDIA, Flag.ANSWERED} or channel.down:
        return
    channel.flags.add(Flag.RING_READY)
    _note_progress(session, "progress")
    channel.log(LogLevel.NOTICE, f"Ring-Ready {channel.name}!", observed=True)
    channel.fire("CHANNEL_PROGRESS")
    session.switch.observe("ring_ready", channel)
    channel.changed()
    run_moment(session, "ring")
    channel.set_call_state(CallState.RINGING)
