"""Members: the callers of queues, from the moment they join until they have been served or forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_long
from host.modules.mod_callcenter.choice import SYSTEM
from host.modules.mod_callcenter.queue import RING_ALL, RING_PROGRESSIVELY, RINGING
from host.modules.mod_callcenter.states import ABANDONED, ANSWERED, TRYING, WAITING

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter

_MINE: Final = "where uuid = ? and instance_id = ?"


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the table has it; `joined` is in seconds since the epoch."""

    queue: str
    uuid: str
    session_uuid: str
    cid_number: str
    cid_name: str
    joined: int
    serving_agent: str
    system: str
    state: str = WAITING


def joining(center: CallCenter, member: Member, way: str, answered: int, score: int) -> None:
    """Add a member; `answered` is when its call was (seconds since the epoch), `score` what it brings along."""
    center.database.run(
        "insert into members (queue, instance_id, uuid, session_uuid, system_epoch, joined_epoch, base_score,"
        " skill_score, cid_number, cid_name, serving_agent, serving_system, state)"
        f" values (?, ?, ?, ?, {answered}, {center.seconds}, {score}, 0, ?, ?, ?, '', ?)",
        member.queue,
        center.instance,
        member.uuid,
        member.session_uuid,
        member.cid_number,
        member.cid_name,
        way if way in RINGING else "",
        WAITING,
    )


def abandoned_place(center: CallCenter, queue: str, cid_number: str) -> str:
    """Return the UUID of the member of that number who left the queue last, empty when there is none."""
    sql = "select uuid from members where queue = ? and cid_number = ? and state = ? order by abandoned_epoch desc"
    uuid = center.database.text(f"{sql} limit 1", queue, cid_number, ABANDONED)
    left = center.database.number("select abandoned_epoch from members where uuid = ?", uuid) if uuid else 0
    return uuid if left else ""


def resume(center: CallCenter, uuid: str, session_uuid: str) -> bool:
    """Let a member wait again in its former place; False when somebody else has just taken it."""
    changed = (
        f"update members set session_uuid = ?, state = ?, rejoined_epoch = {center.seconds}, instance_id = ?"
    )
    center.database.run(
        f"{changed} where uuid = ? and state = ?", session_uuid, WAITING, center.instance, uuid, ABANDONED
    )
    sql = "select count(*) from members where uuid = ? and session_uuid = ? and state = ?"
    return center.database.number(sql, uuid, session_uuid, WAITING) > 0


def abandon(center: CallCenter, uuid: str) -> None:
    """Note that a member has left without having been served."""
    changed = f"update members set state = ?, session_uuid = '', abandoned_epoch = {center.seconds}"
    center.database.run(f"{changed} {_MINE}", ABANDONED, uuid, center.instance)


def abandon_all(center: CallCenter) -> None:
    """Note that the members of calls of a former run have left."""
    sql = "update members set state = ?, session_uuid = '' where instance_id = ?"
    center.database.run(sql, ABANDONED, center.instance)


def forget(center: CallCenter, uuid: str, system: str) -> None:
    """Delete a member."""
    center.database.run(f"delete from members {_MINE}", uuid, system)


def forget_abandoned(center: CallCenter) -> None:
    """Delete the members who left so long ago that they cannot come back (`discard-abandoned-after`)."""
    left = "case when abandoned_epoch = 0 then joined_epoch else abandoned_epoch end"
    with center.lock:
        queues = list(center.queues.values())
    center.database.together(
        *(
            (
                f"delete from members where queue = ? and state = ? and instance_id = ?"
                f" and {left} < {center.seconds - queue.settings.discard_abandoned_after}",
                (queue.name, ABANDONED, center.instance),
            )
            for queue in queues
        )
    )


