"""Sources: sound as a pure function of the sample position.

The engine asks a source for any stretch of samples in any order: it looks ahead, seeks, rewinds and
lets several lines share one source. So `render` must answer the same for the same position, always.
"""

from __future__ import annotations

import itertools
import re
import weakref
from bisect import bisect_right
from collections.abc import Callable, Mapping
from collections.abc import Sequence as SequenceOf
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from media.mix import granular_volume, scale

# FreeSWITCH: playback speed moves in quarters, from half as fast to half as long (file commands speed:±N).
SPEED_LIMIT = 2

# One turn of the comfort noise, a prime number of samples so that it beats with no frame size.
_NOISE_TURN = 65521
# Noises of so many loudnesses are kept: 2 MB.
_NOISES_KEPT = 16

# A number that other text may follow; more digits than a day has milliseconds are none.
_MILLISECONDS = re.compile(r"\s*([+-]?\d{1,10})(?!\d)", re.ASCII)


class Source(Protocol):
    """Mono sound that can be rendered from any position."""

    @property
    def rate(self) -> int:
        """Samples per second."""

    @property
    def length(self) -> int | None:
        """Samples in all, at `rate`; None when the source never ends."""

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        """The samples `start` … `start + count - 1`, int16 of shape (count,).

        Shorter only where the source ends, empty from its end on. The array may be shared with
        other readers: copy it before writing to it. Raises ValueError for a negative argument.
        """


# A source, the place in it, and for how many samples it sounds from there (None: for ever).
Part = tuple[Source, int, int | None]


class Composed:
    """A source that is made of others and sounds like one of them at each position."""

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        raise NotImplementedError


class Altered:
    """A source that another one is made into, sample by sample."""

    def beneath(self, position: int) -> Part:
        """What the samples from `position` on are made of; for how many of the samples that are made of it."""
        raise NotImplementedError


def part(source: Source, position: int) -> Part:
    """What sounds from `position` on without a change.

    Sources that are made of others tell which of them it is; any other is itself what sounds.
    """
    if isinstance(source, Composed):
        return source.part(position)
    return source, position, None if source.length is None else max(0, source.length - position)


def beneath(source: Source, position: int) -> Part:
    """As `part`, but of what is louder, softer, faster or slower the sound that this is made of."""
    found, place, count = part(source, position)
    while isinstance(found, Altered):
        found, place, inner = found.beneath(place)
        if inner is not None:
            count = inner if count is None else min(count, inner)
    return found, place, count


def within(length: int | None, start: int, count: int) -> int:
    """How many of `count` samples from `start` on lie within `length`; ValueError for negative arguments."""
    if start < 0 or count < 0:
        raise ValueError(f"a source has no samples {start} + {count}")
    if length is None:
        return count
    return max(0, min(count, length - start))


class Samples:
    """Sound that is in memory: an int16 array of shape (length,), already at the line's rate.

    `tags` is what its file says about itself, by the names of `media.recording_form.TAGS`.
    """

    def __init__(self, array: NDArray[np.int16], rate: int, tags: Mapping[str, str] | None = None) -> None:
        if array.dtype != np.int16 or array.ndim != 1:
            raise ValueError(f"samples are a flat int16 array, not {array.dtype} of shape {array.shape}")
        view = array.view()
        view.flags.writeable = False
        self.rate = rate
        self.length: int | None = len(view)
        self.tags: Mapping[str, str] = tags or {}
        self._array = view

    def move_to(self, memory: NDArray[np.int16]) -> None:
        """Keep the sound in `memory`, which holds the same samples, so that it is not held twice."""
        view = memory.view()
        view.flags.writeable = False
        self._array = view

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._array[start : start + within(self.length, start, count)]


class Silence:
    """Digital silence of `length` samples, or without end (None)."""

    def __init__(self, rate: int, length: int | None = None) -> None:
        self.rate = rate
        self.length = length

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return np.zeros(within(self.length, start, count), np.int16)


