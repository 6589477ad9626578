"""Pickled messages over a stream socket between two processes of one program: a length, then the message.

Open sockets may travel with a message; they arrive in the order they were sent in.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

_LENGTH: Final = struct.Struct("=I")
_READ: Final = 1 << 18
_DESCRIPTORS: Final = 64

# Messages that wait in the kernel: a second of commands for a thousand lines.
BUFFER_BYTES: Final = 4 << 20


def framed(message: bytes) -> bytes:
    """Return a message with its length before it."""
    return _LENGTH.pack(len(message)) + message


class Frames:
    """Cuts what comes in into messages."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield the messages that are complete."""
        self._waiting += received
        while len(self._waiting) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting)
            end = _LENGTH.size + length
            if len(self._waiting) < end:
                return
            message = bytes(self._waiting[_LENGTH.size : end])
            del self._waiting[:end]
            yield message


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection, with room for what is under way."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return ends


def send(connection: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    """Send a message, waiting for the other end where it has to; OSError once that is gone."""
    data = framed(message)
    sent = socket.send_fds(connection, [data], descriptors) if descriptors else 0
    connection.sendall(memoryview(data)[sent:])


def receive(connection: socket.socket, descriptors: deque[int] | None = None) -> bytes | None:
    """Return what is there, blocking or not as the socket is set: b"" for nothing, None once the other end is gone.

    Descriptors that came with it are added to `descriptors`.
    """
    try:
        if descriptors is None:
            return connection.recv(_READ) or None
        received, came, _, _ = socket.recv_fds(connection, _READ, _DESCRIPTORS)
        descriptors.extend(came)
        return received or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


class Outbox:
    """The engine's side of sending: never blocks; what the host is too slow for waits here."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes that wait for the host."""
        return len(self._waiting)

    def put(self, message: bytes) -> None:
        """Queue a message."""
        self._waiting += framed(message)

    def flush(self) -> None:
        """Send as much as the other end takes now."""
        while self._waiting:
            try:
                sent = self._connection.send(self._waiting)
            except BlockingIOError:
                return
            except OSError:  # the host is gone, which reading will tell
                self._waiting.clear()
                return
            del self._waiting[:sent]
