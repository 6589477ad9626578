"""In which order a queue's agents are offered a member, by the queue's strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from host.modules.mod_callcenter.queue import RINGING, TOP_DOWN
from host.modules.mod_callcenter.states import AVAILABLE, ON_BREAK, ON_DEMAND

# Agents of these statuses count as there; FreeSWITCH compares with case here.
_THERE: Final = frozenset({AVAILABLE, ON_DEMAND, ON_BREAK})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent in a tier of a queue, as the tables have it. Times are seconds, moments seconds since the epoch."""

    name: str
    system: str
    uuid: str
    type: str
    contact: str
    status: str
    state: str
    max_no_answer: int
    wrap_up_time: int
    reject_delay_time: int
    busy_delay_time: int
    no_answer_delay_time: int
    last_bridge_end: int
    last_offered_call: int
    no_answer_count: int
    calls_answered: int
    talk_time: int
    ready_time: int
    external_calls_count: int
    tier_state: str
    level: int
    position: int


_Key = Callable[[Candidate], tuple[int, ...]]

_IN_TURN: Final[_Key] = lambda agent: (agent.level, agent.position, agent.last_offered_call)  # noqa: E731
_KEYS: Final[dict[str, _Key]] = {
    "longest-idle-agent": lambda agent: (agent.level, agent.last_bridge_end, agent.position),
    "agent-with-least-talk-time": lambda agent: (agent.level, agent.talk_time, agent.position),
    "agent-with-fewest-calls": lambda agent: (agent.level, agent.calls_answered, agent.position),
    **dict.fromkeys(RINGING, lambda agent: (agent.level, agent.position)),
    "sequentially-by-agent-order": _IN_TURN,
}


def in_order(
    way: str,
    candidates: Sequence[Candidate],
    last: tuple[int, int] = (0, 0),
    shuffle: Callable[[list[Candidate]], None] | None = None,
) -> list[Candidate]:
    """Return the agents that are there, the one to be tried first at the head.

    `candidates` are all agents of the queue's tiers in the tables' order, `last` is the (level, position) of the one
    whom this member was offered last (`top-down`), `shuffle` mixes a list (`random`). FreeSWITCH: a strategy that
    there is not is `sequentially-by-agent-order`.
    """
    there = [agent for agent in candidates if agent.status in _THERE]
    if way == TOP_DOWN:
        level, position = last
        below = [agent for agent in there if agent.level == level and agent.position > position]
        deeper = [agent for agent in there if agent.level > level]
        return sorted(below, key=_IN_TURN) + sorted(deeper, key=_IN_TURN)
    if way == "round-robin":
        return _behind_the_last(candidates, there) + sorted(there, key=_IN_TURN)
    if way == "random":
        if shuffle is not None:
            shuffle(there)
        return sorted(there, key=lambda agent: agent.level)
    return sorted(there, key=_KEYS.get(way, _IN_TURN))


def _behind_the_last(candidates: Sequence[Candidate], there: list[Candidate]) -> list[Candidate]:
    """Return those of the same level who stand behind the one who was offered a call last, by whatever queue."""
    offered = [agent for agent in candidates if agent.last_offered_call > 0]
    if not offered:
        return []
    last = max(offered, key=lambda agent: agent.last_offered_call)
    behind = [agent for agent in there if agent.level == last.level and agent.position > last.position]
    return sorted(behind, key=_IN_TURN)
