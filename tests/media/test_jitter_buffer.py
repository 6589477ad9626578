from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.jitter_buffer import (
    JitterBuffer,
    Kind,
    Playout,
    Put,
)
from media.jitter_spec import JitterCommand, JitterSpec, parse_jitterbuffer

STEP = 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60", JitterSpec(60, 3000)),
        ("60:200", JitterSpec(60, 200)),
        ("60:200:20", JitterSpec(60, 200, 20)),
        ("3p:10p", JitterSpec(60, 200)),
        ("-3:-10", JitterSpec(60, 200)),
        ("100:50", JitterSpec(100, 500)),
        ("5", JitterSpec(20, 2000)),
        ("20000:100", JitterSpec(20, 2000)),
        ("", JitterSpec(20, 2000)),
        ("on", JitterSpec(20, 2000)),
        ("pause", JitterCommand("pause")),
        ("RESUME", JitterCommand("resume")),
        ("stop", JitterCommand("stop")),
        ("debug:/tmp/log", JitterCommand("debug", "/tmp/log")),
    ],
)
def test_freeswitchs_argument(text: str, expected: JitterSpec | JitterCommand) -> None:
    assert parse_jitterbuffer(text, 20) == expected


@given(st.text(max_size=30))
def test_any_argument_gives_lengths_that_work(text: str) -> None:
    spec = parse_jitterbuffer(text, 20)
    if isinstance(spec, JitterSpec):
        assert 0 < spec.length_ms <= spec.maximum_ms
        JitterBuffer(spec).get(0)


def simulate(
    count: int,
    delay: Callable[[random.Random, int], float],
    *,
    spec: str = "60:400",
    loss: float = 0.0,
    drift: float = 1.0,
    talking: Callable[[int], bool] = lambda number: True,
    quiet: bool = False,
) -> tuple[JitterBuffer, list[Playout], list[float]]:
    """Frames number 0 … count - 1 through a network; payloads are the frames' numbers."""
    draws = random.Random(1)
    lengths = parse_jitterbuffer(spec, 20)
    assert isinstance(lengths, JitterSpec)
    buffer = JitterBuffer(lengths)
    arrivals: list[tuple[int, int, int]] = []
    sequence = 65_000
    for number in range(count):
        if not talking(number):
            continue
        sequence += 1
        if draws.random() >= loss:
            heapq.heappush(arrivals, (int(number * STEP * drift + delay(draws, number)), sequence, number))
    played, delays = [], []
    for now in range(0, int(count * STEP * drift) + 2_000_000, STEP):
        while arrivals and arrivals[0][0] <= now:
            arrived, sequence, number = heapq.heappop(arrivals)
            timestamp = (number * 160 + 2**32 - 5000) & 0xFFFF_FFFF
            buffer.put(sequence & 0xFFFF, timestamp, str(number).encode(), arrived)
        played.append(buffer.get(now, quiet=quiet))
        delays.append(buffer.current_ms)
    return buffer, played, delays


def numbers(played: list[Playout]) -> list[int]:
    return [int(playout.payload) for playout in played if playout.kind is Kind.MEDIA]


def test_a_clean_stream_comes_out_whole_and_on_time() -> None:
    buffer, played, delays = simulate(500, lambda draws, number: 30_000)
    assert numbers(played) == list(range(500))
    kinds = [playout.kind for playout in played]
    first = kinds.index(Kind.MEDIA)
    assert kinds[first : first + 500] == [Kind.MEDIA] * 500
    assert played[first].spurt
    assert 60 <= delays[100] <= 80
    assert (buffer.statistics.lost, buffer.statistics.late) == (0, 0)


def test_reordered_packets_come_out_in_order() -> None:
    buffer, played, _ = simulate(1000, lambda draws, number: draws.random() * 55_000)
    assert numbers(played) == list(range(1000))
    assert buffer.statistics.reordered > 100


def test_lost_packets_leave_one_gap_each() -> None:
    buffer, played, delays = simulate(2000, lambda draws, number: draws.random() * 15_000, loss=0.05)
    got = numbers(played)
    assert buffer.statistics.lost == 2000 - len(got)
    first = next(at for at, playout in enumerate(played) if playout.kind is Kind.MEDIA)
    # Every frame is played at its own time: what is lost is filled, and nothing moves.
    for at, playout in enumerate(played):
        if playout.kind is Kind.MEDIA:
            assert int(playout.payload) == at - first
    assert 60 <= delays[-200] <= 80


def test_concealing_knows_the_next_packet() -> None:
    buffer = JitterBuffer(JitterSpec(60, 200))
    for number in (0, 1, 3):
        buffer.put(number, number * 160, b"%d" % number, number * STEP)
    playouts = [buffer.get(60_000 + at * STEP) for at in range(4)]
    assert [playout.payload for playout in playouts] == [b"0", b"1", b"3", b"3"]
    assert playouts[2].kind is Kind.CONCEAL


def test_the_delay_grows_with_the_jitter_until_nearly_nothing_is_late() -> None:
    buffer, played, delays = simulate(
        3000, lambda draws, number: draws.expovariate(1 / 60_000), spec="20:400"
    )
    late = sum(playout.kind is Kind.CONCEAL for playout in played[2000:2900])
    assert numbers(played) == sorted(numbers(played))
    assert delays[100] < 200 < delays[2900] <= 400
    assert late < 30
    assert buffer.statistics.grown > 3


