"""The mixer: who hears whom, who talks, what is played, and that it does not matter how time is cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.command import MemberSettings, Regulation
from media.engine import Engine
from media.line import Line
from media.mixer_handle import Mixer
from media.notice import FloorTaken, Notice, PlaybackEnded, Talking
from media.rate_bridge import bridge_rate
from media.source import Samples, Silence

SECOND = 1_000_000
FRAME = 160  # samples of 20 ms at 8 kHz


@dataclass
class Ear:
    """A sink that keeps what it gets."""

    blocks: list[NDArray[np.int16]] = field(default_factory=list)

    def write(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples.copy())

    @property
    def heard(self) -> NDArray[np.int16]:
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)


@dataclass
class Room:
    """A mixer whose members' far ends say and keep what the test wants."""

    rate: int = 8000
    engine: Engine = field(default_factory=Engine)
    notices: list[Notice] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self.mixer: Mixer = self.engine.mixer(self.rate, 20, self.notices.append)

    def member(self, how: MemberSettings | None = None, rate: int = 8000) -> tuple[Line, Line, Ear]:
        """Let somebody in; return the line in the room, the far end, and what it hears."""
        line, far = self.engine.line(rate, lambda notice: None), self.engine.line(rate, lambda notice: None)
        line.connect(far)
        self.mixer.join(line, how or MemberSettings())
        ear = Ear()
        line.tap(ear, read=False)
        return line, far, ear

    def run(self, duration: int, step: int | None = None) -> None:
        """Let time pass as a virtual clock does, or in steps."""
        end = self.now + duration
        while self.now < end:
            limit = end if step is None else min(end, self.now + step)
            self.now = limit if step else self.engine.horizon(self.now, limit)
            self.engine.advance(self.now)


def level(value: int, count: int = 8000, rate: int = 8000) -> Samples:
    return Samples(np.full(count, value, np.int16), rate)


def noise(seed: int, count: int = 8000, loudness: int = 3000) -> Samples:
    return Samples(np.random.default_rng(seed).integers(-loudness, loudness, count, np.int16), 8000)


def test_each_hears_the_sum_of_the_others_one_frame_later() -> None:
    room = Room()
    members = [room.member() for _ in range(3)]
    for number, (_, far, _) in enumerate(members):
        far.play(level(10 ** (number + 1)))
    room.run(SECOND)
    for (_, _, ear), expected in zip(members, (1100, 1010, 110), strict=True):
        assert not ear.heard[:FRAME].any()
        assert (ear.heard[FRAME:] == expected).all()


