from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import SECOND, VirtualClock
from host.event import Event
from host.switch import Switch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(VirtualClock(), tmp_path, seed=1)
    with made.clock.participating():
        yield made
        made.close()


def test_a_task_runs_once_at_its_time(switch: Switch) -> None:
    ran: list[int] = []
    task = switch.scheduler.add(3, "work", "group", lambda: ran.append(switch.clock.now()))
    assert task.runtime == switch.clock.time() // SECOND + 3
    switch.clock.sleep(10 * SECOND)
    assert ran == [3 * SECOND]
    assert switch.scheduler.tasks() == []


def test_a_repeated_task_runs_until_its_group_is_deleted(switch: Switch) -> None:
    ran: list[int] = []
    switch.scheduler.add(1, "work", "group", lambda: ran.append(switch.clock.now()), interval=2)
    switch.clock.sleep(6 * SECOND)
    assert ran == [1 * SECOND, 3 * SECOND, 5 * SECOND]
    assert switch.scheduler.delete_group("group") == 1
    switch.clock.sleep(6 * SECOND)
    assert len(ran) == 3


def test_a_task_that_deletes_itself_does_not_run_again(switch: Switch) -> None:
    ran: list[int] = []

    def work() -> None:
        ran.append(1)
        switch.scheduler.delete_group("mine")

    switch.scheduler.add(1, "work", "mine", work, interval=1)
    switch.clock.sleep(5 * SECOND)
    assert ran == [1]


def test_a_deleted_task_does_not_run(switch: Switch) -> None:
    ran: list[int] = []
    task = switch.scheduler.add(1, "work", "group", lambda: ran.append(1))
    assert switch.scheduler.delete(task.id)
    assert not switch.scheduler.delete(task.id)
    switch.clock.sleep(5 * SECOND)
    assert not ran


def test_a_task_that_waits_does_not_hold_up_another(switch: Switch) -> None:
    ran: list[str] = []

    def slow() -> None:
        switch.clock.sleep(60 * SECOND)
        ran.append("slow")

    switch.scheduler.add(1, "slow", "", slow)
    switch.scheduler.add(2, "quick", "", lambda: ran.append("quick"))
    switch.clock.sleep(90 * SECOND)
    assert ran == ["quick", "slow"]


def test_a_faulty_task_is_reported_and_the_others_go_on(switch: Switch) -> None:
    bugs: list[object] = []
    ran: list[int] = []
    switch.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
    switch.scheduler.add(1, "bad", "", lambda: 1 // 0)
    switch.scheduler.add(2, "good", "", lambda: ran.append(1))
    switch.clock.sleep(5 * SECOND)
    assert len(bugs) == 1
    assert ran == [1]


def test_events_tell_of_a_tasks_life(switch: Switch) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ("ADD_SCHEDULE", "DEL_SCHEDULE", "RE_SCHEDULE"))
    switch.scheduler.add(1, "work", "group", lambda: None, interval=1)
    switch.clock.sleep(3 * SECOND // 2)
    switch.scheduler.clear()
    assert [event.name for event in told] == ["ADD_SCHEDULE", "RE_SCHEDULE", "DEL_SCHEDULE"]
    assert told[0].get_header("Task-Group") == "group"
