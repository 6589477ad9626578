"""How the C library deals with memory that a process has freed."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

# glibc's <malloc.h>.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
# A second of calls takes and frees some 20 MB; what is freed beyond this goes back to the system.
_KEPT_BYTES: Final = 64 << 20
# The most that glibc takes: blocks of more have pages of their own.
_LARGEST_KEPT: Final = 32 << 20


def keep_freed_memory() -> None:
    """Keep freed memory for the next call rather than have the system clear and map its pages anew for each.

    Nothing happens where the C library has no `mallopt` that works (musl).
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
