"""A member's time in the room: keys, messages, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.clock import MILLISECOND
from host.digit_action import Matched
from host.event import Event
from host.inbox import Break, Digit
from host.log import LogLevel
from host.modules.mod_conference import chat
from host.modules.mod_conference.controls import bind_controls, run_control

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member

_KINDS: Final = (Digit, Event, Break)


def stay(member: Member) -> None:
    """Serve a member, in its session's thread, until it goes: by a key, put out, transferred or hung up."""
    room, session, channel = member.room, member.session, member.channel
    bind_controls(member)
    if not room.answered:
        session.answer()
    deadline: int | None = None
    while member.running and channel.ready:
        if channel.outbound:
            room.answered = room.answered or Flag.ANSWERED in channel.flags
        elif room.answered and Flag.ANSWERED not in channel.flags:
            session.answer()
        item = session.receive(deadline, _KINDS, until=lambda: not member.running)
        machine = member.machine
        if isinstance(item, Break):
            if "breakable" in room.flags:
                break
        elif isinstance(item, Digit):
            session.tell_digit(item)
            if "dist-dtmf" in member.flags:
                _pass_on(member, item)
            elif machine is not None:
                decided = machine.feed(item.digit)
                if isinstance(decided, Matched):
                    run_control(member, decided)
                waits = machine.digits
                deadline = session.clock.now() + machine.digit_timeout_ms * MILLISECOND if waits else None
        elif isinstance(item, Event):
            if item.name == "MESSAGE":
                chat.take_from_member(member, item)
        elif deadline is not None and session.clock.now() >= deadline:
            deadline = None
            decided = machine.time_out() if machine is not None else None
            if isinstance(decided, Matched):
                run_control(member, decided)
    channel.log(LogLevel.INFO, f"Channel leaving conference, cause: {channel.hangup_cause.name}")
    if channel.outbound:
        room.hangup_cause = channel.hangup_cause


def _pass_on(member: Member, digit: Digit) -> None:
    for other in list(member.room.members):
        if other is not member and "skip-dtmf" not in other.flags:
            other.session.send_digit(Digit(digit.digit))
