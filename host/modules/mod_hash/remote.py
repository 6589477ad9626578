"""Other FreeSWITCHes or Moonlines whose counts are added to this one's: asked over their event sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes, to_text
from host.clock import MILLISECOND
from host.leading_number import leading_int
from host.log import LogLevel

if TYPE_CHECKING:
    from host.switch import Switch

_PORT: Final = 8021
_ASK: Final = b"api hash_dump limit\n\n"
# FreeSWITCH waits as long for the connection and for an answer.
_TIMEOUT: Final = 5.0
# What a remote may send: headers of the event socket are short, a line of the dump is some 100 bytes.
_MOST_HEADERS: Final = 64 << 10
_MOST_BODY: Final = 64 << 20
_SHORTEST_INTERVAL: Final = 100  # ms; an interval of 0 would ask without a pause


class RemoteError(Exception):
    """A remote that cannot be reached, or that does not speak as an event socket does."""


def parse_dump(text: str) -> dict[str, tuple[int, int]]:
    """Return total and rate by place of the lines `L/place/total/rate/interval/begun`; other lines are passed over."""
    counts = {}
    for line in text.split("\n"):
        kind, _, rest = line.partition("/")
        parts = rest.rsplit("/", 4)
        if kind == "L" and len(parts) == 5:
            place, total, rate, _, _ = parts
            counts[place] = (leading_int(total), leading_int(rate))
    return counts


class Remote:
    """One remote. A thread of its own asks it every `interval` ms; while it is down, nothing of it counts."""

    def __init__(
        self, switch: Switch, name: str, host: str, port: int, login: str, password: str, interval: int
    ) -> None:
        self.name = name
        self._switch = switch
        self._address = (host, port or _PORT)
        self._login = f"userauth {login}:{password}" if login else f"auth {password}"
        self._interval = max(interval, _SHORTEST_INTERVAL) * MILLISECOND
        self._counts: dict[str, tuple[int, int]] = {}
        self._up = False
        self._ended = False
        self._waiter = switch.clock.waiter()
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """FreeSWITCH's word: Off, Down or Up."""
        return "Off" if self._ended else "Up" if self._up else "Down"

    def usage(self, place: str) -> tuple[int, int]:
        """Return total and rate of a place as the remote last told them."""
        return self._counts.get(place, (0, 0))

    def start(self) -> None:
        """Begin to ask; not on a virtual clock, where there is no one else."""
        if not self._switch.clock.virtual:
            self._thread = self._switch.clock.spawn(self._run, f"hash-remote-{self.name}")

    def stop(self) -> None:
        """Ask no more."""
        self._ended = True
        self._waiter.notify()
        connection = self._connection
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
            except OSError:
                pass  # it is not connected any more, so nobody reads
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        clock = self._switch.clock
        while not self._ended:
            try:
                with socket.create_connection(self._address, _TIMEOUT) as connection:
                    self._connection = connection
                    self._ask_on(connection)
            except (OSError, RemoteError) as error:
                if self._up:
                    self._log(LogLevel.WARNING, f"Disconnected from remote FreeSWITCH ({self.name}): {error}")
            self._connection = None
            self._up = False
            self._counts = {}
            if not self._ended:
                self._waiter.wait(clock.now() + self._interval)

    def _ask_on(self, connection: socket.socket) -> None:
        stream = _Stream(connection.recv)
        if stream.message()[0].get("content-type") != "auth/request":
            raise RemoteError("it does not ask for a password")
        connection.sendall(to_bytes(f"{self._login}\n\n"))
        if not stream.message()[0].get("reply-text", "").startswith("+OK"):
            raise RemoteError("it refuses the password")
        self._log(LogLevel.INFO, f"Connected to remote FreeSWITCH ({self.name}) at {self._address[0]}")
        while not self._ended:
            connection.sendall(_ASK)
            headers, body = stream.message()
            while headers.get("content-type") != "api/response":
                if headers.get("content-type") == "text/disconnect-notice":
                    raise RemoteError("it says good-bye")
                headers, body = stream.message()
            self._counts = parse_dump(body)
            self._up = True
            self._waiter.wait(self._switch.clock.now() + self._interval)

    def _log(self, level: LogLevel, text: str) -> None:
        self._switch.log(level, text)


class _Stream:
    """Messages of an event socket: header lines, an empty line, and a body as long as `Content-Length` says."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._buffer = b""

    def message(self) -> tuple[dict[str, str], str]:
        """Return headers by lower-case name, and the body; RemoteError for what is too long or breaks off."""
        while b"\n\n" not in self._buffer:
            if len(self._buffer) > _MOST_HEADERS:
                raise RemoteError("its headers have no end")
            self._read()
        head, _, self._buffer = self._buffer.partition(b"\n\n")
        headers = {}
        for line in to_text(head).split("\n"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = leading_int(headers.get("content-length", ""))
        if not 0 <= length <= _MOST_BODY:
            raise RemoteError(f"it announces {length} bytes")
        parts, missing = [self._buffer], length - len(self._buffer)
        while missing > 0:
            self._buffer = b""
            self._read()
            parts.append(self._buffer)
            missing -= len(self._buffer)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return headers, to_text(whole[:length])

    def _read(self) -> None:
        data = self._receive(65536)
        if not data:
            raise RemoteError("it closed the connection")
        self._buffer += data
