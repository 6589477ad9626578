"""A far end whose every datagram a test writes, and messages as it would write them."""

from __future__ import annotations

import itertools
import socket

from host.modules.mod_sofia.message import Source

HOST = "127.0.0.1"
# How long a far end waits for what is to come.
PATIENCE = 20.0

_numbers = itertools.count(1)


class FarEnd:
    """A UDP socket at `address` that speaks with one profile, which listens at `home`."""

    def __init__(self, home: Source | None = None) -> None:
        self.home = home
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.settimeout(PATIENCE)
        self.address = Source(HOST, self._socket.getsockname()[1], "udp")

    def send(self, data: bytes) -> None:
        assert self.home is not None
        self._socket.sendto(data, self.home[:2])

    def recv(self) -> bytes:
        """Return the next datagram."""
        return self._socket.recv(65535)

    def recv_but(self, start: str) -> bytes:
        """Return the next datagram that does not start with these words."""
        while first_line(data := self.recv()).startswith(start):
            pass
        return data


def raw_request(
    method: str = "OPTIONS",
    *headers: str,
    branch: str = "",
    call_id: str = "",
    to_tag: str = "",
    transport: str = "UDP",
    via: str = "192.0.2.9:5070",
    params: str = ";rport",
    body: str = "",
) -> bytes:
    """Return the bytes of a request as a far end would write it."""
    number = next(_numbers)
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"{method} sip:lin@example.net SIP/2.0",
        f"Via: SIP/2.0/{transport} {via};branch={branch or f'z9hG4bK{number}'}{params}",
        "Max-Forwards: 70",
        "From: <sip:ada@example.org>;tag=far",
        f"To: <sip:lin@example.net>{tag}",
        f"Call-ID: {call_id or f'raw-{number}'}",
        f"CSeq: 1 {method}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def raw_response(request: bytes, code: int, *headers: str, to_tag: str = "there") -> bytes:
    """Return the bytes of a response to a request."""
    kept = []
    for line in request.decode().split("\r\n\r\n")[0].split("\r\n")[1:]:
        name = line.partition(":")[0].lower()
        if name in ("via", "from", "call-id", "cseq"):
            kept.append(line)
        elif name == "to":
            kept.append(line if ";tag=" in line or code == 100 else f"{line};tag={to_tag}")
    return ("\r\n".join([f"SIP/2.0 {code} Word", *kept, *headers, "Content-Length: 0"]) + "\r\n\r\n").encode()


def first_line(data: bytes) -> str:
    """Return a message's start line."""
    return data.decode("latin-1").partition("\r\n")[0]


def header(data: bytes, name: str) -> str:
    """Return the value of a header, empty without."""
    for line in data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return ""
