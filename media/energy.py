"""Silence and sound by energy, as FreeSWITCH's recordFile, wait_for_silence and detect_audio judge them.

Sound is looked at in frames of 20 ms. A frame's score is the mean of its absolute sample values times
rate / 8000, in whole numbers. (FreeSWITCH: a threshold means the same loudness at 8 kHz, and at 16 kHz one
that is half as loud already reaches it.)
"""

from __future__ import annotations

import copy
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

FRAME_MS = 20

# FreeSWITCH: wait_for_silence listens so many more frames before it answers.
SETTLING_FRAMES = 25

Heard = Literal["silence", "sound"]


def hits_of(seconds: float) -> int:
    """How many frames that many seconds are, at least one (recordFile's silence argument is in seconds)."""
    return max(1, round(seconds * 1000 / FRAME_MS))


def scores(samples: NDArray[np.int16], rate: int) -> NDArray[np.int64]:
    """The scores of the whole frames in `samples`, shape (frames,); what is left over is not looked at."""
    size = frame_size(rate)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    totals: NDArray[np.int64] = np.abs(frames.astype(np.int32)).sum(axis=1, dtype=np.int64)
    return totals // (size // divisor(rate))


def frame_size(rate: int) -> int:
    """Samples in a frame of 20 ms."""
    return max(1, rate * FRAME_MS // 1000)


def divisor(rate: int) -> int:
    """What the mean is multiplied by: the rate in whole multiples of 8 kHz, at least one."""
    return max(1, rate // 8000)


class EnergyDetector:
    """Tells once when there were `hits` frames of silence (or sound) in a row.

    A frame is silence where its score is below `threshold`, sound otherwise. With `listen_hits` silence
    only counts once more than so many frames of sound were heard in all (FreeSWITCH: wait_for_silence).
    `settling` frames are let pass between the last hit and the answer. The state can be copied with
    `copy` or `copy.copy`. Raises ValueError for hits below one.
    """

    def __init__(
        self,
        rate: int,
        threshold: int,
        hits: int,
        listens_for: Heard = "silence",
        listen_hits: int = 0,
        settling: int = 0,
    ) -> None:
        if hits < 1:
            raise ValueError(f"a detector needs at least one hit, not {hits}")
        self.rate = rate
        self.threshold = threshold
        self.hits = hits
        self.listens_for: Heard = listens_for
        self.listen_hits = listen_hits
        self.settling = settling
        self.row = 0
        self.sound_frames = 0
        self.found = False
        # Frames still to pass once the row was complete.
        self._to_settle: int | None = None
        self._rest = np.zeros(0, np.int16)

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Looks at the next samples; [(offset into them, "silence" or "sound")] when it is certain, else []."""
        if self.found:
            return []
        before = len(self._rest)
        samples = np.concatenate((self._rest, samples)) if before else samples
        size = frame_size(self.rate)
        marks = scores(samples, self.rate)
        self._rest = samples[len(marks) * size :].copy()
        passed = 0
        if self._to_settle is None:
            last = self._last_hit(marks)
            if last is None:
                return []
            passed = last + 1
            self._to_settle = self.settling
        if self._to_settle > len(marks) - passed:
            self._to_settle -= len(marks) - passed
            return []
        self.found = True
        return [((passed + self._to_settle) * size - before, self.listens_for)]

    def _last_hit(self, marks: NDArray[np.int64]) -> int | None:
        """The frame with which the row is complete; brings the counters up to date."""
        if not len(marks):
            return None
        sound = marks >= self.threshold
        hit = sound if self.listens_for == "sound" else ~sound
        if self.listen_hits and self.listens_for == "silence":
            hit &= self.sound_frames + np.cumsum(sound) > self.listen_hits
        self.sound_frames += int(np.count_nonzero(sound))
        # How long the row is at each frame: the distance to the last frame that broke it.
        places = np.arange(len(marks))
        breaks = np.maximum.accumulate(np.where(hit, -1, places))
        rows = np.where(breaks < 0, self.row + places + 1, places - breaks)
        self.row = int(rows[-1])
        complete = np.flatnonzero(hit & (rows >= self.hits))
        return int(complete[0]) if len(complete) else None
