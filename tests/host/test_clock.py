"""The virtual clock's determinism and the real clock's promises."""

from __future__ import annotations

import threading

import pytest

from host.clock import MILLISECOND, SECOND, RealClock, VirtualClock, VirtualClockStalled
from tests.eventually import eventually


def test_sleeping_jumps() -> None:
    clock = VirtualClock()
    with clock.participating():
        clock.sleep(3600 * SECOND)
    assert clock.now() == 3600 * SECOND


def test_time_counts_from_the_epoch_given() -> None:
    clock = VirtualClock(epoch=5 * SECOND)
    with clock.participating():
        clock.sleep(2 * SECOND)
    assert clock.time() == 7 * SECOND


def test_threads_take_turns_in_order_of_deadline() -> None:
    clock = VirtualClock()
    order: list[tuple[str, int]] = []

    def worker(name: str, step: int) -> None:
        for _ in range(3):
            clock.sleep(step)
            order.append((name, clock.now()))

    with clock.participating():
        threads = [clock.spawn(lambda n=n, s=s: worker(n, s), n) for n, s in (("a", 3000), ("b", 2000))]  # type: ignore[misc]
        clock.sleep(SECOND)
    for thread in threads:
        thread.join(40)
    assert order == [("b", 2000), ("a", 3000), ("b", 4000), ("a", 6000), ("b", 6000), ("a", 9000)]


def test_one_thread_runs_at_a_time() -> None:
    clock = VirtualClock()
    running = 0
    most = 0

    def worker() -> None:
        nonlocal running, most
        for _ in range(50):
            running += 1
            most = max(most, running)
            running -= 1
            clock.sleep(1000)

    with clock.participating():
        threads = [clock.spawn(worker, str(i)) for i in range(8)]
        clock.sleep(SECOND)
    for thread in threads:
        thread.join(40)
    assert most == 1


def test_notify_before_the_wait_is_kept() -> None:
    clock = VirtualClock()
    with clock.participating():
        waiter = clock.waiter()
        waiter.notify()
        assert waiter.wait(SECOND) is True
        assert waiter.wait(SECOND) is False
    assert clock.now() == SECOND


def test_a_timer_wakes_a_waiter_and_can_be_cancelled() -> None:
    clock = VirtualClock()
    with clock.participating():
        waiter = clock.waiter()
        clock.call_at(500, waiter.notify)
        clock.call_at(200, lambda: pytest.fail("cancelled")).cancel()
        assert waiter.wait() is True
    assert clock.now() == 500


def test_waiting_for_nothing_is_told() -> None:
    clock = VirtualClock()
    with clock.participating(), pytest.raises(VirtualClockStalled):
        clock.waiter().wait()


def test_a_stranger_is_refused() -> None:
    clock = VirtualClock()
    with pytest.raises(RuntimeError, match="takes no part"):
        clock.sleep(1)


def test_charging_lets_due_things_happen() -> None:
    clock = VirtualClock()
    fired: list[int] = []
    with clock.participating():
        clock.call_at(100, lambda: fired.append(clock.now()))
        for _ in range(10):
            clock.charge(20)
    assert fired == [100]
    assert clock.now() == 200


def test_charging_lets_ready_threads_run() -> None:
    clock = VirtualClock()
    seen: list[int] = []
    with clock.participating():
        thread = clock.spawn(lambda: seen.append(clock.now()), "other")
        clock.charge(20)
        assert seen == [20]
    thread.join(40)


class _Beats:
    """A pacer with something due every 300 µs."""

    idle = False

    def __init__(self) -> None:
        self.moved: list[int] = []

    def horizon(self, now: int, limit: int) -> int:
        return min(limit, (now // 300 + 1) * 300)

    def advance(self, now: int) -> None:
        self.moved.append(now)


def test_a_pacer_bounds_the_steps() -> None:
    clock = VirtualClock()
    beats = _Beats()
    clock.add_pacer(beats)
    with clock.participating():
        clock.sleep(1000)
    assert beats.moved == [300, 600, 900, 1000]


def test_real_clock_waits_and_wakes() -> None:
    clock = RealClock()
    waiter = clock.waiter()
    began = clock.now()
    assert waiter.wait(began + 30 * MILLISECOND) is False
    assert clock.now() - began >= 30 * MILLISECOND
    clock.call_later(10 * MILLISECOND, waiter.notify)
    assert waiter.wait(clock.now() + 30 * SECOND) is True
    clock.close()


def test_real_clock_runs_timers_in_order_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    clock = RealClock()
    order: list[int] = []
    done = clock.waiter()

    def last() -> None:
        order.append(2)
        done.notify()

    clock.call_later(400 * MILLISECOND, last)
    clock.call_later(5 * MILLISECOND, lambda: order.append(1))
    assert done.wait(clock.now() + 30 * SECOND)
    clock.close()
    assert order == [1, 2]
    assert set(threading.enumerate()) <= before


def test_real_clock_moves_pacers() -> None:
    clock = RealClock(tick=5 * MILLISECOND)
    beats = _Beats()
    clock.add_pacer(beats)
    eventually(lambda: len(beats.moved) >= 5)
    clock.close()
    assert beats.moved == sorted(beats.moved)
