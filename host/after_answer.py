"""Work that must be done but that nobody who waits for an answer should wait for.

A thread that answers commands collects, with `collecting`, what comes up meanwhile, sends its answer and does the rest
then: the client's turn to think is time that costs nobody anything, and no other thread has to be woken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

# What waits is memory that is not free yet: a command that runs for hours must not gather it.
MOST_COLLECTED: Final = 8

Work = Callable[[], None]


class _Collected(threading.local):
    """The list of the thread that answers a command now."""

    works: list[Work] | None = None


_COLLECTED = _Collected()


def collecting() -> list[Work]:
    """Begin to collect; returns the list, which fills until `done_collecting`."""
    works: list[Work] = []
    _COLLECTED.works = works
    return works


def done_collecting() -> None:
    """Collect no more: the answer is there."""
    _COLLECTED.works = None


def after_answer(work: Work) -> bool:
    """Have `work` done once this thread has answered.

    False when it answers nothing now, or when enough waits already: then `work` is the caller's.
    """
    works = _COLLECTED.works
    if works is None or len(works) >= MOST_COLLECTED:
        return False
    works.append(work)
    return True
