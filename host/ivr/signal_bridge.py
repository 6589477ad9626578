"""Bridge two calls whose sound passes elsewhere: both hibernate (FreeSWITCH: switch_ivr_signal_bridge)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.ivr.bridge_side import transfer_after_bridge
from host.ivr.fail_cause import handle_cause
from host.ivr.media_path import media_on
from host.ivr.park import park_session
from host.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from host.session import Session, StateHandler

# FreeSWITCH: the variables that tie two such calls, and that tell of it afterwards.
TO: Final = "signal_bridge_to"
_MARK: Final = "signal_bridge"


def signal_bridge(a: Session, b: Session) -> Status:
    """Send both calls to sleep until one ends, or is sent elsewhere; any thread may call this, it does not wait.

    `a` is the bridge's originator. FALSE when one of them is hung up, and then both are.
    """
    caller, peer = a.channel, b.channel
    if peer.down:
        caller.hangup(peer.hangup_cause)
        return Status.FALSE
    if caller.down:
        peer.hangup(HangupCause.ORIGINATOR_CANCEL)
        return Status.FALSE
    for session, other in ((a, b), (b, a)):
        variables = session.channel.variables
        variables.set(TO, other.uuid)
        variables.set(_MARK, "true")
        variables.set("signal_bond", other.uuid)
    a.handlers[:] = [_ORIGINATOR]
    b.handlers[:] = [_PEER]
    for session, other in ((a, b), (b, a)):
        session.channel.fire(
            "CHANNEL_EXECUTE", ("Application", "signal_bridge"), ("Application-Data", other.uuid)
        )
    for session in (a, b):
        channel = session.channel
        if Flag.BRIDGED in channel.flags:
            channel.flags |= {Flag.REDIRECT, Flag.TRANSFER}  # so that the bridge's end is not its end
        channel.set_state(ChannelState.CS_HIBERNATE)
        channel.changed()
    return Status.SUCCESS


def signal_partner(session: Session) -> Session | None:
    """Return the other call of a bridge without sound."""
    return session.switch.find_session(session.channel.variables.get(TO) or "")


def leave_signal_bridge(session: Session, joined: Session) -> None:
    """Take a call that is to be bridged with `joined` out of the bridge without sound that it is in.

    FreeSWITCH: whom else it was bridged with is hung up with ATTENDED_TRANSFER.
    """
    other = signal_partner(session)
    if other is None:
        return
    if other is not joined:
        _untie(other, session)
        other.channel.hangup(HangupCause.ATTENDED_TRANSFER)
    _untie(session, other)


def _untie(session: Session, other: Session) -> None:
    """Let a call be alone, and tell that the bridge is over when it was its."""
    channel = session.channel
    for name in (TO, "bridge_to", "bridge_uuid"):
        channel.variables.set(name, None)
    session.at_routing[:] = [told for told in session.at_routing if not isinstance(told, _OnRouting)]
    if session.partner == other.uuid:
        session.partner = None
    if Flag.BRIDGE_ORIGINATOR in channel.flags:
        channel.flags.discard(Flag.BRIDGE_ORIGINATOR)
        channel.fire(
            "CHANNEL_UNBRIDGE",
            first=(("Bridge-A-Unique-ID", session.uuid), ("Bridge-B-Unique-ID", other.uuid)),
        )
        session.switch.observe("unbridge", channel, other=other.uuid, cause=other.channel.hangup_cause.name)


def _begin(session: Session) -> Session | None:
    channel = session.channel
    other = signal_partner(session)
    channel.variables.set("bridge_to", channel.variables.get(TO))
    channel.variables.set("last_bridge_to", channel.variables.get(TO))
    channel.profile.times.bridged = session.clock.time()
    if not any(isinstance(told, _OnRouting) for told in session.at_routing):
        session.at_routing.append(_OnRouting(_sent_elsewhere, session))
    if not any(isinstance(told, _OnHangup) for told in session.at_hangup):
        session.at_hangup.append(_OnHangup(_hung_up, session))
    return other


def _originator_sleeps(session: Session) -> bool:
    """Begin the bridge: it is told, and the ports that sound does not need are given back."""
    other = _begin(session)
    if other is None:
        return True
    channel = session.channel
    channel.flags.add(Flag.BRIDGE_ORIGINATOR)
    other.channel.flags.discard(Flag.BRIDGE_ORIGINATOR)
    other.channel.variables.set("call_uuid", session.uuid)
    channel.fire(
        "CHANNEL_BRIDGE", first=(("Bridge-A-Unique-ID", session.uuid), ("Bridge-B-Unique-ID", other.uuid))
    )
    session.switch.observe("bridge", channel, other=other.uuid, name=other.channel.name)
    session.partner, other.partner = other.uuid, session.uuid
    for one, its in ((session, other), (other, session)):
        one.io.message(one, "bridge", its.uuid)
    if other.channel.down:  # before it was known whose partner it is
        _end_with(session, other)
    return True


def _peer_sleeps(session: Session) -> bool:
    _begin(session)
    return True


class _OnRouting(partial[None]):
    """What is done when a call is sent elsewhere."""


class _OnHangup(partial[bool]):
    """What is done when a call ends, also one that is on its way elsewhere."""


def _sent_elsewhere(session: Session) -> None:
    """End the bridge, and have the sound of a call that goes elsewhere pass here again.

    FreeSWITCH: the other one is hung up with BLIND_TRANSFER.
    """
    other = signal_partner(session)
    if other is not None:
        theirs = other.channel
        _untie(session, other)
        session.channel.variables.set("hangup_after_bridge", "false")
        stays = theirs.state is ChannelState.CS_HIBERNATE and Flag.REDIRECT not in theirs.flags
        if theirs.variables.get(TO) == session.uuid and stays:
            _untie(other, session)
            theirs.hangup(HangupCause.BLIND_TRANSFER)
    if session.channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
        media_on(session)


def _hung_up(session: Session) -> bool:
    """Decide what the other one does when a call of the bridge ends."""
    other = signal_partner(session)
    if other is None:
        return True
    _untie(session, other)
    if other.channel.variables.get(TO) == session.uuid:
        _end_with(other, session)
    return True


def _end_with(session: Session, gone: Session) -> None:
    """Let a call go on, or end, when the other one of its bridge has ended."""
    channel, over = session.channel, gone.channel
    originator = _ORIGINATOR in session.handlers
    _untie(session, gone)
    channel.variables.set("call_uuid", session.uuid)
    channel.variables.set("bridge_hangup_cause", over.hangup_cause.name)
    if not channel.up:
        return
    where = channel.variables.get("transfer_after_bridge")
    answered = Flag.ANSWERED in over.flags
    if channel.is_true("park_after_bridge"):
        park_session(session)
    elif where:
        transfer_after_bridge(session, where)
    elif not originator or (answered and channel.is_true("hangup_after_bridge")):
        if Flag.INTERCEPTED in over.flags:
            channel.flags.add(Flag.INTERCEPT)
        channel.hangup(over.hangup_cause)
    else:
        if not answered:
            handle_cause(session, over.hangup_cause)
        asleep = channel.running_state is ChannelState.CS_HIBERNATE
        awake = ChannelState.CS_EXECUTE if asleep else ChannelState.CS_RESET  # its thread has to see a change
        channel.set_state(awake, after=ChannelState.CS_HIBERNATE)


def _wake(session: Session) -> bool:
    session.channel.set_state(ChannelState.CS_EXECUTE, after=ChannelState.CS_RESET)
    return False


_ORIGINATOR: Final[Mapping[ChannelState, StateHandler]] = {
    ChannelState.CS_HIBERNATE: _originator_sleeps,
    ChannelState.CS_RESET: _wake,
    ChannelState.CS_HANGUP: _hung_up,
}
_PEER: Final[Mapping[ChannelState, StateHandler]] = {
    ChannelState.CS_HIBERNATE: _peer_sleeps,
    ChannelState.CS_HANGUP: _hung_up,
}
