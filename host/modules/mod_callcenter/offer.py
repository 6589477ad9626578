"""Offering a member to an agent: the agent is reached, they talk, and it is noted how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_watch import wait_until
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.record import record_session
from host.ivr.uuid_bridge import uuid_bridge
from host.log import LogLevel
from host.modules.mod_callcenter import members, tiers
from host.modules.mod_callcenter.agent_leg import reach
from host.modules.mod_callcenter.agents import set_agent
from host.modules.mod_callcenter.center import RINGING_FOR
from host.modules.mod_callcenter.events import fire
from host.modules.mod_callcenter.queue import RINGING
from host.modules.mod_callcenter.sound import play_to
from host.modules.mod_callcenter.states import (
    AGENT_STATUSES,
    CALLBACK,
    IDLE,
    IN_A_QUEUE_CALL,
    NO_ANSWER,
    ON_BREAK,
    ON_DEMAND,
    READY,
    UUID_STANDBY,
    WAITING,
    known,
)
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.dispatch import Offer
    from host.modules.mod_callcenter.events import Header
    from host.session import Session

# In a channel's private data: `callcenter_break` lets the agent of this call go.
BREAK: Final = "callcenter_break"

_BRIDGING: Final = 3 * SECOND  # until both are bridged
_BYPASS: Final = "bypass_media_after_bridge"
_UNREGISTERED_SECONDS: Final = 5

# Nobody is to blame for these: another agent was faster, or the member left.
_GIVEN_UP: Final = frozenset({HangupCause.LOSE_RACE, HangupCause.ORIGINATOR_CANCEL})
_BUSY: Final = frozenset({HangupCause.NORMAL_CIRCUIT_CONGESTION, HangupCause.USER_BUSY})


def make_offer(center: CallCenter, offer: Offer) -> None:
    """Run an offer from its beginning to its end, in a thread of its own."""
    try:
        _Course(center, offer).run()
    except Exception as error:  # a fault of one call must not end the queue
        center.switch.report_bug(f"callcenter {offer.queue.name}", error)
    finally:
        center.wake()


class _Course:
    """How one offer goes. Moments are seconds since the epoch, 0 for what has not happened."""

    def __init__(self, center: CallCenter, offer: Offer) -> None:
        self._center = center
        self._offer = offer
        self._cause = HangupCause.NONE
        self._called = 0
        self._answered = 0
        self._tier_state = READY

    def run(self) -> None:
        """Offer the member; afterwards the agent may be called again."""
        center, offer = self._center, self._offer
        bridged = False
        try:
            member = center.switch.find_session(offer.member.session_uuid)
            if member is None:
                members.abandon(center, offer.member.uuid)
            else:
                bridged = self._offer_to_agent(member)
        finally:
            tiers.mark_done(center, offer.queue.name, offer.agent.name, self._tier_state)
            idle = bridged and offer.agent.status.lower() == ON_DEMAND.lower()
            set_agent(center, "state", IDLE if idle else WAITING, offer.agent.name)

    def _offer_to_agent(self, member: Session) -> bool:
        """Return whether the two have talked."""
        offer, center = self._offer, self._center
        self._tell_offering(member)
        callback = offer.agent.type.lower() == CALLBACK
        self._called = center.seconds if callback else 0
        leg: Session | None = None
        bridged = False
        try:
            leg, self._cause = reach(center, offer, member)
            if leg is not None and not self._won(leg):
                return False
            bridged = leg is not None and self._connect(member, leg)
        finally:
            center.connecting(member.uuid, False)
        if leg is None:
            self._note_failure(member)
            return False
        center.wake()  # a member whose patience was at its end meanwhile
        if bridged:
            self._await_end(leg)
        self._tell_end(leg, bridged)
        if bridged:
            self._note_end(member, leg)
        return bridged

    # -- the agent is there --------------------------------------------------------------------------------------

    def _won(self, leg: Session) -> bool:
        """Take the member, for whom others may ring as well; False when one of them was first."""
        center, offer = self._center, self._offer
        leg.channel.variables.set(RINGING_FOR, None)
        if offer.way not in RINGING:
            return True
        won = members.win(center, offer.member, offer.agent.name, offer.way)
        if won:
            center.give_up(offer.member.uuid, HangupCause.LOSE_RACE)
        elif offer.agent.type.lower() == CALLBACK:
            leg.channel.hangup(HangupCause.LOSE_RACE)
        return won

    def _connect(self, member: Session, leg: Session) -> bool:
        """Bring the two together; False when one of them is gone."""
        center, offer, agent = self._center, self._offer, self._offer.agent
        self._answered = center.seconds
        self._tell_start(member, leg)
        self._record(member)
        announce = member.channel.get_variable("cc_outbound_announce")
        if announce:
            play_to(leg, announce)
        variables = member.channel.variables
        variables.set("cc_agent_found", "true")
        variables.set("cc_agent_uuid", leg.uuid)
        if member.channel.is_true(_BYPASS) or leg.channel.is_true(_BYPASS):
            member.channel.flags.add(Flag.BYPASS_MEDIA_AFTER_BRIDGE)
        bridged = self._bridge(member, leg)
        if bridged:
            variables.set("cc_agent", agent.name)
            variables.set("cc_queue_answered_epoch", str(center.seconds))
            center.database.run(
                f"update agents set uuid = ?, last_bridge_start = {center.seconds},"
                " calls_answered = calls_answered + 1, no_answer_count = 0 where name = ? and instance_id = ?",
                leg.uuid,
                agent.name,
                agent.system,
            )
            tiers.mark_active(center, offer.queue.name, agent.name)
            set_agent(center, "state", IN_A_QUEUE_CALL, agent.name)
        return bridged

    def _bridge(self, member: Session, leg: Session) -> bool:
        """Bridge the two; False, with what follows from it, when one of them is gone."""
        center, offer = self._center, self._offer
        status = uuid_bridge(member, leg)
        there = status is Status.SUCCESS
        if there:
            wait_until(
                leg.clock,
                lambda: Flag.BRIDGED in leg.channel.flags or leg.channel.down,
                leg.channel,
                deadline=leg.clock.now() + _BRIDGING,
            )
            there = Flag.BRIDGED in leg.channel.flags
        if there or (member.channel.up and leg.channel.up):
            for one in (member, leg):
                one.channel.variables.set("cc_agent_bridged", "true")
            members.mark_answered(center, offer.member)
            return True
        if member.channel.up:
            member.channel.log(LogLevel.DEBUG, f"Failed to bridge, agent {offer.agent.name} has no session")
            members.put_back(center, offer.member)
            if status is not Status.SUCCESS:  # it still hears music
                member.channel.variables.set("cc_agent_found", None)
            return False
        member.channel.log(
            LogLevel.DEBUG, f"Failed to bridge, the member is gone before agent {offer.agent.name}"
        )
        for one in (leg, member):
            one.channel.variables.set("cc_agent_bridged", "false")
        members.abandon(center, offer.member.uuid)
        announce = member.channel.get_variable("cc_bridge_failed_outbound_announce")
        if announce:
            play_to(leg, announce)
        if offer.agent.type.lower() == CALLBACK:
            leg.channel.hangup(HangupCause.ORIGINATOR_CANCEL)
        return False

    def _record(self, member: Session) -> None:
        template = self._offer.queue.settings.record_template
        if template:
            path = member.expand(template)
            member.channel.variables.set("cc_record_filename", path)
            record_session(member, path)

    def _await_end(self, leg: Session) -> None:
        """Wait until the agent hangs up or is let go; one who stands by is free as soon as he talks no more."""
        channel = leg.channel
        standby = self._offer.agent.type.lower() == UUID_STANDBY

        def over() -> bool:
            return (
                channel.down
                or not self._center.running
                or BREAK in channel.private
                or (standby and Flag.BRIDGED not in channel.flags)
            )

        with self._center.talking(channel):
            wait_until(leg.clock, over, channel)
        channel.private.pop(BREAK, None)

    def _note_end(self, member: Session, leg: Session) -> None:
        center, offer, agent = self._center, self._offer, self._offer.agent
        member.channel.variables.set("cc_queue_terminated_epoch", str(center.seconds))
        gone = "" if agent.type.lower() == UUID_STANDBY else "uuid = '', "
        center.database.run(
            f"update agents set {gone}last_bridge_end = {center.seconds},"
            f" talk_time = talk_time + ({center.seconds} - last_bridge_start) where name = ? and instance_id = ?",
            agent.name,
            agent.system,
        )
        members.forget(center, offer.member.uuid, center.instance)
        fire(
            center,
            ("CC-Queue", offer.queue.name),
            ("CC-Action", "member-queue-end"),
            ("CC-Hangup-Cause", self._cause.name),
            ("CC-Cause", "Terminated"),
            *self._agent_headers(leg),
            *self._times(),
            ("CC-Member-Leaving-Time", str(center.seconds)),
            ("CC-Member-Joined-Time", str(offer.member.joined)),
            *self._member_headers(),
            session=member,
        )

    # -- the agent is not there ----------------------------------------------------------------------------------

    def _note_failure(self, member: Session) -> None:
        center, offer, agent, cause = self._center, self._offer, self._offer.agent, self._cause
        members.release(center, offer.member, agent.name, agent.system)
        delay = 0
        if cause in _GIVEN_UP:
            pass
        elif cause in _BUSY:
            delay = agent.busy_delay_time
        elif cause is HangupCause.CALL_REJECTED:
            delay = agent.reject_delay_time
        elif cause is HangupCause.USER_NOT_REGISTERED:
            delay = _UNREGISTERED_SECONDS
        else:
            delay = agent.no_answer_delay_time
            self._tier_state = NO_ANSWER
            self._count_no_answer(member)
        if delay > 0:
            set_agent(center, "ready_time", str(center.seconds + delay), agent.name)
            member.channel.log(LogLevel.DEBUG, f"Agent {agent.name} sleeping for {delay} seconds")
        fire(
            center,
            ("CC-Queue", offer.queue.name),
            ("CC-Action", "bridge-agent-fail"),
            ("CC-Hangup-Cause", cause.name),
            ("CC-Agent", agent.name),
            ("CC-Agent-System", agent.system),
            ("CC-Agent-Called-Time", str(self._called)),
            ("CC-Agent-Aborted-Time", str(center.seconds)),
            *self._member_headers(),
            ("CC-Member-Joined-Time", str(offer.member.joined)),
        )

    def _count_no_answer(self, member: Session) -> None:
        """Count a call that was not answered; after too many the agent gets the queue's status for that."""
        center, agent = self._center, self._offer.agent
        center.database.run(
            "update agents set no_answer_count = no_answer_count + 1 where name = ? and instance_id = ?",
            agent.name,
            agent.system,
        )
        if not 0 < agent.max_no_answer <= agent.no_answer_count + 1:
            return
        given = self._offer.queue.settings.agent_no_answer_status
        status = known(given, AGENT_STATUSES) or ON_BREAK
        member.channel.log(
            LogLevel.DEBUG,
            f"Agent {agent.name} reach maximum no answer of {agent.max_no_answer}, setting agent status to {status}",
        )
        fire(
            center,
            ("CC-Agent", agent.name),
            ("CC-Action", "agent-max-no-answer"),
            ("CC-Agent-No-Answer-Count", str(agent.max_no_answer)),
            ("CC-Agent-No-Answer-Status", status),
            *self._member_headers()[:2],
        )
        set_agent(center, "status", status, agent.name)

    # -- events --------------------------------------------------------------------------------------------------

    def _member_headers(self) -> tuple[Header, ...]:
        member = self._offer.member
        return (
            ("CC-Member-UUID", member.uuid),
            ("CC-Member-Session-UUID", member.session_uuid),
            ("CC-Member-CID-Name", member.cid_name),
            ("CC-Member-CID-Number", member.cid_number),
        )

    def _agent_headers(self, leg: Session) -> tuple[Header, ...]:
        agent = self._offer.agent
        return ("CC-Agent", agent.name), ("CC-Agent-System", agent.system), ("CC-Agent-UUID", leg.uuid)

    def _times(self) -> tuple[Header, ...]:
        return (
            ("CC-Agent-Called-Time", str(self._called)),
            ("CC-Agent-Answered-Time", str(self._answered)),
        )

    def _tell_offering(self, member: Session) -> None:
        agent = self._offer.agent
        fire(
            self._center,
            ("CC-Queue", self._offer.queue.name),
            ("CC-Action", "agent-offering"),
            ("CC-Agent", agent.name),
            ("CC-Agent-Type", agent.type),
            ("CC-Agent-System", agent.system),
            *self._member_headers(),
            ("CC-Member-DNIS", member.channel.profile.rdnis),
        )

    def _tell_start(self, member: Session, leg: Session) -> None:
        fire(
            self._center,
            ("CC-Queue", self._offer.queue.name),
            ("CC-Action", "bridge-agent-start"),
            *self._agent_headers(leg),
            *self._times(),
            ("CC-Member-Joined-Time", str(self._offer.member.joined)),
            *self._member_headers(),
            ("CC-Member-DNIS", member.channel.profile.rdnis),
            session=leg,
        )

    def _tell_end(self, leg: Session, bridged: bool) -> None:
        fire(
            self._center,
            ("CC-Queue", self._offer.queue.name),
            ("CC-Action", "bridge-agent-end"),
            ("CC-Hangup-Cause", self._cause.name),
            *self._agent_headers(leg),
            ("CC-Agent-Bridged", "true" if bridged else "false"),
            *self._times(),
            ("CC-Member-Joined-Time", str(self._offer.member.joined)),
            ("CC-Bridge-Terminated-Time", str(self._center.seconds)),
            *self._member_headers(),
            session=leg,
        )
