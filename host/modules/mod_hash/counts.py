"""How many sessions hold a resource, and how many asked for it within an interval."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Taken(NamedTuple):
    """What came of asking: whether it is allowed, whether the session is newly counted, and the counts then."""

    allowed: bool
    new: bool
    total: int
    rate: int


class Counts(Protocol):
    """Where the counts are kept. `place` is realm and resource joined by `_`, a session is known by its UUID."""

    def take(self, place: str, uuid: str, maximum: int, interval: int, elsewhere: int) -> Taken:
        """Count a session where it may be: a negative `maximum` allows any number.

        Without an interval, what others count (`elsewhere`) counts, too. FreeSWITCH: with one, in seconds, it is
        how often was asked that is limited, and the first to ask in a new interval always may.
        """

    def release(self, place: str, uuid: str) -> tuple[int, int] | None:
        """Count a session no longer; return what is left of total and rate, None when it was not counted."""

    def usage(self, place: str) -> tuple[int, int]:
        """Return total and rate."""

    def reset(self) -> None:
        """Forget what this host counts."""

    def reset_interval(self, place: str) -> None:
        """Begin an interval anew."""

    def lines(self) -> list[str]:
        """Return the counts as `hash_dump` prints them: L/place/total/rate/interval/begun, sorted."""


@dataclass(slots=True)
class _Count:
    """What is counted of one resource; times in seconds since the epoch."""

    sessions: set[str] = field(default_factory=set)
    rate: int = 0
    interval: int = 0
    begun: int = 0


class LocalCounts:
    """The counts of this process alone. `now()` gives seconds since the epoch."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()

    def take(self, place: str, uuid: str, maximum: int, interval: int, elsewhere: int) -> Taken:
        with self._lock:
            count = self._counts.setdefault(place, _Count())
            new = uuid not in count.sessions
            allowed = True
            if interval:
                now = self._now()
                count.interval = interval
                if count.begun <= now - interval:
                    count.rate, count.begun = 1, now
                else:
                    count.rate += 1
                    allowed = maximum < 0 or count.rate <= maximum
            elif maximum >= 0:
                allowed = len(count.sessions) + new + elsewhere <= maximum
            if allowed:
                count.sessions.add(uuid)
            taken = Taken(allowed, new, len(count.sessions), count.rate)
            if not count.sessions and not count.rate:
                del self._counts[place]
        return taken

    def release(self, place: str, uuid: str) -> tuple[int, int] | None:
        with self._lock:
            count = self._counts.get(place)
            if count is None or uuid not in count.sessions:
                return None
            count.sessions.remove(uuid)
            if count.rate and count.begun <= self._now() - count.interval:
                count.rate = 0
            if not count.sessions and not count.rate:
                del self._counts[place]
            return len(count.sessions), count.rate

    def usage(self, place: str) -> tuple[int, int]:
        count = self._counts.get(place)
        return (len(count.sessions), count.rate) if count is not None else (0, 0)

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()

    def reset_interval(self, place: str) -> None:
        with self._lock:
            count = self._counts.get(place)
            if count is not None:
                count.rate, count.begun = 0, self._now()

    def lines(self) -> list[str]:
        with self._lock:
            return [
                f"L/{place}/{len(c.sessions)}/{c.rate}/{c.interval}/{c.begun}\n"
                for place, c in sorted(self._counts.items())
            ]
