"""Guessers, damped: an address that fails to log in too often is not let in for a while.

A value of counts by address; the time is given to every method, in µs.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

from host.clock import SECOND

# An office of people who mistype stays below it, a guesser tries dozens a second.
MOST_FAILURES: Final = 60
WINDOW: Final = 60 * SECOND
BLOCK: Final = 120 * SECOND
# A flood of addresses pushes out the oldest; 10,000 take some 6 MB.
MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class _Address:
    failures: deque[int] = field(default_factory=deque)
    blocked_until: int = 0


class LoginDamping:
    """The counts of one switch. Not thread-safe: its owner has a lock."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def blocks(self, ip: str, now: int) -> bool:
        """Return whether an address is not let in."""
        found = self._addresses.get(ip)
        return found is not None and found.blocked_until > now

    def note_failure(self, ip: str, now: int) -> bool:
        """Count a failure; True when the address is blocked from now on."""
        found = self._addresses.setdefault(ip, _Address())
        self._addresses.move_to_end(ip)
        if len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        found.failures.append(now)
        while found.failures[0] <= now - WINDOW:
            found.failures.popleft()
        if len(found.failures) <= MOST_FAILURES:
            return False
        found.failures.clear()
        found.blocked_until = now + BLOCK
        return True

    def note_success(self, ip: str) -> None:
        """Forgive an address that has shown who it is one failure; not all, for a guesser may have an account."""
        found = self._addresses.get(ip)
        if found is not None and found.failures:
            found.failures.popleft()
