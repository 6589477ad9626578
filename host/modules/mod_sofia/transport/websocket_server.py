"""SIP over WebSockets (RFC 7118): a message is a frame's worth of data. Browsers connect; nobody is connected to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from host.modules.mod_sofia.transport.listener import Listener, OnData
from host.modules.mod_sofia.transport.stack import SipStack
from host.modules.mod_sofia.transport.stream_connection import Layers, StreamConnection
from host.modules.mod_sofia.transport.stream_framing import MAX_MESSAGE
from host.modules.mod_sofia.transport.stream_server import ConnectionCount, StreamLimits, StreamServer
from host.modules.mod_sofia.transport.tls_layer import TlsLayer
from host.modules.mod_sofia.transport.tls_server import TlsSettings, server_context

SIP: Final = Subprotocol("sip")

# The library logs what it refuses; what comes over the network is counted here instead.
_LOG: Final = logging.getLogger(f"{__name__}.protocol")
_LOG.disabled = True


def _choose_sip(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol:
    """Accept clients that offer `sip` (RFC 7118 section 4.1), and no others."""
    if SIP not in offered:
        raise NegotiationError("the subprotocol is sip")
    return SIP


class WebSocketFraming:
    """The server's end of a WebSocket, without compression. `admits(origin, host)` as `Listener.admits`."""

    def __init__(self, admits: Callable[[str, str], bool] | None = None) -> None:
        self.broken = ""
        self._admits = admits
        self.established = False
        self._protocol = ServerProtocol(select_subprotocol=_choose_sip, max_size=MAX_MESSAGE, logger=_LOG)
        self._parts: list[bytes] = []
        self._bytes_seen = False

    @property
    def pending(self) -> bool:
        """Whether a message, or the handshake, has begun that is not complete."""
        return bool(self._parts) or self._bytes_seen

    def receive(self, data: bytes) -> list[bytes]:
        """Take what came and return the messages that are complete."""
        if self.broken:
            return []
        self._protocol.receive_data(data)
        found: list[bytes] = []
        events = self._protocol.events_received()
        for event in events:
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._take(event, found)
        # bytes that made no event are the beginning of one
        self._bytes_seen = not events
        if not self.broken:
            if self._protocol.state is State.CLOSING or self._protocol.state is State.CLOSED:
                self.broken = "the WebSocket was closed"
            elif self._protocol.handshake_exc is not None:
                self.broken = "no WebSocket handshake"
        return found

    def outgoing(self) -> bytes:
        """Return, once, what the protocol has to say: handshake, pongs, a close."""
        return b"".join(self._protocol.data_to_send())

    def wrap(self, message: bytes) -> bytes:
        """Return the frame that carries a message: of text where it is UTF-8, of bytes otherwise."""
        if not self.established or self._protocol.state is not State.OPEN:
            return b""
        try:
            message.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)
        return self.outgoing()

    def ping(self) -> bytes:
        """Return a ping of the WebSocket."""
        if self.established and self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
        return self.outgoing()

    def farewell(self) -> bytes:
        """Return the frame that closes."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1001)
        return self.outgoing()

    def _shake_hands(self, request: Request) -> None:
        if self._is_refused(request):
            response = self._protocol.reject(HTTPStatus.FORBIDDEN, "Pages of others may not connect.\n")
        else:
            response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self.established = response.status_code == 101
        if not self.established:
            self.broken = "no WebSocket handshake"

    def _is_refused(self, request: Request) -> bool:
        """Whether it is a page that asks, and one that may not; programs name no origin."""
        origins = request.headers.get_all("Origin")
        if self._admits is None or not origins:
            return False
        return not self._admits(", ".join(origins), ", ".join(request.headers.get_all("Host")))

    def _take(self, frame: Frame, found: list[bytes]) -> None:
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        message = b"".join(self._parts)
        self._parts.clear()
        if message.strip(b"\r\n"):
            found.append(message)
        elif message == b"\r\n\r\n":  # RFC 5626 section 3.5.1, which some clients use here too
            self._protocol.send_text(b"\r\n")


class WebSocketServer(StreamServer):
    """WebSockets on TCP, or with `tls` on TLS (`wss`)."""

    connects = False

    def __init__(
        self,
        stack: SipStack,
        listener: Listener,
        on_data: OnData,
        on_lost: Callable[[StreamConnection, str], object],
        tls: TlsSettings | None = None,
        *,
        limits: StreamLimits | None = None,
        count: ConnectionCount | None = None,
    ) -> None:
        self.transport = "ws" if tls is None else "wss"
        self._context = None if tls is None else server_context(tls, websocket=True)
        super().__init__(stack, listener, on_data, on_lost, limits=limits, count=count)

    def layers(self, server_side: bool, name: str = "") -> Layers:
        """Return the framing of a WebSocket, TLS below it where that is asked for."""
        tls = None if self._context is None else TlsLayer(self._context, server_side=True)
        return Layers(WebSocketFraming(self.listener.admits), tls)
