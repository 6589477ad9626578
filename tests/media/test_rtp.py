from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    RtpError,
    RtpPacket,
    is_rtcp,
    sequence_difference,
    timestamp_difference,
)

PAYLOAD_TYPES = st.one_of(st.integers(0, 63), st.integers(96, 127))


def packets() -> st.SearchStrategy[RtpPacket]:
    words = st.integers(0, 6).flatmap(lambda count: st.binary(min_size=4 * count, max_size=4 * count))
    return st.builds(
        RtpPacket,
        PAYLOAD_TYPES,
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFF_FFFF),
        st.integers(0, 0xFFFF_FFFF),
        st.binary(max_size=200),
        st.booleans(),
        st.lists(st.integers(0, 0xFFFF_FFFF), max_size=15).map(tuple),
        st.none() | st.tuples(st.integers(0, 0xFFFF), words),
        st.integers(0, 255),
    )


@given(packets())
def test_what_is_serialized_is_parsed_again(packet: RtpPacket) -> None:
    assert RtpPacket.parse(packet.serialize()) == packet


@given(st.one_of(st.binary(max_size=100), st.binary(max_size=90).map(lambda rest: b"\x80\x00" + rest)))
def test_any_bytes_are_a_packet_or_the_declared_error(data: bytes) -> None:
    try:
        packet = RtpPacket.parse(data)
    except RtpError:
        return
    # What lies in the padding is not kept; all the rest is.
    again = packet.serialize()
    assert len(again) == len(data)
    assert RtpPacket.parse(again) == packet


def test_a_packet_as_a_phone_sends_it() -> None:
    data = bytes.fromhex("80 88 1f40 0000 3e80 dead beef") + b"\xd5" * 160
    packet = RtpPacket.parse(data)
    assert packet == RtpPacket(8, 8000, 16000, 0xDEADBEEF, b"\xd5" * 160, True)
    assert packet.serialize() == data


def test_extension_csrc_and_padding() -> None:
    data = bytes.fromhex("b1 60 0001 00000002 00000003 00000009 bede 0001 10aa0000") + b"sound" + b"\0\0\3"
    packet = RtpPacket.parse(data)
    assert packet.csrc == (9,)
    assert packet.extension == (0xBEDE, b"\x10\xaa\0\0")
    assert (packet.payload, packet.padding) == (b"sound", 3)
    assert packet.serialize() == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "8000000100000002000000",  # a byte short
        "400000010000000200000003",  # version 1
        "820000010000000200000003 00000004",  # two CSRC, one there
        "900000010000000200000003 bede",  # extension header cut
        "900000010000000200000003 bede0002 00000000",  # extension cut
        "a00000010000000200000003 00",  # padding of none
        "a00000010000000200000003 05",  # padding beyond the payload
        "a00000010000000200000003",  # padding in nothing
        "80c8000600000002000000030000000400000005",  # a sender report
    ],
)
def test_what_is_no_packet(data: str) -> None:
    with pytest.raises(RtpError):
        RtpPacket.parse(bytes.fromhex(data))


@pytest.mark.parametrize(
    "packet",
    [
        RtpPacket(128, 0, 0, 0),
        RtpPacket(0, 0x10000, 0, 0),
        RtpPacket(0, 0, -1, 0),
        RtpPacket(0, 0, 0, 0, csrc=(0,) * 16),
        RtpPacket(0, 0, 0, 0, extension=(1, b"abc")),
        RtpPacket(72, 0, 0, 0, marker=True),
    ],
)
def test_what_cannot_be_sent(packet: RtpPacket) -> None:
    with pytest.raises(RtpError):
        packet.serialize()


def test_rtcp_on_the_same_port() -> None:
    assert is_rtcp(bytes.fromhex("80c80006"))
    assert not is_rtcp(bytes.fromhex("80880006"))
    assert not is_rtcp(b"\x80")


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
def test_sequence_arithmetic_wraps(start: int, step: int) -> None:
    assert sequence_difference((start + step) & 0xFFFF, start) == step


@given(st.integers(0, 0xFFFF_FFFF), st.integers(-(2**31), 2**31 - 1))
def test_timestamp_arithmetic_wraps(start: int, step: int) -> None:
    assert timestamp_difference((start + step) & 0xFFFF_FFFF, start) == step
