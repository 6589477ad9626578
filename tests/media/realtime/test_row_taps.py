"""Taps that a line's transport serves by itself: they get what the engine would have given them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.engine import Engine
from media.line import Line
from media.mix import mix
from media.realtime.placed_samples import PlacedSamples
from media.recording import RecordingError
from media.source import ComfortNoise, Samples
from tests.media.realtime.far_end import PCMU, Bench, FarEnd

FRAME = 160


class Sink:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.blocks: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples.copy())

    @property
    def sound(self) -> NDArray[np.int16]:
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)


class Call:
    """A line whose far end says a frame of noise each tick."""

    def __init__(self, bench: Bench, engine: Engine, number: int, **options: object) -> None:
        self.end: FarEnd
        self.end, self.local = bench.open(number, jitter_ms=0, **options)  # type: ignore[arg-type]
        self.line: Line = engine.open_line(number, 8000, lambda notice: None, remote=True)
        self.random = np.random.default_rng(number)
        self.said: list[NDArray[np.int16]] = []

    def speak(self) -> None:
        payload = self.random.integers(0, 256, FRAME).astype(np.uint8).tobytes()
        self.said.append(PCMU.decode(payload))
        self.end.say(self.local, payload)

    def heard(self) -> NDArray[np.int16]:
        """Return what the far end has heard."""
        return PCMU.decode(b"".join(packet.payload for packet in self.end.received()))


class Ground:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.faults: list[str] = []
        self.engine = Engine(
            transports=bench.lines, on_fault=lambda where, error: self.faults.append(f"{where}: {error}")
        )
        self.now = 0

    def tick(self, count: int, *calls: Call) -> None:
        for _ in range(count):
            for call in calls:
                call.speak()
            self.now += 20_000
            self.engine.settle()
            self.bench.lines.receive()
            self.engine.advance(self.now)


@pytest.fixture
def ground(bench: Bench) -> Ground:
    return Ground(bench)


def coded(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    return PCMU.decode(PCMU.encode(samples))


@pytest.mark.parametrize("spied", [False, True])
def test_all_kinds_of_taps_get_what_is_heard_and_said(ground: Ground, spied: bool) -> None:
    """With a spy on the line the engine gives it to them itself: the same."""
    call = Call(ground.bench, ground.engine, 1)
    if spied:
        ground.engine.open_line(9, 8000, lambda notice: None).eavesdrop(call.line)
    memory = ground.bench.memory
    ground.tick(5, call)
    mixed, stereo, read, written = Sink(), Sink(), Sink(), Sink()
    numbers = [
        call.line.tap(mixed),
        call.line.tap(stereo, stereo=True),
        call.line.tap(read, write=False),
        call.line.tap(written, read=False),
    ]
    call.end.received()
    ground.tick(3, call)
    call.line.play(PlacedSamples(memory[40_000:46_250], 8000, 40_000))
    ground.tick(50, call)
    call.line.play(ComfortNoise(8000, None, 9)).gain(0.5)
    ground.tick(20, call)
    for number in numbers:
        call.line.untap(number)
    ground.tick(5, call)
    said = np.concatenate(
        (
            np.zeros(3 * FRAME, np.int16),
            np.pad(memory[40_000:46_250], (0, 150)),
            np.zeros(10 * FRAME, np.int16),
            (ComfortNoise(8000, None, 9).render(0, 20 * FRAME) * 0.5).astype(np.int16),
        )
    )
    heard = np.concatenate(call.said[5 : 5 + 73])
    assert np.array_equal(read.sound, heard) and np.array_equal(written.sound, said)
    assert np.array_equal(mixed.sound, mix(heard, said))
    assert np.array_equal(stereo.sound, np.column_stack((heard, said)))
    packets = call.heard()
    first = 0 if spied else 3  # who has nothing to say is mute, but not for a spy
    assert np.array_equal(packets[: 40 * FRAME], coded(said[first * FRAME :][: 40 * FRAME]))
    assert ground.faults == ground.bench.faults == []


def test_a_bridge_is_recorded_on_either_side(ground: Ground) -> None:
    one, other = Call(ground.bench, ground.engine, 1), Call(ground.bench, ground.engine, 2)
    one.line.bridge(other.line)
    ground.tick(5, one, other)
    sinks = Sink(), Sink()
    one.line.tap(sinks[0], stereo=True)
    other.line.tap(sinks[1], stereo=True)
    for call in (one, other):
        call.heard()
    ground.tick(60, one, other)
    first, second = np.concatenate(one.said[5:]), np.concatenate(other.said[5:])
    assert np.array_equal(sinks[0].sound, np.column_stack((first, second)))
    assert np.array_equal(sinks[1].sound, np.column_stack((second, first)))
    assert np.array_equal(other.heard(), first) and np.array_equal(one.heard(), second)


def test_a_muted_line_and_one_on_hold_are_recorded(ground: Ground) -> None:
    call = Call(ground.bench, ground.engine, 1)
    ground.tick(5, call)
    sink = Sink()
    call.line.tap(sink, stereo=True)
    call.line.play(Samples(np.full(80_000, 3000, np.int16), 8000))
    ground.tick(10, call)
    ground.bench.change(1, sending=False, receiving=False)
    ground.tick(10, call)
    call.line.volume(read=False, factor=0.5)
    ground.tick(10, call)
    heard, said = sink.sound.T
    assert said[: 20 * FRAME].tolist() == [3000] * 20 * FRAME
    assert said[20 * FRAME :].tolist() == [1500] * 10 * FRAME
    assert heard[: 10 * FRAME].any() and not heard[10 * FRAME :].any()
    call.line.volume(read=True, factor=2.0)  # what is heard is not what comes: the engine's own work
    ground.bench.change(1, sending=True, receiving=True)
    call.said.clear()
    ground.tick(10, call)
    louder = np.clip(np.concatenate(call.said[3:8]).astype(int) * 2, -32768, 32767)
    start = sink.sound[30 * FRAME :, 0]
    assert any(np.array_equal(start[at * FRAME :][: 5 * FRAME], louder) for at in range(6))


def test_a_sink_that_fails_is_told_once_and_costs_nobody_else_anything(ground: Ground) -> None:
    class Full(Sink):
        def write(self, samples: NDArray[np.int16]) -> None:
            raise RecordingError("/full.wav", "no space")

    broken, whole = Call(ground.bench, ground.engine, 1), Call(ground.bench, ground.engine, 2)
    broken.line.tap(Full())
    sink = Sink()
    whole.line.tap(sink, write=False)
    ground.tick(10, broken, whole)
    assert len(sink.sound) == 10 * FRAME
    assert ground.bench.faults == ["RecordingError('Error Opening File [/full.wav] [no space]')"]
    ground.bench.faults.clear()
    broken.line.close()
    whole.line.close()
    ground.tick(2)
    assert len(sink.sound) == 10 * FRAME
