"""Which lines their transports carry by themselves, and when the engine takes them back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media import command
from media.engine import Engine
from media.line import Line
from media.notice import PlaybackEnded
from media.realtime.placed_samples import PlacedSamples
from media.source import Samples
from tests.media.realtime.far_end import PCMU, Bench, FarEnd

TICK = 20_000
PLACE = 40_000


class Ground:
    """Lines 1, 2, … of an engine, moved tick by tick as its process does."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.engine = Engine(transports=bench.lines)
        self.ticks = 0

    def open(self, number: int) -> tuple[Line, FarEnd, tuple[str, int]]:
        end, local = self.bench.open(number, jitter_ms=0)
        line = self.engine.open_line(number, 8000, self.bench.notices[number].append, remote=True)
        return line, end, local

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.ticks += 1
            self.engine.settle()
            self.bench.lines.receive()
            self.engine.advance(self.ticks * TICK)

    def prompt(self, count: int) -> PlacedSamples:
        return PlacedSamples(self.bench.memory[PLACE : PLACE + count], 8000, PLACE)


@pytest.fixture
def ground(bench: Bench) -> Ground:
    return Ground(bench)


class Sink:
    def __init__(self) -> None:
        self.blocks: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples.copy())


def sound_of(end: FarEnd) -> NDArray[np.int16]:
    return PCMU.decode(b"".join(packet.payload for packet in end.received()))


@pytest.mark.parametrize("frames", [1.5, 3])
def test_a_prompt_goes_on_when_the_far_end_packs_otherwise_than_agreed(ground: Ground, frames: float) -> None:
    line, end, local = ground.open(1)
    prompt = ground.prompt(60 * 160)
    line.play(prompt)
    ground.tick(5)
    owed = 0.0
    for _ in range(70):
        owed += 1
        if owed >= frames:
            owed -= frames
            size = int(160 * frames)
            end.say(local, bytes([0x31]) * size, step=size)
        ground.tick()
    heard = sound_of(end)
    assert np.array_equal(heard, PCMU.decode(PCMU.encode(prompt.render(0, 60 * 160))))
    assert sum(isinstance(notice, PlaybackEnded) for notice in ground.bench.notices[1]) == 1


def test_a_recording_goes_on_when_the_far_end_packs_otherwise_than_agreed(ground: Ground) -> None:
    line, end, local = ground.open(1)
    sink = Sink()
    line.tap(sink, write=False)
    for _ in range(30):
        end.say(local, bytes([0x31]) * 480, step=480)
        ground.tick(3)
    loud = PCMU.decode(bytes([0x31]))[0]
    assert sum(len(block) for block in sink.blocks) == 90 * 160
    assert np.count_nonzero(np.concatenate(sink.blocks) == loud) > 80 * 160


def test_who_only_plays_or_is_bridged_is_not_looked_at(ground: Ground) -> None:
    lines = [ground.open(number)[0] for number in (1, 2, 3)]
    lines[0].play(ground.prompt(50 * 160))
    lines[1].bridge(lines[2])
    ground.tick(2)
    assert not ground.engine._parts.attended
    lines[0].tap(Sink())
    lines[0].play(Samples(np.ones(160 * 5, np.int16), 8000))
    ground.tick(10)
    assert not ground.engine._parts.attended
    assert sum(isinstance(notice, PlaybackEnded) for notice in ground.bench.notices[1]) == 1


def test_the_position_of_a_playback_is_known_while_the_transport_plays_it(ground: Ground) -> None:
    line = ground.open(1)[0]
    playback = line.play(ground.prompt(50 * 160))
    ground.tick(7)
    assert (playback.position, playback.played) == (7 * 160, 7 * 160)
    playback.stop()
    assert (playback.position, playback.played) == (7 * 160, 7 * 160)


def test_a_closed_line_is_forgotten(ground: Ground) -> None:
    line = ground.open(1)[0]
    sink = Sink()
    line.tap(sink)
    line.play(ground.prompt(50 * 160))
    ground.engine.execute(command.Close(1))
    ground.tick(2)
    assert not sink.blocks
    assert not ground.engine._parts.attended
    assert not ground.engine._parts.players
    ground.bench.notices.pop(1)


def test_a_bridge_is_relayed_again_when_nobody_eavesdrops_any_more(ground: Ground) -> None:
    (one, *_), (other, *_), (spy, *_) = (ground.open(number) for number in (1, 2, 3))
    one.bridge(other)
    ground.tick()
    states = [ground.engine._parts.lines[number] for number in (1, 2)]
    assert all(state.relaying for state in states)
    spy.eavesdrop(one)
    ground.tick()
    assert not any(state.relaying for state in states)
    spy.stop_eavesdrop()
    ground.tick()
    assert all(state.relaying for state in states)
