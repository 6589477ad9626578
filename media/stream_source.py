"""Sound that comes while it is heard: a ring of shared memory that one thread fills and any process plays.

What was not there in time is silence, and comes later; nothing is left out. Who fills the ring waits while it is
full, so a stream that could be faster is not, and needs no more memory than some seconds of sound.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.source import Samples, Source, beneath, within

SECONDS: Final = 5

# The header's fields, int64 each: each is written by one side only.
_WRITTEN: Final = 0  # samples that came, silence among them included
_PLAYED: Final = 1  # the sample up to which somebody played
_OVER: Final = 2
_FIELDS: Final = 3


class StreamSource:
    """What `StreamRing` holds, at any time; a source without an end until the stream has one (`over`)."""

    def __init__(self, path: str, rate: int) -> None:
        self.rate = rate
        self.length: int | None = None
        self.path = path
        with open(path, "r+b") as file:
            memory = np.memmap(file, np.uint8, "r+")
        self._header = memory[: 8 * _FIELDS].view(np.int64)
        self._ring = memory[8 * _FIELDS :].view(np.int16)

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return _attached, (self.path, self.rate)

    def over(self, position: int) -> bool:
        """Whether the stream has ended and `position` is behind all of it."""
        return bool(self._header[_OVER]) and position >= int(self._header[_WRITTEN])

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        """The samples that are there, silence for those that are not yet, or no more."""
        sound = np.zeros(within(None, start, count), np.int16)
        room, end = len(self._ring), int(self._header[_WRITTEN])
        first, last = max(start, end - room), min(start + count, end)
        if first < last:
            places = np.arange(first, last) % room
            sound[first - start : last - start] = self._ring[places]
        self._header[_PLAYED] = max(int(self._header[_PLAYED]), start + count)
        return sound


class StreamRing:
    """The side that fills: `write` takes what there is room for. The memory is given back with the object."""

    def __init__(self, rate: int) -> None:
        descriptor, path = tempfile.mkstemp(prefix="moonline-stream-")
        try:
            room = rate * SECONDS
            os.ftruncate(descriptor, 8 * _FIELDS + 2 * room)
        finally:
            os.close(descriptor)
        weakref.finalize(self, _remove, path)
        self.source = StreamSource(path, rate)
        self._header, self._ring = self.source._header, self.source._ring

    def write(self, samples: NDArray[np.int16]) -> int:
        """Add as many samples, int16 of shape (n,), as there is room for, and return how many those are.

        They are heard from where the first who plays is, if that is behind all that came before.
        """
        room, played = len(self._ring), int(self._header[_PLAYED])
        written = int(self._header[_WRITTEN])
        if played > written:  # the silence that was heard meanwhile
            gap = min(played - written, room)
            self._ring[np.arange(played - gap, played) % room] = 0
            written = played
        count = min(len(samples), room - (written - played))
        self._ring[np.arange(written, written + count) % room] = samples[:count]
        self._header[_WRITTEN] = written + count
        return count

    def end(self) -> None:
        """Let the stream end behind what was written."""
        self._header[_OVER] = 1


def is_over(source: Source, position: int) -> bool:
    """Whether what `source` sounds like at `position` is a stream that has ended before."""
    sounding, place, _ = beneath(source, position)
    return isinstance(sounding, StreamSource) and sounding.over(place)


def known(source: Source, position: int, count: int) -> int:
    """How many of `count` samples from `position` on need not be waited for: they are no stream."""
    reached = position
    while reached < position + count:
        sounding, _, left = beneath(source, reached)
        if isinstance(sounding, StreamSource):
            return reached - position
        if not left:  # None: for ever; 0: there is no more
            break
        reached += left
    return count


def _attached(path: str, rate: int) -> StreamSource | Samples:
    """The source in another process; nothing when the stream was given up before it was played."""
    try:
        return StreamSource(path, rate)
    except FileNotFoundError:
        return Samples(np.zeros(0, np.int16), rate)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # the other end of the stream was quicker
