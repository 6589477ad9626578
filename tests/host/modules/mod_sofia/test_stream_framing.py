from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.transport.stream_framing import MAX_HEAD, MAX_MESSAGE, StreamFraming

ONE = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 5\r\n\r\nhello"
TWO = b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"
THREE = b"SIP/2.0 200 OK\r\nl :\r\n 007\r\n\r\n\r\n\r\nxyz"


@given(
    st.lists(st.sampled_from([ONE, TWO, THREE, b"\r\n\r\n"]), max_size=6),
    st.lists(st.integers(1, 40), max_size=40),
)
def test_however_a_stream_is_cut_its_messages_are_the_same(parts: list[bytes], sizes: list[int]) -> None:
    framing, stream, found, replies = StreamFraming(), b"".join(parts), [], b""
    for size in [*sizes, len(stream) + 1]:
        found += framing.receive(stream[:size])
        replies += framing.outgoing()
        stream = stream[size:]
    assert not framing.broken and not framing.pending
    assert found == [part for part in parts if part != b"\r\n\r\n"]
    assert replies == b"\r\n" * parts.count(b"\r\n\r\n")


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_whatever_comes_is_a_message_or_breaks_the_stream(parts: list[bytes]) -> None:
    framing = StreamFraming()
    for part in parts:
        framing.receive(part)
        framing.receive(b"A sip:b SIP/2.0\r\nContent-Length: " + part + b"\r\n\r\n")
    if framing.broken:
        assert framing.receive(ONE) == []


def test_a_message_is_pending_from_its_first_byte_to_its_last() -> None:
    framing = StreamFraming()
    pending = []
    for part in (b"", b"\r\n", ONE[:-1], ONE[-1:]):
        framing.receive(part)
        pending.append(framing.pending)
    assert pending == [False, False, True, False]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", "what comes is no SIP"),
        (b"A: " + b"x" * MAX_HEAD, "the headers do not end"),
        (b"A b SIP/2.0\r\nContent-Length: -1\r\n\r\n", "a bad Content-Length"),
        (b"A b SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n", "a bad Content-Length"),
        (b"A b SIP/2.0\r\nContent-Length: " + b"9" * 4000 + b"\r\n\r\n", "a bad Content-Length"),
        (b"A b SIP/2.0\r\nContent-Length: %d\r\n\r\n" % MAX_MESSAGE, "a message is too long"),
    ],
)
def test_what_cannot_be_followed_breaks_the_stream(data: bytes, reason: str) -> None:
    framing = StreamFraming()
    assert framing.receive(ONE + data)[:1] == [ONE]
    assert framing.broken == reason
    assert framing.receive(ONE) == []


def test_the_head_of_a_message_of_a_bad_length_is_there_to_be_refused() -> None:
    head = b"A b SIP/2.0\r\nContent-Length: x\r\n\r\n"
    assert StreamFraming().receive(head + b"body") == [head]
