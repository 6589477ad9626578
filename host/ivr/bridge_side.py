"""One leg's half of a bridge: it hands keys to the other leg until one of the two has had enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host import session_state
from host.caller_profile import CallerExtension
from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_until, watching
from host.clock import MILLISECOND, SECOND
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Break, Digit
from host.ivr.broadcast import stop_broadcast
from host.ivr.media_path import media_off
from host.ivr.originate_group import pass_callee_id
from host.ivr.park import park_session
from host.leading_number import leading_int
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.input_args import InputArgs
    from host.session import Session

_KEY = "bridge"
# How long a leg reads at most before it looks what has become of the other one.
FRAME: Final = 20 * MILLISECOND


@dataclass(slots=True)
class BridgeSide:
    """A leg in a bridge with `other`. `clean_exit`: it was taken out of it, so the bridge's end is not its end.

    `left` is the same set on both sides: the UUIDs of the legs that have left this bridge. Their flags do not tell:
    by the time a leg that was busy looks, the other one may be BRIDGED with a third.
    """

    session: Session
    other: Session
    args: InputArgs | None
    originator: bool
    left: set[str]
    clean_exit: bool = False
    told: bool = False  # the originator has told that the bridge is over

    @property
    def alone(self) -> bool:
        """Whether the other leg is not in this bridge, or not any more."""
        return self.other.uuid in self.left or Flag.BRIDGED not in self.other.channel.flags


def run_side(side: BridgeSide) -> None:
    """Serve one leg, in its own thread, until the bridge ends for it."""
    session, other = side.session, side.other
    channel, peer = session.channel, other.channel
    inner = Flag.INNER_BRIDGE in channel.flags
    channel.flags -= {Flag.INTERCEPT, Flag.INTERCEPTED}
    channel.set_flag(Flag.BRIDGED)
    wait_until(session.clock, lambda: not side.alone or not _may_come(side), peer, channel)
    if not side.alone:
        _pass_on(side, inner)
    elif _may_come(side):
        peer.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
    session_state.run_moment(session, "post_bridge")
    if not inner:
        _run_api(session, "api_after_bridge")
        _exec_after_bridge(session)
    session.forget_input(digits=True)
    channel.variables.set("bridge_to", None)
    channel.flags -= {Flag.HOLD}
    side.left.add(session.uuid)
    channel.clear_flag(Flag.BRIDGED)
    if Flag.INTERCEPTED in channel.flags:
        peer.flags.add(Flag.INTERCEPT)
    if peer.flags & {Flag.LEG_HOLDING, Flag.HANGUP_HELD}:
        _after_hold(side)
    peer.changed()


def _after_hold(side: BridgeSide) -> None:
    """End the call of one who was put on hold by a leg that leaves, or send it to `hold_hangup_xfer_exten` of that."""
    channel, peer = side.session.channel, side.other.channel
    bound = channel.variables.get("signal_bond") == peer.uuid  # neither transferred nor bridged with another
    if not bound or not channel.ready or side.clean_exit or channel.state is ChannelState.CS_PARK:
        return
    stop_broadcast(side.session)  # the hold music
    extension = peer.variables.get("hold_hangup_xfer_exten")
    if extension:
        channel.variables.set("transfer_after_bridge", extension)
    else:
        channel.hangup(HangupCause.NORMAL_CLEARING)


def _may_come(side: BridgeSide) -> bool:
    """Return whether the other leg may still join."""
    channel, peer = side.session.channel, side.other.channel
    gone = {Flag.TRANSFER, Flag.REDIRECT}
    if side.other.uuid in side.left:
        return False
    return channel.up and peer.up and not channel.flags & gone and not peer.flags & gone


def _pass_on(side: BridgeSide, inner: bool) -> None:
    session, other = side.session, side.other
    channel, peer = session.channel, other.channel
    session_state.run_moment(session, "pre_bridge")
    if not inner:
        _run_api(session, "api_before_bridge")
    application = channel.variables.get("bridge_pre_execute_app")
    if application:
        data = channel.variables.get("bridge_pre_execute_data") or ""
        session.run_in_session(lambda s: s.execute(application, data))
    filtered = channel.is_true("bridge_filter_dtmf")
    answer_limit = _answer_limit(session)
    seen = _progress(other)

    def over() -> bool:
        return (
            bool({Flag.TRANSFER} & (channel.flags | peer.flags))
            or side.alone
            or peer.down
            or _progress(other) != seen
        )

    with watching(channel.on_change, peer):
        while True:
            if Flag.TRANSFER in channel.flags or (channel.up and not channel.ready):
                side.clean_exit = True
            if side.clean_exit or Flag.TRANSFER in peer.flags or side.alone or not channel.ready or peer.down:
                return
            seen = _progress(other)
            if side.originator and not _follow(session, other):
                return
            if side.originator and _leaves_media(session, other):
                oldschool = channel.is_true("bypass_media_after_bridge_oldschool")
                if media_off(session, third_party=not oldschool):
                    continue
            deadline = answer_limit if Flag.ANSWERED not in channel.flags else None
            item = session.receive(deadline, (Digit, Event, Break), until=over)
            if isinstance(item, Digit):
                session.tell_digit(item)
                if not _may_pass(side, item):
                    return
                if not filtered:
                    other.send_digit(item)
            elif isinstance(item, Event):
                if side.args is not None and side.args.on_input is not None:
                    side.args.on_input(session, item)
            elif item is None and deadline is not None and session.clock.now() >= deadline:
                if channel.is_true("continue_on_answer_timeout"):
                    side.clean_exit = True
                    return
                channel.hangup(HangupCause.ALLOTTED_TIMEOUT)


def _may_pass(side: BridgeSide, digit: Digit) -> bool:
    """Let the input callback see a key; False when it ends the bridge."""
    if side.args is None or side.args.on_input is None:
        return True
    if side.args.on_input(side.session, digit) is Status.SUCCESS:
        return True
    side.session.channel.log(LogLevel.DEBUG, f"{side.session.channel.name} ended call via DTMF")
    return False


def _progress(session: Session) -> frozenset[Flag]:
    return frozenset(session.channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA})


def _follow(session: Session, other: Session) -> bool:
    """Answer the caller once the called one is answered; False when that fails."""
    mine, theirs = session.channel.flags, other.channel.flags
    if Flag.ANSWERED in mine:
        return True
    if Flag.ANSWERED in theirs:
        pass_callee_id(other, session)
        return session.answer() is Status.SUCCESS
    if Flag.EARLY_MEDIA in theirs and Flag.EARLY_MEDIA not in mine:
        return session.pre_answer() is Status.SUCCESS
    return True


def _leaves_media(session: Session, other: Session) -> bool:
    """Return whether sound is to leave the switch now that both are answered (`bypass_media_after_bridge`), once."""
    mine, theirs = session.channel.flags, other.channel.flags
    wanted = Flag.BYPASS_MEDIA_AFTER_BRIDGE in mine | theirs
    if not wanted or Flag.ANSWERED not in mine & theirs:
        return False
    for flags in (mine, theirs):
        flags.discard(Flag.BYPASS_MEDIA_AFTER_BRIDGE)
    return True


def _answer_limit(session: Session) -> int | None:
    text = session.channel.variables.get("bridge_answer_timeout")
    if text is None or leading_int(text) < 0:
        return None
    return session.clock.now() + leading_int(text) * SECOND


def _run_api(session: Session, variable: str) -> None:
    text = session.channel.variables.get(variable)
    if text:
        command, _, argument = session.expand(text).partition(" ")
        session.switch.api(command, argument, session)


def _exec_after_bridge(session: Session) -> None:
    """Put `exec_after_bridge_app` in the place of what the call would do next."""
    channel = session.channel
    application = channel.variables.get("exec_after_bridge_app")
    if not application or not channel.up or Flag.REDIRECT in channel.flags:
        return
    data = channel.variables.get("exec_after_bridge_arg") or ""
    channel.profile.extension = CallerExtension(application, application, [(application, data)])
    channel.set_state(ChannelState.CS_EXECUTE)


def transfer_after_bridge(session: Session, where: str) -> None:
    """Send a leg to `extension[:dialplan[:context]]` and forget that this was wanted."""
    session.channel.variables.set("transfer_after_bridge", None)
    extension, *rest = where.split(":", 2)
    session.transfer(extension, *rest)


def on_exchange_media(session: Session) -> bool:
    """Run the state CS_EXCHANGE_MEDIA of the called leg of a bridge, and decide what it does afterwards."""
    channel = session.channel
    side = channel.private.pop(_KEY, None)
    if not isinstance(side, BridgeSide):
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return False
    run_side(side)
    if channel.down and side.other.channel.up:
        # FreeSWITCH: the caller notices the end of the other one before that has read its last frame
        deadline = session.clock.now() + FRAME
        wait_until(session.clock, lambda: side.told, side.other.channel, deadline=deadline)
    session.handlers[:] = [table for table in session.handlers if table is not PEER_HANDLERS]
    if (
        not channel.flags & {Flag.TRANSFER, Flag.REDIRECT, Flag.INNER_BRIDGE, Flag.XFER_ZOMBIE}
        and not side.clean_exit
        and channel.state is ChannelState.CS_EXCHANGE_MEDIA
    ):
        where = channel.variables.get("transfer_after_bridge")
        if channel.is_true("park_after_bridge"):
            park_session(session)
            return False
        if where:
            transfer_after_bridge(session, where)
            return False
        if Flag.INTERCEPTED in channel.flags:
            channel.flags -= {Flag.INTERCEPT, Flag.INTERCEPTED}
            return False
        if Flag.INTERCEPT in channel.flags:
            channel.hangup(HangupCause.PICKED_OFF)
        elif Flag.ANSWERED in channel.flags:
            channel.hangup(HangupCause.NORMAL_CLEARING)
        elif not _has_moment(session, "orphaned_bleg"):
            channel.hangup(HangupCause.ORIGINATOR_CANCEL)
        else:
            session_state.run_moment(session, "orphaned_bleg")
    if channel.state is ChannelState.CS_EXCHANGE_MEDIA:
        channel.variables.set("park_timeout", "3")
        channel.set_state(ChannelState.CS_PARK)
    return False


def _has_moment(session: Session, moment: str) -> bool:
    names = [name.lower() for name in session.channel.variables]
    return any(name.startswith((f"execute_on_{moment}", f"api_on_{moment}")) for name in names)


PEER_HANDLERS = {ChannelState.CS_EXCHANGE_MEDIA: on_exchange_media}


def arrange_peer(side: BridgeSide) -> bool:
    """Send the called leg into the bridge, where its own thread serves it; False where another has just taken it."""
    session, channel = side.session, side.session.channel
    state = channel.state
    if channel.up and channel.flags & {Flag.TRANSFER, Flag.REDIRECT}:
        return False
    former = channel.private.get(_KEY)
    channel.private[_KEY] = side
    session.handlers.append(PEER_HANDLERS)
    arranged = channel.set_state(ChannelState.CS_EXCHANGE_MEDIA, after=state)
    if arranged or channel.down or channel.state is state:
        return True
    if channel.private.get(_KEY) is side:
        channel.private[_KEY] = former
    if PEER_HANDLERS in session.handlers:
        session.handlers.remove(PEER_HANDLERS)
    return False
