"""The client: messages from bytes cut anywhere, and a console against a real event socket."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.clock import RealClock
from host.console import client as client_code
from host.console.app import KEYS, Console, key_commands, parse_keys
from host.console.client import Client, ClientError, Message, MessageReader, parse_event
from host.console.commands import api_main, quoted, run_command
from host.console.completion import Completions, parse_completions
from host.interfaces import ApiCommand
from host.log import LogLevel
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings
from host.switch import Switch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    for name in ("echo", "lua"):
        made.api_commands.add(ApiCommand(name, "mod_test", lambda request: request.argument))
    yield made
    made.close()


@pytest.fixture
def port(switch: Switch) -> Iterator[int]:
    server = EventSocketServer(switch, Settings(port=0))
    server.start()
    assert server.address is not None
    yield server.address[1]
    server.stop()


def test_messages_are_cut_out() -> None:
    data = b"Content-Type: api/response\nContent-Length: 3\n\nabcContent-Type: command/reply\nReply-Text: +OK x\n\n"
    messages = MessageReader().feed(data)
    assert [(message.kind, message.reply) for message in messages] == [
        ("api/response", "abc"),
        ("command/reply", "+OK x"),
    ]


@pytest.mark.parametrize(
    "data", [b"Content-Length: -1\n\n", b"Content-Length: x\n\n", b"Content-Length: 99999999999\n\n"]
)
def test_a_body_of_no_length_is_refused(data: bytes) -> None:
    with pytest.raises(ClientError):
        MessageReader().feed(data)


def test_headers_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_code, "MAX_HEAD", 100)
    with pytest.raises(ClientError):
        MessageReader().feed(b"x" * 101)


@given(st.binary(max_size=120), st.integers(1, 20))
def test_any_bytes_are_messages_or_one_declared_error(data: bytes, cut: int) -> None:
    def read(pieces: list[bytes]) -> list[Message] | None:
        reader, messages = MessageReader(), []
        try:
            for piece in pieces:
                messages += reader.feed(piece)
        except ClientError:
            return None
        return messages

    assert read([data]) == read([data[at : at + cut] for at in range(0, len(data), cut)])


def test_an_event_is_unescaped() -> None:
    event = parse_event("Event-Name: API\nA: a%20b\nContent-Length: 2\n\nhi")
    assert (event.get("A"), event.body) == ("a b", "hi")


def test_a_client_asks_and_hears(switch: Switch, port: int) -> None:
    heard: list[Message] = []
    came = switch.clock.waiter()

    def hear(message: Message) -> None:
        heard.append(message)
        came.notify()

    client = Client(port=port, hear=hear)
    assert client.api("echo a;;echo b") == "ab"
    assert client.send("nonsense").refused
    assert client.send("log notice").reply == "+OK log level notice [5]"
    switch.log(LogLevel.NOTICE, "look", uuid="u-1")
    assert came.wait(switch.clock.now() + 30_000_000)
    assert (heard[0].kind, heard[0].get("User-Data")) == ("log/data", "u-1")
    client.close()


def test_why_there_is_no_client(switch: Switch, port: int) -> None:
    with pytest.raises(ClientError, match="password"):
        Client(port=port, password="wrong")
    with pytest.raises(ClientError, match="no server answers"):
        Client(port=1)


def test_one_command_and_its_exit_status(
    switch: Switch, port: int, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert api_main(["--port", str(port), "echo", "a", "b"]) == 0
    assert api_main(["--port", str(port), "nonsense"]) == 1
    assert api_main(["--port", "1", "echo", "a"]) == 1
    out, error = capfd.readouterr()
    assert out == "a b\n-ERR nonsense Command not found!\n"
    assert error.startswith("moonline: no server answers")


def test_what_is_no_port_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("0", "65536", "99999", "-1", "x"):
        with pytest.raises(SystemExit) as told:
            api_main(["--port", text, "status"])
        assert told.value.code == 2
        assert f"argument --port/-P: {text} is no port (1 to 65535)" in capsys.readouterr().err


def test_a_line_feed_starts_no_second_command(port: int) -> None:
    options = argparse.Namespace(host="127.0.0.1", port=port, password="ClueCon")
    assert run_command(options, "echo a\n\nexit") == 2


def test_arguments_with_blanks_are_quoted() -> None:
    assert [quoted(text) for text in ("a", "a b", "")] == ["a", "'a b'", "''"]


def test_what_the_console_makes_of_lines_and_messages(switch: Switch, port: int) -> None:
    shown: list[str] = []
    console = Console(shown.append)
    client = Client(port=port)
    for line in ("", "echo x", "/log notice", "/nonsense", "/uuid u-1"):
        assert console.run(client, line)
    assert not console.run(client, "/quit")
    assert shown == ["x\n", "+OK log level notice [5]\n", "-ERR command not found\n", "log lines of u-1\n"]
    shown.clear()

    def line_of(uuid: str, text: str) -> Message:
        return Message((("Content-Type", "log/data"), ("Log-Level", "3"), ("User-Data", uuid)), text)

    console.hear(line_of("u-2", "not this\n"))
    console.hear(line_of("u-1", "this \033[2J\n"))
    console.colours = True
    console.hear(line_of("u-1", "red\n"))
    console.hear(Message((("Content-Type", "text/event-plain"),), "Event-Name: API\n\n"))
    assert shown == ["this ?[2J\n", "\033[1;31mred\033[0m\n", "RECV EVENT\nEvent-Name: API\n\n"]
    console.hear(Message((("Content-Type", "text/disconnect-notice"),)))
    assert console.over
    client.close()


def test_completions() -> None:
    answer = '<?xml version="1.0"?>\n<complete>\n  <match>first</match>\n  <write length="1">first</write>\n</complete>'
    assert parse_completions(answer) == Completions(("first",), 1, "first")
    assert parse_completions("-ERR no reply") == Completions((), 0, "")


def test_function_keys_come_from_the_servers_configuration(switch: Switch, port: int) -> None:
    text = (
        '<configuration name="switch.conf"><cli-keybindings><key name="1" value="status"/>'
        '<key name="99" value="x"/></cli-keybindings></configuration>'
    )
    assert parse_keys(text) == {"1": "status"}
    client = Client(port=port)
    assert key_commands(client) == KEYS
    switch.api_commands.add(ApiCommand("xml_locate", "mod_test", lambda request: text))
    assert key_commands(client) == {"1": "status"}
    client.close()
