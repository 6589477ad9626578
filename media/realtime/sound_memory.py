"""Memory that both processes see: decoded sound is written once by the host and played from there by the engine.

It is one nameless file (on Linux without a file system behind it), so nothing is left over, however a process ends.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Address space, not memory: pages take room once they are written. Four gigabytes are 74 hours at 8 kHz.
ROOM_BYTES: Final = 1 << 32

_PAGE: Final = mmap.PAGESIZE

# The memory begins with so many samples of silence.
QUIET_SAMPLES: Final = 1 << 15


def open_memory(size: int = ROOM_BYTES) -> int:
    """Return the descriptor of new shared memory; OSError where there is none."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("moonline-sound")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, size)
    return descriptor


class SoundMemory:
    """A mapping of shared memory as int16 samples."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self.samples: NDArray[np.int16] = np.frombuffer(self._map, np.int16)

    def at(self, offset: int, length: int) -> NDArray[np.int16]:
        """Return `length` samples from sample `offset` on."""
        return self.samples[offset : offset + length]

    def discard(self, offset: int, length: int) -> None:
        """Give the pages of these samples back to the system."""
        if hasattr(mmap, "MADV_REMOVE"):
            start, end = 2 * offset, -(-2 * (offset + length) // _PAGE) * _PAGE
            self._map.madvise(mmap.MADV_REMOVE, start, end - start)


class Extents:
    """Which parts of the memory are taken: first fit, whole pages. Safe between threads."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        quiet = 2 * QUIET_SAMPLES // _PAGE
        self._free: list[tuple[int, int]] = [(quiet, size // _PAGE - quiet)]
        self.taken = 0

    def take(self, samples: int) -> int | None:
        """Return the sample offset of room for so many samples, None when there is none."""
        pages = -(-2 * max(1, samples) // _PAGE)
        with self._lock:
            for index, (start, count) in enumerate(self._free):
                if count >= pages:
                    if count == pages:
                        del self._free[index]
                    else:
                        self._free[index] = (start + pages, count - pages)
                    self.taken += pages
                    return start * _PAGE // 2
        return None

    def give_back(self, offset: int, samples: int) -> None:
        """Let others have the room again."""
        start, pages = 2 * offset // _PAGE, -(-2 * max(1, samples) // _PAGE)
        with self._lock:
            self._free.append((start, pages))
            self._free.sort()
            joined: list[tuple[int, int]] = []
            for place, count in self._free:
                if joined and sum(joined[-1]) == place:
                    joined[-1] = (joined[-1][0], joined[-1][1] + count)
                else:
                    joined.append((place, count))
            self._free = joined
            self.taken -= pages
