"""Arithmetic on int16 sound: sums, volume, and what each member of a conference hears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# FreeSWITCH: a granular volume of -50 is silence, not -50 dB.
GRANULAR_LIMIT = 50

# FreeSWITCH: the factors of the volume steps -4 … 4 (file commands, conference and session volume).
STEP_FACTORS = {-4: 0.2, -3: 0.4, -2: 0.6, -1: 0.8, 0: 1.0, 1: 1.3, 2: 2.3, 3: 3.3, 4: 4.3}


def saturate(samples: NDArray[np.int32]) -> NDArray[np.int16]:
    """Sums narrowed to int16; what is too loud is clipped, never wrapped."""
    return np.clip(samples, -32768, 32767).astype(np.int16)


def mix(*blocks: NDArray[np.int16]) -> NDArray[np.int16]:
    """The clipped sum of blocks of shape (n,); shorter ones end in silence. Raises ValueError for no block."""
    if not blocks:
        raise ValueError("nothing to mix")
    total = np.zeros(max(len(block) for block in blocks), np.int32)
    for block in blocks:
        total[: len(block)] += block
    return saturate(total)


def downmix(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Channels (n, channels) to mono (n,): their clipped sum.

    FreeSWITCH: stereo files played to a mono call are added up, not averaged.
    """
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return samples[:, 0]
    return saturate(samples.sum(axis=1, dtype=np.int32))


def scale(samples: NDArray[np.int16], factor: float) -> NDArray[np.int16]:
    """Samples times a factor, cut towards zero and clipped; the argument itself for a factor of one."""
    if factor == 1:
        return samples
    return np.clip(samples * np.float64(factor), -32768, 32767).astype(np.int16)


def gain(samples: NDArray[np.int16], decibels: float) -> NDArray[np.int16]:
    """Samples made louder (or quieter, below zero) by `decibels`."""
    return scale(samples, 10 ** (decibels / 20))


def granular_volume(samples: NDArray[np.int16], level: int) -> NDArray[np.int16]:
    """FreeSWITCH's granular volume: whole decibels within ±50, where -50 is silence."""
    level = max(-GRANULAR_LIMIT, min(GRANULAR_LIMIT, level))
    if level == -GRANULAR_LIMIT:
        return np.zeros_like(samples)
    return gain(samples, level)
