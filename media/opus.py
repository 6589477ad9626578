"""Opus (RFC 6716, RFC 7587) through libopus in PyAV.

RTP counts 48 kHz whatever the sound's rate is. FFmpeg's decoder has no way to decode the copy of a lost frame that
in-band FEC carries; it is sent where the other side asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from media.av_codec import AvDecoder, AvEncoder
from media.codec import CodecError, CodecInfo, expect_frame
from media.frame_resampler import FrameResampler

CLOCK_RATE = 48000
RATES = (48000, 8000, 12000, 16000, 24000)
# Frames that Opus has and telephony asks for; it has none of 30 or 50 ms.
FRAMES_MS = (10, 20, 40, 60)

# RFC 7587 6.1 bounds maxaveragebitrate; 3.1.1 names what speech wants in each band.
_LOWEST_BIT_RATE, _HIGHEST_BIT_RATE = 6000, 510_000
_SPEECH_BIT_RATES = {8000: 12_000, 12000: 16_000, 16000: 20_000, 24000: 28_000, 48000: 32_000}
# The loss for which the encoder provides where FEC is asked for, in percent: without one it adds no copies.
_EXPECTED_LOSS = 10


class Opus:
    """One call's encoder and decoder at `rate`, with the parameters of the other side's `fmtp` (RFC 7587 7.1):
    useinbandfec, usedtx, cbr, maxaveragebitrate. Raises CodecError for a rate, ptime or number that Opus has not.
    """

    name = "opus"
    payload_type = None
    clock_rate = CLOCK_RATE
    stateless = False

    def __init__(self, rate: int = 48000, ptime_ms: int = 20, fmtp: Mapping[str, str] | None = None) -> None:
        if rate not in RATES or ptime_ms not in FRAMES_MS:
            raise CodecError(f"Opus has no frames of {ptime_ms} ms at {rate} Hz")
        fmtp = fmtp or {}
        self.rate = rate
        self.ptime_ms = ptime_ms
        fec = fmtp.get("useinbandfec") == "1"
        options = {
            "application": "voip",
            "frame_duration": str(ptime_ms),
            "vbr": "off" if fmtp.get("cbr") == "1" else "on",
            "fec": "1" if fec else "0",
            "packet_loss": str(_EXPECTED_LOSS if fec else 0),
            "dtx": "1" if fmtp.get("usedtx") == "1" else "0",
        }
        bit_rate = _bit_rate(fmtp.get("maxaveragebitrate", ""), rate)
        size = rate * ptime_ms // 1000
        self._encoder = AvEncoder(("libopus",), rate, size, bit_rate=bit_rate, options=options)
        self._decoder = AvDecoder(("libopus", "opus"), CLOCK_RATE)
        self._resampler = FrameResampler(CLOCK_RATE, rate)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        expect_frame(samples, self.rate, self.ptime_ms)
        return self._encoder.encode(samples)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        return self._resampler.feed(self._decoder.decode(payload))


def _bit_rate(asked: str, rate: int) -> int:
    if not asked:
        return _SPEECH_BIT_RATES[rate]
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 7):
        raise CodecError(f"maxaveragebitrate={asked}")
    return max(_LOWEST_BIT_RATE, min(_HIGHEST_BIT_RATE, int(asked)))


INFO = CodecInfo("opus", {}, RATES, CLOCK_RATE, FRAMES_MS, 32_000, False, Opus)
