"""A detector that gives up after some time: wait_for_silence, detect_audio, detect_silence."""

from __future__ import annotations

import copy
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from media.energy import EnergyDetector

# What a detector says that has heard nothing in time.
TIMEOUT: Final = "timeout"


class TimedDetector:
    """An energy detector that gives up after so many samples; what it finds is told with its counters.

    The detail is `found` or `timeout`, the frames of sound heard in all, and the hits in a row.
    """

    def __init__(self, detector: EnergyDetector, limit: int | None) -> None:
        self._detector = detector
        self._left = limit
        self._done = False

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        twin = copy.copy(self)
        twin._detector = self._detector.copy()
        return twin

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; [(offset into them, detail)] when it is certain, else []."""
        if self._done:
            return []
        last = self._left is not None and self._left <= len(samples)
        found = self._detector.feed(samples[: self._left] if last else samples)
        if self._left is not None:
            self._left -= len(samples)
        detector = self._detector
        counters = f"{detector.sound_frames} {detector.row}"
        self._done = bool(found) or last
        if found:
            return [(found[0][0], f"found {counters}")]
        # `_left` has been lowered by this block: what is over is behind the limit.
        return [(len(samples) + (self._left or 0), f"{TIMEOUT} {counters}")] if last else []