def test_sums_that_are_too_loud_are_clipped() -> None:
    room = Room()
    for _ in range(3):
        room.member()[1].play(level(20_000))
    _, _, ear = room.member()
    room.run(SECOND // 2)
    assert (ear.heard[FRAME:] == 32767).all()


@pytest.mark.parametrize(
    ("how", "what_it_hears", "what_others_hear"),
    [
        (MemberSettings(speaks=False), 100, 0),
        (MemberSettings(hears=False), 0, 10),
        (MemberSettings(gain_in=2.0), 100, 20),
        (MemberSettings(gain_out=0.5), 50, 10),
        (MemberSettings(energy=50), 100, 0),
        (MemberSettings(energy=9), 100, 10),
    ],
)
def test_settings_of_a_member(how: MemberSettings, what_it_hears: int, what_others_hear: int) -> None:
    room = Room()
    _, far, ear = room.member(how)
    _, other_far, other_ear = room.member()
    far.play(level(10))
    other_far.play(level(100))
    room.run(SECOND // 2)
    assert ear.heard[-1] == what_it_hears
    assert other_ear.heard[-1] == what_others_hear


def test_talking_begins_at_once_when_loud_and_ends_after_forty_silent_frames() -> None:
    room = Room()
    line, far, _ = room.member(MemberSettings(energy=100))
    room.member()
    far.play(Samples(np.full(FRAME * 10, 1000, np.int16), 8000))
    moments: list[tuple[int, Notice]] = []
    while room.now < 2 * SECOND:
        before = len(room.notices)
        room.now = room.engine.horizon(room.now, 2 * SECOND)
        room.engine.advance(room.now)
        moments += [(room.now, notice) for notice in room.notices[before:]]
    talks = [(time, notice) for time, notice in moments if isinstance(notice, Talking)]
    assert [time for time, _ in talks] == [20_000, (10 + 40) * 20_000]
    begun, stopped = (notice for _, notice in talks)
    assert begun == Talking(line.number)
    assert isinstance(stopped, Talking)
    assert stopped.statistics is not None
    assert (stopped.statistics.hits, stopped.statistics.misses) == (9, 40)
    assert stopped.statistics.score_sum == 9 * 1000


def test_faint_sound_takes_five_frames() -> None:
    room = Room()
    _, far, _ = room.member(MemberSettings(energy=100))
    far.play(level(200, FRAME * 4))
    room.run(SECOND)
    assert not [notice for notice in room.notices if isinstance(notice, Talking)]
    far.play(level(200, FRAME * 5))
    room.run(SECOND)
    assert [notice for notice in room.notices if isinstance(notice, Talking)]


def test_the_muted_are_listened_to_when_asked_for() -> None:
    room = Room()
    line, far, _ = room.member(MemberSettings(speaks=False, detects=True))
    _, _, ear = room.member()
    far.play(level(1000))
    room.run(SECOND // 2)
    assert Talking(line.number) in room.notices
    assert not ear.heard.any()


def test_status_tells_the_score_and_when_somebody_was_heard() -> None:
    room = Room()
    line, far, _ = room.member(MemberSettings(energy=10))
    assert room.mixer.status(line) == (False, 0, None)
    far.play(level(700, FRAME * 5))
    room.run(100_000)
    talking, score, ago = room.mixer.status(line)
    assert (talking, score) == (True, 700)
    assert ago is not None
    room.run(SECOND)
    talking, score, later = room.mixer.status(line)
    assert (talking, score) == (False, 0)
    assert later == ago + SECOND


def test_the_newest_gets_the_floor_and_a_loud_one_takes_it() -> None:
    room = Room()
    first, first_far, _ = room.member()
    second, _, _ = room.member()
    room.run(40_000)
    assert room.notices == [FloorTaken(second.number)]
    first_far.play(level(2000))
    room.run(SECOND)
    assert room.notices[-1] == FloorTaken(first.number)
    room.mixer.leave(first)
    room.run(40_000)
    assert room.notices[-1] == FloorTaken(second.number)


def test_playing_to_all_and_to_one() -> None:
    room = Room()
    line, _, ear = room.member()
    _, _, other_ear = room.member()
    room.mixer.play(level(1000, 1600))
    room.mixer.play(level(50, 800), line, delay=400)
    room.run(SECOND)
    assert (other_ear.heard[:1600] == 1000).all()
    assert not other_ear.heard[1600:].any()
    assert (ear.heard[:400] == 1000).all()
    assert (ear.heard[400:1200] == 1050).all()
    assert (ear.heard[1200:1600] == 1000).all()
    assert sum(isinstance(notice, PlaybackEnded) for notice in room.notices) == 2


def test_playing_in_place_of_the_others() -> None:
    room = Room()
    line, _, ear = room.member()
    room.member()[1].play(level(300))
    room.mixer.play(level(50, 800), line, mux=False)
    room.run(SECOND // 2)
    assert (ear.heard[:800] == 50).all()
    assert (ear.heard[800:] == 300).all()


def test_a_playback_is_held_sought_and_stopped() -> None:
    room = Room()
    _, _, ear = room.member()
    sound = room.mixer.play(Samples(np.arange(1, 8001, dtype=np.int16), 8000))
    room.run(100_000)
    sound.pause(True)
    room.run(100_000)
    assert sound.position == sound.played == 800
    sound.pause(False)
    sound.seek(4000)
    room.run(100_000)
    sound.stop()
    room.run(100_000)
    assert ear.heard.tolist() == [*range(1, 801), *[0] * 800, *range(4001, 4801), *[0] * 800]
    assert (sound.position, sound.played) == (4800, 1600)
    assert not [notice for notice in room.notices if isinstance(notice, PlaybackEnded)]


def test_relations_keep_voices_from_ears() -> None:
    room = Room()
    (a, a_far, a_ear), (b, b_far, b_ear), (_, _, c_ear) = (room.member() for _ in range(3))
    a_far.play(level(10))
    b_far.play(level(100))
    room.mixer.relate(frozenset({(a.number, b.number)}))
    room.run(SECOND // 2)
    assert (a_ear.heard[-1], b_ear.heard[-1], c_ear.heard[-1]) == (100, 0, 110)
    room.mixer.relate(frozenset())
    room.run(SECOND // 4)
    assert b_ear.heard[-1] == 10


def test_a_tap_gets_everything() -> None:
    room = Room()
    for loudness in (10, 100):
        room.member()[1].play(level(loudness))
    ear = Ear()
    tap = room.mixer.tap(ear)
    room.mixer.play(level(1000))
    room.run(SECOND // 2)
    assert (ear.heard[FRAME:] == 1110).all()
    room.mixer.untap(tap)
    room.run(SECOND // 4)
    assert len(ear.heard) == 4000


def test_a_closed_room_and_one_that_lets_all_through() -> None:
    room = Room()
    room.member(MemberSettings(energy=500))[1].play(level(100, 16000))
    _, _, ear = room.member()
    room.mixer.set(closed=False, always=True)
    room.run(SECOND // 2)
    assert ear.heard[-1] == 100
    room.mixer.set(closed=True, always=True)
    room.run(SECOND // 2)
    assert ear.heard[-1] == 0


def test_whoever_plays_a_file_of_its_own_is_out_of_the_room() -> None:
    room = Room()
    line, far, ear = room.member()
    _, other_far, other_ear = room.member()
    far.play(level(10))
    other_far.play(level(100))
    line.play(level(7, 1600))
    room.run(SECOND // 2)
    assert (ear.heard[:1600] == 7).all()
    assert (ear.heard[1600:] == 100).all()
    assert not other_ear.heard[: 1600 + FRAME].any()
    assert (other_ear.heard[1600 + FRAME :] == 10).all()


def test_too_loud_for_too_long_is_silenced() -> None:
    room = Room()
    how = MemberSettings(loudest=1000, loud_trigger=2, hush=5)
    sound = np.full(FRAME * 12, 300, np.int16)
    sound[: FRAME * 4] = 2000
    room.member(how)[1].play(Samples(sound, 8000))
    _, _, ear = room.member()
    room.run(220_000)
    frames = ear.heard.reshape(-1, FRAME).max(axis=1)
    assert frames.tolist() == [0, 2000, 2000, 0, 0, 0, 0, 0, 0, 300, 300]


def test_regulated_volume_comes_near_its_target() -> None:
    room = Room()
    room.member(MemberSettings(regulation=Regulation(1000, period=5)))[1].play(level(300, 40_000))
    _, _, ear = room.member()
    room.run(5 * SECOND)
    assert 900 <= ear.heard[-1] <= 1100


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_members_of_any_rate_hear_each_other(rate: int) -> None:
    room = Room(rate=16_000)
    seconds = np.arange(rate) / rate
    tone = (8000 * np.sin(2 * np.pi * 700 * seconds)).astype(np.int16)
    room.member(rate=rate)[1].play(Samples(tone, rate))
    _, _, ear = room.member(rate=8000)
    room.run(SECOND)
    assert len(ear.heard) == 8000
    heard = ear.heard[1000:7000].astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert round(int(spectrum.argmax()) * 8000 / len(heard)) == pytest.approx(700, abs=2)
    assert np.abs(heard).max() == pytest.approx(8000, rel=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 90_000), min_size=1, max_size=12), st.sampled_from([8000, 16_000, 44_100]))
def test_blocks_of_any_length_sound_the_same(steps: list[int], rate: int) -> None:
    def run(blocks: list[int] | None) -> tuple[list[NDArray[np.int16]], list[Notice]]:
        room = Room()
        ears = []
        for seed, energy in ((1, 0), (2, 1200), (3, 3000)):
            _, far, ear = room.member(MemberSettings(energy=energy))
            far.play(noise(seed, 4000))
            ears.append(ear)
        _, _, ear = room.member(rate=rate)
        ears.append(ear)
        room.mixer.play(noise(9, 900, 500), delay=333)
        if blocks is None:
            room.run(600_000)
        else:
            for step in blocks:
                room.run(step, step)
            room.run(600_000 - room.now, 20_000)
        return [ear.heard for ear in ears], room.notices

    total = sum(steps)
    if total > 600_000:
        steps = [step * 500_000 // total + 1 for step in steps]
    heard, told = run(steps)
    expected, expected_told = run(None)
    for one, other in zip(heard, expected, strict=True):
        assert np.array_equal(one, other)
    assert told == expected_told


def test_two_rooms_linked_by_a_call_hear_each_other() -> None:
    room = Room()
    engine = room.engine
    second = engine.mixer(8000, 20, lambda notice: None)
    a, b = engine.line(8000, lambda notice: None), engine.line(8000, lambda notice: None)
    a.connect(b)
    room.mixer.join(a, MemberSettings())
    second.join(b, MemberSettings())
    _, far, ear = room.member()
    line, other_far = engine.line(8000, lambda notice: None), engine.line(8000, lambda notice: None)
    line.connect(other_far)
    second.join(line, MemberSettings())
    other_ear = Ear()
    line.tap(other_ear, read=False)
    far.play(level(10))
    other_far.play(level(100))
    room.run(SECOND)
    assert ear.heard[-1] == 100
    assert other_ear.heard[-1] == 10
    assert (ear.heard[2 * FRAME :] == 100).all()


def test_nothing_is_left_of_a_room_that_is_closed() -> None:
    room = Room()
    line, far, ear = room.member()
    room.member()[1].play(level(100))
    room.mixer.play(Silence(8000))
    room.run(100_000)
    room.mixer.close()
    room.run(100_000)
    assert room.engine.mixer_count == 0
    assert not ear.heard[-800:].any()
    line.close()
    far.close()
    assert room.engine.line_count == 2


def test_an_empty_or_silent_room_is_idle_once_the_floor_is_given() -> None:
    room = Room()
    idle = [room.engine.idle]
    room.member()
    idle.append(room.engine.idle)
    room.run(40_000)
    idle.append(room.engine.idle)
    assert idle == [True, False, True]


def test_a_line_that_closes_leaves() -> None:
    room = Room()
    line, far, _ = room.member()
    _, _, ear = room.member()
    far.play(level(100))
    room.run(100_000)
    line.close()
    room.run(100_000)
    assert ear.heard[-1] == 0


def test_a_source_of_another_rate_is_refused() -> None:
    room = Room()
    with pytest.raises(ValueError, match="16000 Hz"):
        room.mixer.play(Silence(16_000))


def test_bridging_rates_does_not_depend_on_the_blocks() -> None:
    sound = np.random.default_rng(4).integers(-9000, 9000, 4800, np.int16)
    whole, _ = bridge_rate(np.zeros(0, np.int16), sound, 48_000, 8000, 0, 0, 800)
    parts, tail = [], np.zeros(0, np.int16)
    for first in range(0, 800, 37):
        last = min(800, first + 37)
        part, tail = bridge_rate(
            tail, sound[first * 6 : last * 6], 48_000, 8000, first * 6, first, last - first
        )
        parts.append(part)
    assert np.array_equal(np.concatenate(parts), whole)
