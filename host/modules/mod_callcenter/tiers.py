"""Tiers: which agents serve a queue, on which level and in which position of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.leading_number import leading_int
from host.modules.mod_callcenter.agents import Outcome, exists
from host.modules.mod_callcenter.choice import SYSTEM
from host.modules.mod_callcenter.states import (
    ACTIVE_INBOUND,
    OFFERING,
    READY,
    STANDBY,
    TIER_STATES,
    known,
)
from host.modules.mod_callcenter.strategy import Candidate

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter

_MINE = "where queue = ? and agent = ?"

# In the order of the fields of Candidate.
_CANDIDATE = """agents.name, agents.instance_id, agents.uuid, agents.type, agents.contact, agents.status, agents.state,
  agents.max_no_answer, agents.wrap_up_time, agents.reject_delay_time, agents.busy_delay_time,
  agents.no_answer_delay_time, agents.last_bridge_end, agents.last_offered_call, agents.no_answer_count,
  agents.calls_answered, agents.talk_time, agents.ready_time, agents.external_calls_count, tiers.state, tiers.level,
  tiers.position"""
_TEXT_FIELDS = frozenset({"name", "system", "uuid", "type", "contact", "status", "state", "tier_state"})


def has_tier(center: CallCenter, queue: str, agent: str) -> bool:
    """Tell whether an agent serves a queue."""
    return center.database.number(f"select count(*) from tiers {_MINE}", queue, agent) > 0


def add_tier(center: CallCenter, queue: str, agent: str, level: int, position: int) -> Outcome:
    """Let an agent serve a queue."""
    if center.find_queue(queue) is None:
        return Outcome.QUEUE_NOT_FOUND
    if not exists(center, agent):
        return Outcome.AGENT_NOT_FOUND
    if has_tier(center, queue, agent):
        return Outcome.TIER_ALREADY_EXIST
    columns = "queue, agent, state, level, position"
    values = (queue, agent, READY, str(level), str(position))
    center.database.run(f"insert into tiers ({columns}) values (?, ?, ?, ?, ?)", *values)
    center.wake()
    return Outcome.SUCCESS


def set_tier(center: CallCenter, key: str, value: str, queue: str, agent: str) -> Outcome:
    """Change the `state`, `level` or `position` of an agent in a queue."""
    if not has_tier(center, queue, agent):
        return Outcome.TIER_NOT_FOUND
    if not exists(center, agent):
        return Outcome.AGENT_NOT_FOUND
    if center.find_queue(queue) is None:
        return Outcome.QUEUE_NOT_FOUND
    lower = key.lower()
    if lower == "state":
        if known(value, TIER_STATES) is None:
            return Outcome.TIER_INVALID_STATE
    elif lower in ("level", "position"):
        value = str(leading_int(value))
    else:
        return Outcome.INVALID_KEY
    center.database.run(f"update tiers set {lower} = ? {_MINE}", value, queue, agent)
    center.wake()
    return Outcome.SUCCESS


def delete_tier(center: CallCenter, queue: str, agent: str) -> None:
    """Let an agent serve a queue no more."""
    center.database.run(f"delete from tiers {_MINE}", queue, agent)


def candidates_of(center: CallCenter, queue: str) -> list[Candidate]:
    """Return all agents of a queue, in the order in which they were added."""
    rows = center.database.run(
        f"select {_CANDIDATE} from agents join tiers on agents.name = tiers.agent where tiers.queue = ?"
        f" order by agents.{center.database.place}",
        queue,
    )
    names = tuple(Candidate.__dataclass_fields__)
    found = []
    for row in rows:
        values = {
            name: str(value or "") if name in _TEXT_FIELDS else leading_int(str(value or 0))
            for name, value in zip(names, row, strict=True)
        }
        found.append(Candidate(**values))  # type: ignore[arg-type]
    return found


def mark_offering(center: CallCenter, queue: str, agent: str) -> None:
    """Let other queues pass over an agent who is offered a member of this one."""
    center.database.together(
        (f"update tiers set state = ? {_MINE}", (OFFERING, queue, agent)),
        (
            "update tiers set state = ? where agent = ? and not queue = ? and state = ?",
            (STANDBY, agent, queue, READY),
        ),
    )


def mark_active(center: CallCenter, queue: str, agent: str) -> None:
    """Note that an agent talks to a member of this queue."""
    set_tier(center, "state", ACTIVE_INBOUND, queue, agent)


def mark_done(center: CallCenter, queue: str, agent: str, state: str) -> None:
    """Open an agent to all his queues again; in this one he is in `state`."""
    center.database.together(
        (
            f"update tiers set state = ? {_MINE} and (state = ? or state = ? or state = ?)",
            (state, queue, agent, ACTIVE_INBOUND, STANDBY, OFFERING),
        ),
        (
            "update tiers set state = ? where agent = ? and not queue = ? and state = ?",
            (READY, agent, queue, STANDBY),
        ),
    )


def reset_tiers(center: CallCenter) -> None:
    """Let all agents and tiers be as when nobody calls, after the program has ended in the middle of calls."""
    mine = "agent in (select name from agents where instance_id = ?)"
    center.database.together(
        ("update agents set state = 'Waiting', uuid = '' where instance_id = ?", (SYSTEM,)),
        (f"update tiers set state = 'Ready' where {mine}", (SYSTEM,)),
        ("update agents set external_calls_count = 0 where instance_id = ?", (SYSTEM,)),
    )
