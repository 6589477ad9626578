"""Waiting, in real time, until something holds."""

from __future__ import annotations

import time
from collections.abc import Callable

# Nothing takes as long, not even where eight runs share two processors; less than what a test may take in all.
PATIENCE_S = 40.0


def eventually(holds: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Return when `holds` does; AssertionError where it still does not after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.005)
