"""The engine: what lines send and receive, when notices are due, and that looking ahead changes nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.engine import Engine
from media.line import Line
from media.notice import Detected, DigitReceived, Notice, PlaybackEnded
from media.source import Samples, Silence
from tests.media.ear import Ear

SECOND = 1_000_000


class Loud:
    """A detector that tells of each sample over 1000 that follows a lower one."""

    def __init__(self) -> None:
        self.was = 0
        self.fed = 0

    def copy(self) -> Loud:
        other = Loud()
        other.was, other.fed = self.was, self.fed
        return other

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        self.fed += len(samples)
        found = []
        for offset, sample in enumerate(samples):
            if sample > 1000 >= self.was:
                found.append((offset, "loud"))
            self.was = int(sample)
        return found


def pair(engine: Engine, rate: int = 8000) -> tuple[Line, list[Notice], Line, list[Notice]]:
    near: list[Notice] = []
    far: list[Notice] = []
    a, b = engine.line(rate, near.append), engine.line(rate, far.append)
    a.connect(b)
    return a, near, b, far


def ramp(count: int, first: int = 1) -> Samples:
    return Samples(np.arange(first, first + count, dtype=np.int16), 8000)


def run(engine: Engine, until: int) -> list[int]:
    """Advance as a virtual clock does; return the times at which it stopped."""
    now, stops = 0, []
    while now < until:
        now = engine.horizon(now, until)
        engine.advance(now)
        stops.append(now)
    return stops


def test_the_far_end_hears_what_is_played() -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    playback = a.play(ramp(800))
    stops = run(engine, SECOND)
    assert stops == [100_000, SECOND]
    assert near == [PlaybackEnded(playback.number)]
    assert playback.position == 800
    assert np.array_equal(ear.heard, np.concatenate((np.arange(1, 801), np.zeros(7200))).astype(np.int16))


@given(st.lists(st.integers(1, 50_000), max_size=30))
def test_the_length_of_blocks_makes_no_difference(steps: list[int]) -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    a.play(ramp(800))
    now = 0
    for step in [*steps, 200_000]:
        now += step
        engine.advance(now)
    expected = np.zeros(now * 8000 // SECOND, np.int16)
    expected[:800] = np.arange(1, 801)[: len(expected)]
    assert np.array_equal(ear.heard, expected)
    assert len(near) == 1


def test_pause_seek_gain_and_stop() -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    playback = a.play(ramp(8000))
    engine.advance(1000)
    playback.pause(True)
    engine.advance(2000)
    playback.pause(False)
    playback.seek(100)
    engine.advance(3000)
    playback.gain(2.0)
    engine.advance(4000)
    playback.stop()
    engine.advance(5000)
    expected = [*range(1, 9), *[0] * 8, *range(101, 109), *range(218, 234, 2), *[0] * 8]
    assert ear.heard.tolist() == expected
    assert near == []
    assert playback.position == 116


def test_a_seek_beyond_the_end_ends_the_playback() -> None:
    engine = Engine()
    a, near, _, _ = pair(engine)
    playback = a.play(ramp(8000))
    playback.seek(9999)
    assert engine.horizon(0, SECOND) == 1
    engine.advance(1)
    assert near == [PlaybackEnded(playback.number)]


def test_a_detector_is_heard_at_its_moment_and_listening_ahead_leaves_no_trace() -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    number = a.listen(Loud())
    sound = np.zeros(8000, np.int16)
    sound[800] = sound[4000] = 2000
    b.play(Samples(sound, 8000))
    stops = run(engine, SECOND)
    assert stops == [100_000, 100_125, 500_000, 500_125, SECOND]
    assert [n for n in near if isinstance(n, Detected)] == [Detected(number, "loud")] * 2
    assert engine.counters.samples == 8000


def test_a_detector_hears_the_change_a_command_makes() -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    a.listen(Loud())
    sound = np.zeros(8000, np.int16)
    sound[4000] = 2000
    playback = b.play(Samples(sound, 8000))
    assert engine.horizon(0, SECOND) >= 500_000
    playback.stop()
    assert engine.horizon(0, SECOND) == SECOND
    engine.advance(SECOND)
    assert near == []


def test_a_bridge_carries_both_directions_and_yields_to_a_playback() -> None:
    engine = Engine()
    a, _, caller, _ = pair(engine)
    b, _, callee, _ = pair(engine)
    heard_by_callee, heard_by_caller = Ear(), Ear()
    callee.tap(heard_by_callee, read=True, write=False)
    caller.tap(heard_by_caller, read=True, write=False)
    caller.play(ramp(16))
    callee.play(ramp(16, 101))
    a.bridge(b)
    engine.advance(1000)
    a.play(Samples(np.full(8, 7, np.int16), 8000))
    engine.advance(2000)
    assert heard_by_callee.heard.tolist() == list(range(1, 17))
    assert heard_by_caller.heard.tolist() == [*range(101, 109), *[7] * 8]
    b.unbridge()
    caller.play(ramp(8))
    engine.advance(3000)
    assert heard_by_callee.heard[-8:].tolist() == [0] * 8


def test_a_ring_of_bridges_and_echoes_is_silent() -> None:
    engine = Engine()
    a, _, b, _ = pair(engine)
    ear = Ear()
    a.tap(ear)
    a.echo(True)
    b.echo(True)
    engine.advance(1000)
    assert ear.heard.tolist() == [0] * 8


def test_echo_sends_back() -> None:
    engine = Engine()
    a, _, b, _ = pair(engine)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    a.echo(True)
    b.play(ramp(8))
    engine.advance(1000)
    assert ear.heard.tolist() == list(range(1, 9))


def test_taps_mix_or_keep_apart() -> None:
    engine = Engine()
    a, _, b, _ = pair(engine)
    mixed, stereo = Ear(), Ear()
    a.tap(mixed)
    a.tap(stereo, stereo=True)
    a.play(ramp(8))
    b.play(ramp(8, 11))
    engine.advance(1000)
    assert mixed.heard.tolist() == [n + n + 10 for n in range(1, 9)]
    assert stereo.heard.tolist() == [[n + 10, n] for n in range(1, 9)]


def test_digits_reach_the_far_end() -> None:
    engine = Engine()
    a, near, _, far = pair(engine)
    a.send_digit("5", 800)
    assert (near, far) == ([], [DigitReceived("5", 800)])


def test_idle_until_something_can_happen() -> None:
    engine = Engine()
    a, _, _, _ = pair(engine)
    assert engine.idle
    a.play(Silence(8000))
    assert engine.idle  # an endless source never ends by itself
    a.play(Silence(8000, 80))
    assert not engine.idle


def test_lines_of_different_rates_understand_each_other() -> None:
    engine = Engine()
    wide, narrow = engine.line(16000, lambda n: None), engine.line(8000, lambda n: None)
    wide.connect(narrow)
    ear = Ear()
    narrow.tap(ear, read=True, write=False)
    wide.play(Samples(np.full(1600, 500, np.int16), 16000))
    engine.advance(100_000)
    assert ear.heard.tolist() == [500] * 800


def test_closing_forgets_everything() -> None:
    engine = Engine()
    a, near, b, _ = pair(engine)
    a.play(ramp(8))
    a.close()
    b.close()
    engine.advance(SECOND)
    assert near == []
    assert engine.line_count == 0
    a.play(ramp(8))  # harmless


@given(st.lists(st.integers(1, 90_000), max_size=20))
def test_a_delayed_echo_sends_back_later(steps: list[int]) -> None:
    engine = Engine()
    a, _, b, _ = pair(engine)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    a.echo(True, delay=240)
    b.play(ramp(800))
    now = 0
    for step in [*steps, 200_000]:
        now += step
        engine.advance(now)
    expected = np.zeros(now * 8000 // SECOND, np.int16)
    later = expected[240:1040]
    later[:] = np.arange(1, 801)[: len(later)]
    assert np.array_equal(ear.heard, expected)


def test_an_echo_that_ends_forgets_what_it_held() -> None:
    engine = Engine()
    a, _, b, _ = pair(engine)
    b.play(ramp(800))
    a.echo(True, delay=800)
    engine.advance(100_000)
    a.echo(False)
    ear = Ear()
    b.tap(ear, read=True, write=False)
    engine.advance(200_000)
    a.echo(True, delay=80)
    engine.advance(300_000)
    assert not ear.heard.any()
