"""mod_event_socket: the switch's events and commands over TCP, as `fs_cli` and every event-socket client use them.

A client connects to the port of `event_socket.conf` (inbound), or the application `socket` connects a call to a
client (outbound).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from host.interfaces import Application
from host.module_loader import ModuleUnavailable
from host.modules.mod_event_socket import event_sink
from host.modules.mod_event_socket.connection import MODULE
from host.modules.mod_event_socket.outbound import run_socket
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import read_settings

if TYPE_CHECKING:
    from host.switch import Switch

_servers: WeakKeyDictionary[Switch, EventSocketServer] = WeakKeyDictionary()


def load(switch: Switch) -> None:
    """Listen, and register the application `socket` and the command `event_sink`.

    Raises ModuleUnavailable on a virtual clock, where no client lives.
    """
    if switch.clock.virtual:
        raise ModuleUnavailable("the event socket needs the real clock")
    server = EventSocketServer(switch, read_settings(switch.xml))
    _servers[switch] = server
    server.start()
    event_sink.commands.register(switch)
    switch.applications.add(
        Application(
            "socket",
            MODULE,
            lambda session, data: run_socket(server, session, data),
            "<ip>[:<port>]",
            "Connect to a socket",
        )
    )


def unload(switch: Switch) -> None:
    """Disconnect the clients and release the port."""
    server = _servers.pop(switch, None)
    if server is not None:
        server.stop()


def listening_address(switch: Switch) -> tuple[str, int] | None:
    """Return the address and port that the switch's event socket listens on, None when it does not."""
    server = _servers.get(switch)
    return server.address if server is not None else None


def listening_refusal(switch: Switch) -> str | None:
    """Return why the switch's event socket does not listen, None when it does or is not loaded."""
    server = _servers.get(switch)
    return server.refusal if server is not None else None
