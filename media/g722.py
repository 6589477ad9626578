"""G.722 at 64 kbit/s: wideband, 16 kHz; RTP counts it with a clock of 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.av_codec import AvDecoder, AvEncoder
from media.codec import PTIMES, CodecInfo, expect_frame

RATE = 16000
# RFC 3551 4.5.2: 8000 was written by mistake, and stays for compatibility.
CLOCK_RATE = 8000


class G722:
    """One call's encoder and decoder. Raises CodecError without PyAV."""

    name = "G722"
    payload_type = 9
    rate = RATE
    clock_rate = CLOCK_RATE
    stateless = False

    def __init__(self, ptime_ms: int = 20) -> None:
        self.ptime_ms = ptime_ms
        size = RATE * ptime_ms // 1000
        self._encoder = AvEncoder(("g722",), RATE, size, options={"frame_size": str(size)})
        self._decoder = AvDecoder(("g722",), RATE)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        expect_frame(samples, RATE, self.ptime_ms)
        return self._encoder.encode(samples)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        return self._decoder.decode(payload)


INFO = CodecInfo(
    "G722", {RATE: 9}, (RATE,), CLOCK_RATE, PTIMES, 64000, False, lambda rate, ptime_ms, fmtp: G722(ptime_ms)
)
