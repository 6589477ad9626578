"""Comfort noise for far ends that have agreed on it, while a line has nothing to say (RFC 3389)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.comfort_noise import ComfortNoise

# FreeSWITCH: after the time of sixty packets in which nothing was sent, and again after as many.
_PACKETS: Final = 60
# FreeSWITCH's level, in -dBov: that of a quiet room.
PAYLOAD: Final = ComfortNoise(65).serialize()


class IdleNoise:
    """Which of `capacity` lines are to send it now."""

    def __init__(self, capacity: int) -> None:
        self._idle = np.zeros(capacity, np.int32)
        self._limit = np.zeros(capacity, np.int32)  # ticks, 0 for a far end that takes none
        self._rows = np.zeros(0, np.intp)

    def set(self, row: int, ptime_ms: int | None) -> None:
        """Send it on a line with packets of `ptime_ms`, or (None) not at all."""
        limit = 0 if ptime_ms is None else _PACKETS * ptime_ms // 20
        if self._limit[row] != limit:
            self._limit[row] = limit
            self._idle[row] = 0
            self._rows = np.flatnonzero(self._limit)

    def due(self, silent: NDArray[np.bool_]) -> list[int]:
        """Move on by a tick, in which lines were `silent` (bool of shape (capacity,)) or not."""
        rows = self._rows
        if not len(rows):
            return []
        idle = np.where(silent[rows], self._idle[rows] + 1, 0)
        due = idle >= self._limit[rows]
        self._idle[rows] = np.where(due, 0, idle)
        found: list[int] = rows[due].tolist()
        return found
