"""Join two calls that are busy with something else (`uuid_bridge`), take one over (`intercept`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_until
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.bridge import bridge, wait_for_answer
from host.ivr.bridge_side import transfer_after_bridge
from host.ivr.hold import unhold
from host.ivr.media_path import media_on
from host.ivr.park import park_session
from host.ivr.signal_bridge import leave_signal_bridge
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_MEDIA = {Flag.ANSWERED, Flag.EARLY_MEDIA}
_FREE_WITHIN = 20 * SECOND  # FreeSWITCH: then neither is any more


def uuid_bridge(a: Session, b: Session) -> Status:
    """Take both calls out of what they do and bridge them; any thread may call this, it does not wait.

    `a` becomes the bridge's originator, unless only `b` has media: then they change places. FALSE when one is hung
    up or none has media. FreeSWITCH: a call bridged with itself leaves what it does, and then nothing is done.
    """
    if b.channel.down:
        return Status.FALSE
    a.channel.flip_caller_id()
    if a.channel.down:
        a.channel.log(LogLevel.DEBUG, f"{b.channel.name} is hungup refusing to bridge.")
        return Status.FALSE
    if not a.channel.flags & _MEDIA:
        if not b.channel.flags & _MEDIA:
            a.channel.log(LogLevel.CRIT, "Neither channel is answered, cannot bridge them.")
            return Status.FALSE
        b.channel.log(LogLevel.WARNING, "reversing order of channels so this will work!")
        a, b = b, a
    for session in (a, b):
        unhold(session)
        session.channel.flags.add(Flag.REDIRECT)
    b.channel.flags.discard(Flag.DIALPLAN)
    leave_signal_bridge(a, b)
    leave_signal_bridge(b, a)
    a.channel.variables.set("uuid_bridge", b.uuid)
    _tie(a, b)
    _tie(b, a)
    _exchange_profiles(a, b)
    for session, other in ((a, b), (b, a)):
        channel = session.channel
        source = f"{session.clock.time() // 1_000_000}:{session.switch.new_uuid()}:uuid_br:{other.uuid}"
        channel.profile.transfer_source = source
        channel.variables.push("transfer_history", source)
        channel.variables.set("transfer_source", source)
        channel.flags -= {Flag.ORIGINATING, Flag.BRIDGE_ORIGINATOR, Flag.UUID_BRIDGE_ORIGINATOR}
        session.handlers[:] = [_HANDLERS]
    a.channel.flags.add(Flag.UUID_BRIDGE_ORIGINATOR)
    for session in (a, b):
        channel = session.channel
        channel.flags.add(Flag.TRANSFER)
        away = ChannelState.CS_HIBERNATE
        channel.set_state(ChannelState.CS_CONSUME_MEDIA if channel.state is away else away)
        channel.changed()
    return Status.SUCCESS


def _tie(session: Session, other: Session) -> None:
    variables = session.channel.variables
    variables.set("bridge_channel", other.channel.name)
    variables.set("bridge_uuid", other.uuid)
    variables.set("signal_bond", other.uuid)


def _exchange_profiles(a: Session, b: Session) -> None:
    """Let each leg's profile know the other one's: callee of the one is the other, and the other way round."""
    for session in (b, a):
        channel = session.channel
        profile = channel.profile
        channel.variables.set("original_destination_number", profile.destination_number)
        channel.variables.set("original_caller_id_name", profile.caller_id_name)
        channel.variables.set("original_caller_id_number", profile.caller_id_number)
        stepped = profile.clone()
        stepped.extension = profile.extension
        channel.push_profile(stepped)
    mine, theirs = a.channel.profile, b.channel.profile
    theirs.originator, theirs.originatee = mine.clone(), None
    mine.originatee, mine.originator = theirs.as_originatee(), None
    mine.callee_id_name, mine.callee_id_number = theirs.callee_id_name, theirs.callee_id_number
    theirs.caller_id_name, theirs.caller_id_number = mine.caller_id_name, mine.caller_id_number


def _leave(session: Session) -> bool:
    session.channel.set_state(ChannelState.CS_RESET)
    return False


def _reset(session: Session) -> bool:
    session.channel.set_state(ChannelState.CS_SOFT_EXECUTE)
    return False


def _join(session: Session) -> bool:
    """Bridge the originator with the other call once that is free; the other one only waits for it."""
    channel = session.channel
    session.handlers[:] = [table for table in session.handlers if table is not _HANDLERS]
    if Flag.UUID_BRIDGE_ORIGINATOR not in channel.flags:
        return True
    channel.flags.discard(Flag.UUID_BRIDGE_ORIGINATOR)
    other = session.switch.find_session(channel.variables.get("uuid_bridge") or "")
    channel.variables.set("uuid_bridge", None)
    if other is None or other.channel.down:
        _alone(session)
        return False
    if other is session:
        return False
    peer = other.channel
    free = wait_until(
        session.clock,
        lambda: peer.running_state is ChannelState.CS_SOFT_EXECUTE or peer.down or not channel.ready,
        peer,
        channel,
        deadline=session.clock.now() + _FREE_WITHIN,
    )
    if not free:
        for late in (channel, peer):
            late.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
    for one in (session, other):
        media_on(one)
    if wait_for_answer(session, other) is not Status.SUCCESS:
        _cancelled(session)
        return False
    if not channel.ready or not peer.ready:
        back = peer.get_variable("rdnis") if channel.ready else None
        if not channel.ready:
            peer.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        if back:  # FreeSWITCH: to whom the other one was sent from
            session.transfer(back)
        elif not peer.ready:
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return False
    for one, two in ((session, other), (other, session)):
        one.channel.fire("CHANNEL_EXECUTE", ("Application", "uuid_bridge"), ("Application-Data", two.uuid))
    bridge(session, other)
    if (
        not channel.flags & {Flag.TRANSFER, Flag.REDIRECT}
        and channel.up
        and channel.state not in (ChannelState.CS_ROUTING, ChannelState.CS_PARK)
    ):
        channel.set_state(ChannelState.CS_EXECUTE)
    return False


def _alone(session: Session) -> None:
    channel = session.channel
    where = channel.variables.get("transfer_after_bridge")
    if channel.is_true("park_after_bridge"):
        park_session(session)
    elif where:
        transfer_after_bridge(session, where)
    else:
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)


def _cancelled(session: Session) -> None:
    channel = session.channel
    if channel.is_true("uuid_bridge_continue_on_cancel"):
        channel.set_state(ChannelState.CS_EXECUTE)
    elif channel.is_true("uuid_bridge_park_on_cancel"):
        park_session(session)
    elif Flag.TRANSFER not in channel.flags:
        channel.hangup(HangupCause.ORIGINATOR_CANCEL)


_HANDLERS = {
    ChannelState.CS_HIBERNATE: _leave,
    ChannelState.CS_CONSUME_MEDIA: _leave,
    ChannelState.CS_RESET: _reset,
    ChannelState.CS_SOFT_EXECUTE: _join,
}


def partner_of(session: Session) -> Session | None:
    """Return the leg that a call is bridged or bound to, None when it is alone."""
    variables = session.channel.variables
    uuid = variables.get("signal_bond") or variables.get("originate_signal_bond") or ""
    found = session.switch.find_session(uuid)
    return found if found is not session else None


def wait_for_bridge(session: Session, seconds: int) -> None:
    """Wait until a call and whom it is bound to are bridged, or one of them is hung up; for at most `seconds`.

    Who is taken out of a bridge before both are in it would take the other one down.
    """
    partner = partner_of(session)
    watched = [one.channel for one in (session, partner) if one is not None]

    def decided() -> bool:
        other = partner_of(session)
        joined = other is not None and _in_bridge(session) and _in_bridge(other)
        return joined or any(channel.down for channel in watched)

    wait_until(session.clock, decided, *watched, deadline=session.clock.now() + seconds * SECOND)


def _in_bridge(session: Session) -> bool:
    flags = session.channel.flags
    return Flag.BRIDGED in flags or (Flag.PROXY_MODE in flags and session.partner is not None)


def intercept(session: Session, uuid: str, *, other_leg: bool = False) -> Status:
    """Take over the call `uuid` (with `other_leg`, the leg it is bridged to): bridge it with this one.

    Whom it was bridged to is hung up with PICKED_OFF. `intercept_unbridged_only` and `intercept_unanswered_only`
    restrict what may be taken.
    """
    wanted = session.switch.find_session(uuid)
    if wanted is not None and other_leg:
        wanted = partner_of(wanted)
    if wanted is None or wanted is session:
        session.channel.log(LogLevel.DEBUG, f"no uuid {uuid}")
        return Status.FALSE
    channel, taken = session.channel, wanted.channel
    if channel.is_true("intercept_unbridged_only") and Flag.BRIDGED in taken.flags:
        return Status.FALSE
    if channel.is_true("intercept_unanswered_only") and Flag.ANSWERED in taken.flags:
        return Status.FALSE
    session.answer()
    left = partner_of(wanted)
    if left is session:
        left = None
    if left is not None:
        left.channel.flags.add(Flag.INTERCEPT)
        left.channel.variables.set("park_after_bridge", "true")
    if Flag.ANSWERED not in taken.flags:
        wanted.answer()
    taken.flags.add(Flag.INTERCEPTED)
    status = uuid_bridge(session, wanted)
    if left is not None:
        left.channel.hangup(HangupCause.PICKED_OFF)
    return status
