"""Opus packets, by the tables of RFC 6716 and by what the encoder makes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.opus import Opus
from media.opus_packet import OpusPacketError, described, parse


@pytest.mark.parametrize(
    ("data", "mode", "bandwidth", "samples", "channels", "frames"),
    [
        (bytes([0 << 3]) + b"ab", "SILK", "NARROWBAND", 480, 1, (b"ab",)),
        (bytes([7 << 3 | 4 | 1]) + b"abcd", "SILK", "MEDIUMBAND", 2880, 2, (b"ab", b"cd")),
        (bytes([9 << 3 | 2, 1]) + b"abc", "SILK", "WIDEBAND", 960, 1, (b"a", b"bc")),
        (bytes([13 << 3 | 3, 2]) + b"abcd", "HYBRID", "SUPERWIDEBAND", 960, 1, (b"ab", b"cd")),
        (bytes([14 << 3 | 3, 0x83, 1, 2]) + b"abbccc", "HYBRID", "FULLBAND", 480, 1, (b"a", b"bb", b"ccc")),
        (bytes([31 << 3 | 3, 0x41, 2]) + b"ab\0\0", "CELT", "FULLBAND", 960, 1, (b"ab",)),
        (bytes([28 << 3]), "CELT", "FULLBAND", 120, 1, (b"",)),
    ],
)
def test_the_first_byte_tells_what_it_is(
    data: bytes, mode: str, bandwidth: str, samples: int, channels: int, frames: tuple[bytes, ...]
) -> None:
    packet = parse(data)
    assert (packet.mode, packet.bandwidth, packet.frame_samples) == (mode, bandwidth, samples)
    assert (packet.channels, packet.frames) == (channels, frames)


def test_a_long_length_has_two_bytes() -> None:
    first, second = b"x" * 300, b"y" * 7
    assert parse(bytes([9 << 3 | 2, 252, 12]) + first + second).frames == (first, second)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes([9 << 3 | 1]) + b"abc",  # odd
        bytes([9 << 3 | 2]),
        bytes([9 << 3 | 2, 9]) + b"ab",
        bytes([9 << 3 | 3]),
        bytes([9 << 3 | 3, 0]),
        bytes([11 << 3 | 3, 3]) + b"abc",  # 180 ms
        bytes([9 << 3 | 3, 0x42, 255]),
        bytes([9 << 3]) + bytes(1276),
    ],
)
def test_what_is_no_packet(data: bytes) -> None:
    with pytest.raises(OpusPacketError):
        parse(data)


@pytest.mark.parametrize(
    ("first", "frame", "fec"),
    [
        (9 << 3, 0b0100_0000, True),  # mono, 20 ms: activity, copy
        (9 << 3, 0b1000_0000, False),
        (10 << 3, 0b0010_0000, True),  # 40 ms: two flags of activity
        (10 << 3, 0b1100_0000, False),
        (9 << 3 | 4, 0b0001_0000, True),  # stereo: the second channel's
        (9 << 3 | 4, 0b1010_0000, False),
        (31 << 3, 0xFF, False),  # CELT has none
    ],
)
def test_the_flag_of_a_copy(first: int, frame: int, fec: bool) -> None:
    assert parse(bytes([first, frame, 0])).has_fec is fec


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        packet = parse(data)
    except OpusPacketError:
        assert "OPUS_INVALID_PACKET" in described("decode", data, 48_000)
        return
    assert 0 < packet.samples(48_000) <= 5760
    assert sum(map(len, packet.frames)) < len(data)


def speech(samples: int, rate: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    time = np.arange(samples) / rate
    voice = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 12))
    return (4000 * voice * (1 + np.sin(2 * np.pi * 3 * time))).astype(np.int16)


def test_what_the_encoder_makes() -> None:
    codec = Opus(16_000, 20, {"useinbandfec": "1"})
    sound = speech(16_000 * 2, 16_000)
    packets = [codec.encode(sound[at : at + 320]) for at in range(0, len(sound), 320)]
    told = [described("encode", packet, 16_000) for packet in packets]
    assert re.match(
        r"encode: opus_frames \[1\] samples \[320\] audio bandwidth \[(MEDIUM|WIDE)BAND\] bytes \[", told[50]
    )
    assert any("FEC[yes] channels[1]" in line for line in told)
    plain = Opus(16_000, 20)
    assert not any(parse(plain.encode(sound[at : at + 320])).has_fec for at in range(0, len(sound), 320))
