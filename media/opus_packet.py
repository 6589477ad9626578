"""What an Opus packet says of itself without being decoded (RFC 6716 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Section 3.2.5: a packet holds at most 120 ms, which is 48 frames of the shortest kind.
_MOST_FRAMES: Final = 48
_LONGEST_48KHZ: Final = 5760
# Section 3.2.1: no frame is longer.
_LONGEST_FRAME: Final = 1275
# Section 3.2.1: a length from here on has a second byte, which counts fours.
_LONG: Final = 252

_SILK: Final = (480, 960, 1920, 2880)  # 10, 20, 40, 60 ms in samples at 48 kHz
_HYBRID: Final = (480, 960)
_CELT: Final = (120, 240, 480, 960)  # 2.5, 5, 10, 20 ms
# Section 3.1, table 2: mode, bandwidth and frame of the 32 configurations, in their order.
_CONFIGURATIONS: Final = tuple(
    (mode, bandwidth, frame)
    for mode, bandwidths, frames in (
        ("SILK", ("NARROWBAND", "MEDIUMBAND", "WIDEBAND"), _SILK),
        ("HYBRID", ("SUPERWIDEBAND", "FULLBAND"), _HYBRID),
        ("CELT", ("NARROWBAND", "WIDEBAND", "SUPERWIDEBAND", "FULLBAND"), _CELT),
    )
    for bandwidth in bandwidths
    for frame in frames
)


class OpusPacketError(ValueError):
    """Bytes that are no Opus packet; the text says why."""


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """A packet: `mode` (SILK, HYBRID, CELT), `bandwidth`, samples of a frame at 48 kHz, channels, and its frames.

    `has_fec`: a frame holds a copy of the one before it, too.
    """

    mode: str
    bandwidth: str
    frame_samples: int
    channels: int
    frames: tuple[bytes, ...]
    has_fec: bool

    def samples(self, rate: int) -> int:
        """Return how many samples of `rate` hertz the packet holds."""
        return self.frame_samples * len(self.frames) * rate // 48_000


def parse(data: bytes) -> OpusPacket:
    """Read a packet without decoding its frames. Raises OpusPacketError."""
    if not data:
        raise OpusPacketError("it is empty")
    mode, bandwidth, samples = _CONFIGURATIONS[data[0] >> 3]
    channels = 2 if data[0] & 4 else 1
    frames = _frames(data[0] & 3, data[1:])
    if samples * len(frames) > _LONGEST_48KHZ:
        raise OpusPacketError("it holds more than 120 ms")
    if max(map(len, frames)) > _LONGEST_FRAME:
        raise OpusPacketError("a frame is too long")
    fec = mode != "CELT" and any(_holds_copy(frame, samples, channels) for frame in frames)
    return OpusPacket(mode, bandwidth, samples, channels, frames, fec)


def _frames(code: int, rest: bytes) -> tuple[bytes, ...]:
    """Part what follows the first byte into frames, by its code (section 3.2)."""
    match code:
        case 0:
            return (rest,)
        case 1:
            if len(rest) % 2:
                raise OpusPacketError("two frames of one length make no odd number of bytes")
            return rest[: len(rest) // 2], rest[len(rest) // 2 :]
        case 2:
            length, rest = _length(rest)
            if length > len(rest):
                raise OpusPacketError("it ends within a frame")
            return rest[:length], rest[length:]
    return _counted(rest)


def _counted(rest: bytes) -> tuple[bytes, ...]:
    """Part any number of frames (section 3.2.5)."""
    if not rest:
        raise OpusPacketError("it does not count its frames")
    head, rest = rest[0], rest[1:]
    count = head & 0x3F
    if not 0 < count <= _MOST_FRAMES:
        raise OpusPacketError(f"it holds {count} frames")
    if head & 0x40:
        rest = _without_padding(rest)
    if not head & 0x80:
        size, over = divmod(len(rest), count)
        if over:
            raise OpusPacketError("its frames are not of one length")
        return tuple(rest[number * size : (number + 1) * size] for number in range(count))
    lengths = []
    for _ in range(count - 1):
        length, rest = _length(rest)
        lengths.append(length)
    last = len(rest) - sum(lengths)
    if last < 0:
        raise OpusPacketError("it ends within a frame")
    frames, start = [], 0
    for length in (*lengths, last):
        frames.append(rest[start : start + length])
        start += length
    return tuple(frames)


def _without_padding(rest: bytes) -> bytes:
    padding = 0
    while rest:
        byte, rest = rest[0], rest[1:]
        padding += 254 if byte == 255 else byte
        if byte != 255:
            break
    else:
        raise OpusPacketError("its padding does not end")
    if padding > len(rest):
        raise OpusPacketError("it is shorter than its padding")
    return rest[: len(rest) - padding]


def _length(rest: bytes) -> tuple[int, bytes]:
    if not rest:
        raise OpusPacketError("a length is missing")
    if rest[0] < _LONG:
        return rest[0], rest[1:]
    if len(rest) < 2:
        raise OpusPacketError("a length is cut off")
    return rest[0] + 4 * rest[1], rest[2:]


def _holds_copy(frame: bytes, samples: int, channels: int) -> bool:
    """Whether a SILK layer has its LBRR flag set: behind a flag of activity for each 20 ms (section 4.2.3)."""
    if not frame:
        return False
    parts = max(1, samples // 960)
    flags = [7 - parts] + ([6 - 2 * parts] if channels == 2 else [])
    return any(frame[0] >> flag & 1 for flag in flags)


def described(what: str, data: bytes, rate: int) -> str:
    """Return FreeSWITCH's line of `opus_debug` about a packet that was `decode`d or `encode`d at `rate` hertz."""
    try:
        packet = parse(data)
    except OpusPacketError as error:
        return f"{what}: OPUS_INVALID_PACKET ! {error}"
    return (
        f"{what}: opus_frames [{len(packet.frames)}] samples [{packet.samples(rate)}]"
        f" audio bandwidth [{packet.bandwidth}] bytes [{len(data)}]"
        f" FEC[{'yes' if packet.has_fec else 'no'}] channels[{packet.channels}]"
    )
