"""Sound as bare samples in UDP packets, both ways: the event socket's unicast."""

from __future__ import annotations

import socket
from typing import Final

import numpy as np
from numpy.typing import NDArray

# A second of what came in waits for the call; more is an other end that sends faster than time passes.
_MOST_SECONDS: Final = 1
_LARGEST_PACKET: Final = 65_536


class PacketAudio:
    """Both directions of one unicast: the sink of a tap, and a source of what comes in."""

    def __init__(self, connection: socket.socket, remote: tuple[str, int], rate: int) -> None:
        self.rate = rate
        self.length: int | None = None
        self._socket = connection
        self._remote = remote
        self._waiting = bytearray()
        self._rendered: tuple[int, NDArray[np.int16]] = (0, np.zeros(0, np.int16))

    def __reduce__(self) -> tuple[type[PacketAudio], tuple[socket.socket, tuple[str, int], int]]:
        return PacketAudio, (self._socket, self._remote, self.rate)

    def write(self, samples: NDArray[np.int16]) -> None:
        """Send samples as one packet; one that cannot be sent is lost, as on any network."""
        try:
            self._socket.sendto(samples.tobytes(), self._remote)
        except OSError:
            return

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        """Return the next `count` samples that came in, silence where there are none."""
        if self._rendered[0] == start and len(self._rendered[1]) == count:
            return self._rendered[1]
        self._receive()
        taken = bytes(self._waiting[: 2 * count])
        del self._waiting[: 2 * count]
        samples = np.zeros(count, np.int16)
        arrived = np.frombuffer(taken[: len(taken) // 2 * 2], np.int16)
        samples[: len(arrived)] = arrived
        self._rendered = (start, samples)
        return samples

    def _receive(self) -> None:
        while True:
            try:
                packet = self._socket.recv(_LARGEST_PACKET)
            except OSError:  # nothing more is there, or the other end has gone
                break
            self._waiting += packet
        del self._waiting[: max(0, len(self._waiting) - 2 * self.rate * _MOST_SECONDS)]
