"""RTCP packets (RFC 3550 6) and what two sides learn from them: loss, jitter and the round trip.

Times come in as integers in microseconds: `now` of any steady clock, `wall` since the Unix epoch.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import ClassVar, Protocol

SR, RR, SDES, BYE, APP = 200, 201, 202, 203, 204
RTPFB, PSFB, XR = 205, 206, 207

CNAME = 1
NOTE = 7

# Seconds from 1900 (NTP) to 1970 (Unix).
NTP_EPOCH = 2_208_988_800

# RFC 3550 6.2: the usual minimum interval, the reconsideration's compensation (6.3.1) and the share of senders.
MINIMUM_INTERVAL = 5_000_000
_COMPENSATION = math.e - 1.5
_SENDERS_SHARE = 0.25
# RFC 3550 6.2: RTCP gets five percent of the session's bandwidth.
RTCP_SHARE = 0.05
# IPv4 and UDP headers, which RFC 3550 6.2 counts in.
_LOWER_HEADERS = 28

_BLOCK = struct.Struct("!IB3sIIII")
_SENDER = struct.Struct("!QIII")
_MAX_TEXT = 255
_MAX_COUNT = 31


class RtcpError(ValueError):
    """What came is no RTCP packet, or what should go cannot be one."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source is received: `fraction_lost` in 1/256 since the last report, `lost` in all (24 bits, signed),
    the extended `highest_sequence`, `jitter` in timestamp units, the middle 32 bits of the last SR's NTP time and
    the delay since then in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int = 0
    lost: int = 0
    highest_sequence: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay_since_last_sr: int = 0


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR: `ntp` is the 64-bit NTP time at which the RTP clock showed `rtp_timestamp`."""

    packet_type: ClassVar[int] = SR
    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()
    extension: bytes = b""


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR; `extension` is what a profile adds."""

    packet_type: ClassVar[int] = RR
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()
    extension: bytes = b""


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: for each source its items as (type, text)."""

    packet_type: ClassVar[int] = SDES
    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]

    def cname(self, ssrc: int) -> str | None:
        """The canonical name of a source."""
        for source, items in self.chunks:
            if source == ssrc:
                for kind, text in items:
                    if kind == CNAME:
                        return text.decode("utf-8", "surrogateescape")
        return None


@dataclass(frozen=True, slots=True)
class Bye:
    """BYE: the sources that leave; `reason` None where none is given."""

    packet_type: ClassVar[int] = BYE
    ssrcs: tuple[int, ...]
    reason: bytes | None = None


@dataclass(frozen=True, slots=True)
class OtherPacket:
    """A packet of another type (APP, feedback, XR, …), passed on as it is; `body` follows the first word."""

    packet_type: int
    count: int
    body: bytes


Packet = SenderReport | ReceiverReport | SourceDescription | Bye | OtherPacket


def parse(data: bytes, *, reduced: bool = False) -> list[Packet]:
    """The packets of a compound; RtcpError for what is none.

    RFC 3550 A.2: the first is an SR or RR, only the last is padded. With `reduced` (RFC 5506) any may be first.
    """
    packets: list[Packet] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4:
            raise RtcpError(f"{len(data) - at} bytes left over")
        first, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2:
            raise RtcpError(f"RTCP version {first >> 6}")
        if end > len(data):
            raise RtcpError(f"a packet of {4 * words + 4} bytes in {len(data) - at}")
        if not 192 <= kind <= 223:
            raise RtcpError(f"{kind} is no RTCP packet type")
        if not packets and not reduced and kind not in (SR, RR):
            raise RtcpError(f"a compound that begins with type {kind}")
        body = data[at + 4 : end]
        if first & 0x20:
            if end != len(data):
                raise RtcpError("padding before the last packet")
            padding = body[-1] if body else 0
            if not padding or padding % 4 or padding > len(body):
                raise RtcpError(f"padding of {padding} bytes in {len(body)}")
            body = body[:-padding]
        packets.append(_parse_one(kind, first & 0x1F, body))
        at = end
    if not packets:
        raise RtcpError("an empty compound")
    return packets


def _parse_one(kind: int, count: int, body: bytes) -> Packet:
    match kind:
        case 200:
            if len(body) < 24:
                raise RtcpError(f"a sender report of {len(body)} bytes")
            ssrc = int.from_bytes(body[:4], "big")
            ntp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
            blocks, rest = _parse_blocks(count, body, 24)
            return SenderReport(ssrc, ntp, timestamp, packets, octets, blocks, rest)
        case 201:
            if len(body) < 4:
                raise RtcpError("a receiver report without its source")
            blocks, rest = _parse_blocks(count, body, 4)
            return ReceiverReport(int.from_bytes(body[:4], "big"), blocks, rest)
        case 202:
            return _parse_description(count, body)
        case 203:
            if len(body) < 4 * count:
                raise RtcpError(f"{count} leaving sources in {len(body)} bytes")
            ssrcs = struct.unpack_from(f"!{count}I", body)
            rest = body[4 * count :]
            if rest and len(rest) <= rest[0]:
                raise RtcpError("the reason of a BYE is cut off")
            return Bye(ssrcs, rest[1 : 1 + rest[0]] if rest else None)
        case _:
            return OtherPacket(kind, count, body)


def _parse_blocks(count: int, body: bytes, at: int) -> tuple[tuple[ReportBlock, ...], bytes]:
    end = at + count * _BLOCK.size
    if len(body) < end:
        raise RtcpError(f"{count} report blocks in {len(body) - at} bytes")
    blocks = []
    for ssrc, fraction, lost, highest, jitter, last_sr, delay in _BLOCK.iter_unpack(body[at:end]):
        total = int.from_bytes(lost, "big", signed=True)
        blocks.append(ReportBlock(ssrc, fraction, total, highest, jitter, last_sr, delay))
    return tuple(blocks), body[end:]


def _parse_description(count: int, body: bytes) -> SourceDescription:
    chunks = []
    at = 0
    for _ in range(count):
        if len(body) < at + 4:
            raise RtcpError("a source description is cut off")
        ssrc = int.from_bytes(body[at : at + 4], "big")
        at += 4
        items = []
        while True:
            if at >= len(body):
                raise RtcpError("a source description without its end")
            kind = body[at]
            if kind == 0:
                # RFC 3550 6.5: at least one null, up to the next whole word.
                at = at // 4 * 4 + 4
                break
            size = body[at + 1] if at + 1 < len(body) else 0
            if len(body) < at + 2 + size:
                raise RtcpError("an item of a source description is cut off")
            items.append((kind, body[at + 2 : at + 2 + size]))
            at += 2 + size
        chunks.append((ssrc, tuple(items)))
    return SourceDescription(tuple(chunks))


def serialize(*packets: Packet) -> bytes:
    """The compound of packets in their order; RtcpError for a field that does not fit."""
    try:
        return b"".join(_serialize_one(packet) for packet in packets)
    except (struct.error, OverflowError) as error:
        raise RtcpError(f"a field of an RTCP packet is out of range: {error}") from None


def _serialize_one(packet: Packet) -> bytes:
    match packet:
        case SenderReport():
            numbers = (
                packet.ntp,
                packet.rtp_timestamp,
                packet.packets & 0xFFFF_FFFF,
                packet.octets & 0xFFFF_FFFF,
            )
            count = len(packet.blocks)
            body = struct.pack("!I", packet.ssrc) + _SENDER.pack(*numbers)
            body += _serialize_blocks(packet.blocks) + packet.extension
        case ReceiverReport():
            count = len(packet.blocks)
            body = struct.pack("!I", packet.ssrc) + _serialize_blocks(packet.blocks) + packet.extension
        case SourceDescription():
            count = len(packet.chunks)
            body = b"".join(_serialize_chunk(ssrc, items) for ssrc, items in packet.chunks)
        case Bye():
            count = len(packet.ssrcs)
            body = struct.pack(f"!{count}I", *packet.ssrcs)
            if packet.reason is not None:
                if len(packet.reason) > _MAX_TEXT:
                    raise RtcpError(f"a reason of {len(packet.reason)} bytes")
                body += bytes([len(packet.reason)]) + packet.reason
                body += bytes(-len(body) % 4)
        case OtherPacket():
            count, body = packet.count, packet.body
            if not 192 <= packet.packet_type <= 223:
                raise RtcpError(f"{packet.packet_type} is no RTCP packet type")
    if count > _MAX_COUNT or len(body) % 4:
        raise RtcpError(f"a packet with {count} parts in {len(body)} bytes")
    return struct.pack("!BBH", 0x80 | count, packet.packet_type, len(body) // 4) + body


def _serialize_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost,
            block.lost.to_bytes(3, "big", signed=True),
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def _serialize_chunk(ssrc: int, items: tuple[tuple[int, bytes], ...]) -> bytes:
    parts = [struct.pack("!I", ssrc)]
    for kind, text in items:
        if not 1 <= kind <= 255 or len(text) > _MAX_TEXT:
            raise RtcpError(f"an item of type {kind} and {len(text)} bytes")
        parts.append(bytes([kind, len(text)]) + text)
    whole = b"".join(parts)
    return whole + bytes(4 - len(whole) % 4)


def is_rtcp(packet: bytes | memoryview) -> bool:
    """Whether a packet that came to a port of both RTP and RTCP is RTCP (RFC 5761 4)."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


