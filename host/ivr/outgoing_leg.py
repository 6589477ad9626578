"""One leg that is dialled: its caller profile, its session, the variables it is born with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host import session_state
from host.caller_profile import CallerProfile
from host.channel import Flag
from host.channel_state import ChannelState
from host.clock import SECOND
from host.dial_string import sanitized
from host.expansion import holds_variable
from host.hangup_cause import HangupCause
from host.interfaces import OutgoingCall
from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true
from media.rtp_line import RtpLine

if TYPE_CHECKING:
    from host.dial_string import Leg
    from host.ivr.originate_wait import OriginateWait
    from host.session import Session, StateHandler
    from host.switch import Switch

# FreeSWITCH: SWITCH_DEFAULT_CLID_NAME and _NUMBER, for calls that nobody gave a caller.
DEFAULT_CALLER_NAME: Final = ""
DEFAULT_CALLER_NUMBER: Final = "0000000000"
_MAX_FORWARDS: Final = 70


def _consume(session: Session) -> bool:
    session.channel.set_state(ChannelState.CS_CONSUME_MEDIA, after=ChannelState.CS_ROUTING)
    return False


# A dialled leg waits instead of asking the dialplan.
ORIGINATING: Final[Mapping[ChannelState, StateHandler]] = {ChannelState.CS_ROUTING: _consume}


@dataclass(slots=True)
class Calling:
    """What all legs of one dial string share. `variables` are those of `<>` and `{}` and the caller's exports.

    `cancel` and `wait` are the request's own, for endpoints that place a call within this one.
    """

    switch: Switch
    variables: dict[str, str]
    caller: Session | None
    profile: CallerProfile | None
    nested_variables: bool = False
    forked: bool = False
    handlers: list[Mapping[ChannelState, StateHandler]] = field(default_factory=list)
    cancel: Callable[[], HangupCause | None] | None = None
    wait: OriginateWait | None = None


@dataclass(slots=True)
class OutgoingLeg:
    """A leg under way; times are µs of `Clock.now()`, None for never. It waits for `starts` to be called at all."""

    session: Session
    starts: int | None = None
    deadline: int | None = None
    progress_deadline: int | None = None

    def start(self) -> None:
        """Begin to call."""
        self.starts = None
        self.session.start()

    def hurry(self, gained: int) -> None:
        """Bring all times forward by `gained` µs: nobody else is left who is called before."""
        self.starts = None if self.starts is None else self.starts - gained
        self.deadline = None if self.deadline is None else self.deadline - gained
        self.progress_deadline = None if self.progress_deadline is None else self.progress_deadline - gained

    def hang_up(self, cause: HangupCause) -> None:
        """End the leg, also one that was not called yet."""
        self.session.channel.hangup(cause)
        self.start()

    def swap(self) -> None:
        """Let the call that has picked this leg up be the leg in its place."""
        picked = self.session
        flags = picked.channel.flags
        if Flag.CHANNEL_SWAP not in flags:
            return
        flags.discard(Flag.CHANNEL_SWAP)
        picker = picked.switch.find_session(picked.channel.variables.get("channel_swap_uuid") or "")
        if picker is not None:
            self.session = picker
            picker.channel.flags.add(Flag.ORIGINATING)
            picker.channel.variables.set("picked_up_uuid", picked.uuid)
            session_state.run_moment(picker, "pickup")
        picked.channel.hangup(HangupCause.PICKED_OFF)

    @property
    def up(self) -> bool:
        """Whether the leg may still be answered for this call: not hung up, not taken by somebody else."""
        channel = self.session.channel
        return (
            channel.up
            and channel.state is not ChannelState.CS_RESET
            and Flag.ORIGINATING in channel.flags
            and not channel.flags & {Flag.TRANSFER, Flag.REDIRECT, Flag.BRIDGED}
        )


def place_leg(calling: Calling, leg: Leg) -> OutgoingLeg | HangupCause:
    """Create a leg's session, which is to be started by `OutgoingLeg.start`, or say why there is none."""
    endpoint = calling.switch.endpoints.get(leg.endpoint) if leg.endpoint else None
    if endpoint is None:
        _log(calling, LogLevel.ERR, f"Could not locate channel type {leg.endpoint}")
        return HangupCause.CHAN_NOT_IMPLEMENTED
    caller = calling.caller
    forwards = _MAX_FORWARDS
    if caller is not None and (given := caller.channel.variables.get("max_forwards")):
        forwards = leading_int(given) - 1
        if forwards <= 0:
            return HangupCause.EXCHANGE_ROUTING_ERROR
    both = {**calling.variables, **dict(leg.variables)}
    profile = _profile(calling, leg, both)
    passed_on = {name: value for name, value in both.items() if name != "originate_early_media"}
    call = OutgoingCall(leg.address, passed_on, profile, caller, calling.forked, calling.cancel, calling.wait)
    made = endpoint.outgoing(calling.switch, call)
    if isinstance(made, HangupCause):
        _log(
            calling,
            LogLevel.NOTICE,
            f"Cannot create outgoing channel of type [{leg.endpoint}] cause: [{made.name}]",
        )
        return made
    if caller is not None and Flag.PROXY_MODE in caller.channel.flags and not made.channel.can_bypass_media:
        _log(
            calling,
            LogLevel.WARNING,
            f"{made.channel.name} does not support the proxy feature, disabling.",
        )
        caller.channel.flags.discard(Flag.PROXY_MODE)
    _dress(calling, leg, made, forwards)
    return _schedule(made)


