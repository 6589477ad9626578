"""Bringing members and agents together: who waits is offered to agents whenever something has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.clock import SECOND, Timer
from host.leading_number import leading_int
from host.modules.mod_callcenter import members, tiers
from host.modules.mod_callcenter.agents import Outcome, reserve, set_agent
from host.modules.mod_callcenter.choice import Choice
from host.modules.mod_callcenter.patience import end_of_patience
from host.modules.mod_callcenter.queue import RING_ALL, RING_PROGRESSIVELY, TOP_DOWN, Queue
from host.modules.mod_callcenter.states import NOT_CANCELLED, RECEIVING, RESERVED, WAITING
from host.modules.mod_callcenter.strategy import Candidate, in_order
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.members import Member
    from host.session import Session

_LAST_CALL: Final = "cc_last_originated_call"
_LAST_LEVEL: Final = "cc_last_agent_tier_level"
_LAST_POSITION: Final = "cc_last_agent_tier_position"

# How often the tables are looked at for what other programs have changed, while somebody waits.
_SHARED_LOOK: Final = SECOND


@dataclass(frozen=True, slots=True)
class Offer:
    """A member that is offered to an agent."""

    queue: Queue
    member: Member
    agent: Candidate

    @property
    def way(self) -> str:
        """The queue's strategy, in lower case."""
        return self.queue.settings.way


@dataclass(slots=True)
class _Found:
    """What one look has found so far: the agents of queues since the last offer, and the queues with nobody free."""

    agents: dict[str, list[Candidate]] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)


class Dispatcher:
    """One look after the other, each in a thread of its own: woken by changes, or at the moment the last one named."""

    def __init__(self, center: CallCenter, make_offer: Callable[[Offer], None]) -> None:
        self._center = center
        self._clock = center.switch.clock
        self._make_offer = make_offer
        self._timer: Timer | None = None
        self._looking = False
        self._again = False

    def wake(self) -> None:
        """Look at all who wait, now; once more afterwards when a look is under way."""
        with self._center.lock:
            if not self._center.running or not self._center.waiting:
                return
            self._again = True
            if self._looking:
                return
            self._looking = True
            self._cancel_timer()
        self._clock.spawn(self._run, "callcenter-dispatch")

    def close(self) -> None:
        """Look no more."""
        with self._center.lock:
            self._cancel_timer()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        while True:
            with self._center.lock:
                self._again = False
            try:
                look = self._look()
            except Exception as error:  # a fault with one member must not end the queues
                self._center.switch.report_bug("callcenter dispatch", error)
                look = None
            with self._center.lock:
                if self._again and self._center.running:
                    continue
                self._looking = False
                self._arm(look)
                return

    def _arm(self, look: int | None) -> None:
        """Have the next look at `look` (seconds since the epoch), or before where others change the tables, too."""
        center = self._center
        if not center.running or not center.waiting:
            return
        delays = [] if look is None else [max(look * SECOND - self._clock.time(), 1)]
        if center.database.shared:
            delays.append(_SHARED_LOOK)
        if delays:
            self._timer = self._clock.call_later(min(delays), self.wake)

    def _look(self) -> int | None:
        """Offer members to agents; return when the passing of time alone makes another look worth while."""
        center = self._center
        looks: list[int] = []
        found = _Found()
        for member in members.to_dispatch(center):
            queue = center.find_queue(member.queue)
            if queue is None:
                members.forget(center, member.uuid, member.system)
                continue
            looks += self._serve(queue, member, found)
        looks += self._send_away()
        members.forget_abandoned(center)
        return min(looks, default=None)

    def _serve(self, queue: Queue, member: Member, found: _Found) -> list[int]:
        """Look for agents for one member; return when it is worth while to look again."""
        center, settings, way = self._center, queue.settings, queue.settings.way
        members.follow_strategy(center, member, way)
        if queue.name in found.spent:
            return []
        session = center.switch.find_session(member.session_uuid)
        if way == RING_PROGRESSIVELY and session is not None:
            rings_until = self._rings_until(session, settings.progressive_delay)
            if rings_until is not None:
                return [rings_until]
        if queue.name not in found.agents:
            found.agents[queue.name] = tiers.candidates_of(center, queue.name)
        ordered = in_order(way, found.agents[queue.name], _last_offered(session), center.shuffle)
        queue.seen.note(bool(ordered), center.seconds)
        choice = Choice(settings, member.joined, center.seconds)
        free = False
        for agent in choice.among(ordered):
            free = True
            if center.reserve_agents and reserve(center, agent.name, RESERVED) is not Outcome.SUCCESS:
                continue  # he does something else by now
            if not members.claim(center, member, agent.name, agent.system, way):
                if center.reserve_agents:
                    set_agent(center, "state", WAITING, agent.name)
                break
            found.agents.clear()
            self._offer(Offer(queue, member, agent), session)
            if way == RING_PROGRESSIVELY:
                choice.looks.append(center.seconds + settings.progressive_delay)
            if way != RING_ALL:
                break
        if not free and way != TOP_DOWN and not settings.tier_rules_apply:
            found.spent.add(queue.name)  # the members behind this one are looked for among the same agents
        if not ordered and way == TOP_DOWN and session is not None:
            self._start_over(session)
        return choice.looks

    def _rings_until(self, session: Session, delay: int) -> int | None:
        """Return until when the agents called so far ring alone, None when the next one may be called."""
        channel = session.channel
        last = channel.variables.get(_LAST_CALL)
        if last is None or not channel.ready or is_true(channel.variables.get("cc_agent_found")):
            return None
        until = leading_int(last) + delay
        return until if self._center.seconds < until else None

    def _start_over(self, session: Session) -> None:
        """Begin with the first agent again, once all of `top-down` have been tried."""
        variables = session.channel.variables
        if variables.get(_LAST_LEVEL) is None and variables.get(_LAST_POSITION) is None:
            return
        variables.set(_LAST_POSITION, None)
        variables.set(_LAST_LEVEL, None)
        with self._center.lock:
            self._again = True

    def _offer(self, offer: Offer, session: Session | None) -> None:
        center, agent = self._center, offer.agent
        if session is not None and offer.way == RING_PROGRESSIVELY:
            session.channel.variables.set(_LAST_CALL, str(center.seconds))
        if session is not None and offer.way == TOP_DOWN:
            session.channel.variables.set(_LAST_POSITION, str(agent.position))
            session.channel.variables.set(_LAST_LEVEL, str(agent.level))
        set_agent(center, "state", RECEIVING, agent.name)
        tiers.mark_offering(center, offer.queue.name, agent.name)
        self._clock.spawn(lambda: self._make_offer(offer), "callcenter-agent")

    def _send_away(self) -> list[int]:
        """Have the members leave whose patience is at its end; return when that of the others is."""
        center = self._center
        with center.lock:
            waiting = list(center.waiting.values())
        looks = []
        for one in waiting:
            queue = center.find_queue(one.queue)
            if queue is None or one.connecting or one.reason != NOT_CANCELLED:
                continue
            end = end_of_patience(queue.settings, one.joined, queue.seen)
            if end is None:
                continue
            when, reason = end
            if when <= center.seconds:
                one.leave(reason)
            else:
                looks.append(when)
        return looks


def _last_offered(session: Session | None) -> tuple[int, int]:
    """Return level and position of the agent whom the member was offered last (`top-down`)."""
    if session is None:
        return 0, 0
    variables = session.channel.variables
    return leading_int(variables.get(_LAST_LEVEL) or ""), leading_int(variables.get(_LAST_POSITION) or "")
