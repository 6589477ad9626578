"""Connections of one call: `myevents`, `sendmsg`, and the application `socket`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from host.hangup_cause import HangupCause
from host.interfaces import Application
from host.modules.mod_event_socket.outbound import SocketRequest, Target, parse_request
from host.modules.mod_event_socket.server import EventSocketServer
from host.session import Session
from host.switch import Switch
from tests.host.modules.mod_event_socket.conftest import RawClient

Connect = Callable[[], RawClient]
Call = Callable[..., Session]
WAIT = ("wait", "")


@pytest.fixture(autouse=True)
def applications(switch: Switch) -> list[str]:
    """Registers `wait`, which lasts until the call ends or `go`, and `set`; returns what `note` was given."""
    noted: list[str] = []

    def note(session: Session, data: str) -> None:
        noted.append(data)

    def assign(session: Session, data: str) -> None:
        name, _, value = data.partition("=")
        session.channel.set_variable(name, value)

    def wait(session: Session, data: str) -> None:
        session.receive(session.clock.now() + int(data) * 1000 if data else None, ())

    def die(session: Session, data: str) -> None:
        session.channel.hangup()

    for name, run in (("note", note), ("set", assign), ("wait", wait), ("die", die)):
        switch.applications.add(Application(name, "mod_test", run))
    return noted


def names(client: RawClient, last: str) -> list[str]:
    """Return the names of the events up to `last`."""
    heard: list[str] = []
    while not heard or heard[-1] != last:
        heard.append(client.event()[0]["Event-Name"])
    return heard


def finish(session: Session) -> None:
    session.ended.wait(session.clock.now() + 30_000_000)


def test_myevents_belongs_to_the_call_and_ends_with_it(client: RawClient, call: Call) -> None:
    session = call(WAIT)
    other = call(WAIT)
    assert client.command(f"myevents {session.uuid}") == "+OK Events Enabled"
    assert client.command(f"myevents {session.uuid}") == "-ERR aready enabled."
    session.channel.set_variable("colour", "red")
    assert client.command("getvar colour") == "red"
    assert client.command("getvar nothing") == "-ERR command not found"
    assert client.command("linger 3") == "+OK will linger 3 seconds"
    assert client.command("linger") == "+OK will linger"
    assert client.command("nolinger") == "+OK will not linger"
    assert client.command("divert_events") == "-ERR missing value."
    assert client.command("divert_events on") == "+OK events diverted"
    assert client.command("divert_events off") == "+OK events not diverted"
    assert client.command("resume") == "+OK"
    other.channel.hangup()
    session.channel.hangup(HangupCause.USER_BUSY)
    heard = names(client, "CHANNEL_HANGUP_COMPLETE")
    assert "CHANNEL_HANGUP" in heard and "CHANNEL_CALLSTATE" not in heard
    message = client.message()
    assert list(message[0].items()) == [
        ("Content-Type", "text/disconnect-notice"),
        ("Controlled-Session-UUID", session.uuid),
        ("Content-Disposition", "disconnect"),
        ("Content-Length", "67"),
    ]
    assert client.rest() == b""


def test_a_form_behind_the_uuid_of_myevents_is_not_heeded(client: RawClient, call: Call) -> None:
    session = call(WAIT)
    assert client.command(f"myevents {session.uuid} json") == "+OK Events Enabled"
    session.channel.hangup()
    assert client.message()[0]["Content-Type"] == "text/event-plain"


def test_a_line_that_lingers_hears_the_last_events(client: RawClient, call: Call) -> None:
    session = call(WAIT)
    client.command(f"myevents {session.uuid}")
    client.command("linger 1")
    session.channel.hangup()
    names(client, "CHANNEL_HANGUP_COMPLETE")
    messages = [client.message()]
    while messages[-1][0]["Content-Type"] != "text/disconnect-notice":
        messages.append(client.message())
    assert list(messages[-1][0].items())[2:] == [
        ("Content-Disposition", "linger"),
        ("Channel-Name", "test/1"),
        ("Linger-Time", "1"),
        ("Content-Length", "0"),
    ]
    names(client, "CHANNEL_DESTROY")
    assert client.command("getvar uuid") == session.uuid
    assert b"Content-Disposition: disconnect" in client.rest()


def test_a_message_executes_an_application(client: RawClient, call: Call, applications: list[str]) -> None:
    session = call(WAIT)
    client.command("event plain CHANNEL_EXECUTE_COMPLETE PRIVATE_COMMAND")
    assert (
        client.command(
            f"sendmsg {session.uuid}\ncall-command: execute\nexecute-app-name: note\nexecute-app-arg: hello\n"
            "Event-UUID: my-event-1\nloops: 3"
        )
        == "+OK"
    )
    complete, _ = client.event()
    assert (complete["Application"], complete["Application-UUID"]) == ("note", "my-event-1")
    assert (complete["variable_current_loop"], complete["variable_total_loops"]) == ("1", "3")
    told, _ = client.event()
    assert list(told)[:2] == ["Command", "call-command"]
    assert told["Unique-ID"] == session.uuid and not any(name.startswith("variable_") for name in told)
    assert applications == ["hello"]  # a short turn ends the loop
    assert session.channel.variables.get("current_loop") is None
    session.channel.hangup()


def test_the_argument_may_be_the_body(client: RawClient, call: Call, applications: list[str]) -> None:
    session = call(WAIT)
    client.command("event plain CHANNEL_EXECUTE_COMPLETE")
    client.socket.sendall(
        f"sendmsg {session.uuid}\ncall-command: execute\nexecute-app-name: note\ncontent-type: text/plain\n"
        "content-length: 3\n\na\nb".encode()
    )
    assert client.message()[0]["Reply-Text"] == "+OK"
    client.event()
    assert applications == ["a\nb"]
    session.channel.hangup()


def test_event_lock_keeps_later_messages_back(client: RawClient, call: Call, applications: list[str]) -> None:
    session = call(WAIT)
    client.command("event plain CHANNEL_EXECUTE_COMPLETE")
    message = f"sendmsg {session.uuid}\ncall-command: execute\n"
    client.command(f"{message}execute-app-name: wait\nexecute-app-arg: 100\nevent-lock: true")
    client.command(f"{message}execute-app-name: note\nexecute-app-arg: x")
    assert [client.event()[0]["Application"] for _ in range(2)] == ["wait", "note"]
    client.command(f"{message}execute-app-name: wait")
    client.command(f"{message}execute-app-name: note\nexecute-app-arg: x")
    assert client.event()[0]["Application"] == "note"
    session.channel.hangup()
    assert client.event()[0]["Application"] == "wait"


def test_a_message_hangs_up_or_brings_a_new_extension(
    client: RawClient, call: Call, applications: list[str]
) -> None:
    session = call(WAIT, ("note", "not this"))
    client.command("event plain CHANNEL_HANGUP")
    client.command(
        f"sendmsg {session.uuid}\ncall-command: xferext\napplication: note one two\napplication: wait"
    )
    client.command(f"sendmsg {session.uuid}\ncall-command: hangup\nhangup-cause: USER_BUSY")
    finish(session)
    assert client.event()[0]["Hangup-Cause"] == "USER_BUSY"
    assert applications in (["one two"], [])  # the hangup may come first
    assert client.command(f"sendmsg {session.uuid}\ncall-command: hangup").startswith("-ERR invalid session")


def test_a_message_without_command_or_with_an_unknown_one_is_taken(client: RawClient, call: Call) -> None:
    session = call(WAIT)
    assert client.command(f"sendmsg {session.uuid}") == "+OK"
    assert client.command(f"sendmsg\nsession-id: {session.uuid}\ncall-command: dance") == "+OK"
    session.channel.hangup()


def test_a_call_whose_thread_has_not_begun_is_steered_and_told_of(
    connect: Connect, call: Call, applications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(Session, "start", lambda session: None)
        session = call(WAIT)
    mine, steering = connect(), connect()
    assert mine.command(f"myevents {session.uuid}") == "+OK Events Enabled"
    assert mine.command("getvar nothing") == "-ERR command not found"
    execute = f"sendmsg {session.uuid}\ncall-command: execute\nexecute-app-name: note\nexecute-app-arg: early"
    assert steering.command(execute) == "+OK"
    session.start()
    assert "CHANNEL_EXECUTE_COMPLETE" in names(mine, "CHANNEL_EXECUTE_COMPLETE")
    assert applications == ["early"]
    session.channel.hangup()


def test_unicast_sends_the_calls_audio(client: RawClient, call: Call) -> None:
    session = call(WAIT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(30)
        client.command(
            f"sendmsg {session.uuid}\ncall-command: unicast\nlocal-port: 0\nremote-port: {far.getsockname()[1]}"
        )
        assert len(far.recv(65536)) % 2 == 0
    session.channel.hangup()
    finish(session)


# -- outbound ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("", None),
        ("127.0.0.1", SocketRequest((Target("127.0.0.1", 8084),), False, False)),
        (
            "a:1/p/q|b:2 async FULL x",
            SocketRequest((Target("a", 1, "p/q"), Target("b", 2)), True, True),
        ),
        ("a/p", SocketRequest((Target("a", 8084, "p"),), False, False)),
        ("[::1]:9 full", SocketRequest((Target("::1", 9),), False, True)),
        ("[::1]", SocketRequest((Target("::1"),), False, False)),
        ("|", None),
    ],
)
def test_the_data_of_socket(data: str, wanted: SocketRequest | None) -> None:
    assert parse_request(data) == wanted


@pytest.fixture
def program(server: EventSocketServer) -> Iterator[tuple[str, Callable[[], RawClient]]]:
    """A program that a call connects to: its address, and what accepts the next connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        accepted: list[RawClient] = []

        def accept() -> RawClient:
            connection, _ = listener.accept()
            connection.settimeout(30)
            accepted.append(RawClient(connection))
            return accepted[-1]

        yield f"127.0.0.1:{listener.getsockname()[1]}", accept
        for client in accepted:
            client.close()


