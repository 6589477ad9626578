"""RTP headers of many packets at once, on arrays over packets.

The rules are those of `media.rtp`; these functions carry what a real-time engine reads from and hands to one
system call for many packets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.rtp import HEADER_SIZE


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of N packets, each array of shape (N,). Where `ok` is False the other fields mean nothing.

    `payload_offset` and `payload_length` are in bytes; the length leaves the padding out.
    """

    ok: NDArray[np.bool_]
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    ssrc: NDArray[np.uint32]
    payload_offset: NDArray[np.int32]
    payload_length: NDArray[np.int32]


def parse_many(buffers: NDArray[np.uint8], lengths: NDArray[np.integer]) -> Headers:
    """Parse N packets: `buffers` uint8 of shape (N, max_len), row i holding a datagram of `lengths[i]` bytes.

    A packet is `ok` exactly where `RtpPacket.parse` takes it; one that is longer than its row is not.
    """
    count, width = buffers.shape
    sizes = lengths.astype(np.int32)
    if width < HEADER_SIZE:
        buffers = np.pad(buffers, ((0, 0), (0, HEADER_SIZE - width)))
    # One copy of the fixed headers, read as 32-bit words in network order.
    words = np.ascontiguousarray(buffers[:, :HEADER_SIZE]).view(">u4")
    first_word = words[:, 0].astype(np.uint32)
    second = ((first_word >> 16) & 0xFF).astype(np.uint8)
    first = (first_word >> 24).astype(np.uint8)
    ok = (sizes >= HEADER_SIZE) & (sizes <= width) & (first >> 6 == 2)
    # RFC 5761 4: these are RTCP.
    ok &= (second < 192) | (second > 223)
    offset = np.full(count, HEADER_SIZE, np.int32)
    padding = np.zeros(count, np.int32)
    # Nearly every packet of a call has the plain first byte; the rest is looked at one kind after the other.
    special = ok & (first != 0x80)
    if special.any():
        rows = np.flatnonzero(special)
        ok[rows], offset[rows], padding[rows] = _variable_parts(buffers, rows, sizes[rows], first[rows])
    return Headers(
        ok,
        np.bitwise_and(second, 0x7F, dtype=np.uint8),
        second >= 0x80,
        (first_word & 0xFFFF).astype(np.uint16),
        words[:, 1].astype(np.uint32),
        words[:, 2].astype(np.uint32),
        offset,
        sizes - offset - padding,
    )


def _variable_parts(
    buffers: NDArray[np.uint8], rows: NDArray[np.intp], sizes: NDArray[np.int32], first: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    """Of packets with CSRC, extension or padding: whether they fit, where the payload starts, the padding."""
    last = buffers.shape[1] - 1
    offset = HEADER_SIZE + 4 * (first & 0x0F).astype(np.int32)
    extended = first & 0x10 != 0
    ok = np.where(extended, sizes >= offset + 4, sizes >= offset)
    # A place beyond the row is only read where the packet has been found too short already.
    high = buffers[rows, np.minimum(offset + 2, last)].astype(np.int32)
    low = buffers[rows, np.minimum(offset + 3, last)].astype(np.int32)
    offset += np.where(extended, 4 + 4 * (high << 8 | low), 0)
    ok &= sizes >= offset
    padded = first & 0x20 != 0
    told = buffers[rows, np.clip(sizes - 1, 0, last)].astype(np.int32)
    padding = np.where(padded, told, 0).astype(np.int32)
    ok &= ~padded | ((padding >= 1) & (padding <= sizes - offset))
    return ok, offset.astype(np.int32), padding


def build_many(
    buffers: NDArray[np.uint8],
    payload_type: NDArray[np.integer] | int,
    marker: NDArray[np.bool_] | bool,
    sequence: NDArray[np.integer],
    timestamp: NDArray[np.integer],
    ssrc: NDArray[np.integer],
) -> None:
    """Write N plain headers (no CSRC, extension or padding) into `buffers[:, :12]`, uint8 of shape (N, >= 12).

    The payload belongs at `buffers[:, 12:]`. Sequence numbers and timestamps are cut to 16 and 32 bits.
    Raises ValueError for rows that are too short.
    """
    count, width = buffers.shape
    if width < HEADER_SIZE:
        raise ValueError(f"an RTP header takes {HEADER_SIZE} bytes, a row has {width}")
    words = np.empty((count, 3), ">u4")
    second = np.left_shift(marker, 7, dtype=np.int64) | payload_type
    words[:, 0] = 0x8000_0000 | second << 16 | sequence.astype(np.int64) & 0xFFFF
    words[:, 1] = timestamp.astype(np.int64) & 0xFFFF_FFFF
    words[:, 2] = ssrc
    buffers[:, :HEADER_SIZE] = words.view(np.uint8)
