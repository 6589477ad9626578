"""A relay between SIP peers over UDP that loses, doubles and reorders what it is told to."""

from __future__ import annotations

import heapq
import random
import re
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(slots=True)
class Mischief:
    """What befalls datagrams of one direction: shares (0 to 1) of those lost, doubled, held back for up to so long.

    `once` names beginnings (regular expressions) of messages whose first occurrence is lost: `ACK`, `SIP/2.0 200`.
    """

    lose: float = 0.0
    double: float = 0.0
    hold_back: float = 0.0
    hold_seconds: float = 0.4
    once: Sequence[str] = ()


@dataclass(order=True, slots=True)
class _Held:
    moment: float
    number: int
    data: bytes = field(compare=False)
    way: int = field(compare=False)


class LossyRelay:
    """Stands between a caller, who sends to `port`, and `far`. Each sees the relay as the other.

    The side of the caller is the one address that talks to `port`. What it names as its Contact is `contact`, so
    that requests of the far side pass the relay, too.
    """

    def __init__(
        self, far: tuple[str, int], outward: Mischief | None = None, homeward: Mischief | None = None
    ) -> None:
        """Prepare a relay to `far`; `outward` befalls what goes there, `homeward` what comes back."""
        self._far = far
        self._mischief = (outward or Mischief(), homeward or Mischief())
        self._random = random.Random(1)
        self._near_address: tuple[str, int] | None = None
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in self._sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            one.bind(("127.0.0.1", 0))
        self.port = int(self._sockets[0].getsockname()[1])
        self.contact = f"127.0.0.1:{self._sockets[1].getsockname()[1]}"
        self._left_once = [[re.compile(text.encode()) for text in one.once] for one in self._mischief]
        self._held: list[_Held] = []
        self._count = 0
        self._ending = False
        self.lost = self.doubled = self.reordered = self.passed = 0
        self._thread = threading.Thread(target=self._run, name="lossy-relay")

    def __enter__(self) -> LossyRelay:
        """Start it."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._ending = True
        self._thread.join()
        for one in self._sockets:
            one.close()

    def _run(self) -> None:
        while not self._ending:
            wait = 0.05
            if self._held:
                wait = min(wait, max(0.0, self._held[0].moment - time.monotonic()))
            readable, _, _ = select.select(self._sockets, [], [], wait)
            for one in readable:
                data, address = one.recvfrom(65_535)
                if one is self._sockets[0]:
                    self._near_address = address
                self._take(data, self._sockets.index(one))
            now = time.monotonic()
            while self._held and self._held[0].moment <= now:
                held = heapq.heappop(self._held)
                self._send(held.data, held.way)

    def _take(self, data: bytes, way: int) -> None:
        for pattern in self._left_once[way]:
            if pattern.match(data):
                self._left_once[way].remove(pattern)
                self.lost += 1
                return
        chance = self._random.random()
        mischief = self._mischief[way]
        if chance < mischief.lose:
            self.lost += 1
            return
        chance -= mischief.lose
        copies = 1
        if chance < mischief.double:
            self.doubled += 1
            copies = 2
        chance -= mischief.double
        late = 0 <= chance < mischief.hold_back
        self.reordered += late
        for _ in range(copies):
            if late:
                self._count += 1
                moment = time.monotonic() + self._random.uniform(0, mischief.hold_seconds)
                heapq.heappush(self._held, _Held(moment, self._count, data, way))
            else:
                self._send(data, way)

    def _send(self, data: bytes, way: int) -> None:
        if way == 0:
            self._sockets[1].sendto(data, self._far)
        elif self._near_address is not None:
            self._sockets[0].sendto(data, self._near_address)
        self.passed += 1

    @property
    def never_seen(self) -> list[str]:
        """What was to be lost once and did not come."""
        return [pattern.pattern.decode() for way in self._left_once for pattern in way]
