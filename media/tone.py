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
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from media.dtmf import FREQUENCIES
from media.source import Composed, Part, Repeat, part
from media.tone_sound import DEFAULT_VOLUME, VOLUME_RANGE, Decay, Passage, Segment, turn_of

# FreeSWITCH: a tone holds at most so many frequencies; what follows is ignored.
FREQUENCY_LIMIT = 18

# FreeSWITCH: what a script starts from; times in samples at whatever rate.
DEFAULT_ON = 2000
DEFAULT_OFF = 500

# The longest ringback in the field is some hundred characters.
SCRIPT_LIMIT = 65536
RATE_LIMIT = 192000

_BLANK = " \r\n"
_INTEGER = re.compile(r"\s*([+-]?\d{1,18})", re.ASCII)
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)", re.ASCII)
_LOOPS = re.compile(r";loops=(.*)", re.IGNORECASE | re.DOTALL)


class ToneError(ValueError):
    """A tone script that cannot be played."""


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


class ToneSource(Composed):
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
        turn = turn_of(tuple(passages), rate)
        if turn.length and (loops > 1 or loops < 0):
            turn = Repeat(turn, loops if loops > 0 else None)
        self.rate = rate
        self.length = turn.length
        self._source = turn

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        return part(self._source, position)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._source.render(start, count)


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
