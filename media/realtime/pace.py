"""The ticks of the media engine's process: the one place there that reads the time and waits.

It has no host and so not the host's clock. Ticks are counted, not measured: each moves the engine on by the same
time, so that every block has the same length however late it is made.
"""

from __future__ import annotations

import select
import time
from typing import Final

import numpy as np

TICK: Final = 20_000  # µs

# After a stall (a suspended machine) so many ticks are made up for at once, the rest never were.
_CATCH_UP: Final = 10

# Lateness is counted in steps of 50 µs, up to half a second.
_STEP: Final = 50
_STEPS: Final = 10_000

# How many ticks the recent figures are about: between one and two minutes.
_RECENT: Final = 60_000_000 // TICK


class Pace:
    """When ticks are due, and how late they came. `overruns` counts ticks whose work took longer than a tick."""

    def __init__(self, tick: int = TICK) -> None:
        self.tick = tick
        self.ticks = 0
        self.overruns = 0
        self.skipped = 0
        self.most_late = 0
        self._due = _now() + tick
        self._began = 0
        self._busy = 0
        self._since = _now()
        self._late = np.zeros(_STEPS, np.int64)
        self._former_late = np.zeros(_STEPS, np.int64)

    def until_due(self, *descriptors: int, writable: tuple[int, ...] = ()) -> bool:
        """Wait until there is something to read from one of the descriptors, or the next tick is due: True.

        It also ends where one can be written to that is in `writable`.
        """
        left = self._due - _now()
        if left > 0:
            select.select(descriptors, writable, (), left / 1e6)
        return _now() >= self._due

    def begin(self) -> None:
        """Note that a tick that was due begins."""
        self._began = _now()
        late = self._began - self._due
        self._late[min(late // _STEP, _STEPS - 1)] += 1
        self.most_late = max(self.most_late, late)
        self.ticks += 1
        self._due += self.tick
        missed = late // self.tick - _CATCH_UP
        if missed > 0:
            self.skipped += missed
            self._due += missed * self.tick
        if self.ticks % _RECENT == 0:
            self._former_late, self._late = self._late, np.zeros(_STEPS, np.int64)

    def end(self) -> None:
        """Note that the work of a tick is done."""
        took = _now() - self._began
        self._busy += took
        self.overruns += took > self.tick

    def lateness(self, share: float) -> int:
        """Return the lateness (µs) that `share` of the ticks of the last minute stayed within."""
        counts = np.cumsum(self._late + self._former_late)
        if not counts[-1]:
            return 0
        return int(np.searchsorted(counts, share * counts[-1])) * _STEP + _STEP

    def renew(self) -> None:
        """Begin the figures anew, but for the number of ticks."""
        self._late[:] = self._former_late[:] = 0
        self.overruns = self.skipped = self.most_late = self._busy = 0
        self._since = _now()

    @property
    def busy(self) -> float:
        """The part of the time since the start that ticks took."""
        return self._busy / max(1, _now() - self._since)


def wall() -> int:
    """Return the calendar time in µs since the Unix epoch."""
    return time.time_ns() // 1000


def _now() -> int:
    return time.monotonic_ns() // 1000
