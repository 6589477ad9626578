"""Two event-socket clients from PyPI against the event socket, inbound and outbound."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from host.hangup_cause import HangupCause, parse_cause
from host.interfaces import Application
from host.modules.mod_event_socket.server import EventSocketServer
from host.session import Session
from host.switch import Switch
from tests.free_ports import free_port as unused_port

# gevent must patch a process before anything else, so greenswitch runs in one of its own.
GREENSWITCH_INBOUND = """
from gevent import monkey; monkey.patch_all()
import sys, gevent, gevent.event, greenswitch
client = greenswitch.InboundESL(host="127.0.0.1", port=int(sys.argv[1]), password="ClueCon")
client.connect()
heard = gevent.event.Event()
def job(event):
    print("job", event.headers["Job-UUID"], event.headers["Job-Command"], event.headers["Job-Command-Arg"])
    heard.set()
client.register_handle("BACKGROUND_JOB", job)
print(client.send("events plain BACKGROUND_JOB").data)
print(client.send("api echo one two").data)
print(client.send("bgapi echo three\\nJob-UUID: my-job").data)
heard.wait(30)
client.stop()
"""

GREENSWITCH_OUTBOUND = """
from gevent import monkey; monkey.patch_all()
import sys, greenswitch, gevent
class Steer:
    def __init__(self, session):
        self.session = session
    def run(self):
        self.session.connect()
        self.session.myevents()
        self.session.linger()
        print(self.session.session_data["Unique-ID"] == self.session.uuid, flush=True)
        self.session.call_command("note", "from greenswitch")
        self.session.hangup("USER_BUSY")
        self.session.stop()
        gevent.spawn_later(0.5, server.stop)
server = greenswitch.OutboundESLServer(bind_address="127.0.0.1", bind_port=int(sys.argv[1]), application=Steer,
                                       max_connections=5)
server.listen()
"""


def test_greenswitch_inbound(server: EventSocketServer) -> None:
    pytest.importorskip("greenswitch")
    assert server.address is not None
    done = subprocess.run(
        [sys.executable, "-c", GREENSWITCH_INBOUND, str(server.address[1])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "+OK event listener enabled plain",
        "one two",
        "+OK Job-UUID: my-job",
        "job my-job echo three",
    ], done.stderr


@pytest.fixture
def notes(switch: Switch) -> list[str]:
    noted: list[str] = []

    def note(session: Session, data: str) -> None:
        noted.append(data)

    def hangup(session: Session, data: str) -> None:
        session.channel.hangup(parse_cause(data) if data else HangupCause.NORMAL_CLEARING)

    for name, run in (("note", note), ("hangup", hangup)):
        switch.applications.add(Application(name, "mod_test", run))
    return noted


@pytest.fixture
def free_port() -> int:
    return unused_port()


def test_greenswitch_outbound(
    server: EventSocketServer, call: Callable[..., Session], notes: list[str], free_port: int
) -> None:
    pytest.importorskip("greenswitch")
    process = subprocess.Popen(
        [sys.executable, "-c", GREENSWITCH_OUTBOUND, str(free_port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        while not notes:  # it says nothing of when it listens
            assert process.poll() is None
            session = call(("socket", f"127.0.0.1:{free_port} async full"))
            assert session.ended.wait(session.clock.now() + 30_000_000)
            if not notes:
                session.clock.sleep(100_000)
        assert process.stdout.readline() == "True\n"
    finally:
        process.kill()
        process.communicate()
    assert notes == ["from greenswitch"]
    assert session.channel.hangup_cause.name == "USER_BUSY"


def test_genesis_inbound(server: EventSocketServer) -> None:
    genesis = pytest.importorskip("genesis")
    address = server.address
    assert address is not None

    async def talk() -> list[str]:
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def hear(event: dict[str, str]) -> None:
            await heard.put(event["Text"])

        async with genesis.Inbound("127.0.0.1", address[1], "ClueCon") as client:
            client.on("HEARTBEAT", hear)
            await client.send("events plain HEARTBEAT")
            answer = await client.send("api echo one")
            await client.send("sendevent HEARTBEAT\nText: two")
            return [answer.body, await heard.get()]

    assert asyncio.run(talk()) == ["one", "two"]


def test_genesis_outbound(
    server: EventSocketServer, call: Callable[..., Session], notes: list[str], free_port: int
) -> None:
    genesis = pytest.importorskip("genesis")
    seen: list[str] = []

    async def steer(session: object) -> None:
        seen.append(session.context["Unique-ID"])  # type: ignore[attr-defined]
        await session.send("myevents")  # type: ignore[attr-defined]
        await session.sendmsg("execute", "note", "from genesis")  # type: ignore[attr-defined]
        await session.hangup()  # type: ignore[attr-defined]

    async def serve() -> Session:
        program = genesis.Outbound("127.0.0.1", free_port, steer)
        listening = asyncio.create_task(program.start())
        while not program.server:
            await asyncio.sleep(0.01)
        session = call(("socket", f"127.0.0.1:{free_port} async full"))
        while session.uuid in session.switch.sessions:
            await asyncio.sleep(0.01)
        listening.cancel()
        return session

    session = asyncio.run(asyncio.wait_for(serve(), 60))
    assert seen == [session.uuid]
    assert notes == ["from genesis"]
