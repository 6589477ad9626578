"""The last seconds of what a tap hears, to be had at any time."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray


class LastSound:
    """A sink that keeps the newest `limit` samples. Safe between threads. Raises ValueError for a limit below 1."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("no sound is kept in less than a sample")
        self._limit = limit
        self._lock = threading.Lock()
        self._parts: deque[NDArray[np.int16]] = deque()
        self._count = 0

    def write(self, samples: NDArray[np.int16]) -> None:
        """Take int16 of shape (n,)."""
        kept = samples[-self._limit :].copy()
        with self._lock:
            self._parts.append(kept)
            self._count += len(kept)
            while self._count - len(self._parts[0]) >= self._limit:
                self._count -= len(self._parts.popleft())

    def take(self) -> NDArray[np.int16]:
        """Return what is kept, at most `limit` samples, and begin anew."""
        with self._lock:
            parts, self._parts, self._count = self._parts, deque(), 0
        return np.concatenate(parts)[-self._limit :] if parts else np.zeros(0, np.int16)
