"""A codec on a line of another rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.codec import Codec, CodecError
from media.frame_resampler import FrameResampler


class LineCodec:
    """Encodes what a line of `line_rate` hertz says and decodes what it hears; frames stay frames, 2 ms later."""

    def __init__(self, codec: Codec, line_rate: int) -> None:
        self.codec = codec
        self.line_rate = line_rate
        self._down = FrameResampler(line_rate, codec.rate)
        self._up = FrameResampler(codec.rate, line_rate)

    @property
    def frame_size(self) -> int:
        """Samples of the line in a frame."""
        return self.line_rate * self.codec.ptime_ms // 1000

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """The payload of `frame_size` samples, int16 of shape (n,); CodecError as the codec's."""
        return self.codec.encode(self.to_codec(samples))

    def to_codec(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """The codec's samples of a frame of the line's, for one who has the codec encode them with others.

        CodecError for a length that is no frame.
        """
        return _fed(self._down, samples)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """The line's samples of a payload; CodecError as the codec's, and for a length that the line cannot have."""
        return _fed(self._up, self.codec.decode(payload))


def _fed(resampler: FrameResampler, samples: NDArray[np.int16]) -> NDArray[np.int16]:
    if len(samples) % resampler.multiple:
        raise CodecError(f"{len(samples)} samples are no multiple of {resampler.multiple}")
    return resampler.feed(samples)
