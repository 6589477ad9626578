"""A sound that comes block by block, brought to another rate, where the engine must be able to look ahead and back.

What a block becomes depends on the block and on the few samples before it alone, so that the only state is those
samples. (`media.resample.StreamResampler` is better and faster, but cannot be copied.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Zero crossings of the windowed sinc on each side: 32 keep aliases of a telephone's band below -60 dB.
_CROSSINGS: Final = 32
# Steps between two samples for which the filter is kept; the nearest is taken.
_PHASES: Final = 512


def taps(source_rate: int, target_rate: int) -> int:
    """Return on how many samples of the source one sample of the target depends, always even."""
    return 2 * int(np.ceil(_CROSSINGS * max(1.0, source_rate / target_rate)))


@lru_cache(maxsize=32)
def _filters(source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """Return the filters, shape (phases + 1, taps): row p is for a place p / phases behind the middle of the taps."""
    count = taps(source_rate, target_rate)
    cutoff = min(1.0, target_rate / source_rate) * 0.94
    offsets = np.arange(count) - (count // 2 - 1)
    places = offsets[np.newaxis, :] - np.arange(_PHASES + 1)[:, np.newaxis] / _PHASES
    window = np.kaiser(2048, 8.0)
    shape = np.interp(places, np.linspace(-count / 2, count / 2, 2048), window, left=0.0, right=0.0)
    filters = cutoff * np.sinc(cutoff * places) * shape
    normal: NDArray[np.float32] = (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
    return normal


def bridge_rate(
    tail: NDArray[np.int16],
    block: NDArray[np.int16],
    source_rate: int,
    target_rate: int,
    source_start: int,
    target_start: int,
    count: int,
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the `count` samples from `target_start` on at the target's rate, and the tail for the next block.

    `block` is what comes from sample `source_start` on; `tail` what came before it (empty at first). Indices are those
    of a common time that began at 0. The result is late by half the filter.
    """
    size = taps(source_rate, target_rate)
    before = size + 2 + -(-source_rate // target_rate)  # the first sample may lie a little before the block
    if len(tail) < before:
        tail = np.concatenate((np.zeros(before - len(tail), np.int16), tail))
    sound = np.concatenate((tail, block))
    numbers = (np.arange(count, dtype=np.int64) + target_start) * source_rate
    whole, rest = np.divmod(numbers, target_rate)
    first = whole - source_start + before - size - 1
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[first]
    rows = _filters(source_rate, target_rate)[(rest * _PHASES + target_rate // 2) // target_rate]
    made = np.einsum("ij,ij->i", windows.astype(np.float32), rows)
    np.clip(np.rint(made, out=made), -32768, 32767, out=made)
    return made.astype(np.int16), sound[-before:]
