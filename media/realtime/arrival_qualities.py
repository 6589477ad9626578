"""`media.call_quality.ArrivalQuality` of many lines at once, arrays over lines, in ticks of 20 ms.

Nearly every packet comes a tick after the one before it and has the next number. Those cost a comparison; what they
add to the sums follows from how many came.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.call_quality import LEAD_PACKETS, MAX_GAP, ArrivalQuality

_TICK_MS: Final = 20.0


class ArrivalQualities:
    """`received` in all methods is how many packets came on a line so far, with the one that is told of."""

    def __init__(self, capacity: int) -> None:
        self._from = np.zeros(capacity, np.int64)  # packets of the first `_from` are not judged
        self._before = np.zeros(capacity, np.int64)  # intervals of earlier stretches
        # Sums of interval - 1 and interval² - 1, so that an interval of one tick adds nothing.
        self._sum = np.zeros(capacity, np.int64)
        self._squares = np.zeros(capacity, np.int64)
        self._lost = np.zeros(capacity, np.int64)
        self._gaps = np.zeros(capacity, np.int64)
        self._flaws = np.zeros(capacity, np.int64)
        self._row = np.zeros(capacity, np.int64)
        self._row_at = np.zeros(capacity, np.int64)
        self._least = np.zeros(capacity)
        self._most = np.zeros(capacity)

    def open(self, line: int) -> None:
        """Begin a line, of which nothing was received."""
        for values in (
            self._before,
            self._sum,
            self._squares,
            self._lost,
            self._gaps,
            self._flaws,
            self._row,
            self._row_at,
            self._least,
            self._most,
        ):
            values[line] = 0
        self._from[line] = LEAD_PACKETS - 1

    def pause(self, line: int, received: int) -> None:
        """Leave out the next packets: the stream has a reason to pause."""
        self._before[line] += max(0, received - int(self._from[line]))
        self._from[line] = received + LEAD_PACKETS - 1
        self._row[line] = 0

    def heard(
        self,
        lines: NDArray[np.intp],
        ahead: NDArray[np.int64],
        ticks: NDArray[np.int64],
        received: NDArray[np.int64],
    ) -> None:
        """Take a packet each of different lines: how far its number is ahead, and ticks since the last one."""
        strange = (ahead != 1) | (ticks != 1)
        if not strange.any():
            return
        strange &= received > self._from[lines]
        lines, ahead, ticks, received = lines[strange], ahead[strange], ticks[strange], received[strange]
        self._sum[lines] += ticks - 1
        self._squares[lines] += ticks * ticks - 1
        gap = (ahead > 1) & (ahead - 1 <= MAX_GAP)
        if gap.any():
            broken, missing, at = lines[gap], ahead[gap] - 1, received[gap]
            row = np.where(self._row_at[broken] == at - 1, self._row[broken], 0)
            self._lost[broken] += missing
            self._gaps[broken] += 1
            # FreeSWITCH: a loss that follows a loss weighs more.
            self._flaws[broken] += missing + row
            self._row[broken] = row + 1
            self._row_at[broken] = at
        self.look(lines, received)

    def look(self, lines: NDArray[np.intp], received: NDArray[np.int64]) -> None:
        """Bring the least and the greatest variance up to date; where nothing strange comes, now and then will do."""
        count = self._before[lines] + np.maximum(0, received - self._from[lines])
        judged = count > 1
        lines, count = lines[judged], count[judged]
        mean = self._sum[lines] / count
        # The variance of interval - 1 is that of the interval.
        squares = (self._squares[lines] - 2 * self._sum[lines]) / count
        variance = np.maximum(0.0, squares - mean * mean) * _TICK_MS**2
        self._most[lines] = np.maximum(self._most[lines], variance)
        least = self._least[lines]
        self._least[lines] = np.where(least > 0, np.minimum(least, variance), variance)

    def of(self, line: int, received: int, damaged: int = 0) -> ArrivalQuality:
        """Return a line's figures; `damaged` frames came and could not be played."""
        self.look(np.array([line], np.intp), np.array([received], np.int64))
        count = int(self._before[line]) + max(0, received - int(self._from[line]))
        return ArrivalQuality(
            received=count,
            flaws=int(self._flaws[line]) + damaged,
            lost=int(self._lost[line]),
            gaps=int(self._gaps[line]),
            mean_interval=(1 + int(self._sum[line]) / count) * _TICK_MS if count else 0.0,
            minimum_variance=float(self._least[line]),
            maximum_variance=float(self._most[line]),
        )
