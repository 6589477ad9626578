"""The beep of an answering machine: one sinusoid, steady in frequency and amplitude, of any frequency.

Windows of 40 ms, one every 10 ms, are looked at through a Hann window. A window holds a tone where the main lobe
about its strongest frequency carries nearly all of its energy, which two tones at once, speech and noise do not. So
many windows in a row whose frequencies and amplitudes hardly vary are a beep. (FreeSWITCH: mod_avmd judges by the
same two variances, which it takes from single samples.)
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from media.hop_windows import hop_windows

WINDOW_MS: Final = 40
HOP_MS: Final = 10

# Hz. FreeSWITCH: dial and ringing tones lie below; above 2 kHz its estimate folds, so that what is heard as a beep
# at 8 kHz ends below 3,560.
LOWEST: Final = 440.0
HIGHEST: Final = 3_500.0

# FreeSWITCH: amplitudes below are no sound.
_FAINTEST: Final = 17.0
# The part of a window's energy within the lobe: 10 dB above white noise it is 0.91, and a vowel's strongest
# harmonic seldom has more than half.
_SHARE: Final = 0.8
# Standard deviations in a row of windows, by the mean. Noise 10 dB below a tone moves its amplitude by 2 %, its
# frequency by less than a tenth of that; intonation moves the harmonics of speech by several percent.
_FREQUENCY_DEVIATION: Final = 0.004
_AMPLITUDE_DEVIATION: Final = 0.06
# Windows in a row beyond those that the settings ask for: with FreeSWITCH's three they are 90 ms of tone.
_ROW: Final = 3
# The transform is so many times as long as the window, so that its peak is found by a parabola.
_PADDING: Final = 2


class Mode(IntEnum):
    """What has to be steady: FreeSWITCH's `detection_mode`."""

    AMPLITUDE = 0
    FREQUENCY = 1
    BOTH = 2


@dataclass(frozen=True, slots=True)
class Beep:
    """What was heard: Hz and its variance (of radians a sample, as FreeSWITCH tells it), amplitude and its variance."""

    frequency: float
    frequency_variance: float
    amplitude: float
    amplitude_variance: float

    @classmethod
    def parse(cls, detail: str) -> Beep:
        """Read what the detector said. Raises ValueError for anything else."""
        frequency, frequency_variance, amplitude, amplitude_variance = map(float, detail.split(" "))
        return cls(frequency, frequency_variance, amplitude, amplitude_variance)


class BeepDetector:
    """Tells the first beep in int16 sound of `rate`, fed in blocks of any size; the result does not depend on those.

    `streak` windows more than three in a row have to be steady (FreeSWITCH: `sample_n_continuous_streak`). What is
    found is told as the text that `Beep.parse` reads. Raises ValueError for a rate below 4000, whose sounds hold no
    beep, and for a streak below 0.
    """

    def __init__(self, rate: int, mode: Mode = Mode.BOTH, streak: int = 3) -> None:
        if rate < 4000 or streak < 0:
            raise ValueError(f"no beep in sound of {rate} Hz with a streak of {streak}")
        self.rate = rate
        self._mode = mode
        self._row = _ROW + streak
        self._hop = rate * HOP_MS // 1000
        self._size = self._hop * (WINDOW_MS // HOP_MS)
        self._window = np.hanning(self._size + 1)[:-1]
        self._bins = rate / (self._size * _PADDING)
        self._rest = np.zeros(0, np.int16)
        # Of the last windows: frequency (Hz, 0 where there was no tone) and amplitude.
        self._past = np.zeros((0, 2))
        self.found = False

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; [(offset into them, what was heard)] when that makes a beep certain, else []."""
        if self.found:
            return []
        before = len(self._rest)
        windows, self._rest = hop_windows(self._rest, samples, self._size, self._hop)
        if not len(windows):
            return []
        known = len(self._past)
        seen = np.concatenate((self._past, self._measure(windows)))
        self._past = seen[-(self._row - 1) :] if self._row > 1 else seen[:0]
        beep = self._judge(seen)
        if beep is None:
            return []
        self.found = True
        index, heard = beep
        text = " ".join(
            f"{value:.9g}"
            for value in (
                heard.frequency,
                heard.frequency_variance,
                heard.amplitude,
                heard.amplitude_variance,
            )
        )
        return [(max(0, (index - known) * self._hop + self._size - before), text)]

    def _measure(self, windows: NDArray[np.int16]) -> NDArray[np.float64]:
        """The frequency, 0 for no tone, and the amplitude of each window, shape (windows, 2)."""
        result = np.zeros((len(windows), 2))
        loud = np.flatnonzero(np.abs(windows.astype(np.int32)).max(axis=1) >= _FAINTEST)
        if not len(loud):
            return result
        shaped = windows[loud] * self._window
        powers = np.abs(np.fft.rfft(shaped, self._size * _PADDING, axis=1)) ** 2
        # Parseval: a one-sided spectrum has all but its ends twice.
        energy = powers[:, 0] + powers[:, -1] + 2 * powers[:, 1:-1].sum(axis=1)
        reach = 2 * _PADDING
        peaks = np.clip(powers.argmax(axis=1), reach, powers.shape[1] - reach - 1)
        rows = np.arange(len(loud))
        lobe = 2 * powers[rows[:, np.newaxis], peaks[:, np.newaxis] + np.arange(-reach, reach + 1)].sum(
            axis=1
        )
        left, top, right = (np.log(powers[rows, peaks + side] + 1e-9) for side in (-1, 0, 1))
        bend = left - 2 * top + right
        shift = np.where(bend < 0, (left - right) / (2 * np.where(bend < 0, bend, -1)), 0)
        frequency = (peaks + np.clip(shift, -0.5, 0.5)) * self._bins
        # Of a sinusoid of amplitude 1 the energy is half that of the window.
        amplitude = np.sqrt(lobe / (self._size * _PADDING) / (np.square(self._window).sum() / 2))
        holds = (
            (lobe >= _SHARE * energy)
            & (frequency >= LOWEST)
            & (frequency <= HIGHEST)
            & (amplitude >= _FAINTEST)
        )
        result[loud, 0] = np.where(holds, frequency, 0)
        result[loud, 1] = amplitude
        return result

    def _judge(self, seen: NDArray[np.float64]) -> tuple[int, Beep] | None:
        """The window with which the first steady row is complete, and what is heard in the row."""
        if len(seen) < self._row:
            return None
        rows = np.lib.stride_tricks.sliding_window_view(seen, self._row, axis=0)
        frequency, amplitude = rows[:, 0], rows[:, 1]
        tonal = frequency.min(axis=1) > 0
        places = np.flatnonzero(tonal)
        for place in places.tolist():
            mean, level = frequency[place].mean(), amplitude[place].mean()
            steady = frequency[place].std() <= _FREQUENCY_DEVIATION * mean
            even = amplitude[place].std() <= _AMPLITUDE_DEVIATION * level
            if (steady or self._mode is Mode.AMPLITUDE) and (even or self._mode is Mode.FREQUENCY):
                turn = frequency[place] * (2 * np.pi / self.rate)
                return place + self._row - 1, Beep(
                    float(mean), float(turn.var()), float(level), float(amplitude[place].var())
                )
        return None
