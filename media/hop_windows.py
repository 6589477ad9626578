"""Windows of one length that begin every so many samples of a stream of sound, for what looks into it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hop_windows(
    rest: NDArray[np.int16], samples: NDArray[np.int16], size: int, hop: int
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the windows of `size` samples, each `hop` behind the one before it, and the rest for the next call.

    The sound is `rest`, what the last call left, and `samples` behind it, both of shape (n,). The windows, of shape
    (windows, size), are a view of it; the rest is a copy from where the first window begins that is not complete.
    """
    sound = np.concatenate((rest, samples)) if len(rest) else samples
    count = (len(sound) - size) // hop + 1
    if count <= 0:
        return np.empty((0, size), np.int16), sound.copy()
    return np.lib.stride_tricks.sliding_window_view(sound, size)[::hop], sound[count * hop :].copy()
