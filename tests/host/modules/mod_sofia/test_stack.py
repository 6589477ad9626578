from __future__ import annotations

import os
import socket
import threading

import pytest

from host.modules.mod_sofia.transport.stack import WORK_QUEUE, WORKERS, SipStack, Timer
from tests.host.modules.mod_sofia.far_end import PATIENCE
from tests.host.modules.mod_sofia.sip_rig import Rig, running, wait_for


def test_calls_come_in_order_and_in_one_thread() -> None:
    with running() as rig:
        seen: list[tuple[int, bool]] = []
        for number in range(1000):
            rig.stack.call(lambda number=number: seen.append((number, rig.stack.in_sip_thread)))  # type: ignore[misc]
        wait_for(lambda: len(seen) == 1000)
    assert seen == [(number, True) for number in range(1000)]
    assert not rig.stack.in_sip_thread


def test_timers_come_when_due_unless_cancelled() -> None:
    with running() as rig:
        seen: list[str] = []
        kept: list[Timer] = []

        def plan() -> None:
            rig.stack.call_later(0.06, lambda: seen.append("late"))
            kept.append(rig.stack.call_later(0.03, lambda: seen.append("cancelled")))
            rig.stack.call_later(0.0, lambda: seen.append("at once"))
            rig.stack.call_later(0.01, kept[0].cancel)

        begun = rig.stack.now()
        rig.stack.call(plan)
        wait_for(lambda: "late" in seen)
        assert rig.stack.now() - begun >= 0.059
    assert seen == ["at once", "late"]
    assert not kept[0].active


def test_a_fault_in_a_callback_is_reported_and_ends_nothing() -> None:
    rig = Rig()
    rig.stack.start()
    try:

        def fail() -> None:
            raise RuntimeError("a fault")

        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            done = threading.Event()

            def read() -> None:
                near.recv(1)
                fail()

            rig.stack.register(near, read)
            far.send(b"x")
            rig.stack.call(fail)
            rig.stack.call(lambda: rig.stack.call_later(0, fail))
            rig.stack.work(fail)
            wait_for(lambda: len(rig.errors) == 4)
            rig.stack.call(done.set)
            assert done.wait(PATIENCE)
            rig.stack.unregister(near)
    finally:
        rig.stack.stop()
    assert sorted(error.partition(":")[0] for error in rig.errors) == [
        "a SIP socket",
        "a SIP timer",
        "a call to the SIP thread",
        "work for SIP",
    ]


def test_a_socket_is_told_of_until_it_is_forgotten() -> None:
    with running() as rig:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            seen: list[str] = []
            rig.stack.register(near, lambda: seen.append(near.recv(9).decode()))
            far.send(b"one")
            wait_for(lambda: seen == ["one"])
            rig.stack.unregister(near)
            far.send(b"two")
            rig.stack.run(lambda: None)

            def write() -> None:
                seen.append("writable")
                rig.stack.unregister(near)

            rig.stack.register(near, lambda: None, write)
            wait_for(lambda: seen[-1] == "writable")
        assert seen == ["one", "writable"]


def test_timers_are_for_the_sip_thread_alone() -> None:
    with running() as rig, pytest.raises(RuntimeError):
        rig.stack.call_later(0, lambda: None)
    assert not rig.stack.call_later(0, lambda: None).active


def test_stacks_share_the_thread_and_not_their_faults() -> None:
    with running() as one, running() as other:
        threads: list[int] = []
        for rig in (one, other):
            rig.stack.run(lambda: threads.append(threading.get_ident()))
        assert threads[0] == threads[1]
        other.stack.stop()
        later: list[str] = []
        other.stack.call(lambda: later.append("stopped"))
        one.stack.run(lambda: later.append("goes on"))
        assert later == ["goes on"]


def test_one_after_another_leaves_nothing_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with running() as rig:
            rig.stack.run(lambda: rig.stack.call_later(3600, lambda: None))
    assert len(os.listdir("/proc/self/fd")) == before
    assert not [thread for thread in threading.enumerate() if thread.name == "sip"]


def test_what_is_stopped_takes_no_more_calls_timers_or_work() -> None:
    stack = SipStack(lambda where, error: None)
    stack.call(lambda: pytest.fail("not started"))
    assert not stack.work(lambda: None)
    assert stack.refused_work == 1
    with pytest.raises(RuntimeError):
        stack.register(socket.socket(), lambda: None)
    seen: list[str] = []
    with running():
        stack.start()
        stack.run(lambda: stack.call_later(0.02, lambda: seen.append("timer")))
        stack.stop()
        stack.stop()
        threading.Event().wait(0.04)
    assert seen == []


def test_workers_may_block_and_too_much_work_is_refused() -> None:
    with running() as rig:
        go = threading.Event()
        done: list[int] = []

        def block() -> None:
            go.wait(PATIENCE)
            done.append(threading.get_ident())

        for _ in range(WORKERS + WORK_QUEUE):
            rig.stack.work(block)
        wait_for(lambda: len(rig.stack._jobs) >= WORK_QUEUE - WORKERS)
        refused = [rig.stack.work(lambda: None) for _ in range(WORKERS + 1)]
        assert refused[-1] is False
        assert rig.stack.refused_work >= 1
        rig.stack.run(lambda: None)  # the SIP thread is not held up
        go.set()
        wait_for(lambda: len(done) >= WORK_QUEUE and len(set(done)) > 1)
        assert len(set(done)) <= WORKERS


def test_work_as_long_as_a_call_leaves_workers_for_the_rest() -> None:
    with running() as rig:
        over = threading.Event()
        threads: list[threading.Thread] = []
        lent: list[bool] = []

        def call() -> None:
            lent.append(rig.stack.lend_worker())
            threads.append(threading.current_thread())
            over.wait(PATIENCE)

        for _ in range(3 * WORKERS):
            assert rig.stack.work(call)
        wait_for(lambda: len(threads) == 3 * WORKERS)
        assert all(lent) and len(set(threads)) == 3 * WORKERS
        done = threading.Event()
        assert rig.stack.work(done.set)
        assert done.wait(PATIENCE)
        over.set()
        wait_for(lambda: sum(thread.is_alive() for thread in threads) <= WORKERS)
        assert not rig.stack.lend_worker()


def test_many_cancelled_timers_do_not_stay() -> None:
    with running() as rig:
        seen: list[int] = []

        def plan() -> None:
            for _ in range(5000):
                rig.stack.call_later(60.0, lambda: seen.append(0)).cancel()
            rig.stack.call_later(0.01, lambda: seen.append(1))

        rig.stack.call(plan)
        wait_for(lambda: bool(seen))
        loop = rig.stack._loop
        assert loop is not None and len(loop._timers) < 1100
    assert seen == [1]
