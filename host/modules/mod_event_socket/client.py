"""A client of the event socket: its connection, its socket, and how far it has come."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.clock import Timer, Waiter
    from host.modules.mod_event_socket.connection import Connection
    from host.modules.mod_event_socket.outbox import Outbox

_KEEPALIVE: Final = 30  # seconds, FreeSWITCH's, until a silent client is asked whether it is still there


@dataclass(slots=True, eq=False)
class Client:
    """A connection with its socket. `greeted`: it has sent a command; `ended`: nothing more comes from it."""

    socket: socket.socket
    connection: Connection
    outbox: Outbox
    drained: Waiter
    answered: Waiter
    gone: Waiter
    address: str = ""
    timer: Timer | None = None
    connected: bool = False
    greeted: bool = False
    ended: bool = False
    leaving: bool = False
    watched: bool = False
    said_goodbye: bool = False
    call_end_seen: bool = False
    lost: int = 0
    thread: int = 0
    frames: list[bytes] = field(default_factory=list)

    @property
    def runs_here(self) -> bool:
        """Whether the calling thread is the one that reads this client."""
        return self.thread == threading.get_ident()

    def shut(self) -> None:
        """End both directions of its line, so that its thread reads no more."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is not connected any more


def prepare(connected: socket.socket) -> None:
    """Set up a connected socket: answers leave at once, and an end that vanished is noticed."""
    connected.setblocking(True)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE)
