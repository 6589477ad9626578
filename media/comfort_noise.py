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
