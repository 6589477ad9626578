"""Waiting until something is so, for as long as a busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30.0
_LOOK_AGAIN = 0.05


def until(true: Callable[[], bool], what: str | Callable[[], str], seconds: float = PATIENCE) -> None:
    """Wait until something is so. AssertionError with `what` when it does not become so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {seconds} s: {what if isinstance(what, str) else what()}")
        time.sleep(_LOOK_AGAIN)
