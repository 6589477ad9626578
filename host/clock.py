"""The one clock that everything waits on: `RealClock` for servers, `VirtualClock` for simulated calls.

Times are integers in microseconds. `now()` counts from the clock's start and never goes back; `time()` is the
calendar time since the Unix epoch. A thread waits through a `Waiter`, delayed work is a `Timer`, and a thread
that may wait is started with `spawn`, so that a `VirtualClock` knows all who can still do something.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

SECOND: Final = 1_000_000
MILLISECOND: Final = 1_000

# Monday, 5 January 2026, 10:00:00 UTC: within business hours, so that a script's opening-hours check passes.
VIRTUAL_EPOCH: Final = 1_767_607_200 * SECOND

# A virtual clock looks this far ahead when a pacer has work but no timer bounds it.
_LONGEST_STEP: Final = 60 * SECOND


class Pacer(Protocol):
    """Work that time itself drives (the media engine): the clock asks it how far it may go, then moves it there."""

    def horizon(self, now: int, limit: int) -> int:
        """Return the earliest time in (now, limit] at which something is due, or `limit` when nothing is."""

    def advance(self, now: int) -> None:
        """Do everything due up to and including `now`."""

    @property
    def idle(self) -> bool:
        """Whether nothing would ever happen by the passing of time alone."""


class Timer:
    """One piece of delayed work; `cancel()` makes it not happen."""

    __slots__ = ("callback", "cancelled", "when")

    def __init__(self, when: int, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Keep the callback from being called; harmless when it has been."""
        self.cancelled = True


class Waiter(ABC):
    """A place where one thread waits until another notifies it. A notification is kept until it is waited for."""

    @abstractmethod
    def wait(self, deadline: int | None = None) -> bool:
        """Block until notified (True) or until `deadline`, in µs of `Clock.now()` (False)."""

    @abstractmethod
    def notify(self) -> None:
        """Wake the waiting thread, or let the next `wait` return at once."""


class Clock(ABC):
    """What tells the time and lets threads wait for it."""

    virtual: bool

    @abstractmethod
    def now(self) -> int:
        """Return the microseconds since the clock's start."""

    @abstractmethod
    def time(self) -> int:
        """Return the microseconds since the Unix epoch."""

    @abstractmethod
    def waiter(self) -> Waiter:
        """Return a new waiter."""

    @abstractmethod
    def call_at(self, when: int, callback: Callable[[], object]) -> Timer:
        """Call `callback` at `when` (µs of `now()`), in a thread of the clock's choice; it must not block."""

    @abstractmethod
    def spawn(self, target: Callable[[], object], name: str) -> threading.Thread:
        """Start a thread that takes part in the clock's time."""

    @abstractmethod
    def add_pacer(self, pacer: Pacer) -> None:
        """Let the passing of time drive `pacer`."""

    @abstractmethod
    def touch(self) -> None:
        """Tell the clock that a pacer's next due time may have changed."""

    @abstractmethod
    def charge(self, cost: int) -> None:
        """Let `cost` µs pass for work that takes no virtual time of its own; nothing on a real clock."""

    @abstractmethod
    def close(self) -> None:
        """Stop the clock's own threads."""

    def call_later(self, delay: int, callback: Callable[[], object]) -> Timer:
        """Call `callback` after `delay` µs."""
        return self.call_at(self.now() + delay, callback)

    def sleep(self, duration: int) -> None:
        """Block this thread for `duration` µs."""
        if duration > 0:
            self.waiter().wait(self.now() + duration)

    @contextlib.contextmanager
    def participating(self) -> Iterator[None]:
        """Let the calling thread, which `spawn` did not start, wait on this clock inside the block."""
        yield


class _RealWaiter(Waiter):
    __slots__ = ("_clock", "_condition", "_notified")

    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self._condition = threading.Condition(threading.Lock())
        self._notified = False

    def wait(self, deadline: int | None = None) -> bool:
        with self._condition:
            while not self._notified:
                if deadline is None:
                    self._condition.wait()
                    continue
                left = deadline - self._clock.now()
                if left <= 0:
                    return False
                self._condition.wait(left / SECOND)
            self._notified = False
            return True

    def notify(self) -> None:
        with self._condition:
            self._notified = True
            self._condition.notify()


