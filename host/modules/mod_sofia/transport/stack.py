"""The SIP thread: one loop per process over all SIP sockets, timers and what other threads ask for.

All switches of a process share it; it runs while at least one `SipStack` is started. It stands in for sippy's
dispatcher, which paces itself by a fixed rate, prints exceptions, and reads two clocks for every timer.
"""

from __future__ import annotations

import heapq
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from host.clock import SECOND, RealClock

Run = Callable[[], object]
Report = Callable[[str, BaseException], object]

# What one turn of the loop takes from the queue of calls before sockets and timers get their turn.
CALLS_A_TURN: Final = 256
# Threads for what may block (directory look-ups, name resolution): a look-up waits for others, not for a processor.
WORKERS: Final = 8
# Work that waits for a worker; a flood beyond this is refused and counted rather than kept.
WORK_QUEUE: Final = 4096
# The loop wakes at least this often, so that a clock set by hand elsewhere cannot leave it asleep.
_LONGEST_WAIT: Final = 10.0
# Cancelled timers that stay until they are due, before it is asked whether they are most of all.
_CANCELLED_KEPT: Final = 1000
# How long `stop` waits for the thread to end its turn.
_LAST_TURN: Final = 5 * SECOND

_CLOCK: Final = RealClock()


class Timer:
    """One piece of delayed work; `cancel()` makes it not happen and is harmless afterwards."""

    __slots__ = ("_run", "_stack")

    def __init__(self, stack: SipStack, run: Run | None) -> None:
        self._stack = stack
        self._run = run

    def cancel(self) -> None:
        """Keep it from happening."""
        if self._run is not None:
            self._run = None
            self._stack.note_cancelled()

    @property
    def active(self) -> bool:
        """Whether it is still to happen."""
        return self._run is not None

    def fire(self) -> None:
        """Do it, in the SIP thread, unless it was cancelled or its stack has stopped."""
        run, self._run = self._run, None
        if run is not None and self._stack.running:
            self._stack.guard("a SIP timer", run)


class _Watch:
    """A socket of the loop and whom it tells."""

    __slots__ = ("descriptor", "on_readable", "on_writable", "stack")

    def __init__(self, stack: SipStack, descriptor: int, on_readable: Run, on_writable: Run | None) -> None:
        self.stack = stack
        self.descriptor = descriptor
        self.on_readable = on_readable
        self.on_writable = on_writable

    @property
    def events(self) -> int:
        return select.EPOLLIN | (select.EPOLLOUT if self.on_writable is not None else 0)


