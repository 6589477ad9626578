"""The nonces that challenges gave out, and how often each was used."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# A flood of requests without credentials makes nonces; 100,000 of them take some 30 MB.
MAX_NONCES: Final = 100_000


@dataclass(slots=True)
class _Nonce:
    until: float
    last_count: int = 0
    used: bool = False


class Nonces:
    """Nonces by their text; time in seconds is given. Thread-safe.

    A nonce may be used again as long as its count rises (RFC 7616 section 3.4), so that what was heard on the wire
    cannot be sent once more; without a count (RFC 2069) it is good for one request.
    """

    def __init__(self, make: Callable[[], str], most: int = MAX_NONCES) -> None:
        self._make = make
        self._most = most
        self._lock = threading.Lock()
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()

    def issue(self, until: float) -> str:
        """Return a new nonce that is good until `until`; the oldest goes where there are too many."""
        nonce = self._make()
        with self._lock:
            self._nonces[nonce] = _Nonce(until)
            if len(self._nonces) > self._most:
                self._nonces.popitem(last=False)
        return nonce

    def last_count(self, nonce: str, count: int | None, now: float) -> int | None:
        """Return the count of the nonce's last use (0 for a first); None when it may not be used with `count`."""
        with self._lock:
            found = self._nonces.get(nonce)
            if found is None or found.until <= now:
                self._nonces.pop(nonce, None)
                return None
            if found.used if count is None else count <= found.last_count:
                return None
            return found.last_count

    def use(self, nonce: str, count: int | None, now: float, until: float) -> bool:
        """Note that the nonce was used, and let it live until `until`; False when another request was quicker."""
        with self._lock:
            found = self._nonces.get(nonce)
            if found is None or found.until <= now:
                return False
            if found.used if count is None else count <= found.last_count:
                return False
            found.used = True
            if count is not None:
                found.last_count = count
                found.until = max(found.until, until)
            return True

    def forget(self, nonce: str) -> None:
        """Let a nonce be used no more."""
        with self._lock:
            self._nonces.pop(nonce, None)

    def sweep(self, now: float) -> None:
        """Drop what is too old."""
        with self._lock:
            for nonce in [nonce for nonce, found in self._nonces.items() if found.until <= now]:
                del self._nonces[nonce]

    def __len__(self) -> int:
        return len(self._nonces)
