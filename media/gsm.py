"""GSM 06.10 full rate: 33 bytes for 20 ms (RFC 3551 4.5.8).

PyAV's wheels decode it but cannot encode it. libsndfile can, into files only: it is given a pipe for a file.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from pysndfile import PySndfile, construct_format

from media.av_codec import AvDecoder
from media.codec import CodecError, CodecInfo, expect_frame

RATE = 8000
FRAME_BYTES = 33
FRAME_SAMPLES = 160


class Gsm:
    """One call's encoder and decoder. Raises CodecError without PyAV, and for a ptime that is no whole frames."""

    name = "GSM"
    payload_type = 3
    rate = RATE
    clock_rate = RATE
    stateless = False

    def __init__(self, ptime_ms: int = 20) -> None:
        if ptime_ms % 20 or ptime_ms <= 0:
            raise CodecError(f"GSM has frames of 20 ms, not {ptime_ms}")
        self.ptime_ms = ptime_ms
        self._encoder: _Encoder | None = None
        self._decoder = AvDecoder(("gsm",), RATE)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        expect_frame(samples, RATE, self.ptime_ms)
        if self._encoder is None:
            # Most calls that play decode nothing and some encode nothing; a pipe is opened for those that do.
            self._encoder = _Encoder()
        return self._encoder.encode(samples)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        if not payload or len(payload) % FRAME_BYTES:
            raise CodecError(f"{len(payload)} bytes are no GSM frames")
        frames = (payload[at : at + FRAME_BYTES] for at in range(0, len(payload), FRAME_BYTES))
        return np.concatenate([self._decoder.decode(frame) for frame in frames])


class _Encoder:
    """libsndfile's encoder, which writes each frame as soon as it is whole."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        try:
            os.set_blocking(self._reading, False)
            layout = construct_format("raw", "gsm610")
            self._file = PySndfile(f"/dev/fd/{writing}", "w", layout, 1, RATE)
        except OSError as error:
            os.close(self._reading)
            raise CodecError(f"libsndfile does not encode GSM: {error}") from error
        finally:
            os.close(writing)

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        self._file.write_frames(samples)
        wanted = len(samples) // FRAME_SAMPLES * FRAME_BYTES
        payload = os.read(self._reading, wanted)
        if len(payload) != wanted:
            raise CodecError(f"libsndfile wrote {len(payload)} bytes for {len(samples)} samples")
        return payload

    def __del__(self) -> None:
        # The writing end goes with the file; its last, padded frame is not waited for.
        self.__dict__.pop("_file", None)
        reading = self.__dict__.pop("_reading", None)
        if reading is not None:
            os.close(reading)


INFO = CodecInfo(
    "GSM", {RATE: 3}, (RATE,), RATE, (20, 40, 60), 13_200, False, lambda rate, ptime_ms, fmtp: Gsm(ptime_ms)
)
