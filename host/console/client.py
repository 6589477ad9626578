"""An event-socket client: what a server sends, cut into messages, and a blocking client around it."""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from host.byte_text import to_bytes, to_text
from host.escape import url_decode

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8021
DEFAULT_PASSWORD: Final = "ClueCon"

# Bytes of a message's head: an event of a call, as `connect` sends it, has some 20 kB.
MAX_HEAD: Final = 1 << 20
# Bytes of a body: what the longest commands (`show channels` of a full switch, an XML configuration) print.
MAX_BODY: Final = 256 << 20
_READ_SIZE: Final = 65_536
_ANSWERS: Final = frozenset({"command/reply", "api/response", "auth/request"})


class ClientError(Exception):
    """The server cannot be reached, does not let the client in, or does not speak the protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a server: its header lines in their order, and its body."""

    headers: tuple[tuple[str, str], ...]
    body: str = ""

    def get(self, name: str) -> str:
        """Return the value of the first header of that name, empty without one."""
        return next((value for header, value in self.headers if header == name), "")

    @property
    def kind(self) -> str:
        """The message's Content-Type."""
        return self.get("Content-Type")

    @property
    def reply(self) -> str:
        """The text of an answer: Reply-Text, or the body of an `api/response`."""
        return self.body if self.kind == "api/response" else self.get("Reply-Text")

    @property
    def refused(self) -> bool:
        """Whether the answer says that something went wrong."""
        return self.reply.lstrip().startswith(("-ERR", "-USAGE", "-UNKNOWN"))


def parse_event(body: str) -> Message:
    """Return the event in the body of a `text/event-plain`: values unescaped."""
    head, _, inner = body.partition("\n\n")
    headers = (line.partition(": ") for line in head.split("\n") if ": " in line)
    return Message(tuple((name, url_decode(value)) for name, _, value in headers), inner)


@dataclass(slots=True)
class MessageReader:
    """Cuts what a server sends into messages; the pieces may be cut anywhere."""

    _buffer: bytearray = field(default_factory=bytearray)
    _head: tuple[tuple[str, str], ...] | None = None
    _missing: int = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes and return the messages that are complete now. Raises ClientError; feed no more after that."""
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if self._head is None:
            end = self._buffer.find(b"\n\n")
            if end < 0 or end > MAX_HEAD:
                if len(self._buffer) > MAX_HEAD:
                    raise ClientError(f"the server sent headers of more than {MAX_HEAD} bytes")
                return None
            lines = to_text(bytes(self._buffer[:end])).split("\n")
            del self._buffer[: end + 2]
            parts = (line.partition(":") for line in lines)
            self._head = tuple((name, value.strip(" \r")) for name, colon, value in parts if colon)
            self._missing = self._content_length(self._head)
        if len(self._buffer) < self._missing:
            return None
        body = to_text(bytes(self._buffer[: self._missing]))
        del self._buffer[: self._missing]
        message = Message(self._head, body)
        self._head, self._missing = None, 0
        return message

    @staticmethod
    def _content_length(headers: tuple[tuple[str, str], ...]) -> int:
        text = next((value for name, value in headers if name == "Content-Length"), "0")
        if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MAX_BODY:
            raise ClientError(f"the server announced a body of {text[:20]} bytes")
        return int(text)


class Client:
    """A connected client. A thread reads; `send` may be called by any thread and returns the answer."""

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        password: str = DEFAULT_PASSWORD,
        hear: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Connect and log in; raises ClientError. `hear(message)` gets events and log lines in the reading thread."""
        self._hear = hear
        self._reader = MessageReader()
        self._lock = threading.Lock()
        self._answers: deque[queue.SimpleQueue[Message | None]] = deque()
        self._closed = False
        self.goodbye = ""
        greeting: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._answers.append(greeting)
        try:
            self._socket = socket.create_connection((host, port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise ClientError(f"no server answers at {host}:{port}: {error.strerror or error}") from error
        threading.Thread(target=self._read, name="console-reader", daemon=True).start()
        if greeting.get() is None:
            raise ClientError(self.goodbye.strip() or "the server closed the line")
        answer = self.send(f"auth {password}")
        if answer.refused:
            self.close()
            raise ClientError("the server does not take this password")

    def send(self, command: str) -> Message:
        """Send a command, with its header lines if any, and return its answer. Raises ClientError."""
        answer: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                raise ClientError("the line is closed")
            self._answers.append(answer)
            try:
                self._socket.sendall(to_bytes(command) + b"\n\n")
            except OSError as error:
                raise ClientError(f"the line broke: {error.strerror or error}") from error
        message = answer.get()
        if message is None:
            raise ClientError("the server closed the line")
        return message

    def api(self, line: str) -> str:
        """Run a line of API commands as an operator types it, and return what it prints. Raises ClientError."""
        return self.send(f"api {line}\nconsole_execute: true").reply

    def close(self) -> None:
        """Close the line."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already
        self._socket.close()

    def _read(self) -> None:
        try:
            while data := self._socket.recv(_READ_SIZE):
                for message in self._reader.feed(data):
                    self._take(message)
        except (OSError, ClientError) as error:
            self.goodbye = self.goodbye or str(error)
        with self._lock:
            self._closed = True
            waiting = list(self._answers)
        for answer in waiting:
            answer.put(None)
        self._hear(Message((("Content-Type", "text/disconnect-notice"),), self.goodbye))

    def _take(self, message: Message) -> None:
        if message.kind in _ANSWERS and self._answers:
            self._answers.popleft().put(message)
        elif message.kind in ("text/disconnect-notice", "text/rude-rejection"):
            self.goodbye = self.goodbye or message.body
        else:
            self._hear(message)
