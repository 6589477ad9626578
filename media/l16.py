"""L16 (RFC 3551 4.5.11): the samples themselves, in network order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.codec import PTIMES, CodecError, CodecInfo


class L16:
    """Stateless; `encode` takes frames of any length."""

    name = "L16"
    stateless = True

    def __init__(self, rate: int = 44100, ptime_ms: int = 20) -> None:
        self.rate = rate
        self.clock_rate = rate
        self.ptime_ms = ptime_ms
        self.payload_type = INFO.payload_type(rate)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        return samples.astype(">i2").tobytes()

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        if len(payload) % 2:
            raise CodecError(f"{len(payload)} bytes are no whole samples")
        return np.frombuffer(payload, ">i2").astype(np.int16)


# RFC 3551: without a static payload type at the rates of telephony; 11 is mono at 44.1 kHz.
INFO = CodecInfo(
    "L16",
    {44100: 11},
    (44100, 8000, 16000, 24000, 32000, 48000),
    None,
    PTIMES,
    705_600,
    True,
    lambda rate, ptime_ms, fmtp: L16(rate, ptime_ms),
)