def to_dispatch(center: CallCenter) -> list[Member]:
    """Return the members of this instance for whom agents are looked for, the one with the best score first."""
    ringing = "state = ? and serving_agent in (?, ?)"
    rows = center.database.run(
        "select queue, uuid, session_uuid, cid_number, cid_name, joined_epoch, serving_agent, instance_id, state"
        f" from members where (state = ? or ({ringing})) and instance_id = ?"
        f" order by {center.seconds} - joined_epoch + base_score + skill_score desc, {center.database.place}",
        WAITING,
        TRYING,
        RING_ALL,
        RING_PROGRESSIVELY,
        center.instance,
    )
    return [_member(*(str(value if value is not None else "") for value in row)) for row in rows]


def _member(*values: str) -> Member:
    queue, uuid, session_uuid, number, name, joined, agent, system, state = values
    return Member(queue, uuid, session_uuid, number, name, leading_long(joined), agent, system, state)


def follow_strategy(center: CallCenter, member: Member, way: str) -> None:
    """Fit a member to its queue's strategy, which may have been changed since it joined."""
    database, served = center.database, member.serving_agent.lower()
    if served in RINGING and served != way:
        state, agent = (TRYING, way) if way in RINGING else (WAITING, "")
        database.run(
            "update members set serving_agent = ?, state = ? where uuid = ? and state = ? and serving_agent = ?",
            agent,
            state,
            member.uuid,
            TRYING,
            member.serving_agent,
        )
    elif way in RINGING and served != way:
        database.run(
            "update members set serving_agent = ?, state = ? where uuid = ? and state = ? and serving_agent = ''",
            way,
            TRYING,
            member.uuid,
            WAITING,
        )
    if way in RINGING and member.state == WAITING:
        sql = f"update members set state = ? {_MINE} and state = ?"
        database.run(sql, TRYING, member.uuid, member.system, WAITING)


def claim(center: CallCenter, member: Member, agent: str, system: str, way: str) -> bool:
    """Bind a member to the agent who is about to be called; False when it is not to be had any more."""
    count = "select count(*) from members where serving_agent = ?"
    if way in RINGING:
        return (
            center.database.number(
                f"{count} and uuid = ? and instance_id = ?", way, member.uuid, center.instance
            )
            > 0
        )
    _bind(center, member, agent, system, (WAITING, None))
    sql = f"{count} and serving_system = ? and uuid = ? and instance_id = ?"
    return center.database.number(sql, agent, system, member.uuid, center.instance) > 0


def win(center: CallCenter, member: Member, agent: str, way: str) -> bool:
    """Bind a member for whom several agents ring to the one who has answered; False when another was first."""
    _bind(center, member, agent, SYSTEM, (TRYING, way))
    sql = "select count(*) from members where serving_agent = ? and serving_system = ? and uuid = ? and instance_id = ?"
    return center.database.number(sql, agent, SYSTEM, member.uuid, center.instance) > 0


def _bind(
    center: CallCenter, member: Member, agent: str, system: str, former: tuple[str, str | None]
) -> None:
    state, serving = former
    served = "" if serving is None else " and serving_agent = ?"
    center.database.run(
        f"update members set serving_agent = ?, serving_system = ?, state = ? {_MINE} and state = ?{served}",
        agent,
        system,
        TRYING,
        member.uuid,
        center.instance,
        state,
        *(() if serving is None else (serving,)),
    )


def release(center: CallCenter, member: Member, agent: str, system: str) -> None:
    """Let a member whose agent has not answered wait for another one, unless it has left."""
    center.database.run(
        "update members set state = case state when ? then ? else state end, serving_agent = '', serving_system = ''"
        f" {_MINE} and serving_agent = ? and serving_system = ?",
        TRYING,
        WAITING,
        member.uuid,
        center.instance,
        agent,
        system,
    )


def put_back(center: CallCenter, member: Member) -> None:
    """Let a member whose agent was gone before they could talk wait again."""
    changed = "update members set state = ?, serving_agent = '', serving_system = ''"
    center.database.run(f"{changed} {_MINE}", WAITING, member.uuid, center.instance)


def mark_answered(center: CallCenter, member: Member) -> None:
    """Note that a member talks to an agent."""
    changed = f"update members set state = ?, bridge_epoch = {center.seconds}"
    center.database.run(f"{changed} {_MINE}", ANSWERED, member.uuid, center.instance)
