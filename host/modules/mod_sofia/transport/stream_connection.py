"""One connection of a stream: TCP, perhaps TLS on it, perhaps a WebSocket in it; sans-IO layers around one socket."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from host.modules.mod_sofia.message import Source
from host.modules.mod_sofia.transport.listener import bracketed, unbracketed, wire_bytes
from host.modules.mod_sofia.transport.tls_layer import TlsLayer

if TYPE_CHECKING:
    from host.modules.mod_sofia.transport.stream_server import StreamServer

# What is read before the loop's timers and other sockets get their turn: at most some hundred messages.
_CHUNK: Final = 16_384
READS_A_TURN: Final = 2
# What is kept for a far end that does not read; a thousand messages, then it is given up.
MAX_UNSENT: Final = 1024 * 1024


class Framing(Protocol):
    """How messages stand in a stream."""

    broken: str
    established: bool

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not complete."""

    def receive(self, data: bytes) -> list[bytes]:
        """Take what came and return the messages that are complete."""

    def outgoing(self) -> bytes:
        """Return, once, what the framing itself has to say."""

    def wrap(self, message: bytes) -> bytes:
        """Return the bytes that carry a message."""

    def ping(self) -> bytes:
        """Return the bytes of a keep-alive."""

    def farewell(self) -> bytes:
        """Return what is sent before closing."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What stands between a connection's socket and its messages."""

    framing: Framing
    tls: TlsLayer | None = None
    acceptable: Callable[[TlsLayer], bool] | None = None  # of a session that has just been established


