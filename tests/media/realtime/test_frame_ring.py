from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.realtime.frame_ring import CONCEAL, MEDIA, SILENCE, FrameRing

ONE = np.array([0], np.intp)


def ring(delay: int = 1, maximum: int = 20) -> FrameRing:
    made = FrameRing(2, 4)
    made.open(0, delay, maximum)
    return made


def put(made: FrameRing, sequence: int) -> None:
    frame = np.full((1, 4), sequence % 251, np.uint8)
    made.put(ONE, np.array([sequence % 65536], np.uint16), frame)


def take(made: FrameRing, quiet: bool = False) -> int | None:
    """The number (mod 251) of the frame that is played; -1 for one that is made up, None for silence."""
    kinds = made.take(ONE, np.array([quiet]))
    if kinds[0] == MEDIA:
        frames: NDArray[np.uint8] = made.frames(ONE, kinds == MEDIA)
        assert (frames[0] == frames[0, 0]).all()
        return int(frames[0, 0])
    assert kinds[0] in (SILENCE, CONCEAL)
    return -1 if kinds[0] == CONCEAL else None


def test_an_even_stream_is_played_whole_after_its_delay() -> None:
    made, heard = ring(2), []
    for number in range(100, 140):
        put(made, number)
        heard.append(take(made))
    assert heard[:2] == [None, None]
    assert heard[2:] == list(range(100, 138))
    assert made.late[0] == made.concealed[0] == made.skipped[0] == 0


def test_order_is_restored_and_numbers_wrap() -> None:
    made, heard = ring(3), []
    order = [65533, 65534, 65536, 65535, 65538, 65537, *range(65539, 65560)]
    for number in order:
        put(made, number)
        heard.append(take(made))
    played = [number for number in heard if number is not None]
    assert played == [number % 251 for number in sorted(order)][: len(played)]
    assert len(played) == len(order) - 3
    assert made.concealed[0] == 0


def test_a_lost_frame_is_made_up_and_the_rest_stays_in_time() -> None:
    made, heard = ring(1), []
    for number in range(20):
        if number != 10:
            put(made, number)
        heard.append(take(made))
    assert heard == [None, *range(10), -1, *range(11, 19)]


def test_a_late_frame_makes_the_line_later_and_is_not_lost() -> None:
    made, heard = ring(0), []
    arrivals = {0: [0], 1: [1], 2: [], 3: [2, 3], 4: [4], 5: [5]}
    for tick in range(6):
        for number in arrivals[tick]:
            put(made, number)
        heard.append(take(made))
    assert heard == [0, 1, -1, 2, 3, 4]


def test_silence_ends_a_spurt_and_the_next_begins_anew() -> None:
    made = ring(1)
    for number in range(3):
        put(made, number)
        take(made)
    heard = [take(made) for _ in range(20)]
    assert heard[0] == 2 and heard[1:11].count(-1) >= 9 and heard[-1] is None
    for number in range(3, 6):
        put(made, number)
        heard.append(take(made))
    assert heard[-3:] == [None, 3, 4]


def test_a_jump_of_the_numbers_is_a_new_stream() -> None:
    made = ring(1)
    for number in range(5):
        put(made, number)
        take(made)
    heard = []
    for number in range(30_000, 30_005):
        put(made, number)
        heard.append(take(made))
    assert heard == [None, *(number % 251 for number in range(30_000, 30_004))]
    assert made.restarts[0] == 1


def test_what_waits_in_vain_for_long_is_left_out_where_it_is_quiet() -> None:
    made = ring(1)
    for number in range(6):  # five more than are played
        put(made, number)
    heard = []
    for number in range(6, 1500):
        put(made, number)
        heard.append(take(made, quiet=number % 10 == 0))
    assert made.skipped[0] >= 4
    assert heard[-1] == (1499 - 2) % 251 or made.skipped[0] > 4
    assert made.concealed[0] == 0


def test_a_flood_goes_on_from_nearby() -> None:
    made = ring(1, 10)
    for number in range(60):
        put(made, number)
    take(made)
    heard = take(made)
    assert heard is not None and heard >= 49 and made.skipped[0] > 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 65535), max_size=4), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_whatever_arrives_is_played_in_order_or_not_at_all(
    ticks: list[tuple[list[int], bool]], delay: int
) -> None:
    made = ring(delay)
    for numbers, quiet in ticks:
        for number in numbers:
            put(made, number)
        before = int(made._next[0])
        restarts = int(made.restarts[0])
        heard = take(made, quiet)
        if heard is not None and heard >= 0:
            assert heard == before % 65536 % 251
        if int(made.restarts[0]) == restarts:
            assert made._next[0] >= before
    assert made._sequence[1].max() == -1  # the other line


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=30, max_size=120))
def test_any_jitter_within_the_delay_costs_nothing(jitter: list[int]) -> None:
    made = ring(4)
    arrivals: dict[int, list[int]] = {}
    for number, shift in enumerate(jitter):
        arrivals.setdefault(number + 3 + (shift if number else 0), []).append(number)
    heard = []
    for tick in range(3, len(jitter) + 3):
        for number in arrivals.get(tick, []):
            put(made, number)
        heard.append(take(made))
    assert heard == [None] * 4 + list(range(len(jitter) - 4))


def test_a_frame_that_came_too_late_makes_the_line_later() -> None:
    made, heard = ring(1), []
    arrivals = {tick: [tick] for tick in range(40)}
    arrivals[10], arrivals[12] = [], [12, 10]
    arrivals[20], arrivals[22] = [], [22, 20]
    for tick in range(40):
        for number in arrivals[tick]:
            put(made, number)
        heard.append(take(made))
    assert heard[11] == -1 and made.late[0] == 1  # once, and then the line is late enough
    assert 20 in heard and heard[-1] == 37


def test_the_delay_is_made_longer_and_shorter_while_it_plays() -> None:
    made, heard = ring(1), []
    for number in range(100, 180):
        put(made, number)
        heard.append(take(made))
        if number == 119:
            made.set_delay(0, 8, 30)
        if number == 149:
            made.set_delay(0, 2, 30)
    assert heard[:20] == [None, *range(100, 119)]
    assert heard[20:50] == [None] * 7 + list(range(119, 142))
    assert heard[50:] == list(range(148, 178))
    assert (made.concealed[0], made.skipped[0], made.largest[0]) == (0, 6, 9)