class _Loop:
    """The thread and what it waits on; it lives while stacks use it."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.epoll.register(self.wake_fd, select.EPOLLIN)
        self.watches: dict[int, _Watch] = {}
        self.calls: deque[tuple[SipStack, Run]] = deque()
        self._timers: list[tuple[int, int, Timer]] = []  # when they are due in µs, a number, what to do
        self._order = 0
        self._cancelled = 0  # of them
        self.stopping = False
        self.awake = False
        self.closed = False
        self._descriptors = threading.Lock()
        self.ended = _CLOCK.waiter()
        self.users = 0
        self.thread = _CLOCK.spawn(self._run, "sip")

    def wake(self) -> None:
        """End the wait; thread-safe."""
        if not self.awake:
            self.awake = True
            with self._descriptors:  # the loop may be ending, and its number be another file's by then
                if not self.closed:
                    os.eventfd_write(self.wake_fd, 1)

    def _run(self) -> None:
        try:
            while not self.stopping:
                self._turn()
        finally:
            with self._descriptors:
                self.closed = True
                self.epoll.close()
                os.close(self.wake_fd)
            self.ended.notify()

    def _turn(self) -> None:
        ready = self.epoll.poll(0 if self.calls else self._left())
        # Cleared before the queue is looked at: a call that comes later wakes the next wait.
        self.awake = False
        self._run_timers()
        for descriptor, events in ready:
            watch = self.watches.get(descriptor)
            if watch is None:
                if descriptor == self.wake_fd:
                    # Whenever it is set, also by a wake-up that the last turn took for done: it would end every wait.
                    os.eventfd_read(self.wake_fd)
                continue
            if events & select.EPOLLOUT and watch.on_writable is not None:
                watch.stack.guard("a SIP socket", watch.on_writable)
            if events & ~select.EPOLLOUT and self.watches.get(descriptor) is watch:
                watch.stack.guard("a SIP socket", watch.on_readable)
        for _ in range(min(len(self.calls), CALLS_A_TURN)):
            stack, run = self.calls.popleft()
            if stack.running:
                stack.guard("a call to the SIP thread", run)

    def add_timer(self, seconds: float, timer: Timer) -> None:
        """Have a timer fire; SIP thread only."""
        self._order += 1
        heapq.heappush(self._timers, (_CLOCK.now() + int(seconds * SECOND), self._order, timer))

    def note_cancelled(self) -> None:
        """Count a timer that will not fire; they go when they are most of what there is."""
        self._cancelled += 1
        if self._cancelled > _CANCELLED_KEPT and self._cancelled * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if entry[2].active]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def _left(self) -> float:
        """Return the seconds until the next timer is due."""
        timers = self._timers
        while timers and not timers[0][2].active:
            heapq.heappop(timers)
            self._cancelled -= 1
        if not timers:
            return _LONGEST_WAIT
        return min(max((timers[0][0] - _CLOCK.now()) / SECOND, 0.0), _LONGEST_WAIT)

    def _run_timers(self) -> None:
        """Do what is due; what that makes due waits for the next turn."""
        if not self._timers:
            return
        now = _CLOCK.now()
        due: list[Timer] = []
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.active:
                due.append(timer)
            else:
                self._cancelled -= 1
        for timer in due:
            timer.fire()


_lock: Final = threading.Lock()
_loop: _Loop | None = None


class _Worker(threading.local):
    """What a thread is to the stack: the one it works for, and whether its work is a whole call."""

    stack: SipStack | None = None
    lent = False


class SipStack:
    """A switch's share of the SIP thread: `start()` it, and `stop()` it when the switch ends.

    `report(where, error)` is told of exceptions in callbacks; they never end the loop. All but `call`, `work`,
    `register`, `unregister`, `start`, `stop` and `now` is for the SIP thread alone.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.running = False
        self.refused_work = 0  # jobs that found the workers' queue full
        self._loop: _Loop | None = None
        self._descriptors: set[int] = set()
        self._jobs: deque[Run] = deque()
        self._jobs_changed = threading.Condition()
        self._workers = 0
        self._idle_workers = 0
        self._worker = _Worker()

    def start(self) -> None:
        """Take part in the SIP thread, which is started with the first of a process."""
        global _loop
        with _lock:
            if self.running:
                return
            if _loop is None:
                _loop = _Loop()
            self._loop = _loop
            self._loop.users += 1
            self.running = True

    def stop(self) -> None:
        """Leave: this stack's calls, timers and sockets are forgotten; sockets stay open. Waits for the last turn.

        Work that a worker has begun is not waited for.
        """
        global _loop
        with _lock:
            loop = self._loop
            if not self.running or loop is None:
                return
            for descriptor in list(self._descriptors):
                self._forget(descriptor)
            self.running = False
            loop.users -= 1
            last = loop.users == 0
            if last:
                _loop = None
                loop.stopping = True
                loop.awake = False
                loop.wake()
            self._loop = None
            with self._jobs_changed:
                self._jobs.clear()
                self._jobs_changed.notify_all()
        if last and loop.thread is not threading.current_thread():
            deadline = _CLOCK.now() + _LAST_TURN
            loop.ended.wait(deadline)

    @property
    def in_sip_thread(self) -> bool:
        """Whether the caller runs in the SIP thread."""
        loop = self._loop
        return loop is not None and loop.thread is threading.current_thread()

    def now(self) -> float:
        """Return seconds that never go back."""
        return _CLOCK.now() / SECOND

    def call(self, run: Run) -> None:
        """Have `run()` called in the SIP thread soon, in the order of the calls; dropped once stopped. Thread-safe."""
        loop = self._loop
        if loop is not None:
            loop.calls.append((self, run))
            loop.wake()

    def run(self, run: Run) -> None:
        """Have `run()` called in the SIP thread and wait until it has been; without that thread, call it here."""
        if not self.running or self.in_sip_thread:
            self.guard("a call to the SIP thread", run)
            return
        done = _CLOCK.waiter()

        def run_and_tell() -> None:
            try:
                run()
            finally:
                done.notify()

        self.call(run_and_tell)
        deadline = _CLOCK.now() + _LAST_TURN
        done.wait(deadline)

    def call_later(self, seconds: float, run: Run) -> Timer:
        """Have `run()` called in the SIP thread after `seconds`, never once stopped.

        RuntimeError outside of the SIP thread: sippy's timers are that one's alone.
        """
        loop = self._loop
        if not self.running or loop is None:
            return Timer(self, None)
        if not self.in_sip_thread:
            raise RuntimeError("a SIP timer of another thread")
        timer = Timer(self, run)
        loop.add_timer(seconds, timer)
        return timer

    def note_cancelled(self) -> None:
        """Take note that a timer was cancelled."""
        loop = self._loop
        if loop is not None:
            loop.note_cancelled()

    def work(self, run: Run) -> bool:
        """Have a worker thread call `run()`, which may block; False when too much waits already. Thread-safe."""
        with self._jobs_changed:
            if not self.running or len(self._jobs) >= WORK_QUEUE:
                self.refused_work += 1
                return False
            self._jobs.append(run)
            self._engage()
            self._jobs_changed.notify()
        return True

    def lend_worker(self) -> bool:
        """Let the work that runs in this thread take as long as a call does: another worker is there for the rest.

        False outside of a worker. The thread comes back when the work is done, so that a call needs no new one.
        """
        if self._worker.stack is not self:
            return False
        if not self._worker.lent:
            self._worker.lent = True
            with self._jobs_changed:
                self._workers -= 1
                self._engage()
        return True

    def _engage(self) -> None:
        """Start a worker where there is more to be done than workers wait for; the lock is held."""
        if len(self._jobs) > self._idle_workers and self._workers < WORKERS and self.running:
            self._workers += 1
            _CLOCK.spawn(self._work, "sip-worker")

    def register(self, sock: socket.socket, on_readable: Run, on_writable: Run | None = None) -> None:
        """Have `on_readable()`, and `on_writable()` where given, called when a socket is; once more to change it.

        Errors and the far end's closing count as readable. Both are told as long as the condition holds.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the SIP stack is not started")
        descriptor = sock.fileno()
        watch = _Watch(self, descriptor, on_readable, on_writable)
        known = descriptor in loop.watches
        loop.watches[descriptor] = watch
        self._descriptors.add(descriptor)
        if known:
            loop.epoll.modify(descriptor, watch.events)
        else:
            loop.epoll.register(descriptor, watch.events)

    def unregister(self, sock: socket.socket) -> None:
        """Forget a socket, before it is closed; harmless when it is not known."""
        descriptor = sock.fileno()
        if descriptor in self._descriptors:
            self._forget(descriptor)

    def guard(self, where: str, run: Run) -> None:
        """Call `run()` and report what it raises."""
        try:
            run()
        except Exception as error:
            self.report(where, error)

    def _forget(self, descriptor: int) -> None:
        self._descriptors.discard(descriptor)
        loop = self._loop
        if loop is not None and loop.watches.pop(descriptor, None) is not None:
            try:
                loop.epoll.unregister(descriptor)
            except (OSError, ValueError):  # closed behind our back
                pass

    def _work(self) -> None:
        worker = self._worker
        worker.stack = self
        while True:
            with self._jobs_changed:
                while not self._jobs:
                    if not self.running:
                        self._workers -= 1
                        return
                    self._idle_workers += 1
                    self._jobs_changed.wait()
                    self._idle_workers -= 1
                job = self._jobs.popleft()
            self.guard("work for SIP", job)
            del job
            if worker.lent:
                worker.lent = False
                with self._jobs_changed:
                    if self._workers >= WORKERS:
                        return
                    self._workers += 1
