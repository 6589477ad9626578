from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp
from media.realtime.reception import Reception
from media.rtcp import (
    Bye,
    OtherPacket,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    RtcpSession,
    SenderReport,
    SentStream,
    SourceDescription,
    interval,
    middle,
    ntp_time,
    parse,
    round_trip,
    serialize,
)

U32 = st.integers(0, 0xFFFF_FFFF)
BLOCKS = st.lists(
    st.builds(ReportBlock, U32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), U32, U32, U32, U32),
    max_size=31,
).map(tuple)
WORDS = st.integers(0, 5).flatmap(lambda count: st.binary(min_size=4 * count, max_size=4 * count))
ITEMS = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=4).map(tuple)
REPORTS = st.one_of(
    st.builds(SenderReport, U32, st.integers(0, 2**64 - 1), U32, U32, U32, BLOCKS, WORDS),
    st.builds(ReceiverReport, U32, BLOCKS, WORDS),
)
OTHERS = st.one_of(
    REPORTS,
    st.builds(SourceDescription, st.lists(st.tuples(U32, ITEMS), max_size=5).map(tuple)),
    st.builds(Bye, st.lists(U32, max_size=31).map(tuple), st.none() | st.binary(max_size=255)),
    st.builds(OtherPacket, st.sampled_from([204, 205, 206, 207]), st.integers(0, 31), WORDS),
)


@given(REPORTS, st.lists(OTHERS, max_size=4))
def test_what_is_serialized_is_parsed_again(first: rtcp.Packet, rest: list[rtcp.Packet]) -> None:
    assert parse(serialize(first, *rest)) == [first, *rest]


def damaged(first: rtcp.Packet, second: rtcp.Packet, at: int, byte: int) -> bytes:
    data = bytearray(serialize(first, second))
    data[at % len(data)] = byte
    return bytes(data)


@given(
    st.one_of(
        st.binary(max_size=120),
        st.tuples(
            st.integers(0x80, 0xBF), st.integers(200, 207), st.integers(0, 12), st.binary(max_size=60)
        ).map(lambda parts: bytes([parts[0], parts[1], 0, parts[2]]) + parts[3]),
        st.builds(damaged, REPORTS, OTHERS, st.integers(0, 100), st.integers(0, 255)),
    ),
    st.booleans(),
)
def test_any_bytes_are_packets_or_the_declared_error(data: bytes, reduced: bool) -> None:
    session = RtcpSession(1, "a@b", 8000)
    try:
        packets = parse(data, reduced=reduced)
    except RtcpError:
        return
    assert parse(serialize(*packets), reduced=reduced) == packets
    assert session.receive(data, 0, 0) == packets


def test_a_compound_as_a_phone_sends_it() -> None:
    data = bytes.fromhex(
        "81c8000c 00000001 e0d1c2b3 80000000 00000320 00000005 00000320"  # SR
        "00000002 40 fffffe 00010007 00000010 c2b38000 00010000"
        "81ca0003 00000001 01 05 6140622e63 00"  # SDES, CNAME a@b.c
        "81cb0002 00000001 03 627965"  # BYE, "bye"
    )
    report, description, bye = parse(data)
    assert isinstance(report, SenderReport)
    block = ReportBlock(2, 0x40, -2, 0x10007, 16, 0xC2B38000, 0x10000)
    assert report == SenderReport(1, 0xE0D1C2B3_80000000, 800, 5, 800, (block,))
    assert isinstance(description, SourceDescription)
    assert (description.cname(1), description.cname(2)) == ("a@b.c", None)
    assert bye == Bye((1,), b"bye")
    assert serialize(report, description, bye) == data


def test_padding_only_at_the_end() -> None:
    padded = bytes.fromhex("a0c90002 00000001 00000004")
    assert parse(padded) == [ReceiverReport(1)]
    with pytest.raises(RtcpError, match="before the last"):
        parse(padded + serialize(ReceiverReport(1)))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "80c9",
        "80c90001",  # body cut off
        "40c9000100000001",  # version 1
        "80ca0000",  # a compound that begins with SDES
        "81c9000100000001",  # a report block that is not there
        "80c80001 00000001",  # SR without its sender's part
        "80c9000100000001 81ca0001 00000001",  # an SDES chunk without its end
        "80c9000100000001 81ca0002 00000001 01ff6161",  # an item cut off
        "80c9000100000001 82cb0001 00000001",  # BYE of two with one
        "80c9000100000001 81cb0002 00000001 ff616161",  # a reason cut off
        "a0c90002 00000001 00000003",  # padding of no whole words
        "a0c90002 00000001 00000010",  # more padding than packet
        "80000001 00000001",  # RTP
    ],
)
def test_what_is_no_compound(data: str) -> None:
    with pytest.raises(RtcpError):
        parse(bytes.fromhex(data))


