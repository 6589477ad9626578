"""In-band DTMF: keys found in sound, within tolerances like those of ITU-T Q.24.

Every 10 ms the eight frequencies are measured (Goertzel's sums, all blocks of all lines at once as one matrix product);
two neighbouring blocks make a frame of 20 ms. A frame holds a key where one low and one high frequency are
loud enough, alike enough (twist), far above their neighbours, carry nearly all of the energy, and where
the phases of its halves show that neither is off its nominal frequency. Three such frames in a row make
a key (40 ms always do, 23 ms never), three without it end it (so do 40 ms of silence).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from media.dtmf import FREQUENCIES, HIGH, LOW

HITS = 3
MISSES = 3

# ITU-T Q.24 lets each country choose; these are the limits of common receivers. In decibels: the low
# frequency may be so much weaker, or stronger, than the high one.
REVERSE_TWIST = 8.0
NORMAL_TWIST = 8.0
# How far below the strongest frequency of a group the others must be.
NEIGHBOUR = 8.0
# ITU-T Q.24: keys of -29 dBm per frequency and more are heard; some decibels of grace.
MINIMUM_LEVEL = -35.0
# The part of a frame's energy that the two tones must carry; at 15 dB signal to noise it is 0.97.
TONE_SHARE = 0.7
# ITU-T Q.24: 1.8 % off is still a key, 3 % is not. Noise moves the measure, so the limit is in between.
FREQUENCY_ERROR = 0.025

_KEYS = {pair: key for key, pair in FREQUENCIES.items()}
_DIGITS = "".join(_KEYS[low, high] for low in LOW for high in HIGH)
_NOTHING = -1
_FULL_SCALE = 3.14


class DtmfDetector:
    """Hears keys in int16 sound of `rate`, fed in blocks of any size; the result does not depend on the size.

    The state can be copied with `copy` or `copy.copy`. Raises ValueError below 4000 Hz, where the tones do not fit.
    """

    def __init__(self, rate: int) -> None:
        if rate < 4000:
            raise ValueError(f"DTMF does not fit into {rate} Hz")
        self.rate = rate
        self._size = round(rate / 100)
        self._frequencies = np.array(LOW + HIGH)
        angles = 2 * np.pi * self._frequencies / rate
        self._sums = np.exp(-1j * np.outer(np.arange(self._size), angles)).astype(np.complex64)
        # A tone that is on its frequency has moved on by this much after a block.
        self._turn = np.exp(-1j * angles * self._size)
        amplitude = 32767 * 10 ** ((MINIMUM_LEVEL - _FULL_SCALE) / 20)
        self._minimum_power = amplitude**2 / 2
        self._rest = np.zeros(0, np.int16)
        # The last block's sums and energy are half of the next frame.
        self._last_sums = np.zeros(8, np.complex64)
        self._last_power = 0.0
        # The key that is down, the one that may be, and how long each has been seen or missed.
        self._down = _NOTHING
        self._missed = 0
        self._candidate = _NOTHING
        self._seen = 0

    @property
    def pressed(self) -> str:
        """The key that is down at the moment, or an empty text."""
        return "" if self._down == _NOTHING else _DIGITS[self._down]

    @property
    def _at_rest(self) -> bool:
        """Whether frames without a key would change nothing."""
        return self._down == self._candidate == _NOTHING and not self._missed

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Looks at the next samples; (offset into them, digit) for each key that began, in order.

        The offset is where the key became certain, 30 to 50 ms after its beginning.
        """
        return _feed([self], samples[np.newaxis])[0]

    def _judge(
        self, first: NDArray[np.complex64], second: NDArray[np.complex64], total: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The key in each frame, from the sums of its halves (frames, 8) and its mean power (frames,)."""
        length = 2 * self._size
        turned = np.angle(second * first.conj())
        error = turned * self.rate / (2 * np.pi * self._size)
        # A tone beside its nominal frequency loses power in the sum; the measured error tells how much.
        loss = np.sinc(np.clip(error * length / self.rate, -0.75, 0.75)) ** 2
        powers = 2 * np.square(np.abs(first + second) / length).astype(np.float64)
        frames = np.arange(len(total))
        low, high = powers[:, :4].argmax(axis=1), powers[:, 4:].argmax(axis=1) + 4
        low_power, high_power = powers[frames, low], powers[frames, high]
        real_low, real_high = low_power / loss[frames, low], high_power / loss[frames, high]
        others = powers.copy()
        others[frames, low] = others[frames, high] = 0
        far = 10 ** (-NEIGHBOUR / 10)
        limit = FREQUENCY_ERROR * self._frequencies
        good = (
            (np.minimum(real_low, real_high) >= self._minimum_power)
            & (real_low <= real_high * 10 ** (NORMAL_TWIST / 10))
            & (real_high <= real_low * 10 ** (REVERSE_TWIST / 10))
            & (others[:, :4].max(axis=1) <= low_power * far)
            & (others[:, 4:].max(axis=1) <= high_power * far)
            & (real_low + real_high >= TONE_SHARE * total)
            & (np.abs(error[frames, low]) <= limit[low])
            & (np.abs(error[frames, high]) <= limit[high])
        )
        return np.where(good, low * 4 + high - 4, _NOTHING)

    def _runs(self, keys: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Which keys began in these frames, as (frame, key); brings the state up to date."""
        edges = np.flatnonzero(np.diff(keys)) + 1
        starts = [0, *edges.tolist()]
        ends = [*edges.tolist(), len(keys)]
        began: list[tuple[int, int]] = []
        for start, end in zip(starts, ends, strict=True):
            key, frames = int(keys[start]), end - start
            if key == self._down:
                self._missed = 0
                self._candidate, self._seen = _NOTHING, 0
                continue
            self._missed += frames
            if key != self._candidate:
                self._candidate, self._seen = key, 0
            seen_before = self._seen
            self._seen += frames
            if key != _NOTHING and self._seen >= HITS:
                began.append((start + HITS - seen_before - 1, key))
                self._down, self._missed = key, 0
                self._candidate, self._seen = _NOTHING, 0
            elif self._missed >= MISSES:
                self._down = _NOTHING
        return began


def feed_together(heard: Sequence[tuple[DtmfDetector, NDArray[np.int16]]]) -> list[list[tuple[int, str]]]:
    """What `feed` would answer for each detector and its next samples, reckoned at once for all that are alike."""
    groups: dict[tuple[int, int, int], list[int]] = {}
    for place, (detector, samples) in enumerate(heard):
        groups.setdefault((detector.rate, len(detector._rest), len(samples)), []).append(place)
    found: list[list[tuple[int, str]]] = [[] for _ in heard]
    for places in groups.values():
        answers = _feed(
            [heard[place][0] for place in places], np.stack([heard[place][1] for place in places])
        )
        for place, answer in zip(places, answers, strict=True):
            found[place] = answer
    return found


def _feed(detectors: Sequence[DtmfDetector], samples: NDArray[np.int16]) -> list[list[tuple[int, str]]]:
    """Feed detectors of one rate, each of which has as many samples left over; samples of shape (detectors, n)."""
    one = detectors[0]
    before, size = len(one._rest), one._size
    if before:
        samples = np.hstack((np.stack([detector._rest for detector in detectors]), samples))
    count = samples.shape[1] // size
    rests = samples[:, count * size :].copy()
    if rests.shape[1] or before:
        for detector, rest in zip(detectors, rests, strict=True):
            detector._rest = rest
    if not count:
        return [[] for _ in detectors]
    keys = _keys(detectors, samples[:, : count * size].reshape(len(detectors), count, size))
    pressed = (keys != _NOTHING).any(axis=1).tolist()
    return [
        [((index + 1) * size - before, _DIGITS[key]) for index, key in detector._runs(row)]
        if some or not detector._at_rest
        else []
        for detector, row, some in zip(detectors, keys, pressed, strict=True)
    ]


def _keys(detectors: Sequence[DtmfDetector], blocks: NDArray[np.int16]) -> NDArray[np.int64]:
    """The key in the frame that ends with each block, or `_NOTHING`; blocks of shape (detectors, blocks, samples)."""
    one, (lines, count, _) = detectors[0], blocks.shape
    power = np.zeros((lines, count + 1))
    sums = np.zeros((lines, count + 1, 8), np.complex64)
    power[:, 0] = [detector._last_power for detector in detectors]
    sums[:, 0] = np.stack([detector._last_sums for detector in detectors])
    loud = blocks.max(axis=2) != blocks.min(axis=2)
    line, block = np.nonzero(loud)
    if len(line):
        sounding = blocks[line, block].astype(np.float32)
        sums[line, block + 1] = sounding @ one._sums
        power[line, block + 1] = np.square(sounding).mean(axis=1, dtype=np.float64)
    for detector, last_power, last_sums in zip(
        detectors, power[:, -1].tolist(), sums[:, -1].copy(), strict=True
    ):
        detector._last_power, detector._last_sums = last_power, last_sums
    keys = np.full((lines, count), _NOTHING)
    total = (power[:, :-1] + power[:, 1:]) / 2
    line, block = np.nonzero(total > 2 * one._minimum_power * TONE_SHARE)
    if len(line):
        second = sums[line, block + 1] * one._turn
        keys[line, block] = one._judge(sums[line, block], second, total[line, block])
    return keys
