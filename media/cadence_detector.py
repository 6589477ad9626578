"""Tones with a cadence: one or two frequencies at a time, in turn with others and with pauses, each for its time.

Windows of 32 ms, one every 4 ms, are looked at. A window holds a tone where its frequencies, which may be 8 Hz off,
carry nearly all of the energy, and, of two, neither does so alone. What is no tone of the cadences is a pause.
(FreeSWITCH: the descriptors of spandsp.conf.)
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from media.hop_windows import hop_windows

WINDOW_MS: Final = 32
HOP_MS: Final = 4

# How far a frequency may be off: exchanges keep theirs within 1.5 % (ITU-T E.180).
_OFF_HZ: Final = 8.0
# The part of a window's energy that a tone carries: 6 dB above white noise it is 0.8.
_SHARE: Final = 0.7
# What the second of two frequencies adds at least to what either explains alone.
_SECOND: Final = 0.08
# Mean square of the faintest window that is looked at, about -50 dBm0.
_FAINTEST: Final = 5_000.0
# What lasts for less is no segment: where one tone follows another neither fills the window.
_SHORTEST_MS: Final = 20
# How exactly times are measured.
_SLACK_MS: Final = 8
_PAUSE: Final = -1


@dataclass(frozen=True, slots=True)
class CadenceElement:
    """So many ms of a tone (Hz; 0 for none) or, with neither frequency, of a pause; `longest` 0 is without end."""

    first: int
    second: int
    shortest: int
    longest: int

    def lasts(self, ms: float) -> bool:
        """Whether a segment of this length is one."""
        return ms >= self.shortest - _SLACK_MS and (not self.longest or ms <= self.longest + _SLACK_MS)


@dataclass(frozen=True, slots=True)
class CadenceTone:
    """A tone by its name, and what it consists of in order."""

    name: str
    elements: tuple[CadenceElement, ...]


class _Template:
    """One tone of one or two frequencies, as it is looked for in windows."""

    def __init__(self, frequencies: tuple[int, ...], rate: int, size: int) -> None:
        self._bases = [_base((each,), rate, size) for each in frequencies]
        self._together = _base(frequencies, rate, size) if len(frequencies) > 1 else self._bases[0]
        self.several = len(frequencies) > 1
        self.fill = self._fill(frequencies, rate, size)

    def shares(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy of each window, shape (n, size), that the tone explains; 0 where it takes one alone."""
        energy = ((windows @ self._together) ** 2).sum(axis=1)
        if self.several:
            alone = np.max([((windows @ base) ** 2).sum(axis=1) for base in self._bases], axis=0)
            energy[energy - alone < _SECOND * energy] = 0
        result: NDArray[np.float64] = energy
        return result

    def _fill(self, frequencies: tuple[int, ...], rate: int, size: int) -> float:
        """Return how much of a window has to be filled by the tone for it to be found, from 0 to 1."""
        times = np.arange(size) / rate
        fills = np.linspace(0.05, 1, 39)
        phases = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        windows = np.array(
            [
                sum(
                    np.sin(2 * np.pi * each * times + phase * (1 + turn))
                    for turn, each in enumerate(frequencies)
                )
                * (times < fill * size / rate)
                for fill in fills
                for phase in phases
            ]
        )
        shares = self.shares(windows) / np.maximum((windows**2).sum(axis=1), 1e-9)
        held = (shares >= _SHARE).reshape(len(fills), len(phases)).mean(axis=1) >= 0.5
        return float(fills[int(np.argmax(held))]) if held.any() else 1.0


def _base(frequencies: tuple[int, ...], rate: int, size: int) -> NDArray[np.float64]:
    """Return an orthonormal base, shape (size, k), of all that frequencies, each perhaps somewhat off, sound like."""
    near = np.array([each + off for each in frequencies for off in (-_OFF_HZ, _OFF_HZ)])
    turns = 2 * np.pi * np.outer(np.arange(size), near) / rate
    result: NDArray[np.float64] = np.linalg.qr(np.hstack((np.cos(turns), np.sin(turns))))[0]
    return result


