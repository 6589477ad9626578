"""What is to happen later happens: once or again and again, by number or by group, whatever is reloaded meanwhile."""

from __future__ import annotations

import json

from host.clock import SECOND
from host.switch import Switch


def tasks(switch: Switch, group: str) -> list[dict[str, str]]:
    rows = json.loads(switch.api("show", "tasks as json")).get("rows", [])
    return [row for row in rows if row["task_group"] == group]


def counter(switch: Switch) -> str:
    return switch.api("global_getvar", "count") or "0"


COUNT = "global_setvar count=${expr(${global_getvar(count)}+1)}"


def parked(switch: Switch) -> str:
    return switch.api("originate", "null/x &park()").split()[1]


def test_a_task_keeps_its_meaning_when_all_is_reloaded(switch: Switch) -> None:
    leg = parked(switch)
    switch.api("sched_api", "+10 g global_setvar done=yes")
    switch.api("sched_hangup", f"+20 {leg} USER_BUSY")
    due = tasks(switch, "g")[0]["task_runtime"]
    switch.clock.sleep(5 * SECOND)
    switch.api("reloadxml")
    switch.api("reload", "mod_commands")
    assert tasks(switch, "g")[0]["task_runtime"] == due
    switch.clock.sleep(6 * SECOND)
    assert switch.api("global_getvar", "done") == "yes"
    assert tasks(switch, "g") == []
    assert len(tasks(switch, leg)) == 1
    switch.clock.sleep(10 * SECOND)
    assert switch.api("uuid_exists", leg) == "false"


def test_a_task_repeats_until_its_group_is_deleted(switch: Switch) -> None:
    switch.api("global_setvar", "count=0")
    reply = switch.api("sched_api", f"@10 beat expand {COUNT}&")
    switch.clock.sleep(35 * SECOND)
    assert counter(switch) == "3"
    (row,) = tasks(switch, "beat")
    assert reply == f"+OK Added: {row['task_id']}\n"
    assert switch.api("sched_del", "beat") == "+OK Deleted: 1\n"
    switch.clock.sleep(35 * SECOND)
    assert counter(switch) == "3"


def test_a_task_is_taken_back_by_its_number(switch: Switch) -> None:
    number = switch.api("sched_api", "+10 g global_setvar done=yes").removeprefix("+OK Added: ").strip()
    assert switch.api("unsched_api", number) == "+OK\n"
    assert switch.api("unsched_api", number) == "-ERR No such id\n"
    assert switch.api("sched_del", number) == "+OK Deleted: 0\n"
    switch.clock.sleep(20 * SECOND)
    assert switch.api("global_getvar", "done") == ""


def test_a_calls_tasks_are_its_group(switch: Switch) -> None:
    leg = parked(switch)
    switch.api("sched_hangup", f"+10 {leg}")
    switch.api("sched_transfer", f"+5 {leg} set:a=b,park inline")
    switch.api("sched_broadcast", f"+3 {leg} silence_stream://100")
    assert len(tasks(switch, leg)) == 3
    assert switch.api("sched_del", leg) == "+OK Deleted: 3\n"
    switch.clock.sleep(20 * SECOND)
    assert switch.api("uuid_exists", leg) == "true"


def test_a_time_that_has_come_is_at_once(switch: Switch) -> None:
    leg = parked(switch)
    now = switch.clock.time() // SECOND
    assert switch.api("sched_hangup", f"{now + 5} {leg} NORMAL_CLEARING") == "+OK\n"
    switch.clock.sleep(6 * SECOND)
    assert switch.api("uuid_exists", leg) == "false"
    leg = parked(switch)
    switch.api("sched_hangup", f"+0 {leg}")
    switch.clock.sleep(SECOND)
    assert switch.api("uuid_exists", leg) == "false"
