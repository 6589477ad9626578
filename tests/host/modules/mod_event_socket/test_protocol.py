"""Framing: commands from bytes cut anywhere, frames to the byte, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_event_socket import protocol
from host.modules.mod_event_socket.protocol import ClientCommand, CommandReader, ProtocolError


def read(data: bytes) -> list[ClientCommand]:
    return CommandReader().feed(data)


def test_a_command_is_a_line_headers_and_an_empty_line() -> None:
    assert read(b"sendmsg abc\ncall-command: execute\nX:y\n\n") == [
        ClientCommand("sendmsg abc", (("call-command", "execute"), ("X", "y")))
    ]


def test_carriage_returns_and_empty_lines_between_commands_are_passed_over() -> None:
    assert read(b"\n\r\n\napi status\r\n\r\n\n\nexit\n\n") == [
        ClientCommand("api status"),
        ClientCommand("exit"),
    ]


def test_a_body_is_as_long_as_announced_and_the_next_command_follows_at_once() -> None:
    commands = read(b"sendevent CUSTOM\ncontent-length: 5\n\nhelloexit\n\n")
    assert commands == [
        ClientCommand("sendevent CUSTOM", (("content-length", "5"),), "hello"),
        ClientCommand("exit"),
    ]


def test_lines_that_are_no_headers_are_passed_over() -> None:
    assert read(b"api x\nnothing\n: empty\nA:   b c \n\n") == [ClientCommand("api x", (("A", "b c "),))]


def test_headers_are_found_in_any_case() -> None:
    assert read(b"bgapi x\njob-uuid: 1\n\n")[0].header("Job-UUID") == "1"


@pytest.mark.parametrize(
    "data",
    [
        b"x\nContent-Length: -1\n\n",
        b"x\nContent-Length: 99999999999999\n\n",
        b"x" * (protocol.MAX_LINE + 1),
        b"x\n" + b"y" * (protocol.MAX_LINE + 1) + b"\n\n",
        b"x\n" + b"a:b\n" * (protocol.MAX_HEADERS + 1) + b"\n",
    ],
)
def test_what_is_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(data)


def test_a_head_that_never_ends_is_refused() -> None:
    reader = CommandReader()
    with pytest.raises(ProtocolError):
        for _ in range(protocol.MAX_HEAD // 65536 + 2):
            reader.feed(b"a: b\n" * 13107 + b"x")


@given(st.binary(max_size=200))
def test_any_bytes_are_commands_or_one_declared_error(data: bytes) -> None:
    try:
        read(data)
    except ProtocolError:
        pass


lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(lines.filter(bool), st.lists(lines), st.none() | st.binary(min_size=1)), max_size=4),
    st.lists(st.integers(1, 30), max_size=20),
)
def test_where_the_bytes_are_cut_does_not_matter(
    commands: list[tuple[str, list[str], bytes | None]], cuts: list[int]
) -> None:
    data = b""
    for line, values, body in commands:
        data += f"{line}\n".encode() + b"".join(f"H: {value}\n".encode() for value in values)
        data += b"\n" if body is None else b"Content-Length: %d\n\n%b" % (len(body), body)
    reader, whole = CommandReader(), read(data)
    pieces, start = [], 0
    for cut in cuts:
        pieces += reader.feed(data[start : start + cut])
        start += cut
    assert pieces + reader.feed(data[start:]) == whole
    assert [command.line for command in whole] == [line for line, _, _ in commands]
    assert [command.body for command in whole] == [
        None if body is None else body.decode("utf-8", "surrogateescape") for _, _, body in commands
    ]


def test_frames_are_as_recorded() -> None:
    assert protocol.command_reply("+OK accepted") == (
        b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
    )
    assert protocol.command_reply("+OK Job-UUID: j", (("Job-UUID", "j"),)) == (
        b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: j\nJob-UUID: j\n\n"
    )
    assert protocol.api_response("äb") == b"Content-Type: api/response\nContent-Length: 3\n\n\xc3\xa4b"
    assert protocol.event_message("json", "{}") == (b"Content-Length: 2\nContent-Type: text/event-json\n\n{}")
    assert protocol.disconnect_notice() == (
        b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
        b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
    )
    assert protocol.disconnect_notice("u").startswith(
        b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: u\nContent-Disposition: disconnect\n"
        b"Content-Length: 67\n\n"
    )
    assert protocol.linger_notice("u", "loopback/x-a", 2) == (
        b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: u\nContent-Disposition: linger\n"
        b"Channel-Name: loopback/x-a\nLinger-Time: 2\nContent-Length: 0\n\n"
    )
    assert protocol.log_message(5, 3, "f.py", "g", 7, "u", "hi\n") == (
        b"Content-Type: log/data\nContent-Length: 3\nLog-Level: 5\nText-Channel: 3\nLog-File: f.py\nLog-Func: g\n"
        b"Log-Line: 7\nUser-Data: u\n\nhi\n"
    )
    assert protocol.rude_rejection() == (
        b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    )
