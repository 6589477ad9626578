"""The edge: who may connect, slow and dead clients, and what is left after the end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from host.modules.mod_event_socket import client_thread as client_thread_code
from host.modules.mod_event_socket import outbox as outbox_code
from host.modules.mod_event_socket.outbox import Outbox
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings, read_settings
from host.switch import Switch
from tests.host.modules.mod_event_socket.conftest import RawClient
from tests.host.xml_document import settings

Connect = Callable[[], RawClient]


def fire(switch: Switch, text: str) -> None:
    event = switch.new_event("HEARTBEAT")
    event.add_header("Text", text)
    switch.fire(event)


def test_events_come_in_order_to_all_clients(switch: Switch, connect: Connect) -> None:
    clients = [connect() for _ in range(5)]
    for client in clients:
        client.command("event plain HEARTBEAT")
    for number in range(500):
        fire(switch, str(number))
    for client in clients:
        assert [client.event()[0]["Text"] for _ in range(500)] == [str(number) for number in range(500)]


def test_a_client_that_does_not_read_is_closed_and_holds_up_nobody(
    switch: Switch, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_code, "MOST_WAITING", 1 << 16)
    lost: list[str] = []
    switch.logs.add_sink(lambda entry: lost.append(entry.text))
    slow, quick = connect(), connect()
    for client in (slow, quick):
        client.command("event plain HEARTBEAT")
    for number in range(3000):
        fire(switch, f"{number} {'x' * 8000}")
        if number % 4 == 3:
            for _ in range(4):
                quick.event()
    assert any(text.startswith("Killing listener because of too many lost events") for text in lost)
    assert quick.command("api echo here") == "here"
    assert slow.rest().count(b"text/event-plain") < 3000


def test_what_an_outbox_drops_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_code, "MOST_WAITING", 1000)
    near, far = socket.socketpair()
    with near, far:
        waiting: list[bool] = []
        outbox = Outbox(near, lambda: waiting.append(True))
        sent = 0
        while outbox.offer([b"x" * 500]) == 0:
            sent += 1
        assert outbox.dropped == 1
        assert waiting == [True]
        outbox.send(b"answer")  # never dropped
        far.setblocking(False)
        arrived = b""
        while not outbox.flush():
            arrived += far.recv(1 << 20)
        while len(arrived) < sent * 500 + 6:
            arrived += far.recv(1 << 20)
        assert arrived.endswith(b"xanswer")
        assert not outbox.full


def test_an_outbox_of_a_client_that_has_gone_keeps_nothing() -> None:
    near, far = socket.socketpair()
    far.close()
    outbox = Outbox(near, lambda: None)
    outbox.send(b"x")
    assert (outbox.broken, outbox.empty) == (True, True)
    near.close()


def test_a_client_that_breaks_the_protocol_is_closed(client: RawClient) -> None:
    client.socket.sendall(b"sendevent x\nContent-Length: -5\n\n")
    assert client.message()[0]["Content-Type"] == "text/disconnect-notice"
    assert client.rest() == b""


def test_a_client_that_never_says_a_word_is_closed(
    stranger: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_thread_code, "PATIENCE", 20_000)
    client = stranger()
    client.message()
    assert client.message()[0]["Content-Type"] == "text/disconnect-notice"
    assert client.rest() == b""


@pytest.mark.parametrize("acl", [("10.0.0.0/8",), ("loopback.auto", "10.0.0.0/8"), ("unknown",)])
def test_an_address_that_is_not_on_every_list_is_rejected(switch: Switch, acl: tuple[str, ...]) -> None:
    server = EventSocketServer(switch, Settings(port=0, acl=acl))
    server.start()
    try:
        assert server.address is not None
        client = RawClient(socket.create_connection(server.address, timeout=30))
        assert client.message() == (
            {"Content-Type": "text/rude-rejection", "Content-Length": "24"},
            "Access Denied, go away.\n",
        )
        assert client.rest().startswith(b"Content-Type: text/disconnect-notice\n")
        client.close()
    finally:
        server.stop()


def test_settings_and_their_defaults(switch: Switch) -> None:
    assert read_settings(switch.xml) == Settings("127.0.0.1", 8021, "ClueCon", ("loopback.auto",), False)
    given = [
        ("listen-ip", "::"), ("listen-port", "9000"), ("password", "p"),
        ("apply-inbound-acl", "a"), ("apply-inbound-acl", "b"), ("stop-on-bind-error", "true"),
    ]  # fmt: skip
    switch.xml.load_text(settings("event_socket.conf", given))
    assert read_settings(switch.xml) == Settings("::", 9000, "p", ("a", "b"), True)


def test_a_port_that_is_taken_is_tried_again(switch: Switch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        server = EventSocketServer(switch, Settings(port=port))
        server.start()
        assert server.address is None
    try:
        reached = switch.clock.waiter()

        def look() -> None:
            if server.address == ("127.0.0.1", port):
                reached.notify()
            else:
                switch.clock.call_later(10_000, look)

        look()
        assert reached.wait(switch.clock.now() + 30_000_000)
    finally:
        server.stop()


def test_the_end_releases_port_and_threads(switch: Switch) -> None:
    before = set(threading.enumerate())
    server = EventSocketServer(switch, Settings(port=0))
    server.start()
    assert server.address is not None
    client = RawClient(socket.create_connection(server.address, timeout=30))
    client.message()
    client.command("auth ClueCon")
    client.command("event plain ALL")
    address = server.address
    server.stop()
    assert client.message()[0]["Content-Type"] == "text/disconnect-notice"
    assert client.rest() == b""
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=1)
    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("clock")]
    for thread in left:
        thread.join(30)
    assert not [thread for thread in left if thread.is_alive()]
    assert not switch.bus.wants("HEARTBEAT")
    client.close()
