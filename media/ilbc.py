"""iLBC (RFC 3951, RFC 3952): frames of 20 ms (38 bytes) or 30 ms (50 bytes).

PyAV's wheels decode it but cannot encode it; a PyAV that was built on an FFmpeg with libilbc does both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from media.av_codec import AvDecoder, AvEncoder
from media.codec import CodecError, CodecInfo, expect_frame

RATE = 8000
FRAME_BYTES = {20: 38, 30: 50}
BIT_RATES = {20: 15_200, 30: 13_330}
# RFC 3952 4.2: without a mode it is 30.
DEFAULT_MODE = 30


class Ilbc:
    """One call's decoder, and its encoder where FFmpeg has one. `mode` is the length of a frame in ms.

    Raises CodecError without PyAV, for another mode, and for a ptime that is no whole frames.
    """

    name = "iLBC"
    payload_type = None
    rate = RATE
    clock_rate = RATE
    stateless = False

    def __init__(self, mode: int = DEFAULT_MODE, ptime_ms: int | None = None) -> None:
        if mode not in FRAME_BYTES:
            raise CodecError(f"iLBC has modes 20 and 30, not {mode}")
        self.mode = mode
        self.ptime_ms = mode if ptime_ms is None else ptime_ms
        if self.ptime_ms % mode or self.ptime_ms <= 0:
            raise CodecError(f"{self.ptime_ms} ms are no frames of {mode} ms")
        self._encoder: AvEncoder | None = None
        self._decoders: dict[int, AvDecoder] = {}
        self._decoder(mode)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        expect_frame(samples, RATE, self.ptime_ms)
        size = RATE * self.mode // 1000
        if self._encoder is None:
            options = {"mode": str(self.mode)}
            self._encoder = AvEncoder(("libilbc",), RATE, size, options=options)
        return b"".join(self._encoder.encode(frame) for frame in samples.reshape(-1, size))

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        # A sender that switched its mode tells by the size (RFC 3952 3); 950 bytes could be either.
        for mode in (self.mode, 50 - self.mode):
            size = FRAME_BYTES[mode]
            if payload and len(payload) % size == 0:
                frames = (payload[at : at + size] for at in range(0, len(payload), size))
                return np.concatenate([self._decoder(mode).decode(frame) for frame in frames])
        raise CodecError(f"{len(payload)} bytes are no iLBC frames")

    def _decoder(self, mode: int) -> AvDecoder:
        if mode not in self._decoders:
            # FFmpeg takes the mode from the bit rate where no container names the size of a frame.
            self._decoders[mode] = AvDecoder(("ilbc",), RATE, bit_rate=BIT_RATES[mode])
        return self._decoders[mode]


def _make(rate: int, ptime_ms: int, fmtp: Mapping[str, str]) -> Ilbc:
    mode = fmtp.get("mode", str(DEFAULT_MODE))
    if mode not in ("20", "30"):
        raise CodecError(f"iLBC has modes 20 and 30, not {mode}")
    # RFC 3952: the ptime follows the mode; one that does not fit is not asked for by a decent peer.
    return Ilbc(int(mode), ptime_ms if ptime_ms % int(mode) == 0 else None)


INFO = CodecInfo("iLBC", {}, (RATE,), RATE, (20, 30, 40, 60), 13_330, False, _make)
