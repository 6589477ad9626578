"""A preprocessor on a line: each stretch of sound goes through it once, however often the engine asks for it.

The preprocessor has a state that cannot be copied, and works in frames. So what comes out is kept as long as it may
be asked for again, and comes a frame (20 ms) late, which makes it the same for blocks of any size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.speexdsp import Preprocessor, PreprocessSettings

FRAME_MS = 20


class Preprocessing:
    """One direction of one line at `rate`. Raises SpeexDspUnavailable."""

    def __init__(self, rate: int, settings: PreprocessSettings) -> None:
        self._size = max(1, rate * FRAME_MS // 1000)
        self._preprocessor = Preprocessor(rate, self._size, settings)
        # What went in and came out from sample `_start` of the line on; `_late` is what is still to come out.
        self._start = 0
        self._heard = np.zeros(0, np.int16)
        self._out = np.zeros(0, np.int16)
        self._rest = np.zeros(0, np.int16)
        self._late = np.zeros(self._size, np.int16)

    def change(self, settings: PreprocessSettings) -> None:
        """Do other things from now on."""
        self._preprocessor.change(settings)

    def through(self, start: int, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return what comes out for the line's samples from index `start` on, as many as go in.

        What is asked for again comes out as before where it is the same sound; where it is another than was looked
        ahead to, it goes in anew from there.
        """
        end = self._start + len(self._heard)
        if start < self._start or start > end:  # nobody asked for what was between
            self._heard = self._out = self._rest = np.zeros(0, np.int16)
            self._late = np.zeros(self._size, np.int16)
        elif start > self._start:
            self._heard, self._out = self._heard[start - self._start :], self._out[start - self._start :]
        self._start = start
        known = min(len(self._heard), len(samples))
        if not np.array_equal(self._heard[:known], samples[:known]):
            known = 0
            # What came out for the first frame is of what was heard before `start`.
            self._late = np.concatenate((self._out, self._late, np.zeros(self._size, np.int16)))[: self._size]
            self._heard = self._out = self._rest = np.zeros(0, np.int16)
        if known < len(samples):
            self._feed(samples[known:])
        return self._out[: len(samples)]

    def _feed(self, samples: NDArray[np.int16]) -> None:
        waiting = np.concatenate((self._rest, samples))
        whole = len(waiting) // self._size * self._size
        self._rest = waiting[whole:]
        ready = np.concatenate((self._late, self._preprocessor.run(waiting[:whole])))
        self._heard = np.concatenate((self._heard, samples))
        self._out = np.concatenate((self._out, ready[: len(samples)]))
        self._late = ready[len(samples) :]
