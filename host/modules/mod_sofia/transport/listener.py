"""What a profile listens on, and what all servers have in common."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from host.modules.mod_sofia.message import Source

# RFC 3261 section 18: what arrives in order and surely, so that nothing is sent again.
RELIABLE: Final = frozenset(("tcp", "tls", "ws", "wss"))
DEFAULT_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket to listen on. `advertised` is what Via says where it is not the address itself (`ext-sip-ip`).

    `admits(origin, host)` tells whether a browser's page may connect by WebSocket, by the headers of those names.
    """

    transport: str  # udp, tcp, tls, ws, wss
    ip: str  # a literal address, IPv6 without brackets
    port: int  # 0 for any that is free
    advertised: tuple[str, int] | None = None
    admits: Callable[[str, str], bool] | None = None


@dataclass(slots=True)
class Impairment:
    """Loss and delay put on datagrams, for tests of retransmission and reordering."""

    loss_in: float = 0.0
    loss_out: float = 0.0
    delay_in: float = 0.0  # seconds at most
    delay_out: float = 0.0
    random: Random = field(default_factory=Random)

    def fate_in(self) -> float | None:
        """Return the delay of what was received in seconds, None when it is lost."""
        return self._fate(self.loss_in, self.delay_in)

    def fate_out(self) -> float | None:
        """Return the delay of what is sent in seconds, None when it is lost."""
        return self._fate(self.loss_out, self.delay_out)

    def _fate(self, loss: float, delay: float) -> float | None:
        if loss and self.random.random() < loss:
            return None
        return self.random.random() * delay if delay else 0.0


class Carrier(Protocol):
    """What a message is sent with, in the form sippy knows: a UDP server, or a connection of a stream server."""

    transport: str

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        """Return what Via says: ((host, port), transport)."""

    def send_to(self, data: str | bytes, address: tuple[str, int]) -> None:
        """Send a message; text is latin-1. Never blocks."""

    def far_end(self, address: tuple[str, int]) -> Source:
        """Return where what is sent to an address goes."""

    @property
    def local(self) -> Source:
        """The address it is bound to."""


# A message came: its bytes, from where, and what answers to it are sent with.
OnData = Callable[[bytes, Source, Carrier], object]


def bracketed(ip: str) -> str:
    """Return an address as it stands in URIs and Via."""
    return f"[{ip}]" if ":" in ip and not ip.startswith("[") else ip


def unbracketed(ip: str) -> str:
    """Return an address as sockets take it."""
    return ip[1:-1] if ip.startswith("[") and ip.endswith("]") else ip


def family_of(ip: str) -> socket.AddressFamily:
    """Return the address family of a literal address."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def bind(sock: socket.socket, listener: Listener, transport: str) -> Source:
    """Bind a socket to a listener's address and return what it is bound to; IPv6 leaves IPv4 to others. OSError."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((unbracketed(listener.ip), listener.port))
    name = sock.getsockname()
    return Source(str(name[0]), int(name[1]), transport)


def sip_address(listener: Listener, local: Source) -> tuple[tuple[str, int], str]:
    """Return what Via says, ((host, port), transport), for a socket that is bound to `local`."""
    return listener.advertised or (bracketed(local.ip), local.port), local.transport


def wire_bytes(data: str | bytes) -> bytes:
    """Return a message's bytes; a character of sippy's text is a byte."""
    return data if isinstance(data, bytes) else data.encode("latin-1", "replace")
