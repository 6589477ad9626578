"""Soft hold: both legs of a bridge wait with music until one presses a key (FreeSWITCH: switch_ivr_soft_hold)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.broadcast import play_music, stop_broadcast
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def soft_hold(session: Session, unhold_key: str, moh_a: str = "", moh_b: str = "") -> Status:
    """Play `moh_a` to this leg and `moh_b` to the other until this one presses `unhold_key`.

    Without them it is the legs' `hold_music`; FALSE when the call is not bridged.
    """
    channel = session.channel
    other = session.switch.find_session(session.partner) if session.partner is not None else None
    if other is None:
        channel.log(LogLevel.WARNING, f"Channel [{channel.name}] is not bridged")
        return Status.FALSE
    music = moh_a or channel.get_variable("hold_music") or ""
    theirs = moh_b or other.channel.get_variable("hold_music") or ""

    def on_input(held: Session, item: Digit | Event) -> Status:
        pressed = isinstance(item, Digit) and item.digit in unhold_key
        return Status.BREAK if pressed or other.channel.down else Status.SUCCESS

    other.channel.flags.add(Flag.LEG_HOLDING)
    if theirs and theirs.lower() != "silence":
        play_music(other, theirs)
    args = InputArgs(on_input)
    status = Status.SUCCESS
    while status is Status.SUCCESS and channel.ready and other.channel.ready:
        if music and music.lower() != "silence":
            status = play_file(session, music, args=args)
        else:
            item = session.receive(None, args.kinds(), until=lambda: other.channel.down)
            status = args.take(session, item) if item is not None else Status.FALSE
    stop_broadcast(other)
    other.channel.clear_flag(Flag.LEG_HOLDING)
    if channel.down and other.channel.up and Flag.TRANSFER not in other.channel.flags:
        other.channel.hangup(channel.hangup_cause or HangupCause.NORMAL_CLEARING)
    return Status.SUCCESS
