"""Change of the rate frame by frame, for many lines at once: as many samples out as the time in, and always as late.

soxr, which `media.resample` uses for whole sounds, hands a stream's samples out in bursts of up to 175 ms; a call
cannot wait for them. Here a polyphase filter gives each frame's samples at once, 2 ms late (at 8 kHz).
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

# Samples of the slower rate on each side of the middle: the delay, and 60 dB less of what would be mirrored.
_HALF = 16
_BETA = 6.5
# The pass band ends so far below half of the slower rate.
_CUTOFF = 0.9


@lru_cache(maxsize=64)
def _filter(up: int, down: int) -> NDArray[np.float32]:
    """Shape (taps + down - 1 samples of input, up samples of output): what `down` samples become."""
    # The filter at the rate of `up` times the input.
    half = _HALF * max(up, down)
    places = np.arange(-half, half + 1)
    cutoff = _CUTOFF / max(up, down)
    shape = np.sinc(places * cutoff) * np.kaiser(2 * half + 1, _BETA)
    shape *= up / shape.sum()
    taps = -(-len(shape) // up)
    matrix = np.zeros((taps + down - 1, up), np.float32)
    for output in range(up):
        at = output * down
        # Input k of the block stands at k * up; the newest that this output may use, and those before.
        newest = at // up
        first = at - newest * up
        coefficients = shape[first::up]
        # Rows are inputs from the oldest on; input 0 of the block is at row taps - 1.
        rows = taps - 1 + newest - np.arange(len(coefficients))
        matrix[rows, output] = coefficients
    return matrix


class FrameResampler:
    """Lines' sound from one rate to another: blocks of int16 of shape (n,) or (lines, n), rates in hertz.

    n must be a multiple of `multiple` samples, which frames of 20 ms are at all rates but 11025 Hz.
    """

    def __init__(self, source_rate: int, target_rate: int, lines: int | None = None) -> None:
        divisor = gcd(source_rate, target_rate)
        self._up, self._down = target_rate // divisor, source_rate // divisor
        self._lines = lines
        self.multiple = self._down
        self._tail: NDArray[np.float32] | None = None

    @property
    def delay_ms(self) -> float:
        """How late the sound comes out, for a source of 8 kHz or a target of 8 kHz; less at higher rates."""
        return 0.0 if self._up == self._down else _HALF / 8

    def feed(self, block: NDArray[np.int16]) -> NDArray[np.int16]:
        """The block at the other rate, n * target_rate // source_rate samples. Raises ValueError for a wrong n."""
        if self._up == self._down:
            return block
        count = block.shape[-1]
        if count % self._down:
            raise ValueError(f"{count} samples are no multiple of {self._down}")
        matrix = _filter(self._up, self._down)
        taps = len(matrix) - self._down + 1
        wide = block.astype(np.float32)
        if self._tail is None:
            self._tail = np.zeros((*block.shape[:-1], taps - 1), np.float32)
        sound = np.concatenate((self._tail, wide), axis=-1)
        self._tail = sound[..., sound.shape[-1] - (taps - 1) :].copy()
        # A window for each block of `down` samples, made by hand: numpy's function takes longer than all the rest.
        windows: NDArray[np.float32] = np.ndarray(
            (*block.shape[:-1], count // self._down, len(matrix)),
            np.float32,
            sound,
            strides=(*sound.strides[:-1], self._down * sound.itemsize, sound.itemsize),
        )
        made = (np.ascontiguousarray(windows) @ matrix).reshape(*block.shape[:-1], -1)
        np.rint(made, out=made)
        np.maximum(made, -32768, out=made)
        np.minimum(made, 32767, out=made)
        return made.astype(np.int16)
