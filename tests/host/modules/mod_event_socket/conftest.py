"""A switch in real time with an event socket on a free port, and raw clients of it."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest

from host.clock import RealClock
from host.interfaces import ApiCommand, Application
from host.modules.mod_event_socket.outbound import run_socket
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings
from host.session import Session
from host.switch import Switch
from tests.host.handset import start_call

DIRECTORY = """<document type="freeswitch/xml"><section name="directory"><domain name="d.test">
<user id="op"><params><param name="esl-password" value="secret"/><param name="esl-allowed-api" value="echo"/>
<param name="esl-allowed-events" value="API,HEARTBEAT"/><param name="esl-allowed-log" value="false"/></params></user>
<user id="free"><params><param name="esl-password" value="secret"/></params></user>
<user id="none"/></domain></section></document>"""


@dataclass(slots=True)
class RawClient:
    """A raw socket that reads message by message."""

    socket: socket.socket
    buffer: bytes = b""
    events: deque[tuple[dict[str, str], str]] = field(default_factory=deque)

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode() + b"\n\n")

    def message(self) -> tuple[dict[str, str], str]:
        while b"\n\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\n\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\n"))
        length = int(headers.get("Content-Length", 0))
        while len(self.buffer) < length:
            self._fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return headers, body.decode()

    def _fill(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def command(self, text: str) -> str:
        """Send a command and return its answer; events that come before it are kept for `event`."""
        self.send(text)
        headers, body = self.message()
        while headers["Content-Type"].startswith("text/event-"):
            self.events.append((headers, body))
            headers, body = self.message()
        assert headers["Content-Type"] in ("command/reply", "api/response"), headers
        return body if headers["Content-Type"] == "api/response" else headers["Reply-Text"]

    def event(self) -> tuple[dict[str, str], str]:
        headers, text = self.events.popleft() if self.events else self.message()
        assert headers["Content-Type"] == "text/event-plain", headers
        head, _, body = text.partition("\n\n")
        return {
            name: unquote(value) for name, value in (line.split(": ", 1) for line in head.split("\n"))
        }, body

    def rest(self) -> bytes:
        """Return everything up to the end of the line."""
        while True:
            try:
                self._fill()
            except EOFError:
                return self.buffer

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    made.xml.load_text(DIRECTORY)
    made.api_commands.add(ApiCommand("echo", "mod_test", lambda request: request.argument))
    made.api_commands.add(ApiCommand("quiet", "mod_test", lambda request: None))
    made.applications.add(Application("note", "mod_test", lambda session, data: None))
    yield made
    made.close()


@pytest.fixture
def server(switch: Switch) -> Iterator[EventSocketServer]:
    made = EventSocketServer(switch, Settings(port=0))
    made.start()
    switch.applications.add(
        Application("socket", "mod_event_socket", lambda session, data: run_socket(made, session, data))
    )
    yield made
    made.stop()


@pytest.fixture
def stranger(server: EventSocketServer) -> Iterator[Callable[[], RawClient]]:
    """Makes clients that have not been let in."""
    made: list[RawClient] = []

    def connect() -> RawClient:
        assert server.address is not None
        made.append(RawClient(socket.create_connection(server.address, timeout=30)))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def connect(stranger: Callable[[], RawClient]) -> Callable[[], RawClient]:
    """Makes clients that have been let in."""

    def let_in() -> RawClient:
        client = stranger()
        assert client.message() == ({"Content-Type": "auth/request"}, "")
        assert client.command("auth ClueCon") == "+OK accepted"
        return client

    return let_in


@pytest.fixture
def client(connect: Callable[[], RawClient]) -> RawClient:
    return connect()


@pytest.fixture
def call(switch: Switch) -> Callable[..., Session]:
    """Starts calls that run the applications given."""
    return partial(start_call, switch, destination="100")
