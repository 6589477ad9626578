"""When it becomes loud and silent again, frame by frame, as a detector."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from media.energy import frame_size, scores


class SoundChanges:
    """Tells `sound` with the first frame of 20 ms that reaches `threshold`, `silence` with the next below, and so on.

    It begins with silence. Frames are judged as `media.energy` says.
    """

    def __init__(self, rate: int, threshold: int) -> None:
        self.rate = rate
        self.threshold = threshold
        self.sounding = False
        self._rest = np.zeros(0, np.int16)

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Looks at the next samples; [(offset into them, "sound" or "silence")] of each change, in order."""
        before = len(self._rest)
        samples = np.concatenate((self._rest, samples)) if before else samples
        size = frame_size(self.rate)
        sound = scores(samples, self.rate) >= self.threshold
        self._rest = samples[len(sound) * size :].copy()
        if not len(sound):
            return []
        changes = np.flatnonzero(np.diff(sound, prepend=self.sounding))
        self.sounding = bool(sound[-1])
        return [
            ((number + 1) * size - before, "sound" if sound[number] else "silence")
            for number in changes.tolist()
        ]
