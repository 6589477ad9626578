"""SIP over connections: the listening socket, the connections in both directions, and what limits them."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from host.modules.mod_sofia.transport.listener import (
    Listener,
    OnData,
    bind,
    family_of,
    sip_address,
    unbracketed,
)
from host.modules.mod_sofia.transport.stack import SipStack, Timer
from host.modules.mod_sofia.transport.stream_connection import Layers, StreamConnection
from host.modules.mod_sofia.transport.stream_framing import StreamFraming

# Connections accepted before the loop's timers and other sockets get their turn.
ACCEPTS_A_TURN: Final = 32
# Connections that the kernel has accepted and we have not: a whole office after a power failure.
_BACKLOG: Final = 512
# When the process has no descriptors left, accepting pauses.
_PAUSE: Final = 1.0
_OUT_OF_DESCRIPTORS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Of connections; times in seconds.

    The numbers keep one address, or one without an account, from taking all of a process's descriptors and memory
    (some 100 kB a TLS connection); the times let nobody hold a connection by sending a byte now and then.
    """

    connections: int = 10_000  # of one profile
    per_address: int = 1_000  # of one address of the far end: an office behind NAT
    connect: float = 5.0
    handshake: float = 10.0  # TLS and WebSocket
    first_message: float = 30.0  # from one who has connected to us
    message: float = 15.0  # from its first byte to its last
    idle: float = 3_700.0  # a registration of an hour is renewed within; 0 for ever
    keepalive: float = 0.0  # pings of ours, 0 for none (FreeSWITCH: tcp-keepalive)
    sweep: float = 1.0  # how often the times are looked at


@dataclass(slots=True)
class ConnectionCount:
    """The connections of a profile, over all of its servers."""

    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    def take(self, ip: str, limits: StreamLimits) -> bool:
        """Count one more; False, counted as refused, when there are enough."""
        if self.total >= limits.connections or self.by_address[ip] >= limits.per_address:
            self.refused += 1
            return False
        self.total += 1
        self.by_address[ip] += 1
        return True

    def release(self, ip: str) -> None:
        """Count one less."""
        self.total -= 1
        self.by_address[ip] -= 1
        if not self.by_address[ip]:
            del self.by_address[ip]