class ComfortNoise(Composed):
    """Faint noise of `length` samples, or without end (None): full-scale noise divided by `divisor`.

    FreeSWITCH: the second number of `silence_stream://ms,divisor`; the greater, the quieter.
    The same noise comes each time. Raises ValueError for a divisor below one.
    """

    def __init__(self, rate: int, length: int | None, divisor: int) -> None:
        if divisor < 1:
            raise ValueError(f"a noise divisor is at least 1, not {divisor}")
        self.rate = rate
        self.length = length
        noise = Repeat(_noise(rate, divisor))
        self._source: Source = noise if length is None else Beginning(noise, length)

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        return part(self._source, position)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._source.render(start, count)


@lru_cache(maxsize=_NOISES_KEPT)
def _noise(rate: int, divisor: int) -> Samples:
    """A turn of the noise, which all who hear it share."""
    loud = np.random.default_rng(divisor).integers(-32768, 32768, _NOISE_TURN)
    return Samples(np.trunc(loud / divisor).astype(np.int16), rate)


def silence_stream(text: str, rate: int) -> Silence | ComfortNoise:
    """What `silence_stream://` plays: `ms` of silence, `ms,divisor` of comfort noise, without end below zero.

    Raises ValueError, in FreeSWITCH's words, where that is no time.
    """
    duration, _, noise = text.partition(",")
    found = _MILLISECONDS.match(duration)
    milliseconds = int(found[1]) if found else 0
    if not milliseconds:
        raise ValueError(f"Invalid Input [{text}] Expect <msec>[,<silence_factor>]")
    length = None if milliseconds < 0 else rate // 1000 * milliseconds
    found = _MILLISECONDS.match(noise)
    divisor = int(found[1]) if found else 0
    return ComfortNoise(rate, length, divisor) if divisor > 0 else Silence(rate, length)


