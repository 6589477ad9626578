"""All the sockets of a profile: which of them reaches an address, and what has passed through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from host.modules.mod_sofia.message import Source
from host.modules.mod_sofia.transport.listener import (
    RELIABLE,
    Carrier,
    Impairment,
    Listener,
    OnData,
    family_of,
    unbracketed,
)
from host.modules.mod_sofia.transport.stack import SipStack
from host.modules.mod_sofia.transport.stream_connection import StreamConnection
from host.modules.mod_sofia.transport.stream_server import ConnectionCount, StreamLimits, StreamServer
from host.modules.mod_sofia.transport.tls_server import TlsServer, TlsSettings, TlsSettingsError
from host.modules.mod_sofia.transport.udp_server import UdpServer
from host.modules.mod_sofia.transport.websocket_server import WebSocketServer

# ("recv" or "send", the bytes, the far end, our address).
OnMessage = Callable[[str, bytes, Source, Source], object]


@dataclass(slots=True)
class TransportCounters:
    """What a profile's sockets have seen, by transport, and what went wrong."""

    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    dropped: int = 0  # well-formed, but for nobody: responses to nothing, ACKs of nothing
    repeated: int = 0  # messages that had come before
    retransmitted: int = 0  # messages of ours sent again
    timed_out: int = 0  # requests of ours without an answer
    unsendable: int = 0  # requests of ours without a way there
    unanswered: int = 0  # requests of others that none of us answered
    refused: int = 0  # requests of others beyond the limit of transactions


class Transports:
    """The servers of a profile. `on_lost(connection, reason)` is told of connections that ended or never began."""

    def __init__(
        self,
        stack: SipStack,
        on_data: OnData,
        on_lost: Callable[[StreamConnection, str], object],
        *,
        tls: TlsSettings | None = None,
        limits: StreamLimits | None = None,
        impairment: Impairment | None = None,
    ) -> None:
        self.stack = stack
        self.tls = tls
        self.limits = limits or StreamLimits()
        self.impairment = impairment
        self.count = ConnectionCount()
        self.udp_servers: list[UdpServer] = []
        self.stream_servers: list[StreamServer] = []
        self._on_data = on_data
        self._on_lost = on_lost

    def listen(self, listener: Listener) -> Source:
        """Open a socket and receive; return its address.

        OSError when the address is not to be had, TlsSettingsError when the certificates are not, ValueError for an
        unknown transport. Thread-safe.
        """
        if listener.transport == "udp":
            server = UdpServer(self.stack, listener, self._on_data, self.impairment)
            self.udp_servers.append(server)
            server.start()
            return server.local
        stream = self._stream_server(listener)
        self.stream_servers.append(stream)
        stream.start()
        return stream.local

    @property
    def listening(self) -> list[Source]:
        """The addresses that are listened on."""
        return [server.local for server in self.udp_servers] + [
            server.local for server in self.stream_servers
        ]

    def carrier(self, transport: str, address: tuple[str, int], name: str = "") -> Carrier | None:
        """Return what reaches an address: a UDP server, a connection there is, else a new one to the host `name`.

        None when nothing does: no such listener, no literal address, too many connections.
        """
        family = family_of(unbracketed(address[0]))
        if transport == "udp":
            return next((server for server in self.udp_servers if server.family == family), None)
        servers = [
            server
            for server in self.stream_servers
            if server.transport == transport and server.family == family
        ]
        for server in servers:
            known = server.existing(address)
            if known is not None and not known.closing:
                return known
        return servers[0].connection(address, name) if servers else None

    def connected(self, far: Source) -> bool:
        """Return whether there is a connection to an address."""
        for server in self.stream_servers:
            known = (
                server.existing((unbracketed(far.ip), far.port))
                if server.transport == far.transport
                else None
            )
            if known is not None and not known.closing:
                return True
        return False

    def has(self, transport: str) -> bool:
        """Return whether there is a listener of a transport."""
        return any(source.transport == transport for source in self.listening)

    def add_alias(self, carrier: Carrier, port: int) -> None:
        """Let requests to `port` of the far end use the connection a request with `alias` came over."""
        if isinstance(carrier, StreamConnection) and carrier.transport in RELIABLE:
            carrier.server.add_alias(carrier, port)

    def shutdown(self) -> None:
        """Close all sockets. For the SIP thread, or once the stack is stopped."""
        for server in self.udp_servers:
            server.shutdown()
        for stream in self.stream_servers:
            stream.shutdown()

    def _stream_server(self, listener: Listener) -> StreamServer:
        found = self._on_data, self._on_lost
        match listener.transport:
            case "tcp":
                return StreamServer(self.stack, listener, *found, limits=self.limits, count=self.count)
            case "tls":
                tls = self._tls(listener)
                return TlsServer(self.stack, listener, *found, tls, limits=self.limits, count=self.count)
            case "ws":
                return WebSocketServer(self.stack, listener, *found, limits=self.limits, count=self.count)
            case "wss":
                tls = self._tls(listener)
                return WebSocketServer(
                    self.stack, listener, *found, tls, limits=self.limits, count=self.count
                )
        raise ValueError(f"no transport of SIP: {listener.transport}")

    def _tls(self, listener: Listener) -> TlsSettings:
        if self.tls is None:
            raise TlsSettingsError(f"{listener.transport} without settings of TLS")
        return self.tls
