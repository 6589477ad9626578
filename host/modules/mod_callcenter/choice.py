"""Which of a queue's agents may be offered a member now, by tier rules and by what each of them is doing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.modules.mod_callcenter.queue import RING_ALL
from host.modules.mod_callcenter.states import NO_ANSWER, ON_BREAK, READY, WAITING

if TYPE_CHECKING:
    from host.modules.mod_callcenter.queue import QueueSettings
    from host.modules.mod_callcenter.strategy import Candidate

# FreeSWITCH: agents are always those of this instance, whatever `cc-instance-id` says.
SYSTEM: Final = "single_box"

_OPEN: Final = frozenset({READY.lower(), NO_ANSWER.lower()})


@dataclass(slots=True)
class Choice:
    """One look for agents for a member that joined at `joined`; `now` and `looks` in seconds since the epoch.

    `looks` are the moments at which another look finds more, by the passing of time alone.
    """

    settings: QueueSettings
    joined: int
    now: int
    looks: list[int] = field(default_factory=list)

    def among(self, ordered: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield the agents that may be offered the member, in the order given."""
        level = in_level = 0
        for agent in ordered:
            if self.settings.tier_rules_apply and agent.level > level:
                if self.settings.tier_rule_no_agent_no_wait and not in_level:
                    level = agent.level
                elif (opens := self._opening(agent.level)) <= self.now:
                    level, in_level = agent.level, 0
                else:
                    self.looks.append(opens)
                    return
            in_level += 1
            if not self._free(agent):
                continue
            if agent.system.lower() == SYSTEM:
                yield agent
            elif self.settings.way == RING_ALL:
                return

    def _opening(self, level: int) -> int:
        """Return when a member may be offered to a level of tiers."""
        wait = self.settings.tier_rule_wait_second
        return self.joined + (level * wait if self.settings.tier_rule_wait_multiply_level else wait)

    def _free(self, agent: Candidate) -> bool:
        if (
            agent.tier_state.lower() not in _OPEN
            or agent.state.lower() != WAITING.lower()
            or agent.status.lower() == ON_BREAK.lower()
            or (self.settings.skip_agents_with_external_calls and agent.external_calls_count > 0)
        ):
            return False
        # FreeSWITCH: the wrap-up must lie wholly in the past, even one of no seconds.
        ready = max(agent.ready_time, agent.last_bridge_end + agent.wrap_up_time + 1)
        if ready > self.now:
            self.looks.append(ready)
            return False
        return True