Program = tuple[str, Callable[[], RawClient]]


@pytest.mark.parametrize(
    ("words", "mode", "control"),
    [("async full", "async", "full"), ("", "static", "single-channel")],
)
def test_connect_tells_the_call(call: Call, program: Program, words: str, mode: str, control: str) -> None:
    session = call(("socket", f"{program[0]}/here {words}"), ("note", "after"))
    client = program[1]()
    client.send("connect")
    head = b""
    while not head.endswith(b"\n\n"):
        head += client.socket.recv(1)
    lines = head.decode().splitlines()
    assert lines[0] == "Event-Name: CHANNEL_DATA"
    assert f"Unique-ID: {session.uuid}" in lines and "variable_socket_host: 127.0.0.1" in lines
    assert "variable_socket_path: here" in lines
    assert "Channel-Destination-Number: 100" in lines
    assert lines[-5:-1] == [
        "Content-Type: command/reply",
        "Reply-Text: %2BOK%0A",
        f"Socket-Mode: {mode}",
        f"Control: {control}",
    ]
    session.channel.hangup()
    finish(session)
    assert b"Content-Disposition: disconnect" in client.rest()


def test_the_call_goes_on_when_the_client_leaves(
    call: Call, program: Program, applications: list[str]
) -> None:
    for words in ("async full", ""):
        session = call(("socket", f"{program[0]} {words}"), ("note", words))
        client = program[1]()
        assert client.command("myevents") == "+OK Events Enabled"
        client.close()
        finish(session)
    assert applications == ["async full", ""]


