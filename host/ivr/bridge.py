"""Bridge two calls (FreeSWITCH: switch_ivr_multi_threaded_bridge): sound and keys of each go to the other."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_until
from host.hangup_cause import HangupCause
from host.ivr.bridge_side import FRAME, BridgeSide, arrange_peer, run_side, transfer_after_bridge
from host.ivr.broadcast import flush_broadcasts, stop_broadcast
from host.ivr.dial_options import DEFAULT_TIMEOUT
from host.ivr.fail_cause import handle_cause
from host.ivr.idle_silence import IdleSilence
from host.ivr.media_path import media_on
from host.ivr.originate import exported
from host.ivr.originate_group import pass_callee_id
from host.ivr.originate_wait import OriginateWait
from host.ivr.park import park_session
from host.ivr.signal_bridge import signal_bridge
from host.leading_number import leading_int
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.input_args import InputArgs
    from host.session import Session

_MEDIA = {Flag.ANSWERED, Flag.EARLY_MEDIA}
# States in which a call may not go on by itself when its bridge is over.
_GOING_ELSEWHERE = {
    ChannelState.CS_EXECUTE,
    ChannelState.CS_SOFT_EXECUTE,
    ChannelState.CS_PARK,
    ChannelState.CS_ROUTING,
}


def bridge(
    a: Session, b: Session, args: InputArgs | None = None, peer_args: InputArgs | None = None
) -> Status:
    """Bridge `a`, whose thread calls this, with `b` until one of them ends it; FALSE when there was no bridge.

    Input callbacks see the keys of their leg first; anything but SUCCESS ends the bridge, and a key that was let
    through is sent to the other leg. Afterwards `hangup_after_bridge`, `park_after_bridge`, `transfer_after_bridge`
    decide about `a`; `b` is hung up unless its own variables say otherwise.
    """
    caller, peer = a.channel, b.channel
    _share_exports(a, b)
    if Flag.ANSWERED in peer.flags and Flag.ANSWERED not in caller.flags:
        pass_callee_id(b, a)
        a.answer()
    if Flag.PROXY_MODE not in caller.flags & peer.flags:
        for one in (a, b):  # one of them has found out that it has to pass here
            media_on(one)
    elif Flag.PROXY_MEDIA not in caller.flags:
        caller.log(LogLevel.DEBUG, "Call has no media... Redirecting to signal bridge.")
        return signal_bridge(a, b)
    caller.flags.add(Flag.BRIDGE_ORIGINATOR)
    peer.flags.discard(Flag.BRIDGE_ORIGINATOR)
    left: set[str] = set()
    side = BridgeSide(a, b, args, originator=True, left=left)
    with b.kept():
        peer_side = BridgeSide(b, a, peer_args, originator=False, left=left)
        status, told = _run(side, peer_side)
        _end(side, status, told=told)
        peer_side.told = True
        caller.tell_watchers()
    _go_on(side)
    return status


def _end(side: BridgeSide, status: Status, *, told: bool) -> None:
    """Tell that the bridge is over, and let each leg be one of its own again."""
    a, b = side.session, side.other
    caller, peer = a.channel, b.channel
    if status is not Status.SUCCESS:
        caller.log(LogLevel.WARNING, f"Bridge Failed {caller.name}->{peer.name}")
        peer.hangup(HangupCause.NO_ANSWER)
    caller.flags.discard(Flag.BRIDGE_ORIGINATOR)
    if peer.variables.get("call_uuid") == a.uuid:  # else another bridge has it already
        peer.variables.set("call_uuid", b.uuid)
    if told:
        caller.fire(
            "CHANNEL_UNBRIDGE", first=(("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid))
        )
        a.switch.observe("unbridge", caller, other=peer.uuid, cause=peer.hangup_cause.name)
    a.io.message(a, "unbridge", b.uuid)
    b.io.message(b, "unbridge", a.uuid)


def _run(side: BridgeSide, peer_side: BridgeSide) -> tuple[Status, bool]:
    """Set the bridge up and stay in it; return how it went and whether CHANNEL_BRIDGE was fired."""
    a, b = side.session, side.other
    caller, peer = a.channel, b.channel
    if not peer.flags & {*_MEDIA, Flag.RING_READY}:
        return Status.FALSE, False
    if not caller.ready:
        abort_call(a, b)
        return Status.SUCCESS, False
    peer.variables.set("call_uuid", a.uuid)
    now = a.clock.time()
    caller.profile.times.bridged = peer.profile.times.bridged = now
    caller.fire("CHANNEL_BRIDGE", first=(("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid)))
    a.switch.observe("bridge", caller, other=peer.uuid, name=peer.name)
    _tie(a, b)
    _tie(b, a)
    if not peer.flags & _MEDIA or not caller.media_ready:
        answered = wait_for_answer(a, b)
        if answered is not Status.SUCCESS or not caller.ready:
            peer.hangup(HangupCause.ALLOTTED_TIMEOUT)
            abort_call(a, b)
            return Status.SUCCESS, True
        if Flag.ANSWERED in peer.flags:
            a.answer()
    for one, other in ((b, a), (a, b)):
        one.io.message(one, "bridge", other.uuid)
        variables = one.channel.variables
        variables.set("bridge_channel", other.channel.name)
        variables.set("bridge_uuid", other.uuid)
        variables.set("signal_bond", other.uuid)
    _show(a, b)
    _show(b, a)
    _pre_execute(a, b)
    a.partner, b.partner = b.uuid, a.uuid
    a.line.bridge(b.line)
    inner = Flag.INNER_BRIDGE in caller.flags
    if arrange_peer(peer_side):
        run_side(side)
    else:
        side.clean_exit = True
    if Flag.BROADCAST in peer.flags:
        flush_broadcasts(b)  # or what waits behind the one that plays would keep it here
        stop_broadcast(b)
    # by now either leg may be in another bridge
    wait_until(
        a.clock,
        lambda: peer.state is not ChannelState.CS_EXCHANGE_MEDIA or b.partner != a.uuid,
        peer,
    )
    if caller.down and peer.down:
        # FreeSWITCH: a caller that has hung up first is told it of last, the other's end takes less than a look
        wait_until(
            a.clock, lambda: peer.state is ChannelState.CS_DESTROY, peer, deadline=a.clock.now() + FRAME
        )
    a.line.unbridge()
    for one, other in ((a, b), (b, a)):
        if one.partner == other.uuid:
            one.partner = None
    if inner:
        for channel in (caller, peer):
            if channel.ready:
                channel.flags.add(Flag.BRIDGED)
    for left, gone in ((peer, caller), (caller, peer)):
        if gone.down:
            left.variables.set("bridge_hangup_cause", gone.hangup_cause.name)
    return Status.SUCCESS, True


def _tie(session: Session, other: Session) -> None:
    session.channel.variables.set("bridge_to", other.uuid)
    session.channel.variables.set("last_bridge_to", other.uuid)


def _show(session: Session, to: Session) -> None:
    """Note on `to` whom it is told to show: who `session` is (FreeSWITCH: last_sent_callee_id_…)."""
    profile, other = session.channel.profile, to.channel.profile
    if Flag.BRIDGE_ORIGINATOR in session.channel.flags:
        name = other.caller_id_name or profile.caller_id_name
        number = other.caller_id_number or profile.caller_id_number or "UNKNOWN"
    else:
        name = profile.callee_id_name
        number = profile.callee_id_number or profile.destination_number
    shown = [text.rpartition("/")[2] for text in (name or number, number)]
    for what, text in zip(("name", "number"), shown, strict=True):
        if text:
            to.channel.variables.set(f"last_sent_callee_id_{what}", text)
    if to.endpoint == "loopback":  # its far end is a call here, whose profile tells whom it speaks with
        to.io.message(to, "display", "|".join(shown))


def _share_exports(a: Session, b: Session) -> None:
    """Copy the callee, and both ways what `bridge_export` marked."""
    pass_callee_id(b, a)
    of_a, of_b = (exported(leg, "bridge_export_vars") for leg in (a, b))
    a.channel.variables.update(of_b.items())
    b.channel.variables.update(of_a.items())


def _pre_execute(a: Session, b: Session) -> None:
    given = a.channel.variables
    for leg, name in ((a, "aleg"), (b, "bleg")):
        application = given.get(f"bridge_pre_execute_{name}_app")
        if application:
            leg.channel.variables.set("bridge_pre_execute_app", application)
            data = given.get(f"bridge_pre_execute_{name}_data")
            if data:
                leg.channel.variables.set("bridge_pre_execute_data", data)


def _go_on(side: BridgeSide) -> None:
    """Decide what the caller does when its bridge is over."""
    session = side.session
    caller, peer = session.channel, side.other.channel
    if (
        caller.flags & {Flag.TRANSFER, Flag.REDIRECT, Flag.XFER_ZOMBIE, Flag.INNER_BRIDGE}
        or side.clean_exit
        or not caller.up
    ):
        return
    cause = peer.hangup_cause or HangupCause.NORMAL_CLEARING
    hangup = caller.variables.get("hangup_after_bridge") or ""
    answered, early = Flag.ANSWERED in peer.flags, Flag.EARLY_MEDIA in peer.flags
    if not answered:
        handle_cause(session, cause)
    if hangup.lower() == "explicit":
        caller.hangup(cause)
        return
    if caller.state in _GOING_ELSEWHERE and not answered and not early:
        return
    if caller.down or Flag.TRANSFER in caller.flags:
        return
    where = (caller.variables.get("transfer_after_bridge") if answered else None) or caller.variables.get(
        "transfer_after_early_bridge"
    )
    if (answered and caller.is_true("park_after_bridge")) or caller.is_true("park_after_early_bridge"):
        park_session(session)
    elif where:
        transfer_after_bridge(session, where)
    elif answered and caller.is_true("hangup_after_bridge"):
        if Flag.INTERCEPTED in peer.flags:
            peer.flags.add(Flag.INTERCEPT)
        caller.hangup(cause)


def abort_call(a: Session, b: Session) -> None:
    """Hang the called leg up because the caller is not there for it."""
    caller = a.channel
    b.channel.hangup(
        caller.hangup_cause if caller.down and caller.hangup_cause else HangupCause.ORIGINATOR_CANCEL
    )


def wait_for_answer(session: Session, peer: Session) -> Status:
    """Wait until `peer` has media, for `call_timeout` seconds or 60; the caller hears its ringback meanwhile.

    FALSE when one of the two is gone (`peer` is hung up when it is not, yet has no media), TIMEOUT.
    """
    channel, called = session.channel, peer.channel
    limit = channel.variables.get("call_timeout")
    seconds = DEFAULT_TIMEOUT if limit is None or leading_int(limit) < 0 else leading_int(limit)
    deadline = session.clock.now() + seconds * 1_000_000
    wait = OriginateWait(session.clock, session)
    status = Status.SUCCESS
    if not called.flags & _MEDIA:
        if wait.ringback.wanted and channel.media_ready:
            wait.ringback.start()
        silence = nullcontext() if wait.ringback.wanted else IdleSilence(session)
        with wait.watching(called), silence:
            while called.up and not called.flags & _MEDIA and channel.ready:
                if wait.cancelled_by_key or session.clock.now() >= deadline:
                    status = Status.FALSE if wait.cancelled_by_key else Status.TIMEOUT
                    break
                wait.wait(deadline)
        wait.ringback.stop()
    if not called.flags & _MEDIA or called.down:
        called.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return status if status is not Status.SUCCESS else Status.FALSE
    return Status.SUCCESS if channel.up else Status.FALSE