class StreamConnection:
    """A `Carrier`: what is sent with it goes to the far end of this connection, whatever address is given."""

    def __init__(
        self,
        server: StreamServer,
        sock: socket.socket,
        peer: tuple[str, int],
        layers: Layers,
        *,
        accepted: bool,
    ) -> None:
        self.server = server
        self.transport = server.transport
        self.peer = peer
        self.source = Source(*peer, server.transport)
        self.layers = layers
        self.accepted = accepted
        self.connected = accepted
        self.closed = False
        self.closing = False  # closed as soon as all is sent
        self.heard = False  # a whole message has come
        self.opened_at = self.active_at = server.stack.now()
        self.pending_since: float | None = None
        self._socket = sock
        self._unsent = bytearray()
        self._waiting = bytearray()  # plain bytes until the framing is established
        self._writing = False
        self.local = Source(*_name(sock, server), server.transport)
        if accepted:
            self._watch()
        else:
            self._writing = True
            server.stack.register(sock, self._read, self._write)

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        """Return what Via says: ((host, port), transport)."""
        return self.server.getSIPaddr()

    def addr2str(self, address: tuple[str, int]) -> str:
        """Return the far end for a log line."""
        return f"{self.transport}/{bracketed(self.peer[0])}:{self.peer[1]}"

    def far_end(self, address: tuple[str, int]) -> Source:
        """Return the far end of the connection."""
        return self.source

    @property
    def established(self) -> bool:
        """Whether messages can pass."""
        tls = self.layers.tls
        return self.connected and (tls is None or tls.established) and self.layers.framing.established

    def send_to(self, data: str | bytes, address: tuple[str, int]) -> None:
        """Send a message; when the connection is gone, over another one to `address` (RFC 3261 section 18.2.2)."""
        if self.closed or self.closing:
            other = self.server.connection(address)
            if other is not None and other is not self:
                other.send_to(data, address)
            return
        self.send_plain(self.layers.framing.wrap(wire_bytes(data)))

    def ping(self) -> None:
        """Send a keep-alive."""
        if self.established and not self.closing:
            self.send_plain(self.layers.framing.ping())

    def send_plain(self, plain: bytes) -> None:
        """Send bytes of the framing through the layers below it."""
        tls = self.layers.tls
        if tls is not None and self.connected:
            tls.send(plain)
            self._unsent += tls.outgoing()
        elif tls is not None:
            self._waiting += plain
        else:
            self._unsent += plain
        self._flush()

    def close(self, reason: str = "") -> None:
        """Close the connection now; whoever waits for it is told."""
        if self.closed:
            return
        self.closed = True
        self.server.stack.unregister(self._socket)
        self._socket.close()
        self.server.forget(self, reason)

    def end(self, reason: str = "") -> None:
        """Close the connection after what is still to be sent."""
        if self.closed or self.closing:
            return
        tls = self.layers.tls
        if self.established and (word := self.layers.framing.farewell()):
            self.send_plain(word)
        if tls is not None and tls.established:
            tls.close()
            self._unsent += tls.outgoing()
        self.closing = True
        self._flush()
        if not self.closed and (not self._unsent or not self.connected):
            self.close(reason)

    def overdue(self, now: float) -> str:
        """Return why the connection is to be closed by now, empty while it is not."""
        limits = self.server.limits
        if not self.established:
            limit = limits.handshake if self.connected else limits.connect
            return "no connection in time" if now - self.opened_at > limit else ""
        if self.closing:
            return "not read in time" if now - self.active_at > limits.message else ""
        if self.pending_since is not None and now - self.pending_since > limits.message:
            return "a message does not end"
        if not self.heard and self.accepted and now - self.opened_at > limits.first_message:
            return "no message in time"
        return "idle" if limits.idle and now - self.active_at > limits.idle else ""

    def _watch(self) -> None:
        self.server.stack.register(self._socket, self._read, self._write if self._writing else None)

    def _connected(self) -> bool:
        """Learn how connecting ended; False when it failed."""
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.close(errno.errorcode.get(error, str(error)))
            return False
        self.connected = True
        self.opened_at = self.active_at = self.server.stack.now()
        self.local = Source(*_name(self._socket, self.server), self.transport)
        tls = self.layers.tls
        if tls is not None:
            tls.begin()
            waiting, self._waiting = bytes(self._waiting), bytearray()
            if waiting:
                tls.send(waiting)
            self._unsent += tls.outgoing()
        return True

    def _write(self) -> None:
        if self.connected or self._connected():
            self._flush()

    def _flush(self) -> None:
        if not self.connected or self.closed:
            return
        try:
            while self._unsent:
                sent = self._socket.send(self._unsent)
                del self._unsent[:sent]
                self.active_at = self.server.stack.now()
        except BlockingIOError:
            pass  # the far end is slow: the rest leaves when it can be written to
        except OSError as error:
            self.close(str(error))
            return
        if len(self._unsent) > MAX_UNSENT:
            self.close("the far end does not read")
        elif self.closing and not self._unsent:
            self.close()
        elif self._writing != bool(self._unsent):
            self._writing = bool(self._unsent)
            self._watch()

    def _read(self) -> None:
        if not self.connected and not self._connected():
            return
        for _ in range(READS_A_TURN):
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                self.close(str(error))
                return
            if not data:
                self.close("closed by the far end")
                return
            if not self.closing:
                self._take(data)
            if self.closed or len(data) < _CHUNK:
                return

    def _take(self, data: bytes) -> None:
        tls, framing = self.layers.tls, self.layers.framing
        self.active_at = self.server.stack.now()
        broken = ""
        if tls is not None:
            was_established = tls.established
            data = tls.receive(data)
            broken = tls.broken
            self._unsent += tls.outgoing()
            if not was_established and tls.established and self.layers.acceptable is not None:
                broken = broken or (
                    "" if self.layers.acceptable(tls) else "a certificate that is not trusted"
                )
        messages = [] if broken or not data else framing.receive(data)
        broken = broken or framing.broken
        if reply := framing.outgoing():
            self.send_plain(reply)
        self._flush()
        self.heard = self.heard or bool(messages)
        if not framing.pending:
            self.pending_since = None
        elif messages or self.pending_since is None:
            self.pending_since = self.active_at
        for message in messages:
            if not self.closed:
                self.server.deliver(message, self)
        if broken:
            self.server.broken += 1
            self.end(broken)
        elif tls is not None and tls.ended:
            self.end("closed by the far end")


def _name(sock: socket.socket, server: StreamServer) -> tuple[str, int]:
    """Return the near address of a connection, the listener's when there is none any more."""
    try:
        name = sock.getsockname()
    except OSError:
        return server.local.ip, server.local.port
    return unbracketed(str(name[0])), int(name[1])
