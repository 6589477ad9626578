"""What is on its way to one client: written at once when the client takes it, kept and bounded when it does not."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

# Bytes of events and log lines that wait for a client; a second of 10,000 events a second. Frames are shared by the
# clients that hear the same, so that many slow clients cost little more than one.
MOST_WAITING: Final = 32 << 20
# The system takes at most so many pieces in one call (Linux: IOV_MAX).
_MOST_PIECES: Final = 512
_FLAGS: Final = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Outbox:
    """One client's outgoing bytes. Any thread may send; whole messages stay whole.

    `on_waiting()` is called when the client does not take all: `flush` is to be called once it can be written to.
    """

    def __init__(self, connection: socket.socket, on_waiting: Callable[[], None]) -> None:
        self._socket = connection
        self._on_waiting = on_waiting
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._held: list[bytes] = []
        self._size = 0
        self.holding = False
        self.dropped = 0
        self.broken = False
        self.empty = True

    def send(self, data: bytes) -> None:
        """Send an answer, which is never dropped. Nothing is sent to a client that has gone."""
        with self._lock:
            self._put((data,))

    def offer(self, frames: Sequence[bytes]) -> int:
        """Send what a slow client may miss; return how many of the frames were dropped."""
        with self._lock:
            if self._size > MOST_WAITING:
                self.dropped += len(frames)
                return len(frames)
            if self.holding:
                self._held.extend(frames)
                self._size += sum(map(len, frames))
            else:
                self._put(frames)
        return 0

    def hold(self) -> None:
        """Keep back what is offered until the answer to a command has been sent."""
        with self._lock:
            self.holding = True

    def answer(self, data: bytes) -> None:
        """Send the answer, and then what was kept back."""
        with self._lock:
            self.holding = False
            held, self._held = self._held, []
            self._size -= sum(map(len, held))
            self._put((data, *held) if data else held)

    def flush(self) -> bool:
        """Write what waits, as far as the client takes it; True when nothing waits any more."""
        with self._lock:
            self._write()
            return self.empty

    @property
    def full(self) -> bool:
        """Whether so much waits that no further commands should be taken."""
        return self._size > MOST_WAITING

    def _put(self, frames: Sequence[bytes]) -> None:
        if self.broken or not frames:
            return
        idle = self.empty
        self._waiting.extend(frames)
        self._size += sum(map(len, frames))
        if idle:
            self._write()
            if not self.empty:
                self._on_waiting()

    def _write(self) -> None:
        waiting = self._waiting
        try:
            while waiting and not self.broken:
                pieces = list(islice(waiting, _MOST_PIECES))
                sent = (
                    self._socket.send(pieces[0], _FLAGS)
                    if len(pieces) == 1
                    else self._socket.sendmsg(pieces, (), _FLAGS)
                )
                self._size -= sent
                while waiting and sent >= len(waiting[0]):
                    sent -= len(waiting.popleft())
                if sent:
                    waiting[0] = waiting[0][sent:]
        except BlockingIOError:
            pass  # the client is slow: the rest is written once it can be
        except OSError:
            self.broken = True
        if self.broken:
            waiting.clear()
            self._size = 0
        self.empty = not waiting