class Sequence(Composed):
    """Several sources of one rate, one after another (`file_string://a!b!c`).

    What stands behind an endless source is never heard. Raises ValueError for no source at all or
    for sources of different rates.
    """

    def __init__(self, sources: SequenceOf[Source]) -> None:
        if not sources:
            raise ValueError("a sequence needs a source")
        if len({source.rate for source in sources}) > 1:
            raise ValueError(f"a sequence has one rate, not {sorted({source.rate for source in sources})}")
        self.rate = sources[0].rate
        self._sources: list[Source] = []
        self._starts: list[int] = []
        end: int | None = 0
        for source in sources:
            if end is None:
                break
            self._sources.append(source)
            self._starts.append(end)
            end = None if source.length is None else end + source.length
        self.length = end

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        index = bisect_right(self._starts, position) - 1
        return part(self._sources[index], position - self._starts[index])

    def __reduce__(self) -> tuple[type[Sequence], tuple[list[Source]]]:
        # What a kind of sequence of the host's knows besides is nothing that sounds.
        return Sequence, (self._sources,)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        wanted = within(self.length, start, count)
        parts: list[NDArray[np.int16]] = []
        # Sources of no length share their start with the next one: the last of them is the one that sounds.
        index = bisect_right(self._starts, start) - 1
        while wanted:
            part = self._sources[index].render(start - self._starts[index], wanted)
            parts.append(part)
            start += len(part)
            wanted -= len(part)
            index += 1
        if not parts:
            return np.zeros(0, np.int16)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Repeat(Composed):
    """A source played `times` times, or for ever (None). An empty source stays empty, however often."""

    def __init__(self, source: Source, times: int | None = None) -> None:
        if times is not None and times < 0:
            raise ValueError(f"a source cannot be played {times} times")
        self.rate = source.rate
        self.length: int | None
        if times == 0 or source.length == 0:
            self.length = 0
        elif source.length is None or times is None:
            self.length = None
        else:
            self.length = source.length * times
        self._source = source

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        turn = self._source.length
        if turn is None:
            return part(self._source, position)
        if turn == 0 or (self.length is not None and position >= self.length):
            return self._source, turn, 0
        return part(self._source, position % turn)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        wanted = within(self.length, start, count)
        turn = self._source.length
        if turn is None:
            return self._source.render(start, wanted)
        if not wanted:
            return np.zeros(0, np.int16)
        shift = start % turn
        head = turn - shift
        if wanted <= head:
            return self._source.render(shift, wanted)
        if wanted <= head + turn:
            return np.concatenate((self._source.render(shift, head), self._source.render(0, wanted - head)))
        whole = self._source.render(0, turn)
        return np.tile(whole, -(-(shift + wanted) // turn))[shift : shift + wanted]


class Later(Composed):
    """A source heard from sample `start` on, at the same time by all; before its beginning it stays there."""

    def __init__(self, source: Source, start: int) -> None:
        self.rate = source.rate
        self.length = None if source.length is None else max(0, source.length - start)
        self._source = source
        self._start = start

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        return part(self._source, max(0, self._start + position))

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._source.render(max(0, self._start + start), within(self.length, start, count))


class Beginning(Composed):
    """The first `length` samples of a source, which has as many."""

    def __init__(self, source: Source, length: int) -> None:
        self.rate = source.rate
        self.length: int | None = length
        self._source = source
        self._end = length

    def part(self, position: int) -> Part:
        """See `media.source.part`."""
        left = max(0, self._end - position)
        found, place, count = part(self._source, position)
        return found, place, left if count is None else min(count, left)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._source.render(start, within(self.length, start, count))


class Scaled(Altered):
    """A source times a factor, clipped."""

    def __init__(self, source: Source, factor: float) -> None:
        self.rate = source.rate
        self.length = source.length
        self._source = source
        self._factor = factor

    def beneath(self, position: int) -> Part:
        """See `Altered`."""
        return part(self._source, position)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return scale(self._source.render(start, count), self._factor)


class Louder(Altered):
    """A source made louder, or quieter below zero, in FreeSWITCH's granular steps of a decibel; -50 is silence."""

    def __init__(self, source: Source, decibels: int) -> None:
        self.rate = source.rate
        self.length = source.length
        self._source = source
        self._decibels = decibels

    def beneath(self, position: int) -> Part:
        """See `Altered`."""
        return part(self._source, position)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return granular_volume(self._source.render(start, count), self._decibels)


class Live(Composed):
    """A source without end that becomes another while it is heard: a stream whose music somebody changes.

    `source` has no end either. Who keeps a copy elsewhere is told of changes through `watch`.
    """

    _numbers = itertools.count(1)

    def __init__(self, source: Source) -> None:
        self.rate = source.rate
        self.length: int | None = None
        self.number = next(Live._numbers)
        self.source = source
        self._watchers: list[weakref.WeakMethod[Callable[[Live], object]]] = []

    def become(self, source: Source) -> None:
        """Sound like another source from now on, at the same place in time."""
        self.source = source
        self._watchers = [reference for reference in self._watchers if reference() is not None]
        for reference in self._watchers:
            tell = reference()
            if tell is not None:
                tell(self)

    def watch(self, tell: Callable[[Live], object]) -> None:
        """Have the method `tell` called with this when it has become another, as long as its object lives."""
        self._watchers.append(weakref.WeakMethod(tell))

    def part(self, position: int) -> Part:
        """See `media.source.part`: for a second at most, since it may be another then."""
        source, place, count = part(self.source, position)
        return source, place, self.rate if count is None else min(count, self.rate)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self.source.render(start, count)


class Speed(Altered):
    """A source played faster (`steps` 1, 2) or slower (-1, -2), the pitch moving along.

    FreeSWITCH: each step makes the sound a quarter of its own length shorter or longer. Steps
    beyond ±2 count as ±2.
    """

    def __init__(self, source: Source, steps: int) -> None:
        steps = max(-SPEED_LIMIT, min(SPEED_LIMIT, steps))
        self.rate = source.rate
        # `_quarters` samples are heard for each four of the source.
        self._quarters = 4 - steps
        self.length = None if source.length is None else -(-source.length * self._quarters // 4)
        self._source = source

    def beneath(self, position: int) -> Part:
        """See `Altered`."""
        inner = position * 4 // self._quarters
        found, place, count = part(self._source, inner)
        return found, place, None if count is None else -(-(inner + count) * self._quarters // 4) - position

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        wanted = within(self.length, start, count)
        if self._quarters == 4 or not wanted:
            return self._source.render(start, wanted)
        places = np.arange(start, start + wanted) * 4
        left, rest = np.divmod(places, self._quarters)
        first = int(left[0])
        view = self._source.render(first, int(left[-1]) - first + 2)
        left -= first
        right = np.minimum(left + 1, len(view) - 1)
        low = view[left].astype(np.int32)
        between: NDArray[np.int64] = low + (view[right] - low) * rest // self._quarters
        return between.astype(np.int16)
