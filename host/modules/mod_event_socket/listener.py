"""The port that the event socket's clients come to: it is taken, and tried again while somebody else has it."""

from __future__ import annotations

import selectors
import socket
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND
from host.log import LogLevel

if TYPE_CHECKING:
    from host.modules.mod_event_socket.server import EventSocketServer

# FreeSWITCH: how long until the port is tried again that somebody else has.
BIND_AGAIN: Final = 100 * MILLISECOND
_BACKLOG: Final = 128


class Listener:
    """The listening socket of a server, once there is one."""

    def __init__(self, server: EventSocketServer, selector: selectors.BaseSelector) -> None:
        self.socket: socket.socket | None = None
        self.refusal: str | None = None  # why it does not listen
        self._server = server
        self._selector = selector

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None while it does not."""
        if self.socket is None:
            return None
        name = self.socket.getsockname()
        return str(name[0]), int(name[1])

    def bind(self) -> None:
        """Listen. A port that is taken is complained of once and tried again later, unless the settings say not to."""
        server = self._server
        if server.stopping:
            return
        address, port = server.settings.address, server.settings.port
        try:
            family, _, _, _, name = socket.getaddrinfo(
                address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            server.log(LogLevel.ERR, f"Cannot get information about IP address {address}")
            return
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(name)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if self.refusal is None:
                reason = f"Could not listen on {address}:{port} ({error.strerror})"
                server.log(LogLevel.ERR, f"Socket Error! {reason}")
            self.refusal = f"{address}:{port}: {error.strerror}"
            if not server.settings.stop_on_bind_error:
                server.switch.clock.call_later(BIND_AGAIN, lambda: server.feed.put(self.bind))
            return
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        self.socket = listener
        self.refusal = None
        server.log(LogLevel.DEBUG, f"Socket up listening on {address}:{port}")

    def accept(self) -> tuple[socket.socket, str, int] | None:
        """Return the socket of a client that has come, with its address and port; None when it has gone again."""
        if self.socket is None:
            return None
        try:
            connected, address = self.socket.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                self._server.log(LogLevel.ERR, f"Socket Error [{error.strerror}]")
            return None
        return connected, str(address[0]), int(address[1])

    def close(self) -> None:
        """Release the port."""
        if self.socket is not None:
            self.socket.close()