def ntp_time(wall: int) -> int:
    """A 64-bit NTP time from microseconds since the Unix epoch."""
    seconds, rest = divmod(wall, 1_000_000)
    return (seconds + NTP_EPOCH & 0xFFFF_FFFF) << 32 | (rest << 32) // 1_000_000


def middle(ntp: int) -> int:
    """The middle 32 bits of an NTP time: 1/65536 s."""
    return ntp >> 16 & 0xFFFF_FFFF


def round_trip(block: ReportBlock, arrival: int) -> float | None:
    """Seconds to the other side and back (RFC 3550 6.4.1); `arrival` is `middle` of the time the block came.

    None where the other side had no SR from us yet, or where the answer cannot be true.
    """
    if not block.last_sr:
        return None
    taken = (arrival - block.last_sr - block.delay_since_last_sr) & 0xFFFF_FFFF
    # Half the range back: a clock that was set, or a liar.
    return None if taken >= 0x8000_0000 else taken / 65536


def interval(
    members: int,
    senders: int,
    bandwidth: float,
    we_sent: bool,
    average_size: float,
    draw: float,
    *,
    initial: bool = False,
    minimum: int = MINIMUM_INTERVAL,
) -> int:
    """Microseconds to the next report (RFC 3550 6.3.1).

    `bandwidth` is RTCP's in octets per second, `average_size` octets of a compound with its lower headers,
    `draw` a random number in [0, 1) that spreads the reports over half to one and a half of the interval.
    """
    counted: float = max(1, members)
    if senders <= counted * _SENDERS_SHARE:
        if we_sent:
            bandwidth *= _SENDERS_SHARE
            counted = max(1, senders)
        else:
            bandwidth *= 1 - _SENDERS_SHARE
            counted = max(1, members - senders)
    least = minimum / 2 if initial else minimum
    plain = max(least, average_size * counted / bandwidth * 1_000_000)
    return int(plain * (draw + 0.5) / _COMPENSATION)


