"""Tasks that run at a time: those of `sched_api` and its relatives, and the switch's own."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.clock import SECOND, Timer

if TYPE_CHECKING:
    from host.switch import Switch

# The longest time ahead, in seconds: any date that is meant, and far from what overflows.
LONGEST: Final = 1 << 40


@dataclass(slots=True)
class Task:
    """A piece of work; `runtime` is when it runs next, in seconds since the epoch, `interval` 0 is once."""

    id: int
    description: str
    group: str
    runtime: int
    interval: int
    work: Callable[[], object]
    timer: Timer | None = field(default=None, repr=False)


class Scheduler:
    """The tasks of one switch. Each runs in a thread of its own, so that one that waits does not hold up another."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._ids = itertools.count(1)
        self._tasks: dict[int, Task] = {}
        self._lock = threading.Lock()

    def add(
        self, delay: int, description: str, group: str, work: Callable[[], object], *, interval: int = 0
    ) -> Task:
        """Run `work()` after `delay` seconds, and every `interval` seconds from then on."""
        delay = max(0, min(delay, LONGEST))
        interval = max(0, min(interval, LONGEST))
        runtime = self._switch.clock.time() // SECOND + delay
        task = Task(next(self._ids), description, group or "none", runtime, interval, work)
        with self._lock:
            self._tasks[task.id] = task
        self._tell("ADD_SCHEDULE", task)
        self._arm(task, delay)
        return task

    def delete(self, task_id: int) -> bool:
        """Keep a task from running (again); False when there is none of that number."""
        with self._lock:
            task = self._tasks.pop(task_id, None)
        if task is None:
            return False
        self._cancel(task)
        return True

    def delete_group(self, group: str) -> int:
        """Keep the tasks of a group from running; return how many there were."""
        with self._lock:
            gone = [task for task in self._tasks.values() if task.group == group]
            for task in gone:
                del self._tasks[task.id]
        for task in gone:
            self._cancel(task)
        return len(gone)

    def clear(self) -> None:
        """Keep all tasks from running."""
        for task in self.tasks():
            self.delete(task.id)

    def tasks(self) -> list[Task]:
        """Return the tasks that wait, the oldest first."""
        with self._lock:
            return list(self._tasks.values())

    def _arm(self, task: Task, delay: int) -> None:
        task.timer = self._switch.clock.call_later(delay * SECOND, lambda: self._due(task))

    def _cancel(self, task: Task) -> None:
        if task.timer is not None:
            task.timer.cancel()
        self._tell("DEL_SCHEDULE", task)

    def _due(self, task: Task) -> None:
        """Start the task's thread: the clock's own must not block."""
        if self._switch.running:
            self._switch.clock.spawn(lambda: self._run(task), f"task-{task.id}")

    def _run(self, task: Task) -> None:
        with self._lock:
            if task.id not in self._tasks:
                return
            if not task.interval:
                del self._tasks[task.id]
        try:
            task.work()
        except Exception as error:  # one task's fault must not end the others'
            self._switch.report_bug(f"task {task.id} {task.description}", error)
        with self._lock:
            again = bool(task.interval) and task.id in self._tasks
        if again:
            task.runtime = self._switch.clock.time() // SECOND + task.interval
            self._tell("RE_SCHEDULE", task)
            self._arm(task, task.interval)
        elif not task.interval:
            self._tell("DEL_SCHEDULE", task)

    def _tell(self, event_name: str, task: Task) -> None:
        if self._switch.bus.wants(event_name):
            event = self._switch.new_event(event_name)
            event.add_header("Task-ID", str(task.id))
            event.add_header("Task-Desc", task.description)
            event.add_header("Task-Group", task.group)
            event.add_header("Task-Runtime", str(task.runtime))
            self._switch.fire(event)
