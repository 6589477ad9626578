"""How much of the machine's processors is idle, as log lines, `status` and HEARTBEAT tell it."""

from __future__ import annotations

import threading
from typing import Final

from host.clock import SECOND, Clock

_STAT: Final = "/proc/stat"


class IdleCpu:
    """Measures the share of idle time between two readings, which lie a second apart or more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = -SECOND
        self._former = (0, 0)
        self._percent = 100.0

    def percent(self) -> float:
        """Return the idle share in percent; 100.0 on a virtual clock and where the system does not tell."""
        if self._clock.virtual:
            return 100.0
        now = self._clock.now()
        if now - self._read_at >= SECOND and self._lock.acquire(blocking=False):
            try:
                self._read_at = now
                self._measure()
            finally:
                self._lock.release()
        return self._percent

    def _measure(self) -> None:
        try:
            with open(_STAT, "rb") as file:
                numbers = [int(number) for number in file.readline().split()[1:]]
        except (OSError, ValueError):
            return
        if len(numbers) < 5:
            return
        total, idle = sum(numbers[:8]), numbers[3] + numbers[4]
        passed, rested = total - self._former[0], idle - self._former[1]
        self._former = (total, idle)
        if passed > 0:
            self._percent = max(0.0, min(100.0, 100.0 * rested / passed))
