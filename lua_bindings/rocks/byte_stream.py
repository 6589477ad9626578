"""Reading and writing a stream of octets as LuaSocket does: lines, counts, everything, with what came before an error.

One class for plain and encrypted connections; how octets get in and out is theirs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.crossing import Answer
from lua_bindings.rocks.network import NetworkError, Timeout, seconds_since, wall_now
from lua_bindings.rocks.system_socket import SystemSocket

if TYPE_CHECKING:
    import socket

    from lua_bindings.script_run import ScriptRun

# LuaSocket reads and sends in pieces of this size.
_PIECE: Final = 8192


class ByteStream(SystemSocket, ABC):
    """A connection with a buffer of what was received and not read yet."""

    def __init__(self, run: ScriptRun, connection: socket.socket | None, timeout: Timeout) -> None:
        super().__init__(run, connection, timeout)
        self._buffer = bytearray()
        self._received = self._sent = 0
        self._born = wall_now()

    # -- what a kind of connection must know ---------------------------------------------------------------------

    @abstractmethod
    def _take(self, size: int) -> bytes:
        """Receive up to `size` octets, waiting for the first; b"" at the end. Raises NetworkError."""

    @abstractmethod
    def _give(self, data: memoryview) -> int:
        """Send some octets, waiting for room, and return how many. Raises NetworkError."""

    # -- for scripts ---------------------------------------------------------------------------------------------

    def receive(self, pattern: bytes | float, prefix: bytes) -> Answer:
        """Read `*l` (a line), `*a` (everything) or a count; `(data, nil, nil)` or `(nil, error, what there was)`."""
        self.timeout.begin()
        got = bytearray(prefix)
        before = len(got)
        try:
            if isinstance(pattern, bytes):
                if pattern.lstrip(b"*")[:1] == b"l":
                    self._read_line(got)
                else:
                    self._read_all(got, before)
            elif len(got) < int(pattern):
                self._read_count(got, int(pattern))
        except NetworkError as error:
            return None, error.text.encode(), bytes(got)
        return bytes(got), None, None

    def _fill(self) -> None:
        if self._socket is None:
            raise NetworkError("closed")
        piece = self._take(_PIECE)
        if not piece:
            raise NetworkError("closed")
        self._received += len(piece)
        self._buffer += piece

    def _read_line(self, got: bytearray) -> None:
        while True:
            if not self._buffer:
                self._fill()
            end = self._buffer.find(b"\n")
            part = self._buffer[: end if end >= 0 else None]
            got += part.replace(b"\r", b"")
            del self._buffer[: len(part) + (end >= 0)]
            if end >= 0:
                return

    def _read_count(self, got: bytearray, size: int) -> None:
        while len(got) < size:
            if not self._buffer:
                self._fill()
            part = self._buffer[: size - len(got)]
            got += part
            del self._buffer[: len(part)]

    def _read_all(self, got: bytearray, before: int) -> None:
        while True:
            got += self._buffer
            self._buffer.clear()
            try:
                self._fill()
            except NetworkError as error:
                if error.text == "closed" and len(got) > before:
                    return
                raise

    def send(self, data: bytes, first: float, last: float) -> Answer:
        """Send data[first..last] (Lua's indexes); `(last index sent, nil, nil)` or `(nil, error, last index sent)`."""
        self.timeout.begin()
        size = len(data)
        start = int(first) if first >= 0 else size + int(first) + 1
        end = int(last) if last >= 0 else size + int(last) + 1
        start, end = max(1, start), min(size, end)
        done = start - 1
        if self._socket is None:
            return None, b"closed", done
        view = memoryview(data)
        try:
            while done < end:
                sent = self._give(view[done : min(end, done + _PIECE)])
                self._sent += sent
                done += sent
        except NetworkError as error:
            return None, error.text.encode(), done
        return done, None, None

    def dirty(self) -> bool:
        """Return whether there are octets in the buffer, of which `select` would not know."""
        return bool(self._buffer)

    def getstats(self) -> Answer:
        """Return octets received, octets sent, and the age in seconds."""
        return self._received, self._sent, seconds_since(self._born)

    def setstats(self, received: float | None, sent: float | None, age: float | None) -> int:
        """Set what `getstats` tells."""
        if received is not None:
            self._received = int(received)
        if sent is not None:
            self._sent = int(sent)
        if age is not None:
            self._born = wall_now() - int(age * 1_000_000)
        return 1
