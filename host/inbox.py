"""What reaches a channel: one inbox, in which its session thread waits for everything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from host.clock import Clock

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH keeps at most so many digits for a channel that nobody reads; a longer backlog is a stuck key.
DIGIT_LIMIT: Final = 1000

# The time of one frame of sound, in µs, at which a call looks for what was put with the next frame.
FRAME: Final = 20_000

# In samples at 8 kHz, as FreeSWITCH counts a digit's length.
DEFAULT_DTMF_DURATION: Final = 2000


@dataclass(frozen=True, slots=True)
class Digit:
    """One DTMF digit that the far end pressed; `duration` in samples at 8 kHz.

    `processed` ones go through what looks at keys before the script does (bind_digit_action, block_dtmf).
    """

    digit: str
    duration: int = DEFAULT_DTMF_DURATION
    source: str = "RTP"
    processed: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """Work that another thread gives to the session's own thread, done at its next wait."""

    run: Callable[[Session], object]


@dataclass(frozen=True, slots=True)
class Break:
    """An operator's wish that what plays ends (`uuid_break`, the application `break`).

    With `stops` every operation ends that takes input: its script was killed.
    """

    all: bool = False
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """A mere wake-up: the channel's state or flags changed."""


_T = TypeVar("_T")


class Inbox:
    """Items in order of arrival. Any thread puts; only the session's thread takes and waits."""

    def __init__(self, clock: Clock) -> None:
        self._items: list[object] = []
        self._arriving: list[object] = []
        self._lock = threading.Lock()
        self._clock = clock
        self._waiter = clock.waiter()

    def hand_over(self) -> None:
        """Let another thread be the one that waits: who waits now wakes up."""
        former, self._waiter = self._waiter, self._clock.waiter()
        former.notify()

    def put(self, item: object) -> bool:
        """Add `item` and wake the session; False when a digit was refused because `DIGIT_LIMIT` are waiting."""
        with self._lock:
            if isinstance(item, Digit) and self._count(Digit) >= DIGIT_LIMIT:
                return False
            if not isinstance(item, Wake):
                self._items.append(item)
        self._waiter.notify()
        return True

    def put_with_next_frame(self, item: object) -> bool:
        """Add `item` as `put` does, but so that it is taken when the next frame of sound is due.

        FreeSWITCH: a call looks for digits between two frames, so what follows at once (a second digit, a command that
        flushes them) is there when the first one is seen. Simulated time has no frames.
        """
        if self._clock.virtual:
            return self.put(item)
        with self._lock:
            if isinstance(item, Digit) and self._count(Digit) >= DIGIT_LIMIT:
                return False
            self._arriving.append(item)
            if len(self._arriving) == 1:
                self._clock.call_later(FRAME - self._clock.now() % FRAME, self._arrive)
        return True

    def _arrive(self) -> None:
        with self._lock:
            self._items += self._arriving
            self._arriving.clear()
        self._waiter.notify()

    def put_back(self, item: object) -> None:
        """Return an item that was taken, so that it is the next one of its kind again."""
        with self._lock:
            self._items.insert(0, item)

    def wait(self, deadline: int | None = None) -> bool:
        """Block until something is put (True) or until `deadline` in µs of `Clock.now()` (False)."""
        return self._waiter.wait(deadline)

    def take(self, kind: type[_T] | tuple[type[_T], ...]) -> _T | None:
        """Remove and return the oldest item of `kind`, None when there is none."""
        with self._lock:
            for index, item in enumerate(self._items):
                if isinstance(item, kind):
                    del self._items[index]
                    return item
        return None

    def count(self, kind: type[object]) -> int:
        """Return how many items of `kind` wait."""
        with self._lock:
            return self._count(kind)

    def flush(self, kind: type[_T]) -> list[_T]:
        """Remove and return all items of `kind`."""
        with self._lock:
            taken = [item for item in (*self._items, *self._arriving) if isinstance(item, kind)]
            self._items = [item for item in self._items if not isinstance(item, kind)]
            self._arriving = [item for item in self._arriving if not isinstance(item, kind)]
        return taken

    def _count(self, kind: type[object]) -> int:
        return sum(isinstance(item, kind) for item in (*self._items, *self._arriving))