class CadenceDetector:
    """Tells the name of each tone, once for as long as it goes on, in int16 sound of `rate`.

    A tone is told as soon as its last element has lasted for its shortest time. Raises ValueError for a tone without
    elements, a frequency that does not fit into the rate, and a second one without a first.
    """

    def __init__(self, rate: int, tones: Sequence[CadenceTone]) -> None:
        self._hop = max(1, rate * HOP_MS // 1000)
        self._size = self._hop * (WINDOW_MS // HOP_MS)
        kinds: list[tuple[int, ...]] = []
        self._tones: list[tuple[str, list[tuple[int, CadenceElement]]]] = []
        for tone in tones:
            if not tone.elements:
                raise ValueError(f"the tone {tone.name} has no elements")
            marked = []
            for element in tone.elements:
                frequencies = tuple(sorted(each for each in (element.first, element.second) if each))
                if (element.second and not element.first) or not all(
                    0 < each < rate / 2 for each in frequencies
                ):
                    raise ValueError(f"no tone of {frequencies} Hz at {rate} samples a second")
                frequencies = tuple(dict.fromkeys(frequencies))
                if frequencies and frequencies not in kinds:
                    kinds.append(frequencies)
                marked.append((kinds.index(frequencies) if frequencies else _PAUSE, element))
            self._tones.append((tone.name, marked))
        self._templates = [_Template(kind, rate, self._size) for kind in kinds]
        self._kept = max((len(elements) for _, elements in self._tones), default=1)
        self._rest = np.zeros(0, np.int16)
        self._time = 0.0  # ms at the end of the window
        self._kind, self._began = _PAUSE, 0.0
        # What may follow: its kind, when it began, and when it was first seen.
        self._next: tuple[int, float, float] | None = None
        self._past: tuple[tuple[int, float], ...] = ()  # kinds and lengths in ms
        self._held: int | None = None  # the tone that was told and goes on

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Look at the next samples; (offset into them, name) for each tone that begins to be certain, in order."""
        before = len(self._rest)
        windows, self._rest = hop_windows(self._rest, samples, self._size, self._hop)
        if not len(windows):
            return []
        found: list[tuple[int, str]] = []
        for index, kind in enumerate(self._kinds(windows).tolist()):
            self._time += HOP_MS
            self._step(kind)
            name = self._judge()
            if name is not None:
                found.append((max(0, index * self._hop + self._size - before), name))
        return found

    def _kinds(self, windows: NDArray[np.int16]) -> NDArray[np.intp]:
        """Return which tone each window holds, -1 for none."""
        wide = windows.astype(np.float64)
        energy = (wide**2).sum(axis=1)
        if not self._templates:
            return np.full(len(wide), _PAUSE, np.intp)
        shares = np.stack([template.shares(wide) for template in self._templates], axis=1)
        # Of two that explain the same, the one with fewer frequencies.
        shares = shares / np.maximum(energy, 1)[:, np.newaxis]
        rank = shares - [0.05 if template.several else 0.0 for template in self._templates]
        best: NDArray[np.intp] = rank.argmax(axis=1)
        holds = np.take_along_axis(shares, best[:, np.newaxis], axis=1)[:, 0] >= _SHARE
        return np.where(holds & (energy >= _FAINTEST * self._size), best, _PAUSE)

    def _edge(self, kind: int) -> float:
        """Return when a tone began that the newest window is the first to hold, or ended that it holds no longer."""
        return self._templates[kind].fill * WINDOW_MS

    def _step(self, kind: int) -> None:
        """Take what the newest window holds."""
        if kind == self._kind:
            self._next = None
        elif self._next is None or self._next[0] != kind:
            fill = WINDOW_MS - self._edge(self._kind) if kind == _PAUSE else self._edge(kind)
            self._next = kind, max(self._began, self._time - fill), self._time
        elif self._time - self._next[2] >= _SHORTEST_MS:
            ended = self._kind, self._next[1] - self._began
            self._past = (*self._past, ended)[-self._kept :]
            self._kind, self._began, _ = self._next
            self._next = None
            if self._held is not None and not self._belongs(self._held, *ended):
                self._held = None
            if self._held is not None and all(each != self._kind for each, _ in self._tones[self._held][1]):
                self._held = None

    def _belongs(self, number: int, kind: int, ms: float) -> bool:
        """Whether a segment can be an element of a tone."""
        return any(each == kind and element.lasts(ms) for each, element in self._tones[number][1])

    def _judge(self) -> str | None:
        """Return the tone whose elements were heard last, unless it was told already."""
        if self._next is not None:
            return None
        lasted = self._time - self._began
        for number, (name, elements) in enumerate(self._tones):
            kind, last = elements[-1]
            if number == self._held or kind != self._kind or not last.lasts(lasted):
                continue
            earlier = self._past[len(self._past) - len(elements) + 1 :]
            if len(earlier) == len(elements) - 1 and all(
                heard == wanted and element.lasts(ms)
                for (heard, ms), (wanted, element) in zip(earlier, elements, strict=False)
            ):
                self._held = number
                return name
        return None