def test_exit_lets_the_call_go_on(call: Call, program: Program, applications: list[str]) -> None:
    session = call(("socket", program[0]), ("note", "after"))
    client = program[1]()
    assert client.command("exit") == "+OK bye"
    finish(session)
    assert applications == ["after"]


def test_without_full_only_the_call_can_be_steered(call: Call, program: Program) -> None:
    session = call(("socket", program[0]))
    client = program[1]()
    for command in (
        "api echo x",
        "bgapi echo x",
        "event plain ALL",
        "log",
        "linger",
        "sendevent X",
        "noevents",
    ):
        assert client.command(command) == "-ERR command not found"
    for command in ("myevents", "filter A b", "divert_events on", "resume", "sendmsg\ncall-command: dance"):
        assert client.command(command).startswith("+OK")
    session.channel.hangup()


def test_without_async_an_application_is_waited_for(
    call: Call, program: Program, applications: list[str]
) -> None:
    session = call(("socket", f"{program[0]} full"))
    client = program[1]()
    execute = "sendmsg\ncall-command: execute\nexecute-app-name: "
    assert client.command(f"{execute}note\nexecute-app-arg: a") == "+OK"
    assert applications == ["a"]
    assert client.command(f"{execute}set\nexecute-app-arg: v=1") == "+OK"
    assert client.command("getvar v") == "1"
    assert client.command(f"{execute}die") == "+OK"
    finish(session)


def test_a_transfer_takes_place_when_the_client_lets_go(
    switch: Switch, call: Call, program: Program, applications: list[str]
) -> None:
    session = call(("socket", f"{program[0]} full"), ("note", "not this"))
    client = program[1]()
    client.send("sendmsg\ncall-command: xferext\napplication: note new")
    assert client.message()[0]["Reply-Text"] == "+OK"
    assert client.command("getvar uuid") == session.uuid
    client.command("exit")
    finish(session)
    assert applications == ["new"]


def test_the_next_host_is_tried_and_nobody_at_all_is_no_end(
    call: Call, program: Program, applications: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        closed = holder.getsockname()[1]
    session = call(("socket", f"127.0.0.1:{closed}|{program[0]}"))
    client = program[1]()
    client.command("exit")
    finish(session)
    session = call(("socket", f"127.0.0.1:{closed}"), ("note", "on"))
    finish(session)
    assert applications == ["on"]


def test_an_async_line_stays_with_the_call_after_a_transfer(
    switch: Switch, call: Call, program: Program
) -> None:
    session = call(("socket", f"{program[0]} async full"))
    client = program[1]()
    client.command("myevents")
    assert client.event()[0]["Event-Name"] == "CHANNEL_PARK"
    client.command("filter Event-Name CHANNEL_EXECUTE")
    client.command("sendmsg\ncall-command: xferext\napplication: note new\napplication: wait")
    assert client.event()[0]["Application"] == "note"
    assert client.event()[0]["Application"] == "wait"
    assert client.command("getvar uuid") == session.uuid
    session.channel.hangup()
    assert b"Content-Disposition: disconnect" in client.rest()


def test_events_are_diverted_to_the_client(switch: Switch, client: RawClient, call: Call) -> None:
    session = call(WAIT)
    client.command(f"myevents {session.uuid}")
    client.command("divert_events on")
    divert = session.channel.private["divert_events"]
    assert callable(divert)
    divert(switch.new_event("DETECTED_SPEECH"))
    names(client, "DETECTED_SPEECH")
    session.channel.hangup()
