"""One RTP stream that is no row of arrays: any codec, any frame, its own jitter buffer and concealment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media import codec_registry
from media.codec import CodecError, ManyCodec
from media.jitter_buffer import JitterBuffer, Kind
from media.jitter_spec import JitterSpec
from media.line_codec import LineCodec
from media.loss_concealment import LossConcealer
from media.rtp_transport import RtpTransport

# A decoder may give other lengths than were asked for; what is over waits for the next tick, at most so many ms.
_MOST_WAITING_MS = 200


@dataclass(frozen=True, slots=True)
class JitterCounts:
    """Frames that were not played as they came: too late, filled by concealment, left out; the most that waited."""

    late: int = 0
    concealed: int = 0
    skipped: int = 0
    largest: int = 0

    def plus(self, other: JitterCounts) -> JitterCounts:
        """Return the counts of both."""
        return JitterCounts(
            self.late + other.late,
            self.concealed + other.concealed,
            self.skipped + other.skipped,
            max(self.largest, other.largest),
        )


class StreamLine:
    """Turns payloads into the sound of ticks, and the sound of ticks into payloads. CodecError for an unknown codec."""

    def __init__(self, transport: RtpTransport, rate: int, ptime_in_ms: int | None = None) -> None:
        """`rate` is the line's; `ptime_in_ms` what the far end puts into a packet where that is not as agreed."""
        self.transport = transport
        self.rate = rate
        self._codec = LineCodec(
            codec_registry.create(
                transport.codec, rate=transport.codec_rate, ptime_ms=transport.ptime_ms, fmtp=transport.fmtp
            ),
            rate,
        )
        codec = self._codec.codec
        # What encodes frames of this stream and of others together.
        self.many = codec if isinstance(codec, ManyCodec) else None
        self.clock_rate = codec.clock_rate
        ptime = ptime_in_ms or transport.ptime_ms
        self._ptime_in = ptime
        self.buffer = JitterBuffer(_spec(transport, ptime), ptime, self.clock_rate)
        self.buffer.paused = transport.jitter_paused
        self._concealer = LossConcealer(rate)
        self._decoded = np.zeros(0, np.int16)
        self._said = np.zeros(0, np.int16)
        self._passed_ms = 0
        self.damaged = 0
        # Called with what was decoded or encoded, the payload and the samples' rate, where somebody wants to know.
        self.on_packet: Callable[[str, bytes, int], object] | None = None

    @property
    def counts(self) -> JitterCounts:
        """What the jitter buffer could not play as it came."""
        counted = self.buffer.statistics
        skipped = counted.shrunk + counted.overflows
        return JitterCounts(
            counted.late, counted.concealed, skipped, counted.largest_ms // self.buffer.ptime_ms
        )

    def set_transport(self, transport: RtpTransport) -> None:
        """Take what does not change codec or frames: the jitter buffer's lengths, payload types."""
        self.transport = transport
        self.buffer.paused = transport.jitter_paused
        spec = _spec(transport, self._ptime_in)
        if spec != self.buffer.spec:
            self.buffer.set_spec(spec)

    def fits(self, other: StreamLine) -> bool:
        """Whether what comes in here can be sent on there as it is."""
        mine, theirs = self.transport, other.transport
        return (mine.codec.upper(), mine.fmtp, self.clock_rate, self._ptime_in) == (
            theirs.codec.upper(),
            theirs.fmtp,
            other.clock_rate,
            theirs.ptime_ms,
        )

    @property
    def step(self) -> int:
        """Timestamp units of a packet that is sent."""
        return self.clock_rate * self.transport.ptime_ms // 1000

    def put(
        self, sequence: int, timestamp: int, payload: bytes, payload_type: int, marker: bool, now: int
    ) -> None:
        """Take a packet that arrived at `now` (µs)."""
        self.buffer.put(sequence, timestamp, payload, now, payload_type=payload_type, marker=marker)

    def hear(self, count: int, now: int) -> NDArray[np.int16]:
        """Return the next `count` samples of the line, in the tick at `now` (µs)."""
        frame = self.rate * self._ptime_in // 1000
        while len(self._decoded) < count:
            played = self.buffer.get(now)
            if played.kind is Kind.MEDIA:
                self._tell_packet("decode", played.payload)
                try:
                    sound = self._concealer.good(self._codec.decode(played.payload))
                except CodecError:
                    self.damaged += 1
                    sound = self._concealer.conceal(frame)
            elif played.kind is Kind.CONCEAL:
                sound = self._concealer.conceal(frame)
            else:
                self._concealer.silence()
                sound = np.zeros(frame, np.int16)
            self._decoded = np.concatenate(
                (self._decoded, sound if len(sound) else np.zeros(frame, np.int16))
            )
        heard, rest = self._decoded[:count], self._decoded[count:]
        self._decoded = rest[-self.rate * _MOST_WAITING_MS // 1000 :]
        return heard

    def pass_on(self, milliseconds: int, now: int) -> list[bytes | None]:
        """Return what there is to play in the next `milliseconds` as it came, None for a frame that is missing."""
        self._passed_ms += milliseconds
        passed: list[bytes | None] = []
        while self._passed_ms >= self._ptime_in:
            self._passed_ms -= self._ptime_in
            played = self.buffer.get(now)
            passed.append(played.payload if played.kind is Kind.MEDIA else None)
        return passed

    def _tell_packet(self, what: str, payload: bytes) -> None:
        if self.on_packet is not None:
            self.on_packet(what, payload, self._codec.codec.rate)

    def hush(self) -> None:
        """Leave out what was said for a frame that is not full."""
        self._said = self._said[:0]

    def say(self, samples: NDArray[np.int16]) -> list[NDArray[np.int16]]:
        """Take the line's next samples; return the frames that are complete, in the codec's rate."""
        self._said = np.concatenate((self._said, samples))
        size = self._codec.frame_size
        frames: list[NDArray[np.int16]] = []
        while len(self._said) >= size:
            frames.append(self._codec.to_codec(self._said[:size]))
            self._said = self._said[size:]
        return frames

    def encode(self, frame: NDArray[np.int16]) -> bytes:
        """Return the payload of a frame that `say` gave; CodecError as the codec's."""
        return self.encoded(self._codec.codec.encode(frame))

    def encoded(self, payload: bytes) -> bytes:
        """Take note of a payload of this stream, and return it."""
        self._tell_packet("encode", payload)
        return payload


def _spec(transport: RtpTransport, ptime_ms: int) -> JitterSpec:
    return JitterSpec(max(transport.jitter_ms, ptime_ms), max(transport.jitter_limit_ms, 2 * ptime_ms))
