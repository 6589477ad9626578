from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import RtpError, RtpPacket
from media.rtp_batch import build_many, parse_many
from tests.media.test_rtp import packets

WIDTH = 400
DATAGRAMS = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda rest: b"\x80\x00" + rest),
    packets().map(RtpPacket.serialize).filter(lambda data: len(data) <= WIDTH),
    st.tuples(packets(), st.integers(0, 40)).map(
        lambda pair: pair[0].serialize()[: -pair[1] or None][:WIDTH]
    ),
)


@given(st.lists(DATAGRAMS, min_size=1, max_size=12))
def test_many_are_parsed_as_one_is(datagrams: list[bytes]) -> None:
    # What is left in the rows from before must not matter.
    buffers = np.full((len(datagrams), WIDTH), 0x5A, np.uint8)
    for row, data in enumerate(datagrams):
        buffers[row, : len(data)] = np.frombuffer(data, np.uint8)
    headers = parse_many(buffers, np.array([len(data) for data in datagrams]))
    for row, data in enumerate(datagrams):
        try:
            packet = RtpPacket.parse(data)
        except RtpError:
            assert not headers.ok[row]
            continue
        assert headers.ok[row]
        start, length = int(headers.payload_offset[row]), int(headers.payload_length[row])
        found = (
            int(headers.payload_type[row]),
            int(headers.sequence[row]),
            int(headers.timestamp[row]),
            int(headers.ssrc[row]),
            buffers[row, start : start + length].tobytes(),
            bool(headers.marker[row]),
        )
        expected = (
            packet.payload_type,
            packet.sequence,
            packet.timestamp,
            packet.ssrc,
            packet.payload,
            packet.marker,
        )
        assert found == expected


def test_many_are_built_as_one_is() -> None:
    count = 50
    random = np.random.default_rng(3)
    sequence = np.arange(65520, 65520 + count)
    timestamp = np.arange(count) * 160 + 2**32 - 1000
    ssrc = random.integers(0, 2**32, count, dtype=np.uint32)
    marker = random.integers(0, 2, count).astype(bool)
    payload_type = random.choice([0, 8, 9, 101], count)
    buffers = random.integers(0, 256, (count, 172), dtype=np.uint8)
    payloads = buffers[:, 12:].copy()
    build_many(buffers, payload_type, marker, sequence, timestamp, ssrc)
    for row in range(count):
        packet = RtpPacket(
            int(payload_type[row]),
            int(sequence[row]) & 0xFFFF,
            int(timestamp[row]) & 0xFFFF_FFFF,
            int(ssrc[row]),
            payloads[row].tobytes(),
            bool(marker[row]),
        )
        assert buffers[row].tobytes() == packet.serialize()
    build_many(buffers, 0, False, sequence, timestamp, ssrc)
    assert parse_many(buffers, np.full(count, 172)).payload_type.tolist() == [0] * count


def test_rows_that_are_too_short() -> None:
    headers = parse_many(np.zeros((2, 4), np.uint8), np.array([4, 400]))
    assert not headers.ok.any()
    one = np.arange(1)
    with pytest.raises(ValueError, match="takes 12"):
        build_many(np.zeros((1, 8), np.uint8), 0, False, one, one, one)


def test_no_packets() -> None:
    assert len(parse_many(np.zeros((0, 200), np.uint8), np.zeros(0, np.int64)).ok) == 0
