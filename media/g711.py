"""G.711, mu-law and A-law, by tables: over frames, or over whole arrays of lines."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from media.codec import PTIMES, CodecInfo

RATE = 8000


def _mu_law_encoding(samples: NDArray[np.int32]) -> NDArray[np.int32]:
    """ITU-T G.191's rules on 14 bits: a bias of 33, a segment for each power of two, all bits inverted."""
    # One's complement of the negative half, so that both halves have the same steps.
    magnitude = np.minimum((np.where(samples < 0, ~samples, samples) >> 2) + 33, 0x1FFF)
    segment = np.frexp(magnitude.astype(np.float64))[1].astype(np.int32) - 6
    code = segment << 4 | (magnitude >> (segment + 1)) & 0x0F
    inverted: NDArray[np.int32] = np.where(samples < 0, 0x7F, 0xFF) ^ code
    return inverted


def _mu_law_decoding(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    plain = ~codes & 0xFF
    magnitude = ((((plain & 0x0F) << 1) + 33) << (plain >> 4 & 7)) - 33
    return np.where(plain & 0x80, -magnitude, magnitude) << 2


def _a_law_encoding(samples: NDArray[np.int32]) -> NDArray[np.int32]:
    """ITU-T G.191's rules on 12 bits: the first two segments are linear, every other bit inverted."""
    magnitude = np.where(samples < 0, ~samples, samples) >> 4
    segment = np.maximum(np.frexp(magnitude.astype(np.float64))[1].astype(np.int32) - 4, 1)
    mantissa = magnitude >> (segment - 1)
    code = np.where(magnitude < 32, magnitude, segment << 4 | mantissa & 0x0F)
    return np.where(samples < 0, code, code | 0x80) ^ 0x55


def _a_law_decoding(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    plain = codes ^ 0x55
    segment = plain >> 4 & 7
    step = ((plain & 0x0F) << 4) + 8
    magnitude = np.where(segment == 0, step, (step + 0x100) << np.maximum(segment - 1, 0))
    return np.where(plain & 0x80, magnitude, -magnitude)


class G711:
    """PCMU or PCMA; stateless, so one serves every call. `encode` takes frames of any length."""

    rate = RATE
    clock_rate = RATE
    stateless = True

    def __init__(self, law: str, ptime_ms: int = 20) -> None:
        if law not in ("PCMU", "PCMA"):
            raise ValueError(f"G.711 is PCMU or PCMA, not {law!r}")
        self.name = law
        self.payload_type = 0 if law == "PCMU" else 8
        self.ptime_ms = ptime_ms
        self._encoding, self._decoding = _tables(law)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        return self._encoding[samples.view(np.uint16)].tobytes()

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        return self._decoding[np.frombuffer(payload, np.uint8)]

    def encode_lines(self, samples: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Any shape in, uint8 of the same shape out."""
        return self._encoding.take(samples.view(np.uint16))

    def decode_lines(self, payloads: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Any shape in, int16 of the same shape out."""
        return self._decoding.take(payloads)


@cache
def _tables(law: str) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    # A sample is looked up by its bits, taken for an unsigned number.
    samples = np.arange(0x10000, dtype=np.uint16).view(np.int16).astype(np.int32)
    codes = np.arange(0x100, dtype=np.int32)
    if law == "PCMU":
        encoding, decoding = _mu_law_encoding(samples), _mu_law_decoding(codes)
    else:
        encoding, decoding = _a_law_encoding(samples), _a_law_decoding(codes)
    return encoding.astype(np.uint8), decoding.astype(np.int16)


PCMU = CodecInfo(
    "PCMU", {RATE: 0}, (RATE,), RATE, PTIMES, 64000, True, lambda rate, ptime_ms, fmtp: G711("PCMU", ptime_ms)
)
PCMA = CodecInfo(
    "PCMA", {RATE: 8}, (RATE,), RATE, PTIMES, 64000, True, lambda rate, ptime_ms, fmtp: G711("PCMA", ptime_ms)
)
