"""Text telephones (TTY, TDD): five-bit characters in tones of 1400 and 1800 Hz (ITU-T V.18 annex A, TIA-825-A).

A character is a start bit (space), five bits, the least first, and stop bits (mark). Between them nothing sounds
for long: the tone stands for what is said only while somebody types.
"""

from __future__ import annotations

import copy
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from media.baudot import Decoder, encode
from media.hop_windows import hop_windows
from media.source import Samples

# Bits a second: of the USA, and of other countries.
BAUD_US: Final = 45.45
BAUD_INTERNATIONAL: Final = 50.0

_MARK_HZ: Final = 1400
_SPACE_HZ: Final = 1800
_BITS: Final = 5
_STOP_BITS: Final = 2  # V.18: at least 1.5 are sent
_LEVEL: Final = 4500  # -14 dBm0
_BEFORE_MS: Final = 150  # V.18, A.1: of mark before the first character
_AFTER_MS: Final = 300  # and after the last one

# The detector looks so often, through a window of half a bit.
_HOP_MS: Final = 1
_WINDOW_MS: Final = 11
# The part of a window's energy in both tones: where one turns into the other it is half of it in each.
_SHARE: Final = 0.35
# Mean square of the faintest tone that is read, about -50 dBm0.
_FAINTEST: Final = 5_000.0
# So long without a tone a message is over; V.18 has the tone go on for 300 ms when nobody types.
_OVER_MS: Final = 100
_LONGEST_MESSAGE: Final = 256


def modulate(text: str, rate: int, baud: float = BAUD_US) -> Samples:
    """Return the tones of a text at `rate` samples a second; nothing for a text of which nothing can be sent."""
    codes = encode(text)
    if not codes:
        return Samples(np.zeros(0, np.int16), rate)
    bits = [
        bit
        for code in codes
        for bit in (0, *(code >> place & 1 for place in range(_BITS)), *[1] * _STOP_BITS)
    ]
    bit_places = (np.arange(round(len(bits) * rate / baud)) * baud / rate).astype(np.intp)
    marks = np.concatenate(
        (
            np.ones(rate * _BEFORE_MS // 1000, np.bool_),
            np.array(bits, np.bool_)[np.minimum(bit_places, len(bits) - 1)],
            np.ones(rate * _AFTER_MS // 1000, np.bool_),
        )
    )
    angles = np.cumsum(np.where(marks, _MARK_HZ, _SPACE_HZ) * (2 * np.pi / rate))
    return Samples(np.rint(_LEVEL * np.sin(angles)).astype(np.int16), rate)


class TddDetector:
    """Reads what a text telephone types from int16 sound of `rate`; tells a message when its tone has ended.

    Raises ValueError for a rate that does not hold the tones.
    """

    def __init__(self, rate: int, baud: float = BAUD_US) -> None:
        if rate < 4000:
            raise ValueError(f"no text telephone in sound of {rate} Hz")
        self._rate = rate
        self._hop = rate * _HOP_MS // 1000
        self._size = self._hop * (_WINDOW_MS // _HOP_MS)
        self._bit = 1000 / baud / _HOP_MS  # in hops
        places = np.arange(self._size)
        tones = np.array([_MARK_HZ, _SPACE_HZ])
        self._sums = np.exp(-2j * np.pi / rate * np.outer(places, tones))
        self._rest = np.zeros(0, np.int16)
        self._decoder = Decoder()
        self._message = ""
        self._silent = 0  # hops without a tone
        self._was_mark = False
        self._since = 0.0  # hops since the start bit began, while a character is read
        self._reading: list[bool] | None = None

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        twin = copy.copy(self)
        twin._decoder = copy.copy(self._decoder)
        twin._reading = None if self._reading is None else list(self._reading)
        return twin

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; (offset into them, message) for each message that has ended, in order."""
        before = len(self._rest)
        windows, self._rest = hop_windows(self._rest, samples, self._size, self._hop)
        if not len(windows):
            return []
        wide = windows.astype(np.float64)
        energy = (wide**2).mean(axis=1)
        powers = np.abs(wide @ self._sums) ** 2 * (2 / self._size**2)
        sounds = (powers.sum(axis=1) >= _SHARE * energy) & (energy >= _FAINTEST)
        marks = powers[:, 0] >= powers[:, 1]
        found: list[tuple[int, str]] = []
        for index, (carrier, mark) in enumerate(zip(sounds.tolist(), marks.tolist(), strict=True)):
            message = self._step(carrier, mark)
            if message:
                found.append((max(0, index * self._hop + self._size - before), message))
        return found

    def _step(self, carrier: bool, mark: bool) -> str:
        """Look at one window; return a message that is complete, else ""."""
        if not carrier:
            self._silent += 1
            if self._silent * _HOP_MS >= _OVER_MS:
                self._reading, self._was_mark, self._decoder = None, False, Decoder()
                message, self._message = self._message, ""
                return message
            return ""
        self._silent = 0
        if self._reading is None:
            if self._was_mark and not mark:
                self._reading, self._since = [], 0.0
            self._was_mark = mark
            return ""
        self._since += 1
        if self._since < (len(self._reading) + 0.5) * self._bit:
            return ""
        self._reading.append(mark)
        if self._reading[0]:  # no start bit after all
            self._reading, self._was_mark = None, True
        elif len(self._reading) == 1 + _BITS + 1:
            bits, stop = self._reading[1:-1], self._reading[-1]
            self._reading, self._was_mark = None, mark
            if stop:
                self._message += self._decoder.take(sum(bit << place for place, bit in enumerate(bits)))
                if len(self._message) >= _LONGEST_MESSAGE:
                    message, self._message = self._message, ""
                    return message
        return ""
