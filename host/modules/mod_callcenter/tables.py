"""Agents, tiers and members as rows, and queues as well: as text with a bar between columns, or for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from host.modules.mod_callcenter.database import AGENT_COLUMNS, MEMBER_COLUMNS, TIER_COLUMNS
from host.modules.mod_callcenter.members import forget_abandoned

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.queue import Queue

Value = str | int | bool | None

# How C prints what is not there.
_NOTHING: Final = "(null)"

QUEUE_COLUMNS: Final = (
    "name",
    "strategy",
    "moh_sound",
    "time_base_score",
    "tier_rules_apply",
    "tier_rule_wait_second",
    "tier_rule_wait_multiply_level",
    "tier_rule_no_agent_no_wait",
    "discard_abandoned_after",
    "abandoned_resume_allowed",
    "max_wait_time",
    "max_wait_time_with_no_agent",
    "max_wait_time_with_no_agent_time_reached",
    "record_template",
    "calls_answered",
    "calls_abandoned",
    "ring_progressively_delay",
    "skip_agents_with_external_calls",
    "agent_no_answer_status",
)
_COUNTED: Final = frozenset({"name", "calls_answered", "calls_abandoned"})
_NOT_IN_JSON: Final = frozenset({"calls_answered", "calls_abandoned", "ring_progressively_delay"})


class Table:
    """Rows below named columns."""

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        self.columns = columns
        self.rows = [list(row) for row in rows]

    def text(self, *, headed: bool = False) -> str:
        """Return the lines, the columns' names above them; FreeSWITCH: nothing without rows, unless `headed`."""
        if not self.rows and not headed:
            return ""
        lines = [self.columns, *([_shown(value) for value in row] for row in self.rows)]
        return "".join("|".join(line) + "\n" for line in lines)

    def texts(self) -> list[dict[str, str]]:
        """Return each row by column as text; what is not there is left out."""
        return [
            {name: _shown(value) for name, value in zip(self.columns, row, strict=True) if value is not None}
            for row in self.rows
        ]


def _shown(value: Value) -> str:
    if value is None:
        return _NOTHING
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def agents(center: CallCenter, name: str | None = None) -> Table:
    """Return all agents, or one."""
    sql = f"select {', '.join(AGENT_COLUMNS)} from agents"
    rows = center.database.run(sql) if name is None else center.database.run(f"{sql} where name = ?", name)
    return Table(AGENT_COLUMNS, rows)


def agents_of(center: CallCenter, queue: str, status: str | None = None, state: str | None = None) -> Table:
    """Return the agents of a queue, those of a status, or those of a status and a state."""
    columns = ", ".join(f"agents.{column}" for column in AGENT_COLUMNS)
    where, values = _of_queue(queue, status, state)
    return Table(AGENT_COLUMNS, center.database.run(f"select {columns} {where}", *values))


def count_agents_of(center: CallCenter, queue: str, status: str | None, state: str | None) -> int:
    """Return how many `agents_of` are."""
    where, values = _of_queue(queue, status, state)
    return center.database.number(f"select count(*) {where}", *values)


def _of_queue(queue: str, status: str | None, state: str | None) -> tuple[str, list[str]]:
    where, values = "from agents, tiers where tiers.agent = agents.name and tiers.queue = ?", [queue]
    for column, value in (("status", status), ("state", state)):
        if value is not None:
            where += f" and agents.{column} = ?"
            values.append(value)
    return where, values


def tiers(center: CallCenter, queue: str | None = None) -> Table:
    """Return all tiers by level and position, or those of a queue as they were added."""
    sql = f"select {', '.join(TIER_COLUMNS)} from tiers"
    if queue is None:
        return Table(TIER_COLUMNS, center.database.run(f"{sql} order by level, position"))
    return Table(TIER_COLUMNS, center.database.run(f"{sql} where queue = ?", queue))


def members(center: CallCenter, queue: str | None = None, *, by_queue: bool = True) -> Table:
    """Return all members (`by_queue`: those of one queue together), or those of a queue, the best score first."""
    forget_abandoned(center)
    score = f"({center.seconds} - joined_epoch) + base_score + skill_score as score"
    sql = f"select {', '.join(MEMBER_COLUMNS)}, {score} from members"
    columns = (*MEMBER_COLUMNS, "score")
    if queue is not None:
        return Table(columns, center.database.run(f"{sql} where queue = ? order by score desc", queue))
    order = "queue, score desc" if by_queue else "score desc"
    return Table(columns, center.database.run(f"{sql} order by {order}"))


def queues(center: CallCenter) -> Table:
    """Return the queues that are loaded."""
    with center.lock:
        loaded = list(center.queues.values())
    return Table(QUEUE_COLUMNS, ([_of(queue, column) for column in QUEUE_COLUMNS] for queue in loaded))


def queues_for_json(center: CallCenter) -> list[dict[str, Value]]:
    """Return the queues that are loaded; numbers are numbers, true and false are words."""
    with center.lock:
        loaded = list(center.queues.values())
    columns = [column for column in QUEUE_COLUMNS if column not in _NOT_IN_JSON]
    return [
        {
            column: _shown(value) if isinstance(value, bool) else value
            for column in columns
            if (value := _of(queue, column)) is not None
        }
        for queue in loaded
    ]


def _of(queue: Queue, column: str) -> Value:
    value: Value = getattr(queue if column in _COUNTED else queue.settings, column)
    return value
