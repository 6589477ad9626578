"""Change of the sample rate, by soxr.

The work is done in floating point and rounded once: soxr's own int16 output is dithered, which would
put noise into silence.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray


def resample(samples: NDArray[np.int16], source_rate: int, target_rate: int) -> NDArray[np.int16]:
    """The whole of a sound at another rate: int16 of shape (n,) or (n, channels), rates in hertz.

    The result has ceil(n * target_rate / source_rate) samples; the argument itself where the rates agree.
    """
    if source_rate == target_rate:
        return samples
    wanted = -(-len(samples) * target_rate // source_rate)
    made = soxr.resample(samples.astype(np.float32), source_rate, target_rate)
    result = np.zeros((wanted, *samples.shape[1:]), np.int16)
    result[: len(made)] = _to_int16(made[:wanted])
    return result


class StreamResampler:
    """A sound that comes block by block, at another rate: blocks of int16 of shape (n,) or (n, channels).

    The filter looks ahead, so a block's last samples come with the next block or with `flush`.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int = 1) -> None:
        self._channels = channels
        self._stream: soxr.ResampleStream | None = None
        if source_rate != target_rate:
            self._stream = soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32")

    def feed(self, block: NDArray[np.int16]) -> NDArray[np.int16]:
        """What the block adds to the result; may be empty."""
        if self._stream is None:
            return block
        return _to_int16(self._stream.resample_chunk(block.astype(np.float32)))

    def flush(self) -> NDArray[np.int16]:
        """The rest of the result. Nothing can be fed afterwards."""
        nothing = (0,) if self._channels == 1 else (0, self._channels)
        if self._stream is None:
            return np.zeros(nothing, np.int16)
        return _to_int16(self._stream.resample_chunk(np.zeros(nothing, np.float32), last=True))


def _to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    rounded = np.rint(samples)
    return np.clip(rounded, -32768, 32767, out=rounded).astype(np.int16)