def _profile(calling: Calling, leg: Leg, variables: Mapping[str, str]) -> CallerProfile:
    if calling.profile is not None:
        profile = calling.profile.clone()
        profile.source = "switch_ivr_originate"
    else:
        number = variables.get("origination_caller_id_number") or DEFAULT_CALLER_NUMBER
        profile = CallerProfile(
            dialplan="",
            caller_id_name=variables.get("origination_caller_id_name", DEFAULT_CALLER_NAME),
            caller_id_number=number,
            orig_caller_id_name=variables.get("origination_caller_id_name", DEFAULT_CALLER_NAME),
            orig_caller_id_number=number,
            ani=number,
            source="switch_ivr_originate",
        )
    profile.destination_number = leg.address or "service"
    profile.callee_id_name = "Outbound Call"
    profile.callee_id_number = sanitized(profile.destination_number)
    profile.chan_name = profile.uuid = profile.logical_direction = profile.transfer_source = ""
    effective = calling.caller.channel.variables if calling.caller is not None else None
    for part in ("ani", "aniii", "caller_id_name", "caller_id_number"):
        value = variables.get(f"origination_{part}")
        if value is None and effective is not None:
            value = effective.get(f"effective_{part}")
        if value is not None:
            setattr(profile, part, value)
    privacy = variables.get("origination_privacy")
    if privacy is not None:
        profile.screen = "screen" in privacy.lower()
        profile.privacy_hide_name = "hide_name" in privacy.lower()
        profile.privacy_hide_number = "hide_number" in privacy.lower()
    return profile


def _dress(calling: Calling, leg: Leg, session: Session, forwards: int) -> None:
    """Give the new channel its variables, its ties to the caller, and the state handlers of a dialled leg."""
    channel = session.channel
    variables = channel.variables
    channel.set_flag(Flag.ORIGINATING)
    caller = calling.caller
    if caller is not None:
        variables.set("max_forwards", str(forwards))
        if session.endpoint != "sofia":  # which chooses its codecs by it, and so has it already
            variables.set("originator_codec", _codec_of(caller))
        variables.set("originator", caller.uuid)
        variables.set("signal_bond", caller.uuid)
        caller.channel.variables.set("originate_signal_bond", session.uuid)
        if channel.profile.originator is None:
            channel.profile.originator = caller.channel.profile.clone()
    channel.fire("CHANNEL_OUTGOING")
    if caller is not None:
        variables.set("call_uuid", caller.channel.variables.get("call_uuid"))
    own = list(leg.variables)
    general = list(calling.variables.items())
    ordered = general + own if is_true(calling.variables.get("local_var_clobber")) else own + general
    for name, value in ordered:
        if calling.nested_variables or not holds_variable(value):
            variables.set(name, value)
    channel_name = variables.get("origination_channel_name")
    if channel_name:
        channel.name = channel.profile.chan_name = channel_name
        variables.set("channel_name", channel_name)
    for part in ("callee_id_name", "callee_id_number"):
        callee = variables.get(f"origination_{part}")
        if callee:
            setattr(channel.profile, part, callee)
    origin = caller or calling.switch.find_session(calling.variables.get("ent_originate_aleg_uuid", ""))
    if origin is not None:
        variables.set("originating_leg_uuid", origin.uuid)
        profile = channel.profile
        origin.channel.variables.push(
            "originated_legs", f"{session.uuid};{profile.callee_id_name};{profile.callee_id_number}"
        )
    variables.set("originate_endpoint", leg.endpoint)
    session_state.run_moment(session, "originate")
    session.handlers.extend(calling.handlers)
    if ORIGINATING not in session.handlers:
        session.handlers.append(ORIGINATING)


def _codec_of(caller: Session) -> str | None:
    """Return the codec that a caller uses; before there is one, those it may come to."""
    variables = caller.channel.variables
    name, rate = variables.get("rtp_use_codec_name"), variables.get("rtp_use_codec_rate")
    if name and rate:
        return f"{name}@{rate}h@{variables.get('rtp_use_codec_ptime')}i"
    if not isinstance(caller.line, RtpLine):
        return f"L16@{caller.line.rate}h@20i"
    return variables.get("ep_codec_string")


def _schedule(session: Session) -> OutgoingLeg:
    variables = session.channel.variables
    delay = max(0, leading_int(variables.get("leg_delay_start") or "")) * SECOND
    limit = max(0, leading_int(variables.get("leg_timeout") or "")) * SECOND
    progress = max(0, leading_int(variables.get("leg_progress_timeout") or "")) * SECOND
    begins = session.clock.now() + delay
    leg = OutgoingLeg(
        session,
        starts=begins,
        deadline=begins + limit if limit else None,
        progress_deadline=begins + progress if progress else None,
    )
    return leg


def _log(calling: Calling, level: LogLevel, text: str) -> None:
    if calling.caller is not None:
        calling.caller.channel.log(level, text)
    else:
        calling.switch.log(level, text)
