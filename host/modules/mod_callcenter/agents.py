"""Agents: adding and deleting them, and what is known of each."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.leading_number import leading_int, leading_long
from host.modules.mod_callcenter.events import fire
from host.modules.mod_callcenter.states import (
    AGENT_STATES,
    AGENT_STATUSES,
    AGENT_TYPES,
    ANSWERED,
    AVAILABLE,
    LOGGED_OUT,
    ON_DEMAND,
    RECEIVING,
    WAITING,
    known,
)

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter

# FreeSWITCH reads these as long numbers, the others as int.
_LONG_NUMBERS: Final = frozenset(
    {"ready_time", "busy_delay_time", "reject_delay_time", "no_answer_delay_time"}
)
_NUMBERS: Final = frozenset({"max_no_answer", "wrap_up_time"})
_TEXTS: Final = frozenset({"uuid", "contact"})
_READABLE: Final = frozenset({"status", "state", "uuid"})


class Outcome(Enum):
    """What became of a change."""

    SUCCESS = auto()
    AGENT_NOT_FOUND = auto()
    QUEUE_NOT_FOUND = auto()
    AGENT_ALREADY_EXIST = auto()
    AGENT_INVALID_TYPE = auto()
    AGENT_INVALID_STATUS = auto()
    AGENT_INVALID_STATE = auto()
    TIER_ALREADY_EXIST = auto()
    TIER_NOT_FOUND = auto()
    TIER_INVALID_STATE = auto()
    INVALID_KEY = auto()


def exists(center: CallCenter, agent: str) -> bool:
    """Tell whether there is an agent of that name."""
    return center.database.number("select count(*) from agents where name = ?", agent) > 0


def add_agent(center: CallCenter, agent: str, type_: str) -> Outcome:
    """Add an agent, who is logged out."""
    if type_.lower() not in AGENT_TYPES:
        return Outcome.AGENT_INVALID_TYPE
    if exists(center, agent):
        return Outcome.AGENT_ALREADY_EXIST
    sql = "insert into agents (name, instance_id, type, status, state) values (?, 'single_box', ?, ?, ?)"
    center.database.run(sql, agent, type_, LOGGED_OUT, WAITING)
    fire(center, ("CC-Agent", agent), ("CC-Agent-Type", type_), ("CC-Action", "agent-add"))
    return Outcome.SUCCESS


def delete_agent(center: CallCenter, agent: str) -> None:
    """Delete an agent, and take him out of all tiers."""
    center.database.together(
        ("delete from agents where name = ?", (agent,)),
        ("delete from tiers where agent = ?", (agent,)),
    )


def get_agent(center: CallCenter, key: str, agent: str) -> tuple[Outcome, str]:
    """Return an agent's `status`, `state` or `uuid`, which is told as an event, too."""
    if not exists(center, agent):
        return Outcome.AGENT_NOT_FOUND, ""
    lower = key.lower()
    if lower not in _READABLE:
        return Outcome.INVALID_KEY, ""
    value = center.database.text(f"select {lower} from agents where name = ?", agent)
    header = "CC-Agent-UUID" if lower == "uuid" else f"CC-Agent-{key[0].upper()}{key[1:]}"
    fire(center, ("CC-Agent", agent), ("CC-Action", f"agent-{key}-get"), (header, value))
    return Outcome.SUCCESS, value


def set_agent(center: CallCenter, key: str, value: str, agent: str) -> Outcome:
    """Change what is known of an agent, and look whether somebody waits for him."""
    if not exists(center, agent):
        return Outcome.AGENT_NOT_FOUND
    outcome = _change(center, key.lower(), value, agent)
    center.wake()
    return outcome


def reserve(center: CallCenter, agent: str, state: str) -> Outcome:
    """Set the state of an agent, provided that he waits for a call right now."""
    if known(state, AGENT_STATES) is None:
        return Outcome.AGENT_INVALID_STATE
    mine = "where name = ? and state = ? and status in (?, ?)"
    values = (agent, WAITING, AVAILABLE, ON_DEMAND)
    rows = center.database.together(
        (f"select name from agents {mine}", values),
        (f"update agents set state = ? {mine}", (state, *values)),
    )
    if not rows:
        return Outcome.AGENT_NOT_FOUND
    _tell(center, agent, "agent-state-change", ("CC-Agent-State", state))
    return Outcome.SUCCESS


def _change(center: CallCenter, key: str, value: str, agent: str) -> Outcome:
    if key == "status":
        return _set_status(center, value, agent)
    if key == "state":
        return _set_state(center, value, agent)
    if key == "state_if_waiting":
        return reserve(center, agent, value)
    if key == "type":
        if value.lower() not in AGENT_TYPES:
            return Outcome.AGENT_INVALID_TYPE
        center.database.run("update agents set type = ? where name = ?", value, agent)
        return Outcome.SUCCESS
    if key in _LONG_NUMBERS:
        value = str(leading_long(value))
    elif key in _NUMBERS:
        value = str(leading_int(value))
    elif key not in _TEXTS:
        return Outcome.INVALID_KEY
    sql = f"update agents set {key} = ?, instance_id = 'single_box' where name = ?"
    center.database.run(sql, value, agent)
    if key == "contact":
        _tell(center, agent, "agent-contact-change", ("CC-Agent-Contact", value))
    return Outcome.SUCCESS


def _set_status(center: CallCenter, value: str, agent: str) -> Outcome:
    """Set the status; one who becomes available starts counting anew, for one who goes nothing rings any more."""
    status = known(value, AGENT_STATUSES)
    if status is None:
        return Outcome.AGENT_INVALID_STATUS
    database = center.database
    changed = f"update agents set status = ?, last_status_change = {center.seconds}"
    if status == AVAILABLE:
        anew = f"{changed}, talk_time = 0, calls_answered = 0, no_answer_count = 0"
        database.run(f"{anew} where name = ? and not status = ?", value, agent, value)
    else:
        database.run(f"{changed} where name = ?", value, agent)
        serving = "select uuid from members where serving_agent = ? and serving_system = 'single_box'"
        member = database.text(f"{serving} and not state = ?", agent, ANSWERED)
        if member:
            center.give_up(member, HangupCause.ORIGINATOR_CANCEL)
    _tell(center, agent, "agent-status-change", ("CC-Agent-Status", value))
    return Outcome.SUCCESS


def _set_state(center: CallCenter, value: str, agent: str) -> Outcome:
    state = known(value, AGENT_STATES)
    if state is None:
        return Outcome.AGENT_INVALID_STATE
    offered = f", last_offered_call = {center.seconds}" if state == RECEIVING else ""
    center.database.run(f"update agents set state = ?{offered} where name = ?", value, agent)
    _tell(center, agent, "agent-state-change", ("CC-Agent-State", value))
    return Outcome.SUCCESS


def _tell(center: CallCenter, agent: str, action: str, *headers: tuple[str, str]) -> None:
    fire(center, ("CC-Agent", agent), ("CC-Action", action), *headers)
