"""What payload types stand for: `a=rtpmap`, and the numbers that need none (RFC 3551 section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# RFC 8866 section 6.6: the clock is a 32-bit counter's; ten digits are the most that fit.
_MAP: Final = re.compile(r"\s*(\d{1,3})\s+([^\s/]+)/(\d{1,10})(?:/(\d{1,3}))?\s*", re.ASCII)
_FMTP: Final = re.compile(r"\s*(\d{1,3})\s+(\S.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class RtpMap:
    """A payload type (0 to 127): encoding name, RTP clock in hertz, channels."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1

    def serialize(self) -> str:
        """The value of `a=rtpmap`."""
        channels = f"/{self.channels}" if self.channels > 1 else ""
        return f"{self.payload_type} {self.encoding}/{self.clock_rate}{channels}"

    def names(self, encoding: str) -> bool:
        """Whether this is the encoding; names have no case (RFC 4855 section 3)."""
        return self.encoding.lower() == encoding.lower()


def parse_rtpmap(value: str) -> RtpMap | None:
    """The map of an attribute's value, None where it is none: a broken one takes only itself away."""
    found = _MAP.fullmatch(value)
    if found is None or int(found[1]) > 127 or not int(found[3]):
        return None
    return RtpMap(int(found[1]), found[2], int(found[3]), max(1, int(found[4] or 1)))


def parse_fmtp(value: str) -> tuple[int, str] | None:
    """Payload type and parameters of an `a=fmtp`, None where it is none."""
    found = _FMTP.fullmatch(value)
    return None if found is None else (int(found[1]), found[2].rstrip())


_STATIC: Final = (
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (14, "MPA", 90000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11025, 1),
    (17, "DVI4", 22050, 1),
    (18, "G729", 8000, 1),
    (25, "CelB", 90000, 1),
    (26, "JPEG", 90000, 1),
    (28, "nv", 90000, 1),
    (31, "H261", 90000, 1),
    (32, "MPV", 90000, 1),
    (33, "MP2T", 90000, 1),
    (34, "H263", 90000, 1),
)

STATIC: Final = {number: RtpMap(number, name, clock, channels) for number, name, clock, channels in _STATIC}
