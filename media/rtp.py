"""RTP packets and the arithmetic of their sequence numbers and timestamps (RFC 3550), both in RTP's own units."""

from __future__ import annotations

import struct
from dataclasses import dataclass

VERSION = 2
HEADER_SIZE = 12

# RFC 5761 4: with the marker taken for a bit of it, a payload type of 64 to 95 is RTCP on the same port.
_RTCP_TYPES = range(192, 224)

_FIXED = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


class RtpError(ValueError):
    """What came is no RTP packet, or what should go cannot be one."""


def sequence_difference(later: int, earlier: int) -> int:
    """`later` - `earlier` of 16-bit sequence numbers, the short way round: -32768 … 32767."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def timestamp_difference(later: int, earlier: int) -> int:
    """`later` - `earlier` of 32-bit timestamps, the short way round: -2**31 … 2**31 - 1."""
    return ((later - earlier + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def is_rtcp(packet: bytes) -> bool:
    """Whether a packet that came to a port for both is RTCP (RFC 5761 4)."""
    return len(packet) >= 2 and packet[1] in _RTCP_TYPES


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `extension` is (profile, data), data in whole 32-bit words and passed on as it is (RFC 8285's
    0xBEDE and 0x100x elements live in it); `padding` counts the bytes after the payload, their count included.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    padding: int = 0

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """The packet in a datagram; RtpError for what is none."""
        size = len(data)
        if size < HEADER_SIZE:
            raise RtpError(f"an RTP header takes {HEADER_SIZE} bytes, not {size}")
        first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
        if first >> 6 != VERSION:
            raise RtpError(f"RTP version {first >> 6}")
        if second in _RTCP_TYPES:
            raise RtpError(f"an RTCP packet of type {second}")
        start = HEADER_SIZE
        csrc: tuple[int, ...] = ()
        count = first & 0x0F
        if count:
            start += 4 * count
            if size < start:
                raise RtpError(f"{count} contributing sources do not fit into {size} bytes")
            csrc = struct.unpack_from(f"!{count}I", data, HEADER_SIZE)
        extension = None
        if first & 0x10:
            if size < start + 4:
                raise RtpError("the header extension is cut off")
            profile, words = _EXTENSION.unpack_from(data, start)
            start += 4
            if size < start + 4 * words:
                raise RtpError(f"a header extension of {words} words does not fit into {size} bytes")
            extension = (profile, data[start : start + 4 * words])
            start += 4 * words
        padding = 0
        if first & 0x20:
            padding = data[-1] if size > start else 0
            if not 1 <= padding <= size - start:
                raise RtpError(f"padding of {padding} bytes in a payload of {size - start}")
        payload = data[start : size - padding]
        return cls(
            second & 0x7F, sequence, timestamp, ssrc, payload, second >= 0x80, csrc, extension, padding
        )

    def serialize(self) -> bytes:
        """The datagram; RtpError for a field that does not fit."""
        if not 0 <= self.payload_type <= 127 or len(self.csrc) > 15 or not 0 <= self.padding <= 255:
            raise RtpError(
                f"no packet has payload type {self.payload_type}, {len(self.csrc)} contributing sources and "
                f"{self.padding} bytes of padding"
            )
        first = VERSION << 6 | bool(self.padding) << 5 | (self.extension is not None) << 4 | len(self.csrc)
        second = self.marker << 7 | self.payload_type
        if second in _RTCP_TYPES:
            raise RtpError(f"payload type {self.payload_type} with the marker would be taken for RTCP")
        try:
            parts = [_FIXED.pack(first, second, self.sequence, self.timestamp, self.ssrc)]
            if self.csrc:
                parts.append(struct.pack(f"!{len(self.csrc)}I", *self.csrc))
            if self.extension is not None:
                profile, content = self.extension
                if len(content) % 4:
                    raise RtpError(f"a header extension of {len(content)} bytes, which is no whole words")
                parts += [_EXTENSION.pack(profile, len(content) // 4), content]
        except struct.error as error:
            raise RtpError(f"a field of the RTP header is out of range: {error}") from None
        parts.append(self.payload)
        if self.padding:
            parts.append(bytes(self.padding - 1) + bytes([self.padding]))
        return b"".join(parts)
