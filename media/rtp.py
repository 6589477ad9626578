"""RTP packets and their arithmetic (RFC 3550), and what one stream sends and receives.

Nothing here reads a clock or a socket: times are integers in microseconds and come in as arguments,
sequence numbers and timestamps are in RTP's own units.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum

VERSION = 2
HEADER_SIZE = 12

# RFC 3550 appendix A.1.
MIN_SEQUENTIAL = 2
MAX_DROPOUT = 3000
MAX_MISORDER = 100

# RFC 5761 4: with the marker taken for a bit of it, a payload type of 64 to 95 is RTCP on the same port.
_RTCP_TYPES = range(192, 224)

# Sequence numbers that are remembered to tell a duplicate from a packet that comes late; as many as may be late.
_WINDOW = MAX_MISORDER + 28
_WINDOW_MASK = (1 << _WINDOW) - 1

# A timestamp that moves so much more or less than the time between two packets has jumped: half a second of
# telephony is more than any jitter and less than any hold.
JUMP_MICROSECONDS = 500_000

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


class RtpSender:
    """Numbers the packets of one stream: sequence, timestamp, and the marker on the first after silence.

    RFC 3550 5.1 wants random starts; the caller draws them. The timestamp runs on with `skip` while nothing
    is sent.
    """

    def __init__(self, ssrc: int, payload_type: int, sequence: int = 0, timestamp: int = 0) -> None:
        self.ssrc = ssrc
        self.payload_type = payload_type
        self.sequence = sequence & 0xFFFF
        self.timestamp = timestamp & 0xFFFF_FFFF
        self.packets = 0
        self.octets = 0
        self._silent = True

    def send(
        self, payload: bytes, duration: int, *, payload_type: int | None = None, marker: bool | None = None
    ) -> RtpPacket:
        """The packet for the next `duration` timestamp units. `marker` overrules what follows from the silence."""
        packet = RtpPacket(
            self.payload_type if payload_type is None else payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
            payload,
            self._silent if marker is None else marker,
        )
        self._sent(len(payload))
        self.timestamp = (self.timestamp + duration) & 0xFFFF_FFFF
        self._silent = False
        return packet

    def send_at(self, timestamp: int, payload: bytes, payload_type: int, marker: bool) -> RtpPacket:
        """A packet with a timestamp of its own, which does not move the stream's: a telephone-event (RFC 4733)."""
        packet = RtpPacket(payload_type, self.sequence, timestamp & 0xFFFF_FFFF, self.ssrc, payload, marker)
        self._sent(len(payload))
        return packet

    def skip(self, duration: int) -> None:
        """Let `duration` timestamp units pass in silence; the next packet bears the marker."""
        self.timestamp = (self.timestamp + duration) & 0xFFFF_FFFF
        self._silent = True

    def _sent(self, octets: int) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += octets


class Arrival(Enum):
    """What a packet is to its stream."""

    NEW = "new"
    REORDERED = "reordered"
    DUPLICATE = "duplicate"
    PROBATION = "probation"  # a source that is not yet trusted
    RESTART = (
        "restart"  # the first packet of a source, or after a jump of the sequence: nothing before counts
    )
    STRAY = "stray"  # a wild sequence number


@dataclass(frozen=True, slots=True)
class Received:
    """What `RtpReceiver.receive` found: `sequence` is extended by the wraps, `lost` the gap before this packet."""

    arrival: Arrival
    sequence: int
    lost: int = 0
    timestamp_jumped: bool = False

    @property
    def usable(self) -> bool:
        """Whether the payload belongs to the stream and was not there before."""
        return self.arrival in (Arrival.NEW, Arrival.REORDERED, Arrival.RESTART)


@dataclass(slots=True)
class _Probation:
    """A source that wants to be heard: RFC 3550 A.1 trusts it after packets in a row."""

    ssrc: int
    expected: int
    left: int


@dataclass(slots=True)
class ReceiverStatistics:
    """Counts over all sources of the stream; packets and octets (of payload) with duplicates, without strays."""

    packets: int = 0
    octets: int = 0
    duplicates: int = 0
    reordered: int = 0
    strays: int = 0
    ssrc_changes: int = 0
    sequence_restarts: int = 0
    timestamp_jumps: int = 0