@dataclass(frozen=True, slots=True)
class SentStream:
    """What a sender report tells of one's own stream: its timestamp now, packets and octets (of payload) so far."""

    timestamp: int
    packets: int
    octets: int


class ReceivedStream(Protocol):
    """What a report block tells of the other side's stream (RFC 3550 A.3, A.8)."""

    @property
    def ssrc(self) -> int: ...
    @property
    def jitter(self) -> float:
        """Interarrival jitter in timestamp units."""

    @property
    def highest_sequence(self) -> int:
        """The extended highest sequence number received."""

    @property
    def source_lost(self) -> int:
        """Packets that did not come, in 24 bits; below zero where duplicates came."""

    def fraction_lost(self) -> int:
        """The loss since the last call in 1/256: 0 … 255. Each call starts a new interval."""


class RtcpSession:
    """What one side of a call tells the other, and hears from it: a report with an SDES in each compound."""

    def __init__(self, ssrc: int, cname: str, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.cname = cname
        self.clock_rate = clock_rate
        self.packets_in = 0
        self.octets_in = 0
        self.packets_out = 0
        self.round_trip: float | None = None
        # The other side's view of what we send.
        self.remote_fraction_lost = 0
        self.remote_lost = 0
        self.remote_jitter = 0
        self.remote_report: SenderReport | None = None
        self.left = False
        self._report_at = 0
        # RFC 3550 6.3.3: a running average of the sizes of what went and came.
        self._average_size = 128.0

    def report(
        self, sender: SentStream | None, receiver: ReceivedStream | None, now: int, wall: int
    ) -> bytes:
        """The next compound: SR where something was sent, else RR. Starts a new interval of the loss."""
        blocks = () if receiver is None else (self._block(receiver, now),)
        head: Packet
        if sender is not None and sender.packets:
            numbers = (ntp_time(wall), sender.timestamp, sender.packets, sender.octets)
            head = SenderReport(self.ssrc, *numbers, blocks)
        else:
            head = ReceiverReport(self.ssrc, blocks)
        return self._sent(serialize(head, self._description()))

    def bye(self, reason: str | None = None) -> bytes:
        """The last compound."""
        told = None if reason is None else reason.encode("utf-8", "surrogateescape")[:_MAX_TEXT]
        return self._sent(serialize(ReceiverReport(self.ssrc), self._description(), Bye((self.ssrc,), told)))

    def receive(self, data: bytes, now: int, wall: int) -> list[Packet]:
        """Take a compound in; RtcpError, and nothing changed, for what is none."""
        packets = parse(data, reduced=True)
        self.packets_in += 1
        self.octets_in += len(data)
        self._average(len(data))
        for packet in packets:
            if isinstance(packet, SenderReport):
                self.remote_report = packet
                self._report_at = now
            if isinstance(packet, SenderReport | ReceiverReport):
                for block in packet.blocks:
                    if block.ssrc == self.ssrc:
                        self._heard(block, wall)
            if isinstance(packet, Bye):
                self.left = True
        return packets

    def next_interval(
        self, draw: float, bandwidth: float, *, initial: bool = False, minimum: int = MINIMUM_INTERVAL
    ) -> int:
        """Microseconds to the next report in a call of two; `bandwidth` is the media's in octets per second."""
        share = bandwidth * RTCP_SHARE
        return interval(2, 2, share, True, self._average_size, draw, initial=initial, minimum=minimum)

    def _block(self, receiver: ReceivedStream, now: int) -> ReportBlock:
        last_sr = delay = 0
        if self.remote_report is not None and self.remote_report.ssrc == receiver.ssrc:
            last_sr = middle(self.remote_report.ntp)
            delay = min(0xFFFF_FFFF, (now - self._report_at) * 65536 // 1_000_000)
        return ReportBlock(
            receiver.ssrc,
            receiver.fraction_lost(),
            receiver.source_lost,
            receiver.highest_sequence,
            min(0xFFFF_FFFF, int(receiver.jitter)),
            last_sr,
            delay,
        )

    def _heard(self, block: ReportBlock, wall: int) -> None:
        self.remote_fraction_lost = block.fraction_lost
        self.remote_lost = block.lost
        self.remote_jitter = block.jitter
        taken = round_trip(block, middle(ntp_time(wall)))
        if taken is not None:
            self.round_trip = taken

    def _description(self) -> SourceDescription:
        name = self.cname.encode("utf-8", "surrogateescape")[:_MAX_TEXT]
        return SourceDescription(((self.ssrc, ((CNAME, name),)),))

    def _sent(self, data: bytes) -> bytes:
        self.packets_out += 1
        self._average(len(data))
        return data

    def _average(self, size: int) -> None:
        self._average_size += (size + _LOWER_HEADERS - self._average_size) / 16
