"""The commands of an inbound client and their answers, as recorded from a FreeSWITCH."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from host.interfaces import ApiCommand
from host.log import LogLevel
from host.modules.mod_event_socket.server import EventSocketServer
from host.switch import Switch
from tests.host.modules.mod_event_socket.conftest import RawClient

NOT_FOUND = "-ERR command not found"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

Connect = Callable[[], RawClient]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("auth ClueCon", NOT_FOUND),
        ("nonsense", NOT_FOUND),
        ("api", NOT_FOUND),
        ("api echo a  b ", "a  b"),
        ("API echo x", "x"),
        ("api quiet", "-ERR no reply\n"),
        ("api Nonsense x", "-ERR Nonsense Command not found!\n"),
        ("bgapi", NOT_FOUND),
        ("event plain ALL", "+OK event listener enabled plain"),
        ("events XML heartbeat", "+OK event listener enabled xml"),
        ("event", "-ERR no keywords supplied"),
        ("event json", "-ERR no keywords supplied"),
        ("event plain CUSTOM", "+OK event listener enabled plain"),
        ("nixevent HEARTBEAT", "+OK events nixed"),
        ("nixevent nonsense", "-ERR no keywords supplied"),
        ("noevents", "-ERR not listening for events"),
        ("log warning", "+OK log level warning [4]"),
        ("log 0", "+OK log level 0 [0]"),
        ("log", "+OK log level  [7]"),
        ("log nonsense", "-ERR invalid log level"),
        ("nolog", "-ERR not loging"),
        ("filter", NOT_FOUND),
        ("filter Event-Name", "-ERR invalid syntax"),
        ("filter delete", "-ERR invalid syntax"),
        ("filter Event-Name HEARTBEAT", "+OK filter added. [Event-Name]=[HEARTBEAT]"),
        ("filter add Unique-ID abc def", "+OK filter added. [Unique-ID]=[abc def]"),
        ("filter delete Event-Name HEARTBEAT", "+OK filter deleted. [Event-Name][HEARTBEAT]"),
        ("filter delete Event-Name", "+OK filter deleted. [Event-Name][]"),
        ("filter delete all", "+OK filter deleted. [all][]"),
        ("getvar x", NOT_FOUND),
        ("resume", NOT_FOUND),
        ("connect", NOT_FOUND),
        ("myevents", NOT_FOUND),
        ("myevents no-such-call", "+OK Events Enabled"),
        ("linger", "-ERR not controlling a session"),
        ("nolinger", "-ERR not controlling a session"),
        ("divert_events on", "-ERR not controlling a session."),
        ("sendmsg nobody\ncall-command: hangup", "-ERR invalid session id [nobody]"),
        ("sendmsg\nsession-id: who", "-ERR invalid session id [who]"),
    ],
)
def test_the_answer_of_a_command(client: RawClient, command: str, answer: str) -> None:
    assert client.command(command) == answer


def test_subscriptions_and_logs_are_ended(client: RawClient) -> None:
    assert client.command("event plain HEARTBEAT") == "+OK event listener enabled plain"
    assert client.command("noevents") == "+OK no longer listening for events"
    assert client.command("log 3") == "+OK log level 3 [3]"
    assert client.command("nolog") == "+OK no longer logging"


@pytest.mark.parametrize("command", ["exit", "EXIT now", "..."])
def test_the_end(client: RawClient, command: str) -> None:
    assert client.command(command) == "+OK bye"
    headers, body = client.message()
    assert headers == {"Content-Type": "text/disconnect-notice", "Content-Length": "67"}
    assert body == GOODBYE
    assert client.rest() == b""


def test_a_wrong_password_ends_the_line(stranger: Connect) -> None:
    client = stranger()
    client.message()
    assert client.command("api echo x") == NOT_FOUND
    assert client.command("auth wrong") == "-ERR invalid"
    assert client.message()[1] == GOODBYE
    assert client.rest() == b""


def test_exit_works_before_the_password(stranger: Connect) -> None:
    client = stranger()
    client.message()
    assert client.command("exit") == "+OK bye"


@pytest.mark.parametrize("login", ["op@d.test:secret", "op:secret@d.test"])
def test_a_user_may_do_what_the_directory_allows(stranger: Connect, login: str) -> None:
    client = stranger()
    client.message()
    client.send(f"userauth {login}")
    assert list(client.message()[0].items()) == [
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK accepted"),
        ("Allowed-Events", "API,HEARTBEAT"),
        ("Allowed-API", "echo"),
        ("Allowed-LOG", "false"),
    ]
    assert client.command("api echo x") == "x"
    assert client.command("api quiet") == "-ERR permission denied"
    assert client.command("bgapi quiet") == "-ERR permission denied"
    assert client.command("event plain ALL") == "-ERR permission denied"
    assert client.command("event plain API") == "+OK event listener enabled plain"
    assert client.command("log") == "-ERR permission denied"


def test_a_user_without_limits_may_do_everything(stranger: Connect) -> None:
    client = stranger()
    client.message()
    client.send("userauth free@d.test:secret")
    assert client.message()[0]["Allowed-Events"] == "all"
    assert client.command("event plain ALL") == "+OK event listener enabled plain"


@pytest.mark.parametrize(
    "login", ["op@d.test:wrong", "none@d.test:x", "nobody@d.test:secret", "op", "op@d.test"]
)
def test_a_user_who_is_not_let_in(stranger: Connect, login: str) -> None:
    client = stranger()
    client.message()
    assert client.command(f"userauth {login}") == "-ERR invalid"
    assert client.message()[1] == GOODBYE


def test_a_job_runs_elsewhere_and_is_told(client: RawClient) -> None:
    client.command("event plain BACKGROUND_JOB")
    client.send("bgapi echo one two\nJob-UUID: my-job")
    assert list(client.message()[0].items()) == [
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK Job-UUID: my-job"),
        ("Job-UUID", "my-job"),
    ]
    headers, body = client.event()
    assert headers["Job-UUID"] == "my-job"
    assert list(headers)[-4:] == ["Job-UUID", "Job-Command", "Job-Command-Arg", "Content-Length"]
    assert (headers["Job-Command"], headers["Job-Command-Arg"], body) == ("echo", "one two", "one two")


def test_a_job_without_argument_and_output_has_neither(client: RawClient) -> None:
    client.command("event plain BACKGROUND_JOB")
    client.send("bgapi quiet")
    job = client.message()[0]["Job-UUID"]
    headers, body = client.event()
    assert (headers["Job-UUID"], body) == (job, "")
    assert not {"Job-Command-Arg", "Content-Length", "Job-Owner-UUID"} & set(headers)


def test_a_command_that_takes_long_holds_up_only_its_client(switch: Switch, connect: Connect) -> None:
    gate = threading.Event()
    switch.api_commands.add(
        ApiCommand("block", "mod_test", lambda request: "through" if gate.wait() else None)
    )
    one, other = connect(), connect()
    one.send("api block")
    assert other.command("api echo here") == "here"
    gate.set()
    assert one.message()[1] == "through"


def test_a_fault_of_a_command_is_answered_and_logged(switch: Switch, client: RawClient) -> None:
    def fault(_request: object) -> str:
        raise ZeroDivisionError

    switch.api_commands.add(ApiCommand("fault", "mod_test", fault))
    entries: list[str] = []
    switch.logs.add_sink(lambda entry: entries.append(entry.text))
    assert client.command("api fault") == "-ERR fault failed: ZeroDivisionError\n"
    assert client.command("api echo on") == "on"
    assert "ZeroDivisionError" in entries[0]


def test_several_commands_in_one_line_of_the_console(switch: Switch, client: RawClient) -> None:
    switch.words.set_alias("hi", "echo hello;;echo again")
    assert client.command("api echo a;;echo b\nconsole_execute: true") == "ab"
    assert client.command("api hi you\nconsole_execute: true") == (
        "\nExpand Alias [hi]->[echo hello;;echo again you]\n\nhelloagain you"
    )
    assert client.command("api nonsense x\nconsole_execute: true") == "-ERR nonsense x Command not found!\n"
    switch.words.set_alias("self", "self")
    assert client.command("api self\nconsole_execute: true") == "-ERR self Command not found!\n"


def test_an_event_that_a_client_sends(client: RawClient) -> None:
    client.command("event plain CUSTOM legs::x")
    client.socket.sendall(
        b"sendevent CUSTOM\nEvent-Subclass: legs::x\nSome-Header: a b%\ncontent-length: 5\n\nhello"
    )
    reply = client.message()[0]["Reply-Text"]
    envelope, text = client.message()
    assert list(envelope) == ["Content-Length", "Content-Type"]
    lines = text.split("\n")
    assert lines[:6] == [
        "Event-Subclass: legs%3A%3Ax",
        "Command: sendevent%20CUSTOM",
        "Some-Header: a%20b%25",
        "content-length: 5",
        f"Event-UUID: {reply.removeprefix('+OK ')}",
        "Event-Name: CUSTOM",
    ]
    assert [line.partition(":")[0] for line in lines[6:9]] == [
        "Core-UUID",
        "FreeSWITCH-Hostname",
        "FreeSWITCH-Switchname",
    ]
    assert lines[-3:] == ["Content-Length: 5", "", "hello"]


def test_an_event_without_name_or_subclass(client: RawClient) -> None:
    client.command("event plain ALL")
    client.send("sendevent HEARTBEAT\nA: 1\nA: 2")
    client.message()
    text = client.message()[1]
    assert text.startswith("Command: sendevent%20HEARTBEAT\nA: 1\nA: 2\nEvent-UUID: ")
    assert client.command("noevents") == "+OK no longer listening for events"
    assert client.command("sendevent").startswith("+OK ")


def test_events_in_json_and_xml(switch: Switch, client: RawClient) -> None:
    client.command("event json HEARTBEAT")
    event = switch.new_event("HEARTBEAT")
    event.add_header("Text", "a b")
    event.body = "body\n"
    switch.fire(event)
    envelope, text = client.message()
    assert envelope["Content-Type"] == "text/event-json"
    members = json.loads(text)
    assert (members["Text"], members["_body"], members["Content-Length"]) == ("a b", "body\n", "5")
    client.command("event xml HEARTBEAT")
    switch.fire(event)
    envelope, text = client.message()
    assert envelope["Content-Type"] == "text/event-xml"
    assert "    <Text>a%20b</Text>\n" in text


def test_log_lines_up_to_the_level(switch: Switch, client: RawClient) -> None:
    client.command("log notice")
    switch.log(LogLevel.INFO, "not this")
    switch.log(LogLevel.NOTICE, "this", uuid="u-1", file="f.lua", line=7, function="g")
    headers, body = client.message()
    assert list(headers.items())[2:] == [
        ("Log-Level", "5"),
        ("Text-Channel", "3"),
        ("Log-File", "f.lua"),
        ("Log-Func", "g"),
        ("Log-Line", "7"),
        ("User-Data", "u-1"),
    ]
    assert body.endswith("% [NOTICE] f.lua:7 this\n")


def test_unloading_by_a_client_is_a_job(switch: Switch, client: RawClient) -> None:
    switch.api_commands.add(ApiCommand("bgapi", "mod_test", lambda request: f"bgapi {request.argument}"))
    assert client.command("api unload mod_event_socket") == "bgapi unload mod_event_socket"
    assert client.command("bgapi reload mod_event_socket") == "bgapi reload mod_event_socket"


def test_nothing_is_built_for_nobody(switch: Switch, server: EventSocketServer, client: RawClient) -> None:
    assert not switch.bus.wants("HEARTBEAT")
    client.command("event plain HEARTBEAT")
    assert switch.bus.wants("HEARTBEAT")
    client.command("noevents")
    assert not switch.bus.wants("HEARTBEAT")


def test_what_happens_while_a_command_runs_is_told_after_its_answer(
    switch: Switch, client: RawClient
) -> None:
    def busy(_request: object) -> str:
        for _ in range(100):
            switch.fire(switch.new_event("HEARTBEAT"))
        told = switch.clock.waiter()
        switch.clock.call_later(50_000, told.notify)
        told.wait()
        return "done"

    switch.api_commands.add(ApiCommand("busy", "mod_test", busy))
    client.command("event plain HEARTBEAT")
    client.send("api busy")
    assert client.message()[1] == "done"
    for _ in range(100):
        client.event()
