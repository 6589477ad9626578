"""The event socket's framing: bytes of a client become commands, answers and events become bytes. No sockets here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from host.byte_text import to_bytes, to_text

# FreeSWITCH reads at most so many bytes as a command with its header lines; a Lua chunk behind `api lua` fits.
MAX_HEAD: Final = 10 << 20
# Bytes of one line. Dial strings of hundreds of legs and inline scripts have some 10 kB.
MAX_LINE: Final = 1 << 20
# Header lines of one command. A channel's whole data, sent back as an event, has some 300.
MAX_HEADERS: Final = 2000
# FreeSWITCH: bytes of a command's body; a client that announces more is closed.
MAX_CONTENT: Final = 16 << 20

GOODBYE: Final = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
LOST_EVENTS: Final = "killed listener because of lost events\n"
ACCESS_DENIED: Final = "Access Denied, go away.\n"

_END_OF_HEAD: Final = re.compile(rb"\n\r*\n")
_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_NUMBER: Final = re.compile(rb"\s*([+-]?[0-9]{1,18})")


class ProtocolError(ValueError):
    """What a client sent is no command, or is larger than a limit; the line is to be closed."""


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """One command: its line, its header lines in their order with names as spelled, and its body."""

    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, in any case; None without one."""
        lowered = name.lower()
        return next((value for key, value in self.headers if key.lower() == lowered), None)


@dataclass(slots=True)
class CommandReader:
    """Cuts what a client sends into commands; the pieces may be cut anywhere."""

    _buffer: bytearray = field(default_factory=bytearray)
    _searched: int = 0
    _head: tuple[str, tuple[tuple[str, str], ...]] | None = None
    _missing: int = 0

    def feed(self, data: bytes) -> list[ClientCommand]:
        """Take bytes and return the commands that are complete now. Raises ProtocolError; feed no more after that."""
        self._buffer += data
        commands = []
        while (command := self._next()) is not None:
            commands.append(command)
        return commands

    def _next(self) -> ClientCommand | None:
        if self._head is None and not self._read_head():
            return None
        if len(self._buffer) < self._missing or self._head is None:
            return None
        line, headers = self._head
        body = to_text(bytes(self._buffer[: self._missing])) if self._missing else None
        del self._buffer[: self._missing]
        self._head, self._missing = None, 0
        return ClientCommand(line, headers, body)

    def _read_head(self) -> bool:
        buffer = self._buffer
        if not self._searched:
            blank = len(buffer) - len(buffer.lstrip(b"\r\n"))
            del buffer[:blank]
        end = _END_OF_HEAD.search(buffer, max(0, self._searched))
        if end is None:
            if len(buffer) > MAX_HEAD:
                raise ProtocolError(f"a command of more than {MAX_HEAD} bytes")
            if b"\n" not in buffer and len(buffer) > MAX_LINE:
                raise ProtocolError(f"a line of more than {MAX_LINE} bytes")
            # The end is looked for again from the last line feed on; behind it only carriage returns count.
            self._searched = max(0, len(buffer.rstrip(b"\r")) - 1)
            return False
        if end.end() > MAX_HEAD:
            raise ProtocolError(f"a command of more than {MAX_HEAD} bytes")
        lines = _LINE_ENDS.split(bytes(buffer[: end.start()]))
        del buffer[: end.end()]
        self._searched = 0
        if len(lines) > MAX_HEADERS + 1:
            raise ProtocolError(f"more than {MAX_HEADERS} header lines")
        if any(len(line) > MAX_LINE for line in lines):
            raise ProtocolError(f"a line of more than {MAX_LINE} bytes")
        self._head = to_text(lines[0]), tuple(self._headers(lines[1:]))
        return True

    def _headers(self, lines: list[bytes]) -> list[tuple[str, str]]:
        headers = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not name:
                continue  # FreeSWITCH: a line that is no header is passed over
            value = value.lstrip(b" ")
            if name.lower() == b"content-length":
                self._missing = _content_length(value)
            headers.append((to_text(name), to_text(value)))
        return headers


def _content_length(value: bytes) -> int:
    number = _NUMBER.match(value)
    length = int(number[1]) if number else 0
    if not 0 <= length <= MAX_CONTENT:
        raise ProtocolError(f"Content-Length {length} is not within 0 and {MAX_CONTENT}")
    return length


def auth_request() -> bytes:
    """Return what an inbound client is greeted with."""
    return b"Content-Type: auth/request\n\n"


def command_reply(text: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return the answer to a command, with further headers behind Reply-Text."""
    more = "".join(f"{name}: {value}\n" for name, value in headers)
    return to_bytes(f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n")


def api_response(text: str) -> bytes:
    """Return the answer to `api`."""
    body = to_bytes(text)
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def event_message(form: str, text: str) -> bytes:
    """Return an event in its envelope; `text` is the event in `form` (plain, json, xml)."""
    body = to_bytes(text)
    return b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(body), form.encode(), body)


def log_message(
    level: int, text_channel: int, file: str, function: str, line: int, user_data: str, text: str
) -> bytes:
    """Return a log line as a message; `text` ends with its line feed."""
    body = to_bytes(text)
    head = (
        f"Content-Type: log/data\nContent-Length: {len(body)}\nLog-Level: {level}\nText-Channel: {text_channel}\n"
        f"Log-File: {file}\nLog-Func: {function}\nLog-Line: {line}\nUser-Data: {user_data}\n\n"
    )
    return to_bytes(head) + body


def disconnect_notice(session_uuid: str = "", message: str = GOODBYE) -> bytes:
    """Return the last message before the line is closed, for a connection of a call with the call's UUID."""
    owner = (
        f"Controlled-Session-UUID: {session_uuid}\nContent-Disposition: disconnect\n" if session_uuid else ""
    )
    body = to_bytes(message)
    return to_bytes(f"Content-Type: text/disconnect-notice\n{owner}Content-Length: {len(body)}\n\n") + body


def linger_notice(session_uuid: str, channel_name: str, seconds: int) -> bytes:
    """Return the message that the call has ended and the line lingers; -1 seconds is until the client closes."""
    return to_bytes(
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {session_uuid}\n"
        f"Content-Disposition: linger\nChannel-Name: {channel_name}\nLinger-Time: {seconds}\nContent-Length: 0\n\n"
    )


def rude_rejection() -> bytes:
    """Return what a client gets whose address is not allowed."""
    body = ACCESS_DENIED.encode()
    return b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n%b" % (len(body), body)
