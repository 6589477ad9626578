from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    Arrival,
    RtpError,
    RtpPacket,
    RtpReceiver,
    RtpSender,
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


def test_a_sender_numbers_its_packets() -> None:
    sender = RtpSender(7, 0, sequence=0xFFFF, timestamp=0xFFFF_FF60)
    first = sender.send(b"a" * 160, 160)
    second = sender.send(b"b" * 160, 160)
    assert (first.sequence, first.timestamp, first.marker) == (0xFFFF, 0xFFFF_FF60, True)
    assert (second.sequence, second.timestamp, second.marker) == (0, 0, False)
    sender.skip(1600)
    event = sender.send_at(1760, b"\1\x0a\0\xa0", 101, True)
    assert (event.sequence, event.timestamp, event.payload_type) == (1, 1760, 101)
    third = sender.send(b"c" * 160, 160)
    assert (third.sequence, third.timestamp, third.marker) == (2, 1760, True)
    assert (sender.packets, sender.octets) == (4, 484)


def feed(receiver: RtpReceiver, sequences: list[int], ssrc: int = 1, start: int = 0) -> list[Arrival]:
    return [
        receiver.judge(ssrc, number & 0xFFFF, number * 160, 160, start + at * 20_000).arrival
        for at, number in enumerate(sequences)
    ]


def test_probation_then_packets_count() -> None:
    receiver = RtpReceiver(8000)
    assert feed(receiver, [10, 11, 12]) == [Arrival.PROBATION, Arrival.RESTART, Arrival.NEW]
    assert (receiver.expected, receiver.lost) == (2, 0)


def test_probation_starts_over_after_a_gap() -> None:
    receiver = RtpReceiver(8000)
    assert feed(receiver, [10, 14, 15])[-1] is Arrival.RESTART
    assert feed(RtpReceiver(8000, probation=1), [10]) == [Arrival.RESTART]


def test_loss_reordering_duplicates_over_the_wrap() -> None:
    receiver = RtpReceiver(8000, probation=1)
    arrivals = feed(receiver, [65533, 65534, 65537, 65536, 65536, 65540, 65534])
    assert arrivals == [
        Arrival.RESTART,
        Arrival.NEW,
        Arrival.NEW,
        Arrival.REORDERED,
        Arrival.DUPLICATE,
        Arrival.NEW,
        Arrival.DUPLICATE,
    ]
    assert receiver.highest_sequence == 65540
    # Lost are 65535, 65538, 65539; RFC 3550 counts the two duplicates against them.
    assert receiver.lost == 1
    assert (receiver.statistics.duplicates, receiver.statistics.reordered) == (2, 1)
    assert receiver.judge(1, 65545 & 0xFFFF, 0, 160, 0).lost == 4


def test_fraction_lost_is_of_the_interval() -> None:
    receiver = RtpReceiver(8000, probation=1)
    feed(receiver, [0, 1, 2, 3])
    assert receiver.fraction_lost() == 0
    feed(receiver, [5, 7])
    assert receiver.fraction_lost() == 128
    assert receiver.fraction_lost() == 0


def test_a_jump_of_the_sequence_is_believed_when_it_goes_on() -> None:
    receiver = RtpReceiver(8000, probation=1)
    arrivals = feed(receiver, [1, 2, 30000, 3, 40000, 40001, 40002])
    assert arrivals == [
        Arrival.RESTART,
        Arrival.NEW,
        Arrival.STRAY,
        Arrival.NEW,
        Arrival.STRAY,
        Arrival.RESTART,
        Arrival.NEW,
    ]
    assert receiver.statistics.sequence_restarts == 1
    assert receiver.lost == 0


def test_another_source_takes_over_after_its_probation() -> None:
    receiver = RtpReceiver(8000)
    feed(receiver, [1, 2, 3])
    assert feed(receiver, [100], ssrc=2) == [Arrival.PROBATION]
    assert feed(receiver, [4]) == [Arrival.NEW]
    assert feed(receiver, [101, 102], ssrc=2) == [Arrival.PROBATION, Arrival.RESTART]
    assert receiver.ssrc == 2
    assert (receiver.statistics.ssrc_changes, receiver.lost, receiver.expected) == (1, 0, 4)


def test_jitter_is_rfc_3550s() -> None:
    receiver = RtpReceiver(8000, probation=1)
    expected = 0.0
    arrivals = [0, 20_000, 45_000, 60_000, 90_000, 100_000]
    for at, now in enumerate(arrivals):
        receiver.judge(1, at, at * 160, 160, now)
        if at:
            difference = abs((now - arrivals[at - 1]) * 8 / 1000 - 160)
            expected += (difference - expected) / 16
    assert receiver.jitter == pytest.approx(expected)
    assert receiver.jitter_milliseconds == pytest.approx(expected / 8)


def test_timestamp_jumps_are_told_and_leave_the_jitter_alone() -> None:
    receiver = RtpReceiver(8000, probation=1)
    receiver.judge(1, 0, 0, 160, 0)
    assert not receiver.judge(1, 1, 160, 160, 20_000).timestamp_jumped
    assert receiver.judge(1, 2, 1_000_000, 160, 40_000).timestamp_jumped
    assert not receiver.judge(1, 3, 1_000_160, 160, 60_000).timestamp_jumped
    # A long silence is none: the time has passed as well.
    assert not receiver.judge(1, 4, 1_080_160, 160, 10_060_000).timestamp_jumped
    assert receiver.jitter == 0
    assert receiver.statistics.timestamp_jumps == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 50_000)
        ),
        max_size=60,
    )
)
def test_whatever_comes_the_counts_stay_sane(arrivals: list[tuple[int, int, int, int]]) -> None:
    receiver = RtpReceiver(8000)
    now = 0
    for ssrc, sequence, timestamp, passed in arrivals:
        now += passed
        receiver.judge(ssrc, sequence, timestamp, 160, now)
        assert receiver.jitter >= 0
        assert 0 <= receiver.fraction_lost() <= 255
        assert 0 <= receiver.highest_sequence <= 0xFFFF_FFFF
        assert receiver.expected >= receiver.statistics.sequence_restarts