@pytest.mark.parametrize(
    "packet",
    [
        ReceiverReport(2**32),
        ReceiverReport(1, (ReportBlock(1, lost=2**23),)),
        ReceiverReport(1, (ReportBlock(1, fraction_lost=256),)),
        ReceiverReport(1, (ReportBlock(1),) * 32),
        ReceiverReport(1, extension=b"a"),
        SourceDescription(((1, ((0, b""),)),)),
        Bye((1,), b"a" * 256),
        OtherPacket(100, 0, b""),
    ],
)
def test_what_cannot_be_sent(packet: rtcp.Packet) -> None:
    with pytest.raises(RtcpError):
        serialize(packet)


def test_ntp_time() -> None:
    assert ntp_time(0) == 2_208_988_800 << 32
    assert ntp_time(500_000) & 0xFFFF_FFFF == 0x8000_0000
    assert middle(0x11112222_33334444) == 0x22223333


def test_round_trip_is_that_of_rfc_3550s_example() -> None:
    # RFC 3550 6.4.1, figure 2.
    block = ReportBlock(1, last_sr=0xB705_2000, delay_since_last_sr=0x0005_4000)
    assert round_trip(block, 0xB710_8000) == pytest.approx(6.125)
    assert round_trip(ReportBlock(1), 5) is None
    assert round_trip(ReportBlock(1, last_sr=100, delay_since_last_sr=50), 120) is None


def arrive(heard: Reception, sequence: int, tick: int) -> None:
    """Let a packet of 20 ms arrive on line 0, in this tick."""
    heard.judge(
        np.array([0]),
        np.array([1], np.uint32),
        np.array([sequence & 0xFFFF], np.uint16),
        np.array([tick * 160], np.uint32),
        np.array([160], np.int32),
        tick,
    )


def test_two_sides_learn_the_round_trip_and_the_loss() -> None:
    wall = 1_700_000_000_000_000
    here, there = RtcpSession(1, "here", 8000), RtcpSession(2, "there", 8000)
    heard = Reception(1, 160, np.zeros((1, 256), np.int16))
    heard.open(0, 0, 2, 10)
    assert heard.receiver(0) is None
    for number in range(100):
        if number % 4 != 3 or number > 90:
            arrive(heard, 0xFFD0 + number, number)
    sent = SentStream(16_000, 100, 16_000)
    there.receive(here.report(sent, None, 2_000_000, wall), 2_040_000, wall + 40_000)
    assert there.remote_report is not None
    assert there.remote_report.packets == 100
    answer = there.report(None, heard.receiver(0), 3_040_000, wall + 1_040_000)
    here.receive(answer, 3_100_000, wall + 1_100_000)
    # 40 ms there, one second of rest, 60 ms back.
    assert here.round_trip == pytest.approx(0.1, abs=0.001)
    assert here.remote_lost == 22
    assert here.remote_fraction_lost == 22 * 256 // 100
    assert not there.left
    there.receive(here.bye("over"), 0, 0)
    assert there.left


def test_reports_are_spread_around_five_seconds() -> None:
    session = RtcpSession(1, "a", 8000)
    draws = random.Random(1)
    times = [session.next_interval(draws.random(), 8000) / 1e6 for _ in range(200)]
    assert 2 < min(times) < 2.3
    assert 6 < max(times) < 6.2
    assert session.next_interval(0.5, 8000, initial=True) == pytest.approx(2.5e6 / 1.21828, rel=1e-3)


def test_many_members_share_the_bandwidth() -> None:
    # 1000 listeners: 750 octets/s for 100 octets each take 133 s.
    assert interval(1010, 10, 1000, False, 100, 0.5) == pytest.approx(
        1000 * 100 / 750 * 1e6 / 1.21828, rel=1e-3
    )
    assert interval(1010, 10, 1000, True, 100, 0.5) == pytest.approx(5e6 / 1.21828, rel=1e-3)


def test_the_loss_that_is_told_is_that_of_the_interval() -> None:
    heard = Reception(1, 160, np.zeros((1, 256), np.int16))
    heard.open(0, 0, 2, 10)
    told = []
    for sequences in ((0, 1, 2, 3), (5, 7), (), (6, 6, 6)):
        for sequence in sequences:
            arrive(heard, sequence, sequence)
        stream = heard.receiver(0)
        assert stream is not None
        told.append((stream.fraction_lost(), stream.source_lost, stream.highest_sequence))
    # packets that come again, or late, count against those lost (RFC 3550 A.3)
    assert told == [(0, 0, 3), (128, 2, 7), (0, 2, 7), (0, -1, 7)]
