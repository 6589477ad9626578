"""FreeSWITCH's tone language (teletone): `tone_stream://`, `gentones`, ringback, beeps.

A script is a list of statements separated by `;`:

- `%(on,off,f1,f2,…)` sounds the frequencies (hertz) for `on` ms, then is silent for `off` ms;
- `5` or `5(on,off)` sounds the keys 0-9 A-D * #, for `d` and `w` where no times are given;
- `v=` decibels (-63 … 0), `d=` and `w=` ms of sound and silence for keys, `l=` repeats of the next tone
  (below zero: for ever), `L=` turns of the whole script, `r=` rate, `c=` channels;
- `>=` and `<=` let the volume fall and rise each so many ms, `+=` by so many decibels.

`;loops=N` at the end of a path plays everything N times, for ever below zero. Settings stay until they
are changed, also from one turn or line to the next. As in FreeSWITCH, unknown characters are skipped, a
faulty bracket ends the turn, and a setting without a `;` behind it at the very end of a script is
read a second time as keys (`v=-7` plays a 7).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from media.dtmf import FREQUENCIES
from media.source import within

# FreeSWITCH: a tone holds at most so many frequencies; what follows is ignored.
FREQUENCY_LIMIT = 18
VOLUME_RANGE = (-63.0, 0.0)

# FreeSWITCH: what a script starts from; times in samples at whatever rate.
DEFAULT_VOLUME = -7.0
DEFAULT_ON = 2000
DEFAULT_OFF = 500

# The longest ringback in the field is some hundred characters.
SCRIPT_LIMIT = 65536
RATE_LIMIT = 192000

# FreeSWITCH: the level of a sine that fills the 16 bits, on the scale of `v=` (μ-law's 3.14 dBm0 doubled).
_FULL_SCALE = 3.14 + 3.02
_PEAK = 32767 * 1.414214

# Tones up to so many samples are computed once and kept: 16 s at 8 kHz, a turn of any ringback.
_KEPT_SAMPLES = 131072

_BLANK = " \r\n"
_INTEGER = re.compile(r"\s*([+-]?\d{1,18})", re.ASCII)
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)", re.ASCII)
_LOOPS = re.compile(r";loops=(.*)", re.IGNORECASE | re.DOTALL)


class ToneError(ValueError):
    """A tone script that cannot be played."""


@dataclass(frozen=True, slots=True)
class Decay:
    """A volume that moves by `decibels` (below zero: falls) every `step` samples."""

    step: int
    decibels: float


@dataclass(frozen=True, slots=True)
class Segment:
    """One tone: `frequencies` (Hz at `rate`) for `on` samples, then `off` of silence.

    All that `repeat` times, None being for ever.
    """

    frequencies: tuple[float, ...]
    on: int
    off: int
    rate: int
    volume: float = DEFAULT_VOLUME
    decay: Decay | None = None
    repeat: int | None = 1

    @property
    def period(self) -> int:
        """Samples of one sound and its silence."""
        return self.on + self.off


@dataclass(frozen=True, slots=True)
class Passage:
    """Segments one after another, the whole `times` times."""

    segments: tuple[Segment, ...]
    times: int = 1


def parse(*lines: str, rate: int) -> list[Passage]:
    """What a script (or the lines of a tone file) sounds on a line of `rate` samples a second.

    Raises ToneError for a script that is too long or sets an impossible rate.
    """
    if sum(map(len, lines)) > SCRIPT_LIMIT:
        raise ToneError(f"a tone script has at most {SCRIPT_LIMIT} characters")
    reader = _Reader(rate)
    return [passage for line in lines for passage in reader.run(line) if passage.segments]


def split_loops(path: str) -> tuple[str, int]:
    """A tone_stream path without its `;loops=N`, and N (0 where there is none)."""
    found = _LOOPS.search(path)
    return (path, 0) if found is None else (path[: found.start()], _integer(found[1]))


class ToneSource:
    """A tone script as a source; see `media.source.Source`.

    `loops` counts the turns (FreeSWITCH: 0 and 1 are one turn, below zero is for ever); where it is
    None a `;loops=N` at the end of the script counts. Raises ToneError.
    """

    def __init__(self, script: str, rate: int, loops: int | None = None) -> None:
        text, written = split_loops(script)
        self._play(parse(text, rate=rate), rate, written if loops is None else loops)

    @classmethod
    def of_lines(cls, lines: list[str], rate: int, loops: int = 0) -> ToneSource:
        """The lines of a tone file (`tone_stream://path=FILE`); settings stay from line to line."""
        source = cls.__new__(cls)
        source._play(parse(*lines, rate=rate), rate, loops)
        return source

    def _play(self, passages: list[Passage], rate: int, loops: int) -> None:
        self.rate = rate
        timelines = [_Timeline(passage) for passage in passages]
        self._timelines: list[_Timeline] = []
        self._starts: list[int] = []
        turn: int | None = 0
        for timeline in timelines:
            if turn is None:
                break
            self._timelines.append(timeline)
            self._starts.append(turn)
            turn = None if timeline.length is None else turn + timeline.length
        self._turn = turn
        self.length: int | None = None
        if turn == 0 or (turn is not None and loops >= 0):
            self.length = turn * max(1, loops)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        result = np.zeros(within(self.length, start, count), np.int16)
        filled = 0
        while filled < len(result):
            filled += self._fill(result[filled:], start + filled)
        return result

    def _fill(self, out: NDArray[np.int16], position: int) -> int:
        """Writes the tone (or silence) at `position` to the start of `out`; answers how far it reaches."""
        if self._turn:
            position %= self._turn
        index = bisect_right(self._starts, position) - 1
        segment, inside = self._timelines[index].at(position - self._starts[index])
        reach = min(segment.period - inside, len(out))
        sounding = min(segment.on - inside, reach)
        if sounding > 0:
            out[:sounding] = _tone(segment, inside, sounding)
        return reach


class _Timeline:
    """Where in a passage each segment starts."""

    def __init__(self, passage: Passage) -> None:
        # What lasts no time is dropped, or it would stand in the way of an endless repeat.
        audible = [segment for segment in passage.segments if segment.period and segment.repeat != 0]
        endless = next((i for i, segment in enumerate(audible) if segment.repeat is None), None)
        if endless is not None:
            audible = audible[: endless + 1]
        self._segments = audible
        lengths = [segment.period * (segment.repeat or 1) for segment in audible]
        self._starts = list(accumulate(lengths, initial=0))
        self._turn = self._starts.pop()
        self._endless = endless is not None
        self.length = None if self._endless else self._turn * passage.times

    def at(self, position: int) -> tuple[Segment, int]:
        """The segment that sounds at `position`, and the place within it."""
        if not self._endless:
            position %= self._turn
        index = bisect_right(self._starts, position) - 1
        segment = self._segments[index]
        return segment, (position - self._starts[index]) % segment.period


@dataclass
class _Reader:
    """A tone generator's settings, which outlive statement, turn and line."""

    rate: int
    volume: float = DEFAULT_VOLUME
    on: int = DEFAULT_ON
    off: int = DEFAULT_OFF
    direction: int = 0
    decay_step: int = 0
    decay_decibels: float = 1.0
    repeat: int = 0
    turns: int = 0
    _counted: bool = field(default=False, repr=False)

    def run(self, text: str) -> list[Passage]:
        """The passages of one script: a turn may start from other settings than the one before it."""
        text = text.partition("\0")[0]
        self._counted = False
        self.turns = 0
        passages = [Passage(tuple(self._turn(text)))]
        total = max(1, self.turns)
        while len(passages) < total:
            before = self._settings()
            segments = tuple(self._turn(text))
            if before == self._settings():
                # The turn changed nothing, so all that follow are like it.
                passages.append(Passage(segments, total - len(passages)))
                break
            passages.append(Passage(segments))
        return passages

    def _settings(self) -> tuple[float, ...]:
        return (
            self.rate,
            self.volume,
            self.on,
            self.off,
            self.direction,
            self.decay_step,
            self.decay_decibels,
            self.repeat,
        )

    def _turn(self, text: str) -> list[Segment]:
        segments: list[Segment] = []
        position = 0
        while position < len(text):
            if text[position] in _BLANK:
                position += 1
                continue
            stop = text.find(";", position)
            last = stop < 0
            statement = text[position:] if last else text[position:stop]
            if statement[1:2] == "=":
                self._set(statement[0], statement[2:])
                position = position + 1 if last else stop + 1
                continue
            if not self._sound(statement, segments):
                break
            position = len(text) if last else stop + 1
        return segments

    def _set(self, name: str, value: str) -> None:
        thousandth = self.rate // 1000
        if name == "r":
            self.rate = _integer(value)
            if not 0 < self.rate <= RATE_LIMIT:
                raise ToneError(f"r={self.rate} is not a sample rate")
        elif name == "v":
            volume = _number(value)
            if VOLUME_RANGE[0] <= volume <= VOLUME_RANGE[1]:
                self.volume = volume
        elif name == "d":
            self.on = max(0, _integer(value) * thousandth)
        elif name == "w":
            self.off = max(0, _integer(value) * thousandth)
        elif name in "<>":
            self.direction = 1 if name == "<" else -1
            self.decay_step = _integer(value) * thousandth
        elif name == "+":
            self.decay_decibels = _number(value)
        elif name == "l":
            self.repeat = _integer(value)
        elif name == "L" and not self._counted and _integer(value) > 0:
            self.turns = _integer(value)
            self._counted = True

    def _sound(self, statement: str, segments: list[Segment]) -> bool:
        """Adds the tones of a statement; False where its syntax ends the turn."""
        position = 0
        while position < len(statement):
            key = statement[position]
            if key in _BLANK:
                position += 1
                continue
            frequencies: tuple[float, ...] = FREQUENCIES.get(key, ())
            on, off = self.on, self.off
            following = position + 1
            if statement[following : following + 1] == "(":
                inside, bracket, rest = statement[position + 2 :].partition(")")
                fields = inside.split(",", FREQUENCY_LIMIT + 2)
                on = self._time(fields[0], self.on)
                off = self._time(fields[1], self.off) if len(fields) > 1 else self.off
                if len(fields) > 2 and key == "%":
                    frequencies = _frequencies(fields[2 : FREQUENCY_LIMIT + 2])
                elif len(fields) != 2 or key == "%":
                    return False
                if bracket:
                    following = len(statement) - len(rest)
                else:
                    # FreeSWITCH: an open bracket is heard, and then read again as keys up to its first comma.
                    statement = statement[:following] + statement[following:].partition(",")[0]
            if frequencies:
                segments.append(self._segment(frequencies, on, off))
            position = following
        return True

    def _time(self, text: str, default: int) -> int:
        samples = _integer(text) * (self.rate // 1000)
        return samples if samples >= 0 else default

    def _segment(self, frequencies: tuple[float, ...], on: int, off: int) -> Segment:
        repeat = None if self.repeat < 0 else max(1, self.repeat)
        self.repeat = min(0, self.repeat)
        decay = None
        if self.direction and self.decay_decibels:
            decay = Decay(max(1, self.decay_step), self.direction * self.decay_decibels)
        return Segment(frequencies, on, off, self.rate, self.volume, decay, repeat)


def _frequencies(fields: list[str]) -> tuple[float, ...]:
    """The frequencies up to the first zero, which ends them (FreeSWITCH: a tone that begins with 0 is ignored)."""
    found: list[float] = []
    for text in fields:
        frequency = _number(text)
        if not frequency or (not found and frequency < 0):
            break
        found.append(frequency)
    return tuple(found)


def _integer(text: str) -> int:
    found = _INTEGER.match(text)
    return int(found[1]) if found else 0


def _number(text: str) -> float:
    found = _NUMBER.match(text)
    return float(found[1]) if found else 0.0


def _tone(segment: Segment, start: int, count: int) -> NDArray[np.int16]:
    """The samples `start` … of a segment's sounding part."""
    if segment.on <= _KEPT_SAMPLES:
        return _kept(segment.frequencies, segment.on, segment.rate, segment.volume, segment.decay)[
            start : start + count
        ]
    return _sines(segment.frequencies, segment.rate, segment.volume, segment.decay, start, count)


@lru_cache(maxsize=64)
def _kept(
    frequencies: tuple[float, ...], on: int, rate: int, volume: float, decay: Decay | None
) -> NDArray[np.int16]:
    return _sines(frequencies, rate, volume, decay, 0, on)


def _sines(
    frequencies: tuple[float, ...], rate: int, volume: float, decay: Decay | None, start: int, count: int
) -> NDArray[np.int16]:
    places = np.arange(start, start + count, dtype=np.float64)
    total = np.zeros(count)
    for frequency in frequencies:
        total += np.sin(places * (2 * np.pi * frequency / rate))
    # Each tone has the full level of `v=`; together they are divided by their number.
    total *= _amplitude(_levels(volume, decay, places)) / len(frequencies)
    return np.rint(total).astype(np.int16)


def _levels(volume: float, decay: Decay | None, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The volume at each sample, in decibels; shape () where it does not move."""
    if decay is None:
        return np.asarray(volume)
    room = (VOLUME_RANGE[1] if decay.decibels > 0 else VOLUME_RANGE[0]) - volume
    # A hair's breadth of grace, for steps such as 0.1 that no binary fraction meets.
    steps = np.minimum((places + 1) // decay.step, np.floor(room / decay.decibels + 1e-6))
    return volume + steps * decay.decibels


def _amplitude(level: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_PEAK * 10.0 ** ((level - _FULL_SCALE) / 20))