class StreamServer:
    """TCP. Subclasses put TLS or WebSockets on it. OSError when the address is not to be had."""

    transport = "tcp"
    connects = True  # whether it opens connections itself

    def __init__(
        self,
        stack: SipStack,
        listener: Listener,
        on_data: OnData,
        on_lost: Callable[[StreamConnection, str], object],
        *,
        limits: StreamLimits | None = None,
        count: ConnectionCount | None = None,
    ) -> None:
        self.stack = stack
        self.listener = listener
        self.limits = limits or StreamLimits()
        self.count = count or ConnectionCount()
        self.broken = 0  # connections that ended by what came over them
        self.connections: dict[tuple[str, int], StreamConnection] = {}
        self._aliases: dict[tuple[str, int], StreamConnection] = {}
        self._on_data = on_data
        self._on_lost = on_lost
        self._closed = False
        self._sweeping: Timer | None = None
        self._pinged_at = stack.now()
        self.family = family_of(unbracketed(listener.ip))
        self._socket = self._new_socket()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.local = bind(self._socket, listener, self.transport)
            self._socket.listen(_BACKLOG)
        except BaseException:
            self._socket.close()
            raise
        self._sip_address = sip_address(listener, self.local)

    def start(self) -> None:
        """Begin to accept connections."""
        self.stack.register(self._socket, self._accept)
        self.stack.call(self._sweep_later)

    def layers(self, server_side: bool, name: str = "") -> Layers:
        """Return what stands between a new connection's socket and its messages; `name` is the host connected to."""
        return Layers(StreamFraming())

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        """Return what Via says: ((host, port), transport)."""
        return self._sip_address

    def connection(self, address: tuple[str, int], name: str = "") -> StreamConnection | None:
        """Return the connection to an address, a new one where there is none; None where there can be none."""
        known = self.existing(address)
        if known is not None or not self.connects or self._closed:
            return known
        return self._connect((unbracketed(address[0]), address[1]), name)

    def existing(self, address: tuple[str, int]) -> StreamConnection | None:
        """Return the connection to an address, also one that the far end has opened; None without."""
        key = (unbracketed(address[0]), address[1])
        return self.connections.get(key) or self._aliases.get(key)

    def add_alias(self, connection: StreamConnection, port: int) -> None:
        """Let requests to `port` of the far end use a connection that it has opened (RFC 5923 section 5).

        Over TLS the far end must have shown a certificate: anybody can name a port.
        """
        tls = connection.layers.tls
        if connection.accepted and not connection.closed and (tls is None or tls.verified):
            self._aliases.setdefault((connection.peer[0], port), connection)

    def deliver(self, message: bytes, connection: StreamConnection) -> None:
        """Hand a message on."""
        try:
            self._on_data(message, connection.source, connection)
        except Exception as error:
            self.stack.report("a SIP message", error)

    def forget(self, connection: StreamConnection, reason: str) -> None:
        """Take a connection off the books, and tell."""
        if self.connections.get(connection.peer) is connection:
            del self.connections[connection.peer]
            self.count.release(connection.peer[0])
        for key in [key for key, value in self._aliases.items() if value is connection]:
            del self._aliases[key]
        if not self._closed:
            self._on_lost(connection, reason)

    def shutdown(self) -> None:
        """Close the listening socket now, and the connections in the SIP thread."""
        if not self._closed:
            self._closed = True
            self.stack.unregister(self._socket)
            self._socket.close()
            for connection in list(self.connections.values()):
                connection.close()
            if self._sweeping is not None:
                self._sweeping.cancel()

    def _new_socket(self) -> socket.socket:
        return socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self.count.refused += 1
                    self.stack.unregister(self._socket)
                    self.stack.call_later(_PAUSE, self._resume)
                    return
                continue
            peer = (str(address[0]), int(address[1]))
            if not self.count.take(peer[0], self.limits):
                sock.close()
                continue
            self._begin(sock, peer, self.layers(server_side=True), accepted=True)

    def _resume(self) -> None:
        if not self._closed:
            self.stack.register(self._socket, self._accept)

    def _begin(
        self, sock: socket.socket, peer: tuple[str, int], layers: Layers, *, accepted: bool
    ) -> StreamConnection:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = StreamConnection(self, sock, peer, layers, accepted=accepted)
        self.connections[peer] = connection
        return connection

    def _connect(self, peer: tuple[str, int], name: str) -> StreamConnection | None:
        try:
            socket.inet_pton(self.family, peer[0])  # a name would be looked up, and that blocks
        except (OSError, UnicodeError):
            return None
        if not self.count.take(peer[0], self.limits):
            return None
        sock: socket.socket | None = None
        try:
            sock = self._new_socket()
            sock.bind((self.local.ip, 0))
            result = sock.connect_ex(peer)
            if result not in (0, errno.EINPROGRESS):
                raise OSError(result, "connect")
            return self._begin(sock, peer, self.layers(server_side=False, name=name), accepted=False)
        except (OSError, OverflowError):
            if sock is not None:
                sock.close()
            self.count.release(peer[0])
            return None

    def _sweep_later(self) -> None:
        if not self._closed:
            self._sweeping = self.stack.call_later(self.limits.sweep, self._sweep)

    def _sweep(self) -> None:
        """Close what takes too long."""
        self._sweep_later()
        now = self.stack.now()
        for connection in list(self.connections.values()):
            if reason := connection.overdue(now):
                connection.close(reason)
        if self.limits.keepalive and now - self._pinged_at >= self.limits.keepalive:
            self._pinged_at = now
            for connection in list(self.connections.values()):
                connection.ping()
