"""Two calls of one page made one: whom it speaks with in both speak with each other (an attended transfer)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.caller_place import place_of
from host.ivr.hold import DEFAULT_MUSIC, hold_music
from host.ivr.originate_handover import hand_over
from host.ivr.park import park_session
from host.ivr.transfer_recordings import follow_transfer
from host.ivr.uuid_bridge import partner_of, uuid_bridge, wait_for_bridge
from host.log import LogLevel
from host.modules.mod_verto.leg import VertoLeg
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_END: Final = HangupCause.ATTENDED_TRANSFER
# FreeSWITCH: how long the page's second call stays that is bridged no more.
_LEAVE_WAIT: Final = "2:attended_transfer"
# How long a call whose callee has just answered may take to be bridged, in seconds.
_ANSWER_WAIT: Final = 5


def replace_call(one: Session, two: Session) -> bool:
    """Join the far ends of two calls of a page; False where neither is bridged, or one cannot be joined. May block.

    FreeSWITCH: where only one of them is bridged, its far end is sent to what the other call was for. Where the second
    one still rings, the first one's far end hears music until it is answered.
    """
    one.channel.variables.set("refer_uuid", two.uuid)
    one.channel.variables.set("transfer_disposition", "recv_replace")
    two.channel.variables.set("transfer_disposition", "replaced")
    first = _standing(one)
    if first is not None and Flag.ORIGINATOR in two.channel.flags:
        return _wait_with_music(two, first) or _too_late(one, two, first)
    return _settled(one, two, first, _standing(two))


def _standing(session: Session) -> Session | None:
    """Return whom a call is bridged with, None where that one is gone."""
    partner = partner_of(session)
    return partner if partner is not None and partner.channel.up else None


def _settled(one: Session, two: Session, first: Session | None, second: Session | None) -> bool:
    if first is not None and second is not None:
        for call in (one, two):
            wait_for_bridge(call, _ANSWER_WAIT)
        return _join(one, two, first, second)
    if first is not None:
        return _send_on(first, two)
    if second is not None:
        two.channel.clear_flag(Flag.LEG_HOLDING)
        done = _send_on(second, one)
        two.channel.hangup(_END)
        return done
    one.channel.log(LogLevel.WARNING, "Cannot transfer channels that are not in a bridge.")
    return False


def _join(one: Session, two: Session, first: Session, second: Session) -> bool:
    one.channel.log(LogLevel.NOTICE, f"Attended Transfer [{first.uuid}][{second.uuid}]")
    second.channel.variables.set("transfer_disposition", "bridge")
    follow_transfer(one, first)
    follow_transfer(two, second)
    one.channel.variables.set("transfer_to", f"att:{second.uuid}")
    _record(one, first, second)
    if uuid_bridge(first, second) is not Status.SUCCESS:
        return False
    two.channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER")
    two.channel.clear_flag(Flag.LEG_HOLDING)
    two.channel.variables.set("park_timeout", _LEAVE_WAIT)
    park_session(two)
    return True


def _record(by: Session, *far_ends: Session) -> None:
    """Leave in the history of both far ends who has joined them.

    FreeSWITCH: `time:id:att_xfer:who/whom`; `who` has its domain twice, since `verto_user` has one.
    """
    get = by.channel.variables.get
    who = f"{get('verto_user') or ''}@{get('verto_host') or ''}"
    for far_end in far_ends:
        seconds = by.clock.time() // SECOND
        source = f"{seconds}:{by.switch.new_uuid()}:att_xfer:{who}/{_address(far_end)}"
        far_end.channel.profile.transfer_source = source
        far_end.channel.variables.push("transfer_history", source)
        far_end.channel.variables.set("transfer_source", source)


def _address(session: Session) -> str:
    """Return `user@host` of a SIP call's far end, else the channel's name."""
    which = "to" if session.channel.outbound else "from"
    get = session.channel.variables.get
    user, host = get(f"sip_{which}_user"), get(f"sip_{which}_host")
    return f"{user}@{host}" if user and host else session.channel.name


def _send_on(far_end: Session, left: Session) -> bool:
    """Send a far end to what another call was for, which then ends."""
    follow_transfer(left, far_end)
    inline = left.channel.variables.get("inline_destination")
    if inline:
        far_end.transfer(inline, "inline")
    else:
        far_end.transfer(left.channel.get_variable("destination_number") or "")
    left.channel.hangup(_END)
    return True


def _wait_with_music(calling: Session, waiting: Session) -> bool:
    """Give a far end the place of a call whose callee still rings; False when that is too late.

    For the page the second call ends at once.
    """
    channel = calling.channel
    channel.log(LogLevel.NOTICE, f"Attended Transfer on originating session {calling.uuid}")
    channel.variables.set("transfer_to", f"satt:{waiting.uuid}")
    channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER")
    channel.clear_flag(Flag.LEG_HOLDING)
    profile, theirs = channel.profile, waiting.channel.variables
    for name, value in (
        ("att_xfer_kill_uuid", calling.uuid),
        ("att_xfer_destination_number", profile.destination_number),
        ("att_xfer_callee_id_name", profile.callee_id_name),
        ("att_xfer_callee_id_number", profile.callee_id_number),
    ):
        theirs.set(name, value)
    music = hold_music(waiting) or DEFAULT_MUSIC
    quiet = music.lower() == "silence"
    # It leaves its call before it may be bridged with the one called, and not after that.
    waiting.transfer("park" if quiet else f'm:":endless_playback:{music}"park', "inline")
    place = place_of(calling)
    if place is None or not place.take(waiting):
        return False
    if isinstance(calling.io, VertoLeg):
        calling.io.leave(HangupCause.NORMAL_CLEARING)
    return True


def _too_late(one: Session, two: Session, first: Session) -> bool:
    """Transfer a far end that is out of its call with a second call whose callee just answered, or refused."""
    wait_for_bridge(two, _ANSWER_WAIT)
    second = _standing(two)
    if second is not None:
        return _join(one, two, first, second)
    if two.channel.up:
        return _send_on(first, two)
    if first.channel.up:
        hand_over(two, first, None)
        return True
    return False