def test_the_delay_follows_the_jitter_between_talk_spurts() -> None:
    def delay(draws: random.Random, number: int) -> float:
        return 30_000 + draws.random() * (150_000 if 1000 <= number < 2000 else 5_000)

    _, played, delays = simulate(4000, delay, spec="40:400", talking=lambda number: number % 200 < 100)
    assert numbers(played) == sorted(numbers(played))
    assert delays[1990 + 10] > 120
    assert delays[950] < 70
    assert delays[3950] < 70


def test_shrinks_in_quiet_frames_after_a_stall() -> None:
    def stall(draws: random.Random, number: int) -> float:
        return 30_000 + (150_000 - (number - 1000) * STEP if 1000 <= number < 1008 else 0)

    buffer, _, delays = simulate(4000, stall, quiet=True)
    assert max(delays[1000:1100]) > 120
    assert delays[-200] <= 80
    assert buffer.statistics.shrunk > 2


@pytest.mark.parametrize("drift", [0.995, 1.005])
def test_clocks_that_drift_apart(drift: float) -> None:
    buffer, played, delays = simulate(6000, lambda draws, number: 30_000, drift=drift, quiet=True)
    assert max(delays[100:5900]) <= 100
    assert len(numbers(played)) + buffer.statistics.shrunk == 6000
    changed = buffer.statistics.shrunk if drift < 1 else buffer.statistics.grown
    assert 20 < changed < 40


def test_the_greatest_length_holds() -> None:
    buffer, _, delays = simulate(3000, lambda draws, number: 30_000, spec="60:200", drift=0.98)
    assert 180 <= max(delays[:2800]) <= 240
    assert buffer.statistics.largest_ms <= 240


def test_silence_is_no_loss() -> None:
    buffer, played, _ = simulate(
        2000, lambda draws, number: draws.random() * 30_000, talking=lambda number: number % 100 < 50
    )
    assert len(numbers(played)) == 1000
    assert (buffer.statistics.lost, buffer.statistics.spurts) == (0, 20)
    assert sum(playout.spurt for playout in played) == 20


def test_what_is_skipped_is_no_loss() -> None:
    buffer = JitterBuffer(JitterSpec(60, 200))
    now = 0
    for number in range(40):
        if 10 <= number < 15:
            buffer.skip(number)
        else:
            buffer.put(number, number * 160, b"x", now)
        buffer.get(now)
        now += STEP
    assert buffer.statistics.lost == 0
    assert buffer.statistics.spurts == 2


def test_late_and_duplicate_packets_are_dropped() -> None:
    buffer = JitterBuffer(JitterSpec(20, 200))
    assert buffer.put(1, 160, b"1", 0) is Put.QUEUED
    assert buffer.put(2, 320, b"2", 0) is Put.QUEUED
    assert buffer.put(2, 320, b"2", 0) is Put.DUPLICATE
    assert buffer.put(4, 640, b"4", 0) is Put.QUEUED
    kinds = [buffer.get(20_000 + at * STEP).kind for at in range(4)]
    assert kinds == [Kind.MEDIA, Kind.MEDIA, Kind.CONCEAL, Kind.MEDIA]
    assert buffer.put(3, 480, b"3", 100_000) is Put.LATE
    # Also when nothing is being played any more.
    for at in range(30):
        buffer.get(100_000 + at * STEP)
    assert buffer.put(4, 640, b"4", 900_000) is Put.LATE


def test_a_jump_starts_anew() -> None:
    buffer = JitterBuffer(JitterSpec(60, 200))
    for number in range(10):
        buffer.put(number, number * 160, b"a", number * STEP)
    assert buffer.put(30_000, 5, b"b", 200_000) is Put.RESTART
    assert buffer.waiting == 1
    assert buffer.get(250_000).kind is Kind.SILENCE
    assert buffer.get(260_000).payload == b"b"
    # A long silence is no jump: the sequence goes on.
    assert buffer.put(30_001, 5 + 8 * 60_000, b"c", 60_260_000) is Put.QUEUED


def test_overflow_drops_the_oldest() -> None:
    buffer = JitterBuffer(JitterSpec(60, 100))
    results = [buffer.put(number, number * 160, b"%d" % number, 0) for number in range(10)]
    assert results[-1] is Put.OVERFLOW
    assert buffer.waiting == 6
    assert buffer.get(70_000).payload == b"4"


def test_paused_it_only_orders() -> None:
    buffer = JitterBuffer(JitterSpec(60, 200), paused=True)
    buffer.put(2, 320, b"2", 0)
    buffer.put(1, 160, b"1", 0)
    assert [buffer.get(0).payload for _ in range(2)] == [b"1", b"2"]
    assert buffer.get(0).kind is Kind.SILENCE


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="0 ms"):
        JitterBuffer(JitterSpec(60, 200), ptime_ms=0)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3) | st.integers(0, 0xFFFF),
            st.integers(0, 640) | st.integers(0, 0xFFFF_FFFF),
            st.integers(0, 90_000),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_whatever_comes_it_stays_bounded(arrivals: list[tuple[int, int, int, bool]]) -> None:
    buffer = JitterBuffer(JitterSpec(40, 120))
    now = sequence = timestamp = 0
    played = 0
    for step, moved, passed, quiet in arrivals:
        sequence, timestamp, now = (sequence + step) & 0xFFFF, (timestamp + moved) & 0xFFFF_FFFF, now + passed
        buffer.put(sequence, timestamp, b"x", now)
        played += buffer.get(now, quiet=quiet).kind is Kind.MEDIA
        assert buffer.waiting <= 7
        assert 40 <= buffer.target_ms <= 120
    assert played <= len(arrivals)
