"""Reaching an agent for a member: by calling him, or through the call in which he stands by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_watch import wait_until
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.originate import Request, exported, place_call
from host.ivr.originate_wait import OriginateWait
from host.ivr.park import park_session
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_callcenter.agents import set_agent
from host.modules.mod_callcenter.center import RINGING_FOR, Dial
from host.modules.mod_callcenter.members import claim
from host.modules.mod_callcenter.queue import RINGING
from host.modules.mod_callcenter.sound import play_to
from host.modules.mod_callcenter.states import CALLBACK, LOGGED_OUT, UUID_STANDBY

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.dispatch import Offer
    from host.session import Session

_EXPORTED: Final = "cc_export_vars"
_SETTLING: Final = 5 * SECOND  # until a loopback leg is bridged, and until one who stands by is parked


def reach(center: CallCenter, offer: Offer, member: Session) -> tuple[Session | None, HangupCause]:
    """Return the agent's call, which is up, or None and the cause."""
    kind = offer.agent.type.lower()
    if kind == CALLBACK:
        leg, cause = _call(center, offer, member)
        return (_behind_loopback(offer, leg, member) if leg is not None else None), cause
    if kind == UUID_STANDBY:
        return _standing_by(center, offer, member), HangupCause.NONE
    return None, HangupCause.USER_NOT_REGISTERED


def agent_variables(offer: Offer) -> dict[str, str]:
    """Return the variables by which an agent's leg is known."""
    return {
        "cc_side": "agent",
        "cc_queue": offer.queue.name,
        "cc_agent": offer.agent.name,
        "cc_agent_type": offer.agent.type,
        "cc_member_uuid": offer.member.uuid,
        "cc_member_session_uuid": offer.member.session_uuid,
    }


def _call(center: CallCenter, offer: Offer, member: Session) -> tuple[Session | None, HangupCause]:
    channel = member.channel
    name = channel.get_variable("effective_caller_id_name")
    number = channel.get_variable("effective_caller_id_number")
    name = offer.member.cid_name if name is None else name
    name = (channel.get_variable("cc_outbound_cid_name_prefix") or "") + name
    channel.log(LogLevel.DEBUG, f"Setting outbound caller_id_name to: {name}")
    variables = {
        **agent_variables(offer),
        "cc_queue_joined_epoch": str(offer.member.joined),
        RINGING_FOR: offer.member.uuid,
        "loopback_bowout": "false",
        "loopback_bowout_on_execute": "false",
        "ignore_early_media": "true",
        **exported(member, _EXPORTED),
    }
    center.connecting(member.uuid, True)
    wait = OriginateWait(center.switch.clock, None)
    dial = Dial(offer.member.uuid, wait.notify)
    request = Request(
        center.switch,
        None,
        center.originate_timeout,
        variables,
        name,
        offer.member.cid_number if number is None else number,
        cancel=lambda: dial.cause,
        wait=wait,
    )
    center.begin_dial(dial)
    try:
        dial.cause = dial.cause or _needless(center, offer, member)
        return place_call(request, member.expand(offer.agent.contact))
    finally:
        center.end_dial(dial)


def _needless(center: CallCenter, offer: Offer, member: Session) -> HangupCause | None:
    """Return why nobody need ring for a member any more, None when somebody has to."""
    if member.uuid not in center.waiting:
        return HangupCause.ORIGINATOR_CANCEL
    agent, way = offer.agent, offer.way
    ringing = way not in RINGING or claim(center, offer.member, agent.name, agent.system, way)
    return None if ringing else HangupCause.LOSE_RACE


def _behind_loopback(offer: Offer, leg: Session, member: Session) -> Session | None:
    """Return the call that a loopback leg leads to, in its place; None, with the leg hung up, when it leads nowhere."""
    other_uuid = leg.channel.variables.get("other_loopback_leg_uuid")
    if not other_uuid:
        return leg
    switch = leg.switch
    other = switch.find_session(other_uuid)
    found = _bridged_with(other, member) if other is not None else None
    if found is None:
        member.channel.log(
            LogLevel.DEBUG, f"Failed to find a real channel behind loopback agent '{offer.agent.name}'"
        )
        leg.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return None
    for name, value in {**agent_variables(offer), **exported(member, _EXPORTED)}.items():
        found.channel.variables.set(name, value)
    for one in (leg, other):
        assert one is not None
        one.channel.variables.set(RINGING_FOR, None)
    return found


def _bridged_with(leg: Session, member: Session) -> Session | None:
    """Wait until a leg and another one talk, while the member is there, and return that other one."""
    deadline = leg.clock.now() + _SETTLING
    wait_until(
        leg.clock,
        lambda: Flag.BRIDGED in leg.channel.flags or leg.channel.down or member.channel.down,
        leg.channel,
        member.channel,
        deadline=deadline,
    )
    other = partner_of(leg) if Flag.BRIDGED in leg.channel.flags else None
    if other is None:
        return None
    # The other side of a bridge joins it in a thread of its own: taken away before, it would be waited for in vain.
    wait_until(
        leg.clock,
        lambda: Flag.BRIDGED in other.channel.flags or other.channel.down or leg.channel.down,
        other.channel,
        leg.channel,
        deadline=deadline,
    )
    return other if Flag.BRIDGED in other.channel.flags else None


def _standing_by(center: CallCenter, offer: Offer, member: Session) -> Session | None:
    """Return the call of an agent who stands by; one who does not is logged out."""
    leg = center.switch.find_session(offer.agent.uuid)
    if leg is None:
        set_agent(center, "status", LOGGED_OUT, offer.agent.name)
        set_agent(center, "uuid", "", offer.agent.name)
        return None
    variables = leg.channel.variables
    for name, value in agent_variables(offer).items():
        variables.set(name, value)
    for name in (member.channel.get_variable(_EXPORTED) or "").split(","):
        if name:
            variables.set(name, member.channel.get_variable(name))
    tone = leg.channel.get_variable("cc_warning_tone")
    if tone:
        park_session(leg)
        wait_until(
            leg.clock,
            lambda: Flag.PARK in leg.channel.flags or leg.channel.down,
            leg.channel,
            deadline=leg.clock.now() + _SETTLING,
        )
        play_to(leg, tone)
    return leg
