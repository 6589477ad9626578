"""What tones sound like: segments of a tone script as sources, made of sound in memory and silence where that is so.

Sound in memory is computed once, kept, and shared by all who hear it; and it costs a line next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.source import Beginning, Repeat, Samples, Sequence, Silence, Source, within

VOLUME_RANGE: Final = (-63.0, 0.0)
DEFAULT_VOLUME: Final = -7.0

# FreeSWITCH: the level of a sine that fills the 16 bits, on the scale of `v=` (μ-law's 3.14 dBm0 doubled).
_FULL_SCALE: Final = 3.14 + 3.02
_PEAK: Final = 32767 * 1.414214

# Tones up to so many samples (16 s at 8 kHz) are computed once; of longer ones what comes again and again.
_KEPT_SAMPLES: Final = 131_072
# What is shorter is in memory with its silence (8 s at 8 kHz, a turn of any ringback): no seam between the two.
_WHOLE_SAMPLES: Final = 65_536
# All tones of a script that are in memory: 33 s at 8 kHz. A script of more is computed when it is asked for.
_SCRIPT_SAMPLES: Final = 1 << 18
# So many tones and scripts are kept, 56 MB at most.
_KEPT: Final = 64

# Frequencies have so many decimals at most for a sound to come again and again within a time of use.
_FRACTION_LIMIT: Final = 1000


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


class Tone:
    """The sounding part of a segment, `length` samples of a line of `rate`, computed when it is asked for."""

    def __init__(self, segment: Segment, rate: int, length: int) -> None:
        self.rate = rate
        self.length: int | None = length
        self._segment = segment

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        segment = self._segment
        places = np.arange(start, start + within(self.length, start, count), dtype=np.float64)
        total = np.zeros(len(places))
        for frequency in segment.frequencies:
            total += np.sin(places * (2 * np.pi * frequency / segment.rate))
        # Each tone has the full level of `v=`; together they are divided by their number.
        total *= _amplitude(_levels(segment.volume, segment.decay, places)) / len(segment.frequencies)
        return np.rint(total).astype(np.int16)


@lru_cache(maxsize=_KEPT)
def turn_of(passages: tuple[Passage, ...], rate: int) -> Source:
    """A turn of these passages on a line of `rate`; what stands behind an endless segment is never heard."""
    tones = [segment for passage in passages for segment in passage.segments]
    kept = sum(min(segment.on, _KEPT_SAMPLES) for segment in tones) <= _SCRIPT_SAMPLES
    parts: list[Source] = []
    for passage in passages:
        source = _in_a_row([_segment(segment, rate, kept=kept) for segment in passage.segments], rate)
        if source.length is not None and passage.times > 1:
            source = Repeat(source, passage.times)
        parts.append(source)
    return _whole(_in_a_row(parts, rate))


def _in_a_row(parts: list[Source], rate: int) -> Source:
    # What lasts no time is dropped.
    lasting = [part for part in parts if part.length != 0]
    if len(lasting) > 1:
        return Sequence(lasting)
    return lasting[0] if lasting else Silence(rate, 0)


def _segment(segment: Segment, rate: int, *, kept: bool) -> Source:
    sounding = _sounding(segment, rate) if kept else Tone(segment, rate, segment.on)
    source = _in_a_row([sounding, Silence(rate, segment.off)], rate)
    if kept:
        source = _whole(source)
    if source.length == 0 or segment.repeat == 1:
        return source
    return Repeat(source, segment.repeat)


def _sounding(segment: Segment, rate: int) -> Source:
    if segment.on <= _KEPT_SAMPLES:
        return _kept(segment.frequencies, segment.on, segment.rate, segment.volume, segment.decay, rate)
    period = None if segment.decay else _period(segment)
    if period is None:
        return Tone(segment, rate, segment.on)
    turn = -(-segment.rate // period) * period
    kept = _kept(segment.frequencies, turn, segment.rate, segment.volume, None, rate)
    return Beginning(Repeat(kept), segment.on)


@lru_cache(maxsize=_KEPT)
def _kept(
    frequencies: tuple[float, ...], on: int, tone_rate: int, volume: float, decay: Decay | None, rate: int
) -> Samples:
    tone = Tone(Segment(frequencies, on, 0, tone_rate, volume, decay), rate, on)
    return Samples(tone.render(0, on), rate)


def _whole(source: Source) -> Source:
    """The source in memory, where it is short."""
    if isinstance(source, Samples) or source.length is None or source.length > _WHOLE_SAMPLES:
        return source
    return Samples(source.render(0, source.length), source.rate)


def _period(segment: Segment) -> int | None:
    """After how many samples a tone is where it began; None where that takes too long to be kept."""
    period = 1
    for frequency in segment.frequencies:
        exact = Fraction(frequency).limit_denominator(_FRACTION_LIMIT)
        if float(exact) != frequency:
            return None
        period = lcm(period, (exact / segment.rate).denominator)
    return period if period <= _KEPT_SAMPLES else None


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
