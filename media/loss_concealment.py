"""Fills in for lost packets by going on with what was heard: the last pitch period again and again, fading.

The idea is that of ITU-T G.711 appendix I; this one adds no delay, so the first repeated period is bent to begin
where the sound broke off.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Pitch from 66 to 400 Hz.
_LONGEST_PERIOD_MS = 15.0
_SHORTEST_PERIOD_MS = 2.5
# What is compared to find the pitch.
_COMPARED_MS = 20.0
# After 10 ms another period joins in, so that the repetition does not buzz; up to three.
_PERIODS_MS = 10.0
_MOST_PERIODS = 3
# G.711 appendix I: full for 10 ms, then a fifth less every 10 ms: silence after 60 ms.
_FULL_MS, _SILENT_MS = 10.0, 60.0
# Joining what was made up to what comes next takes 4 ms, and as much more for each 10 ms of loss, up to 10 ms.
_JOIN_MS, _LONGEST_JOIN_MS = 4.0, 10.0


class LossConcealer:
    """One line's memory. Give every good frame to `good` and ask `conceal` for every lost one; int16 of shape (n,)."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.concealed = 0
        self._shortest = max(2, int(rate * _SHORTEST_PERIOD_MS / 1000))
        self._longest = int(rate * _LONGEST_PERIOD_MS / 1000)
        self._compared = int(rate * _COMPARED_MS / 1000)
        kept = max(self._compared + self._longest, _MOST_PERIODS * self._longest + self._longest // 4)
        self._history = np.zeros(kept, np.float32)
        # Samples made up since the last good frame, and the period they repeat.
        self._made = 0
        self._period = 0

    def good(self, frame: NDArray[np.int16]) -> NDArray[np.int16]:
        """The frame to play for one that arrived: itself, or after a loss joined to what was made up."""
        if self._made:
            frame = self._join(frame)
            self._made = 0
        self._remember(frame)
        return frame

    def conceal(self, count: int) -> NDArray[np.int16]:
        """`count` samples in the place of what was lost."""
        made = self._continue(count)
        self._made += count
        self.concealed += count
        return made

    def silence(self) -> None:
        """The other side is silent on purpose: nothing is to be continued or joined."""
        self._made = 0
        self._history[:] = 0

    def _remember(self, frame: NDArray[np.int16]) -> None:
        kept = len(self._history)
        if len(frame) >= kept:
            self._history[:] = frame[-kept:]
        else:
            self._history[: -len(frame) or None] = self._history[len(frame) :]
            self._history[kept - len(frame) :] = frame

    def _continue(self, count: int) -> NDArray[np.int16]:
        if self._made >= self._samples(_SILENT_MS) or not self._history.any():
            return np.zeros(count, np.int16)
        if not self._made:
            self._period = self._pitch()
        first, end = self._made, self._made + count
        made = np.empty(count, np.float32)
        # One period more is repeated every 10 ms.
        more = self._samples(_PERIODS_MS)
        at = first
        while at < end:
            periods = min(at // more + 1, _MOST_PERIODS)
            until = end if periods == _MOST_PERIODS else min(end, periods * more)
            made[at - first : until - first] = self._loop(periods).take(np.arange(at, until), mode="wrap")
            at = until
        if not self._made:
            self._bend(made)
        return _to_int16(made * _gain(first, count, self._samples(_FULL_MS), self._samples(_SILENT_MS)))

    def _pitch(self) -> int:
        """The lag in samples at which the end of what was heard resembles itself most."""
        recent = self._history[-self._compared :]
        before = self._history[-self._compared - self._longest : -self._shortest]
        # What numpy's sliding_window_view returns, which takes longer than all that follows.
        count = len(before) - self._compared + 1
        step = before.itemsize
        windows: NDArray[np.float32] = np.ndarray(
            (count, self._compared), np.float32, before, strides=(step, step)
        )
        # Row i begins `longest - i` samples before `recent`.
        likeness = windows @ recent
        squares = np.concatenate(([0.0], np.cumsum(before.astype(np.float64) ** 2)))
        power = squares[self._compared :] - squares[: -self._compared]
        scores = likeness / np.sqrt(np.maximum(power, 1.0))
        # Among nearly equal ones the shortest: its multiples resemble just as well.
        good = np.flatnonzero(scores >= 0.97 * scores.max()) if scores.max() > 0 else np.array([0])
        return self._longest - int(good[-1])

    def _loop(self, periods: int) -> NDArray[np.float32]:
        """The last periods, their end crossing over into their beginning."""
        length = periods * self._period
        loop = self._history[-length:].copy()
        overlap = max(1, self._period // 4)
        rising = _rising(overlap)
        loop[-overlap:] = loop[-overlap:] * (1 - rising) + self._history[-length - overlap : -length] * rising
        return loop

    def _bend(self, made: NDArray[np.float32]) -> None:
        """Take the step away between the last sample heard and the first one made up."""
        step = self._history[-1] + (self._history[-1] - self._history[-2]) / 2 - made[0]
        length = min(len(made), max(1, self._period // 4))
        made[:length] += step * _falling(length)

    def _join(self, frame: NDArray[np.int16]) -> NDArray[np.int16]:
        lost_ms = self._made * 1000 / self.rate
        length = self._samples(min(_LONGEST_JOIN_MS, _JOIN_MS * (1 + lost_ms // 10)))
        length = min(len(frame), length)
        rising = _rising(length)
        joined = frame.copy()
        joined[:length] = _to_int16(self._continue(length) * (1 - rising) + frame[:length] * rising)
        return joined

    def _samples(self, milliseconds: float) -> int:
        return int(self.rate * milliseconds / 1000)


# Of the lengths that come about at 8 kHz, and some at other rates.
@lru_cache(maxsize=512)
def _rising(length: int) -> NDArray[np.float32]:
    return np.linspace(0, 1, length, dtype=np.float32)


@lru_cache(maxsize=512)
def _falling(length: int) -> NDArray[np.float32]:
    return np.linspace(1, 0, length, dtype=np.float32)


@lru_cache(maxsize=128)
def _gain(first: int, count: int, full: int, silent: int) -> NDArray[np.float64]:
    """How loud what is made up is from sample `first` of the loss on."""
    return np.interp(np.arange(first, first + count), (full, silent), (1.0, 0.0))


def _to_int16(samples: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.int16]:
    whole = np.rint(samples)
    np.maximum(whole, -32768, out=whole)
    np.minimum(whole, 32767, out=whole)
    return whole.astype(np.int16)
