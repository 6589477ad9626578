"""The application `socket`: the switch connects to a program that steers the call."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.ivr.park import park
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_event_socket.client import Client
from host.modules.mod_event_socket.connection import Connection
from host.modules.mod_event_socket.server import EventSocketServer

if TYPE_CHECKING:
    from host.session import Session

DEFAULT_PORT: Final = 8084
# FreeSWITCH looks at so many hosts of one list.
MOST_HOSTS: Final = 50


@dataclass(frozen=True, slots=True)
class Target:
    """One host of the list; `path` is for the program at the other end."""

    host: str
    port: int = DEFAULT_PORT
    path: str = ""


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """What the application's data asks for."""

    targets: tuple[Target, ...]
    asynchronous: bool
    full: bool


def parse_request(data: str) -> SocketRequest | None:
    """Parse `HOST[:PORT][/path][|HOST…] [async] [full]`; None when there is no host in it."""
    words = data.split()
    targets = tuple(
        target for host in (words[0].split("|")[:MOST_HOSTS] if words else ()) if (target := _target(host))
    )
    if not targets:
        return None
    flags = {word.lower() for word in words[1:]}
    return SocketRequest(targets, "async" in flags, "full" in flags)


def _target(text: str) -> Target | None:
    address, _, path = text.partition("/")
    host, colon, port = address.rpartition(":")
    if not colon or (address.endswith("]") and address.startswith("[")):
        host, port = address, ""
    host = host.removeprefix("[").removesuffix("]")
    return Target(host, leading_int(port) % 65536 if colon and port else DEFAULT_PORT, path) if host else None


def run_socket(server: EventSocketServer, session: Session, data: str) -> None:
    """Connect and let the program steer the call, until it closes the line, the call ends or is sent elsewhere."""
    channel = session.channel
    request = parse_request(data)
    if request is None:
        channel.log(LogLevel.ERR, "Parse Error!")
        return
    connection = Connection(
        server.switch,
        server,
        authorized=True,
        session=session,
        outbound=True,
        full=request.full,
        asynchronous=request.asynchronous,
    )
    client = server.open(connection, lambda client: _connect(server, client, session, request.targets))
    try:
        session.receive(None, (), until=lambda: client.connected or client.ended)
        if not client.connected:
            server.abandon(client)
        elif request.asynchronous:
            # FreeSWITCH: the call is parked once the client has said its first word.
            session.receive(None, (), until=lambda: client.greeted or client.ended)
            _wait_parked(session, client)
        else:
            _wait(session, client)
    finally:
        connection.release()


def _connect(
    server: EventSocketServer, client: Client, session: Session, targets: tuple[Target, ...]
) -> bool:
    channel = session.channel
    for target in targets:
        if client.said_goodbye:
            return False
        channel.log(LogLevel.NOTICE, f"Trying host: {target.host}")
        if target.path:
            channel.set_variable("socket_path", target.path)
        channel.set_variable("socket_host", target.host)
        try:
            family, _, _, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)[
                0
            ]
            server.replace_socket(client, socket.socket(family, socket.SOCK_STREAM))
            client.socket.connect(address)
        except OSError as error:
            channel.log(LogLevel.ERR, f"Socket Error: {error.strerror}")
            continue
        return True
    channel.log(LogLevel.ERR, "Socket Error!")
    return False


def _wait_parked(session: Session, client: Client) -> None:
    """Park the call; a client that leaves ends that."""
    parked = True

    def leave(call: Session) -> None:
        if parked:
            call.channel.clear_flag(Flag.PARK)

    client.connection.on_end = lambda: session.run_in_session(leave)
    if not client.ended:
        park(session)
    parked = False


def _wait(session: Session, client: Client) -> None:
    """Run what the client asks for; a transfer takes place when the client lets go of the call."""
    while not client.ended and session.channel.up:
        session.receive(None, (), until=lambda: client.ended)
        if not client.ended and session.channel.up:
            session.inbox.wait(None)
