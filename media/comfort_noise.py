"""Comfort noise (RFC 3389): the sound of a silent line as a level and a few reflection coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PAYLOAD_TYPE = 13

# RFC 3389 leaves the order open; more than this is no noise of a room and only costs.
MAX_ORDER = 32
DEFAULT_ORDER = 8
# What a full-scale square wave has, 0 dBov.
_OVERLOAD = 32768.0
# The noise that is made at once and played in a loop, and how long two noises cross over.
_LOOP_SECONDS = 1
_CROSSING_MS = 10
# Reflection coefficients of 1 would ring for ever.
_STABLE = 0.98


class ComfortNoiseError(ValueError):
    """A payload that is no comfort noise, or a level that has none."""


@dataclass(frozen=True, slots=True)
class ComfortNoise:
    """`level` in -dBov, 0 (loudest) to 127; `coefficients` the reflection coefficients, -1 to 1, none for white."""

    level: int
    coefficients: tuple[float, ...] = ()

    @classmethod
    def parse(cls, payload: bytes) -> ComfortNoise:
        """A payload; ComfortNoiseError where it is empty or has more than `MAX_ORDER` coefficients.

        The first bit is reserved and ignored.
        """
        if not 1 <= len(payload) <= 1 + MAX_ORDER:
            raise ComfortNoiseError(f"comfort noise of {len(payload)} bytes")
        # RFC 3389 3.2: 127 is zero, a step is 258 / 32768.
        return cls(payload[0] & 0x7F, tuple((number - 127) * 258 / 32768 for number in payload[1:]))

    def serialize(self) -> bytes:
        """The payload; ComfortNoiseError for a level or an order that does not fit."""
        if not 0 <= self.level <= 127 or len(self.coefficients) > MAX_ORDER:
            raise ComfortNoiseError(f"a level of {self.level} with {len(self.coefficients)} coefficients")
        numbers = [max(0, min(254, 127 + round(value * 32768 / 258))) for value in self.coefficients]
        return bytes([self.level, *numbers])

    @classmethod
    def of(cls, samples: NDArray[np.int16], order: int = DEFAULT_ORDER) -> ComfortNoise:
        """The noise that sounds like `samples`, int16 of shape (n,). Raises ComfortNoiseError for a wrong order."""
        if not 0 <= order <= MAX_ORDER:
            raise ComfortNoiseError(f"an order of {order}")
        wide = samples.astype(np.float64)
        power = float(np.mean(wide**2)) if len(wide) else 0.0
        if power < 1e-3:
            return cls(127)
        level = max(0, min(127, round(-20 * np.log10(np.sqrt(power) / _OVERLOAD))))
        windowed = wide * np.hanning(len(wide)) if len(wide) > 2 else wide
        lags = min(order, len(wide) - 1)
        correlation = np.array([windowed[: len(windowed) - lag] @ windowed[lag:] for lag in range(lags + 1)])
        return cls(level, _reflections(correlation))


def _reflections(correlation: NDArray[np.float64]) -> tuple[float, ...]:
    """Levinson and Durbin: reflection coefficients from the autocorrelation."""
    error = float(correlation[0]) * 1.0001  # -40 dB of white noise keep it well conditioned
    filter_ = np.zeros(len(correlation))
    filter_[0] = 1.0
    found = []
    for number in range(1, len(correlation)):
        if error <= 0:
            break
        value = -float(filter_[:number] @ correlation[number:0:-1]) / error
        found.append(value)
        filter_[: number + 1] += value * filter_[number::-1][: number + 1]
        error *= 1 - value * value
    return tuple(found)


def _prediction(reflections: tuple[float, ...]) -> NDArray[np.float64]:
    """The filter 1, a1, …, an that whitens the noise."""
    filter_ = np.ones(1)
    for value in reflections:
        value = max(-_STABLE, min(_STABLE, value))
        longer = np.append(filter_, 0.0)
        filter_ = longer + value * longer[::-1]
    return filter_


class ComfortNoiseGenerator:
    """Plays comfort noise at `rate`. The same seed gives the same noise."""

    def __init__(self, rate: int, seed: int = 0) -> None:
        self.rate = rate
        self._random = np.random.default_rng(seed)
        self._noise: ComfortNoise | None = None
        self._loop: NDArray[np.int16] = np.zeros(rate // 10, np.int16)
        self._old: NDArray[np.int16] | None = None
        self._at = 0

    def update(self, noise: ComfortNoise) -> None:
        """Sound like this from now on; the change is a short crossing over."""
        if noise == self._noise:
            return
        self._old = self._loop
        self._noise = noise
        self._loop = self._make(noise)

    def next(self, count: int) -> NDArray[np.int16]:
        """The next `count` samples, int16 of shape (count,); silence before the first `update`."""
        places = (self._at + np.arange(count)) % len(self._loop)
        self._at = (self._at + count) % len(self._loop)
        sound: NDArray[np.float32] = self._loop[places].astype(np.float32)
        if self._old is not None:
            length = min(count, self.rate * _CROSSING_MS // 1000)
            rising = np.linspace(0, 1, length, dtype=np.float32)
            # Noises add by power.
            sound[:length] = sound[:length] * np.sqrt(rising) + self._old[
                places[:length] % len(self._old)
            ] * np.sqrt(1 - rising)
            self._old = None
        return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)

    def _make(self, noise: ComfortNoise) -> NDArray[np.int16]:
        """A loop of shaped noise, made in the frequency domain, so its end runs into its beginning."""
        size = self.rate * _LOOP_SECONDS
        white = np.fft.rfft(self._random.standard_normal(size))
        white[0] = 0
        shaped = np.fft.irfft(white / np.fft.rfft(_prediction(noise.coefficients), size), size)
        wanted = _OVERLOAD * 10 ** (-noise.level / 20)
        scaled = shaped * (wanted / np.sqrt(np.mean(shaped**2)))
        loop: NDArray[np.int16] = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
        return loop
