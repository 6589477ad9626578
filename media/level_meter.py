"""The level of sound, frame by frame, as a detector: FreeSWITCH's sound_test."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from media.energy import frame_size


class LevelMeter:
    """Tells of every frame of 20 ms the mean and the peak of its absolute sample values, as `MEAN PEAK`."""

    def __init__(self, rate: int) -> None:
        self._size = frame_size(rate)
        self._rest = np.zeros(0, np.int16)

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; [(offset into them, levels)] of each frame that is complete."""
        before = len(self._rest)
        samples = np.concatenate((self._rest, samples))
        count = len(samples) // self._size
        self._rest = samples[count * self._size :]
        frames = np.abs(samples[: count * self._size].astype(np.int32)).reshape(count, self._size)
        means, peaks = frames.sum(axis=1) // self._size, frames.max(axis=1)
        return [
            ((number + 1) * self._size - before, f"{means[number]} {peaks[number]}")
            for number in range(count)
        ]