@dataclass(slots=True)
class RtpReceiver:
    """One incoming stream: validity, order, loss and jitter (RFC 3550 appendix A.1, A.3, A.8).

    `clock_rate` is the RTP clock in hertz. `probation` is how many packets in a row a new source must send
    before its packets are usable; 1 trusts the first (FreeSWITCH does), RFC 3550 recommends `MIN_SEQUENTIAL`.
    A source is replaced by another one at once when that has passed its probation.
    """

    clock_rate: int
    probation: int = MIN_SEQUENTIAL
    ssrc: int | None = None
    statistics: ReceiverStatistics = field(default_factory=ReceiverStatistics)

    _candidate: _Probation | None = None
    _base: int = 0
    _highest: int = 0
    _bad: int | None = None
    _seen: int = 0
    _received: int = 0
    _earlier_expected: int = 0
    _earlier_received: int = 0
    _expected_prior: int = 0
    _received_prior: int = 0
    _timestamp: int = 0
    _arrived: int = 0
    _transit: float | None = None
    _jitter: float = 0.0

    def receive(self, packet: RtpPacket, now: int) -> Received:
        """Judge a packet that arrived at `now` (µs)."""
        return self.judge(packet.ssrc, packet.sequence, packet.timestamp, len(packet.payload), now)

    def judge(self, ssrc: int, sequence: int, timestamp: int, octets: int, now: int) -> Received:
        """As `receive`, from the fields of the header."""
        if ssrc != self.ssrc:
            return self._from_stranger(ssrc, sequence, timestamp, octets, now)
        self._candidate = None
        ahead = sequence_difference(sequence, self._highest & 0xFFFF)
        extended = self._highest + ahead
        if 0 < ahead < MAX_DROPOUT:
            self._seen = (self._seen << ahead | 1) & _WINDOW_MASK
            self._highest = extended
            self._bad = None
            jumped = self._time(timestamp, now)
            self._count(octets)
            return Received(Arrival.NEW, extended, ahead - 1, jumped)
        if -MAX_MISORDER < ahead <= 0:
            bit = 1 << -ahead
            self._count(octets)
            if self._seen & bit:
                self.statistics.duplicates += 1
                return Received(Arrival.DUPLICATE, extended)
            self._seen |= bit
            self.statistics.reordered += 1
            return Received(Arrival.REORDERED, extended)
        if sequence == self._bad:
            # RFC 3550 A.1: two packets in a row, so the other side has started anew without telling.
            self.statistics.sequence_restarts += 1
            return self._start(ssrc, sequence, timestamp, octets, now)
        self._bad = (sequence + 1) & 0xFFFF
        self.statistics.strays += 1
        return Received(Arrival.STRAY, extended)

    @property
    def jitter(self) -> float:
        """Interarrival jitter in timestamp units (RFC 3550 A.8)."""
        return self._jitter

    @property
    def jitter_milliseconds(self) -> float:
        return self._jitter * 1000 / self.clock_rate

    @property
    def highest_sequence(self) -> int:
        """The extended highest sequence number received, for a report block."""
        return self._highest & 0xFFFF_FFFF

    @property
    def expected(self) -> int:
        """Packets that should have come, over all sources."""
        return self._earlier_expected + (self._highest - self._base + 1 if self.ssrc is not None else 0)

    @property
    def lost(self) -> int:
        """Packets that did not come, over all sources; below zero where duplicates came (RFC 3550 A.3)."""
        return self.expected - self._earlier_received - self._received

    @property
    def source_lost(self) -> int:
        """As `lost`, of the present source alone and within the report block's 24 bits."""
        expected = self._highest - self._base + 1 if self.ssrc is not None else 0
        return max(-0x80_0000, min(0x7F_FFFF, expected - self._received))

    def fraction_lost(self) -> int:
        """The loss since the last call in 1/256 (RFC 3550 A.3): 0 … 255. Each call starts a new interval."""
        expected = self._highest - self._base + 1 if self.ssrc is not None else 0
        expected_now = expected - self._expected_prior
        lost = expected_now - (self._received - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self._received
        return min(255, (lost << 8) // expected_now) if expected_now > 0 and lost > 0 else 0

    def _from_stranger(self, ssrc: int, sequence: int, timestamp: int, octets: int, now: int) -> Received:
        candidate = self._candidate
        if candidate is None or candidate.ssrc != ssrc or sequence != candidate.expected:
            candidate = _Probation(ssrc, sequence, self.probation)
            self._candidate = candidate
        candidate.left -= 1
        candidate.expected = (sequence + 1) & 0xFFFF
        if candidate.left > 0:
            return Received(Arrival.PROBATION, sequence)
        if self.ssrc is not None:
            self.statistics.ssrc_changes += 1
        return self._start(ssrc, sequence, timestamp, octets, now)

    def _start(self, ssrc: int, sequence: int, timestamp: int, octets: int, now: int) -> Received:
        if self.ssrc is not None:
            self._earlier_expected += self._highest - self._base + 1
            self._earlier_received += self._received
        self.ssrc = ssrc
        self._candidate = None
        self._bad = None
        self._base = self._highest = sequence
        self._seen = 1
        self._received = self._expected_prior = self._received_prior = 0
        self._transit = None
        self._jitter = 0.0
        self._time(timestamp, now)
        self._count(octets)
        return Received(Arrival.RESTART, sequence)

    def _count(self, octets: int) -> None:
        self._received += 1
        self.statistics.packets += 1
        self.statistics.octets += octets

    def _time(self, timestamp: int, now: int) -> bool:
        """Bring the jitter up to date; tell whether the timestamp moved otherwise than the time did."""
        units = now * self.clock_rate / 1_000_000
        if self._transit is None:
            self._transit = 0.0
            self._timestamp, self._arrived = timestamp, now
            return False
        moved = timestamp_difference(timestamp, self._timestamp)
        passed = units - self._arrived * self.clock_rate / 1_000_000
        difference = abs(passed - moved)
        self._timestamp, self._arrived = timestamp, now
        if difference > JUMP_MICROSECONDS * self.clock_rate / 1_000_000:
            self.statistics.timestamp_jumps += 1
            return True
        # RFC 4733 2.6: an event's packets repeat its start; their distance tells nothing of the network.
        if moved:
            self._jitter += (difference - self._jitter) / 16
        return False
