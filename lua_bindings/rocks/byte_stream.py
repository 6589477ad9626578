"""Reading and writing a stream of octets as LuaSocket does: lines, counts, everything, with what came before an error.

One class for plain and encrypted connections; how octets get in and out is theirs.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.crossing import Plain
from lua_bindings.rocks.network import NetworkError, Timeout, seconds_since, wait_for, wall_now

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

Answer = tuple[Plain, ...]

# LuaSocket reads and sends in pieces of this size.
_PIECE: Final = 8192

_FOREVER: Final = -1.0


class ByteStream(ABC):
    """A connection with a buffer of what was received and not read yet."""

    def __init__(self, run: ScriptRun, connection: socket.socket | None, timeout: Timeout) -> None:
        self._run = run
        self._socket = connection
        self.timeout = timeout
        self._buffer = bytearray()
        self._received = self._sent = 0
        self._born = wall_now()
        run.resources.add(self)

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

    def getfd(self) -> int:
        """Return the file's number, -1 when closed."""
        return -1 if self._socket is None else self._socket.fileno()

    def settimeout(self, seconds: float | None, total: bool) -> int:
        """Set the time-out of each wait, or of the whole call; without a number or with a negative one: none."""
        limit = None if seconds is None or seconds < 0 else float(seconds)
        if total:
            self.timeout.total = limit
        else:
            self.timeout.block = limit
        return 1

    def gettimeout(self) -> Answer:
        """Return both time-outs, -1 for none."""
        return tuple(
            _FOREVER if limit is None else limit for limit in (self.timeout.block, self.timeout.total)
        )

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

    def close(self) -> int:
        """Close the connection."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        return 1

    def release(self) -> None:
        """Close the connection at the script's end."""
        self.close()

    def __del__(self) -> None:
        connection = getattr(self, "_socket", None)
        if connection is not None:
            connection.close()

    def _await(self, connection: socket.socket, event: int) -> None:
        if not wait_for(self._run, {connection.fileno(): event}, self.timeout.deadline()):
            raise NetworkError("timeout")