class RealClock(Clock):
    """Monotonic time. Timers run in one thread; each pacer is moved every `tick` µs in a thread of its own."""

    virtual = False

    def __init__(self, tick: int = 20 * MILLISECOND) -> None:
        self._start = time.monotonic_ns()
        self._tick = tick
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._alarm = _RealWaiter(self)
        self._timer_thread: threading.Thread | None = None
        self._pacer_threads: list[threading.Thread] = []
        self._closed = False

    def now(self) -> int:
        return (time.monotonic_ns() - self._start) // 1000

    def time(self) -> int:
        return time.time_ns() // 1000

    def waiter(self) -> Waiter:
        return _RealWaiter(self)

    def call_at(self, when: int, callback: Callable[[], object]) -> Timer:
        timer = Timer(when, callback)
        with self._lock:
            heapq.heappush(self._timers, (when, next(self._order), timer))
            first = self._timers[0][2] is timer
            if self._timer_thread is None and not self._closed:
                self._timer_thread = threading.Thread(
                    target=self._run_timers, name="clock-timers", daemon=True
                )
                self._timer_thread.start()
        if first:
            self._alarm.notify()
        return timer

    def spawn(self, target: Callable[[], object], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    def add_pacer(self, pacer: Pacer) -> None:
        thread = threading.Thread(target=self._run_pacer, args=(pacer,), name="clock-pacer", daemon=True)
        self._pacer_threads.append(thread)
        thread.start()

    def touch(self) -> None:
        """Do nothing: pacers are moved at every tick anyway."""

    def charge(self, cost: int) -> None:
        """Do nothing: real work takes real time."""

    def close(self) -> None:
        self._closed = True
        self._alarm.notify()
        for thread in [*self._pacer_threads, *([self._timer_thread] if self._timer_thread else [])]:
            if thread is not threading.current_thread():
                thread.join()

    def _run_timers(self) -> None:
        while not self._closed:
            with self._lock:
                due = []
                while self._timers and (self._timers[0][0] <= self.now() or self._timers[0][2].cancelled):
                    due.append(heapq.heappop(self._timers)[2])
                following = self._timers[0][0] if self._timers else None
            for timer in due:
                if not timer.cancelled:
                    timer.callback()
            if not due:
                self._alarm.wait(following)

    def _run_pacer(self, pacer: Pacer) -> None:
        following = self.now()
        while not self._closed:
            following += self._tick
            late = self.now() - following
            if late < 0:
                time.sleep(-late / SECOND)
            pacer.advance(self.now())
            if late > 10 * self._tick:  # after a stall (suspended machine) go on from here instead of racing
                following = self.now()


class _Participant:
    """A thread's place in the virtual clock: the lock it is woken by and why."""

    __slots__ = ("baton", "waiter")

    def __init__(self) -> None:
        self.baton = threading.Semaphore(0)
        self.waiter: _VirtualWaiter | None = None


class _VirtualWaiter(Waiter):
    __slots__ = ("_clock", "_notified", "_participant", "_timer")

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._notified = False
        self._participant: _Participant | None = None
        self._timer: Timer | None = None

    def wait(self, deadline: int | None = None) -> bool:
        clock = self._clock
        if not self._notified and (deadline is None or deadline > clock.now()):
            self._participant = clock._current_participant()
            timer = None if deadline is None else clock.call_at(deadline, self._expire)
            clock._pass_baton()
            if timer is not None:
                timer.cancel()
        notified, self._notified = self._notified, False
        return notified

    def notify(self) -> None:
        self._notified = True
        self._expire()

    def _expire(self) -> None:
        participant, self._participant = self._participant, None
        if participant is not None:
            self._clock._make_ready(participant)


class VirtualClockStalled(RuntimeError):
    """Every thread waits for ever and no timer is left: nothing can happen any more."""


class VirtualClock(Clock):
    """A discrete-event clock: when every thread waits, it jumps to the next deadline.

    Exactly one participating thread runs at a time and hands the baton on when it waits, in first-come order;
    timers due at the same time run in the order they were made. So a run is the same each time.
    """

    virtual = True

    def __init__(self, epoch: int = VIRTUAL_EPOCH) -> None:
        self._now = 0
        self._due = 0
        self._epoch = epoch
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()
        self._ready: deque[_Participant] = deque()
        self._pacers: list[Pacer] = []
        self._threads: dict[int, _Participant] = {}
        self._stalled = False

    def now(self) -> int:
        return self._now

    def time(self) -> int:
        return self._epoch + self._now

    def waiter(self) -> Waiter:
        return _VirtualWaiter(self)

    def call_at(self, when: int, callback: Callable[[], object]) -> Timer:
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        if when < self._due:
            self._due = when
        return timer

    def spawn(self, target: Callable[[], object], name: str) -> threading.Thread:
        participant = _Participant()

        def run() -> None:
            participant.baton.acquire()
            self._threads[threading.get_ident()] = participant
            try:
                target()
            finally:
                del self._threads[threading.get_ident()]
                self._hand_over(None)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._make_ready(participant)
        return thread

    def add_pacer(self, pacer: Pacer) -> None:
        self._pacers.append(pacer)
        self._due = 0

    def touch(self) -> None:
        self._due = 0

    def charge(self, cost: int) -> None:
        """Let `cost` µs pass; when that reaches something due, it happens, and ready threads run first."""
        moved = self._now + cost
        if moved < self._due and not self._ready:
            self._now = moved
            return
        while True:
            upcoming = self._next_due()
            if upcoming is None or upcoming > moved:
                break
            self._move_to(upcoming)
        if moved > self._now:
            self._move_to(moved)
        self._due = self._next_due() or self._now + _LONGEST_STEP
        if self._ready:
            self._ready.append(self._current_participant())
            self._pass_baton()

    def close(self) -> None:
        """Forget timers and pacers; threads that still wait are left where they are."""
        self._timers.clear()
        self._pacers.clear()

    @contextlib.contextmanager
    def participating(self) -> Iterator[None]:
        """Let the calling thread hold the baton inside the block; only one outside thread may do so at a time."""
        ident = threading.get_ident()
        if ident in self._threads:
            yield
            return
        self._threads[ident] = _Participant()
        try:
            yield
        finally:
            del self._threads[ident]

    def _current_participant(self) -> _Participant:
        try:
            return self._threads[threading.get_ident()]
        except KeyError:
            raise RuntimeError(
                "this thread takes no part in the virtual clock: use spawn() or participating()"
            ) from None

    def _make_ready(self, participant: _Participant) -> None:
        self._ready.append(participant)

    def _pass_baton(self) -> None:
        """Wait until it is the calling thread's turn again."""
        me = self._current_participant()
        if self._hand_over(me):
            return
        me.baton.acquire()
        if self._stalled:
            raise VirtualClockStalled("every thread waits and no timer is left")

    def _hand_over(self, me: _Participant | None) -> bool:
        """Let the next thread run; True when that is the calling one."""
        while not self._ready:
            upcoming = self._next_due()
            if upcoming is None:
                if me is None and not self._threads:
                    return False  # the last thread has ended
                self._stalled = True
                for participant in self._threads.values():
                    if participant is not me:
                        participant.baton.release()
                if me is not None:
                    raise VirtualClockStalled("every thread waits and no timer is left")
                return False
            self._move_to(upcoming)
        following = self._ready.popleft()
        if following is me:
            return True
        following.baton.release()
        return False

    def _next_due(self) -> int | None:
        """Return when the next thing happens, or None when nothing will."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        limit = self._timers[0][0] if self._timers else None
        busy = [pacer for pacer in self._pacers if not pacer.idle]
        if limit is None and not busy:
            return None
        upcoming = self._now + _LONGEST_STEP if limit is None else limit
        if upcoming > self._now:
            for pacer in busy:
                upcoming = min(upcoming, pacer.horizon(self._now, upcoming))
        return upcoming

    def _move_to(self, when: int) -> None:
        """Set the time to `when` and do what is due then."""
        if when > self._now:
            self._now = when
        self._due = 0
        for pacer in self._pacers:
            pacer.advance(self._now)
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled:
                timer.callback()
