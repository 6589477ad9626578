"""iLBC (RFC 3951, RFC 3952): frames of 20 ms (38 bytes) or 30 ms (50 bytes).

FFmpeg decodes it; `media.ilbc_encoder` encodes it, for many calls at once where there are many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from media.av_codec import AvDecoder
from media.codec import CodecError, CodecInfo, expect_frame
from media.ilbc_encoder import FRAME_BYTES, RATE, encode_frames, new_states

BIT_RATES = {20: 15_200, 30: 13_330}
# RFC 3952 4.2: without a mode it is 30.
DEFAULT_MODE = 30


class Ilbc:
    """One call's encoder and decoder. `mode` is the length of a frame in ms.

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
        self._states = new_states(mode, lines=1)
        self._decoders: dict[int, AvDecoder] = {}
        self._decoder(mode)

    @property
    def kind(self) -> tuple[str, int, int]:
        return self.name, self.mode, self.ptime_ms

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        expect_frame(samples, RATE, self.ptime_ms)
        return self._encode(self._states, samples[np.newaxis])[0]

    def encode_many(self, codecs: Sequence[Self], samples: NDArray[np.int16]) -> list[bytes]:
        if samples.shape != (len(codecs), RATE * self.ptime_ms // 1000):
            raise CodecError(f"{samples.shape} samples are no frames of {len(codecs)} calls")
        states = np.concatenate([codec._states for codec in codecs])
        payloads = self._encode(states, samples)
        for codec, state in zip(codecs, states, strict=True):
            codec._states[0] = state
        return payloads

    def _encode(self, states: NDArray[np.float64], samples: NDArray[np.int16]) -> list[bytes]:
        size = RATE * self.mode // 1000
        frames = [
            encode_frames(samples[:, at : at + size], states) for at in range(0, samples.shape[1], size)
        ]
        return [row.tobytes() for row in np.concatenate(frames, 1)]

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
            decoder = AvDecoder(("ilbc",), RATE, bit_rate=BIT_RATES[mode])
            # FFmpeg: the first frame of a decoder is noise of full scale, whatever it holds, but for a silent one.
            decoder.decode(_silence(mode))
            self._decoders[mode] = decoder
        return self._decoders[mode]


@cache
def _silence(mode: int) -> bytes:
    return encode_frames(np.zeros((1, RATE * mode // 1000), np.int16), new_states(mode, lines=1)).tobytes()


def _make(rate: int, ptime_ms: int, fmtp: Mapping[str, str]) -> Ilbc:
    mode = fmtp.get("mode", str(DEFAULT_MODE))
    if mode not in ("20", "30"):
        raise CodecError(f"iLBC has modes 20 and 30, not {mode}")
    # RFC 3952: the ptime follows the mode; one that does not fit is not asked for by a decent peer.
    return Ilbc(int(mode), ptime_ms if ptime_ms % int(mode) == 0 else None)


INFO = CodecInfo("iLBC", {}, (RATE,), RATE, (20, 30, 40, 60), 13_330, False, _make)
