"""DTMF keys: their names, their tones, and FreeSWITCH's strings of keys with durations and pauses."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ITU-T Q.23: each key sounds one low and one high frequency, in hertz.
LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
_ROWS = ("123A", "456B", "789C", "*0#D")
FREQUENCIES: dict[str, tuple[float, float]] = {
    key: (low, high) for low, row in zip(LOW, _ROWS, strict=True) for high, key in zip(HIGH, row, strict=True)
}

# FreeSWITCH: 2000, 400 and 192000 samples at 8 kHz.
DEFAULT_DURATION = 250
MINIMUM_DURATION = 50
MAXIMUM_DURATION = 24000

# FreeSWITCH: `w` and `W` wait instead of sounding.
PAUSES = {"w": 500, "W": 1000}

# FreeSWITCH: what a string of keys may hold; f and F are the hook flash. Letters keep their case.
KEYS = frozenset("0123456789ABCDabcd*#FfWw")

# ITU-T G.711: a sine that fills the 16 bits has 3.14 dBm0.
_FULL_SCALE = 3.14
_DURATION = re.compile(r"\s*([+-]?\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A key and how long it is pressed, or a pause (`w`, `W`), in milliseconds."""

    digit: str
    duration: int

    @property
    def is_pause(self) -> bool:
        return self.digit in PAUSES


@dataclass(frozen=True, slots=True)
class KeyString:
    """A parsed string of keys; `processed` where a leading `~` asked for the digit actions to see them."""

    keys: tuple[Key, ...]
    processed: bool
    rejected: str


def parse(text: str, default: int = DEFAULT_DURATION) -> KeyString:
    """Keys as FreeSWITCH writes them: `1234`, `12@300` (ms for all of them), `1@100+2@500`, `1w2`.

    Durations are kept within 50 … 24000 ms, and one of 50 ms or less is the default (FreeSWITCH).
    Characters that are no keys are left out and told in `rejected`.
    """
    processed = text.startswith("~")
    keys: list[Key] = []
    rejected: list[str] = []
    for part in text[processed:].split("+"):
        digits, _, written = part.partition("@")
        found = _DURATION.match(written)
        asked = int(found[1]) if found else 0
        duration = asked if asked > MINIMUM_DURATION else default
        duration = max(MINIMUM_DURATION, min(MAXIMUM_DURATION, duration))
        for digit in digits:
            if digit in KEYS:
                keys.append(Key(digit, PAUSES.get(digit, duration)))
            else:
                rejected.append(digit)
    return KeyString(tuple(keys), processed, "".join(rejected))


def tones(digit: str, duration_ms: int, rate: int, level_dbm0: float = -7.0) -> NDArray[np.int16]:
    """The sound of a key: int16 of shape (rate * duration_ms // 1000,), each frequency at `level_dbm0`.

    Lower-case letters sound as capitals. Raises ValueError for what has no tones (`w`, `F`, …) and for
    a level at which the two frequencies together would be clipped.
    """
    pair = FREQUENCIES.get(digit.upper())
    if pair is None:
        raise ValueError(f"{digit!r} is not a DTMF key")
    amplitude = 32767 * 10 ** ((level_dbm0 - _FULL_SCALE) / 20)
    if 2 * amplitude > 32767:
        raise ValueError(f"two frequencies of {level_dbm0} dBm0 do not fit into 16 bits")
    places = np.arange(rate * duration_ms // 1000) * (2 * np.pi / rate)
    wave: NDArray[np.float64] = amplitude * (np.sin(places * pair[0]) + np.sin(places * pair[1]))
    return np.rint(wave).astype(np.int16)
