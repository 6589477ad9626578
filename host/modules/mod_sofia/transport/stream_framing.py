"""SIP messages in a stream of bytes: where one ends (`Content-Length`) and what between them keeps the stream alive."""

from __future__ import annotations

import re
from typing import Final

# The whole of a message, as for a datagram.
MAX_MESSAGE: Final = 65_535
# The head of one; what is longer than half of a message has headers that nobody needs.
MAX_HEAD: Final = 32_768
# `Content-Length` has no more digits than its limit needs, with some leading zeros.
_MAX_DIGITS: Final = 10

_HEAD_END: Final = re.compile(rb"\r\n\r\n|\n\n")
_LENGTH: Final = re.compile(rb"\n(?:content-length|l)[ \t]*:(?:[ \t]|\r?\n[ \t])*([^\r\n]*)", re.IGNORECASE)
# How a start line begins: a method or SIP/2.0 (tokens of RFC 3261 section 25.1).
_TOKEN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
_PONG: Final = b"\r\n"
_HALF_PINGS: Final = (b"\r", b"\r\n", b"\r\n\r")


class StreamFraming:
    """Cuts messages out of a stream. Once `broken` tells a reason, the stream cannot be read any further.

    RFC 5626 section 3.5.1: CRLFCRLF between messages is a ping and answered with CRLF, a CRLF alone is the answer.
    """

    def __init__(self) -> None:
        self.broken = ""
        self.established = True
        self._buffer = bytearray()
        self._searched = 0  # no end of the head before this
        self._size = 0  # of the message that is coming in, 0 until its head is there
        self._replies = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not complete."""
        return bool(self._buffer.lstrip(_PONG))

    def receive(self, data: bytes) -> list[bytes]:
        """Take what came and return the messages that are complete; of one that breaks the stream what there is."""
        if self.broken:
            return []
        buffer = self._buffer
        buffer += data
        found: list[bytes] = []
        while not self.broken:
            if not self._size and not self._measure(found):
                break
            if len(buffer) < self._size:
                break
            found.append(bytes(buffer[: self._size]))
            del buffer[: self._size]
            self._size = self._searched = 0
        return found

    def outgoing(self) -> bytes:
        """Return, once, what is to be sent in answer to keep-alives."""
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def wrap(self, message: bytes) -> bytes:
        """Return the bytes that carry a message."""
        return message

    def ping(self) -> bytes:
        """Return the bytes of a keep-alive."""
        return b"\r\n\r\n"

    def farewell(self) -> bytes:
        """Return what is sent before closing: nothing."""
        return b""

    def _measure(self, found: list[bytes]) -> bool:
        """Learn the size of the message that begins the buffer; False while its head is not complete."""
        buffer = self._buffer
        self._skip_keep_alives()
        if not buffer:
            return False
        if buffer[0] not in _TOKEN:
            if bytes(buffer[:4]) not in _HALF_PINGS:
                self.broken = "what comes is no SIP"
            return False
        end = _HEAD_END.search(buffer, max(0, self._searched - 3))
        if end is None:
            self._searched = len(buffer)
            if len(buffer) > MAX_HEAD:
                self.broken = "the headers do not end"
            return False
        lengths = {value.strip().lstrip(b"0") or b"0" for value in _LENGTH.findall(buffer, 0, end.start())}
        length = lengths.pop() if lengths else b"0"
        if lengths or not length.isdigit() or len(length) > _MAX_DIGITS:
            self.broken = "a bad Content-Length"
        elif end.end() + int(length) > MAX_MESSAGE or end.end() > MAX_HEAD:
            self.broken = "a message is too long"
        if self.broken:
            found.append(bytes(buffer[: end.end()]))
            return False
        self._size = end.end() + int(length)
        return True

    def _skip_keep_alives(self) -> None:
        buffer = self._buffer
        while buffer.startswith(_PONG):
            if buffer.startswith(b"\r\n\r\n"):
                self._replies += _PONG
                del buffer[:4]
            elif len(buffer) > 2 and buffer[2:] != b"\r":
                del buffer[:2]
            else:
                return  # half of a ping, or all of an answer
        if buffer.startswith(b"\n"):
            del buffer[:1]
