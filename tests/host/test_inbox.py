from __future__ import annotations

from collections.abc import Iterator

import pytest

from host.clock import SECOND, RealClock, VirtualClock
from host.inbox import DIGIT_LIMIT, Digit, Inbox


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def test_what_comes_with_the_next_frame_is_taken_then(clock: RealClock) -> None:
    within_a_frame = False
    while not within_a_frame:
        inbox = Inbox(clock)
        began = clock.now()
        assert inbox.put_with_next_frame(Digit("1"))
        assert inbox.put_with_next_frame(Digit("2"))
        at_once = inbox.take(Digit), inbox.count(Digit)
        within_a_frame = clock.now() // 20_000 == began // 20_000
    assert at_once == (None, 2)
    assert inbox.wait(clock.now() + SECOND)
    assert [inbox.take(Digit), inbox.take(Digit)] == [Digit("1"), Digit("2")]


def test_what_is_flushed_does_not_come_with_the_next_frame(clock: RealClock) -> None:
    inbox = Inbox(clock)
    inbox.put_with_next_frame(Digit("1"))
    assert inbox.flush(Digit) == [Digit("1")]
    inbox.put_with_next_frame(Digit("2"))
    clock.sleep(50_000)
    assert [inbox.take(Digit), inbox.take(Digit)] == [Digit("2"), None]


def test_digits_that_arrive_count_to_the_limit(clock: RealClock) -> None:
    inbox = Inbox(clock)
    assert sum(inbox.put_with_next_frame(Digit("1")) for _ in range(DIGIT_LIMIT + 5)) == DIGIT_LIMIT


def test_simulated_time_has_no_frames() -> None:
    inbox = Inbox(VirtualClock())
    inbox.put_with_next_frame(Digit("1"))
    assert inbox.take(Digit) == Digit("1")
