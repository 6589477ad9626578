"""Call progress tones: one or several frequencies that sound together, found in sound of any level.

Frames of 20 ms are looked at. A frame holds the tone where its frequencies carry nearly all of the energy, none
of them much weaker than the strongest. Two such frames in a row are a hit; what goes on sounding is a further hit
only after a pause. A single frequency may be off by as much as the tones of fax (ITU-T T.30: 1100 ± 38 Hz) and
special information (ITU-T Q.35: 950, 1400, 1800 ± 50 Hz) may; of several, which 20 ms hardly part when they lie
as near as those of a ringing tone, both frames together must consist.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

FRAME_MS: Final = 20

# FreeSWITCH's defaults, in frames: after a hit so long nothing is looked for, and hits that lie further apart than
# the other are not counted together.
SLEEP_FRAMES: Final = 25
EXPIRES_FRAMES: Final = 250

# Frames in a row that make a hit.
_ROW: Final = 2
# The part of a frame's energy that the frequencies carry, and how much weaker than the strongest one may be.
_SHARE: Final = 0.7
_WEAKEST: Final = 0.1
# How far beside a single frequency it is looked for, too: what is further off by the same again is still found.
_ASIDE_HZ: Final = 30.0
_ASIDE_SHARE: Final = 0.03
# Mean square of the faintest frame that is looked at, about -50 dBm0: below it is line noise.
_FAINTEST: Final = 5_000.0


class ToneDetector:
    """Tells, at each `hits`-th hit, that a tone of `frequencies` (Hz) sounds, in int16 sound of `rate`.

    Raises ValueError for no frequency, or one that does not fit into the rate.
    """

    def __init__(
        self,
        rate: int,
        frequencies: Sequence[float],
        hits: int = 1,
        *,
        sleep: int = SLEEP_FRAMES,
        expires: int = EXPIRES_FRAMES,
    ) -> None:
        if not frequencies or not all(0 < frequency < rate / 2 for frequency in frequencies):
            raise ValueError(f"no tone of {frequencies} Hz at {rate} samples a second")
        self._size = max(1, rate * FRAME_MS // 1000)
        window = np.hanning(self._size + 2)[1:-1]
        places = np.arange(self._size)
        looked_for = np.asarray(frequencies, dtype=np.float64)
        self._several = len(looked_for) > 1
        if not self._several:
            aside = min(_ASIDE_HZ, _ASIDE_SHARE * looked_for[0])
            looked_for = looked_for[0] + np.array([-aside, 0, aside])
        angles = 2 * np.pi * looked_for / rate
        # The power of a sine under the window, by its sum: |sum|² = (amplitude · weight / 2)².
        self._sums = np.exp(-1j * np.outer(places, angles)) * window[:, np.newaxis]
        self._scale = 2 / window.sum()
        # An orthonormal base of all that the frequencies can sound like in two frames.
        turns = np.outer(np.arange(2 * self._size), angles)
        self._base = np.linalg.qr(np.hstack((np.cos(turns), np.sin(turns))))[0] if self._several else None
        self._hits = max(1, hits)
        self._sleep_frames = sleep
        self._expires_frames = expires
        self._rest = np.zeros(0, np.int16)
        self._last = np.zeros((1, self._size), np.int16)
        self._row = 0
        self._counted = 0
        self._sleep = 0
        self._expires = 0

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; (offset into them, "tone") for each time the tone was found, in order."""
        kept = len(self._rest)
        sound = np.concatenate((self._rest, samples)) if kept else samples
        count = len(sound) // self._size
        self._rest = sound[count * self._size :].copy()
        if not count:
            return []
        frames = sound[: count * self._size].reshape(count, self._size)
        holds, certain = self._frames(frames), self._pairs(frames)
        self._last = frames[-1:].copy()
        return [
            (max(0, (index + 1) * self._size - kept), "tone")
            for index in range(count)
            if self._step(bool(holds[index]), bool(certain[index]))
        ]

    def _frames(self, frames: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Tell of each frame, shape (frames, samples), whether it holds the tone."""
        wide = frames.astype(np.float64)
        energy = (wide**2).mean(axis=1)
        powers = (np.abs(wide @ self._sums) * self._scale) ** 2 / 2
        if self._several:
            loud = powers.sum(axis=1) >= _SHARE * energy
            loud &= powers.min(axis=1) >= _WEAKEST * powers.max(axis=1)
        else:
            loud = powers.max(axis=1) >= _SHARE * energy
        result: NDArray[np.bool_] = loud & (energy >= _FAINTEST)
        return result

    def _pairs(self, frames: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Tell of each frame whether it and the one before it consist of the frequencies."""
        if self._base is None:
            return np.ones(len(frames), np.bool_)
        both = np.hstack((np.vstack((self._last, frames[:-1])), frames)).astype(np.float64)
        result: NDArray[np.bool_] = ((both @ self._base) ** 2).sum(axis=1) >= _SHARE * (both**2).sum(axis=1)
        return result

    def _step(self, holds: bool, certain: bool) -> bool:
        """Count one frame; True when that makes the last of the hits asked for."""
        if self._sleep:
            self._sleep -= 1
            return False
        if self._expires:
            self._expires -= 1
            if not self._expires:
                self._counted = 0
        self._row = self._row + 1 if holds else 0
        if self._row < _ROW or not certain:
            return False
        self._row = 0
        self._counted += 1
        self._sleep, self._expires = self._sleep_frames, self._expires_frames
        if self._counted < self._hits:
            return False
        self._counted = 0
        return True
