"""Voice activity by webrtcvad: when somebody starts and stops talking."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from media.resample import resample

# What webrtcvad takes; sound of other rates is resampled to the second.
_RATES = (8000, 16000, 32000, 48000)
_RESAMPLED_RATE = 16000

# Verdicts remembered for copies that listen again to what another has heard: over three minutes of frames,
# more than an engine listens ahead.
_VERDICTS_KEPT = 10_000


class VoiceDetector:
    """Tells when talking starts (voice for `voice_ms` within a row of frames) and stops (none for `silence_ms`).

    `mode` is webrtcvad's 0 … 3, the greater the less is taken for voice; `frame_ms` is 10, 20 or 30.
    The result does not depend on the block size. Raises ValueError for another mode or frame size.
    """

    def __init__(
        self, rate: int, mode: int = 2, frame_ms: int = 20, voice_ms: int = 200, silence_ms: int = 500
    ) -> None:
        if frame_ms not in (10, 20, 30):
            raise ValueError(f"webrtcvad looks at 10, 20 or 30 ms, not {frame_ms}")
        if mode not in (0, 1, 2, 3):
            raise ValueError(f"webrtcvad's mode is 0 to 3, not {mode}")
        self.rate = rate
        self.talking = False
        self._inner_rate = rate if rate in _RATES else _RESAMPLED_RATE
        self._inner_size = self._inner_rate * frame_ms // 1000
        self._size = round(rate * frame_ms / 1000)
        self._verdicts = _Verdicts(mode, self._inner_rate)
        self._voice_frames = max(1, voice_ms // frame_ms)
        self._silence_frames = max(1, silence_ms // frame_ms)
        self._row = 0
        self._frames = 0
        self._rest = np.zeros(0, np.int16)

    def copy(self) -> Self:
        """The same state, going its own way from here."""
        return copy.copy(self)

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Looks at the next samples, int16 of shape (n,).

        [(offset into them, "start-talking" or "stop-talking"), …] for what became certain, in order.
        """
        before = len(self._rest)
        samples = np.concatenate((self._rest, samples)) if before else samples
        count = len(samples) // self._size
        self._rest = samples[count * self._size :].copy()
        frames = self._at_inner_rate(samples[: count * self._size].reshape(count, self._size))
        # Digital silence is no voice; the detector need not be asked.
        sounding = np.asarray(frames.any(axis=1))
        events: list[tuple[int, str]] = []
        for number in range(count):
            voiced = bool(sounding[number]) and self._verdicts.of(self._frames, frames[number].tobytes())
            self._frames += 1
            self._row = self._row + 1 if voiced is not self.talking else 0
            if self._row >= (self._silence_frames if self.talking else self._voice_frames):
                self.talking = not self.talking
                self._row = 0
                event = "start-talking" if self.talking else "stop-talking"
                events.append(((number + 1) * self._size - before, event))
        return events

    def _at_inner_rate(self, frames: NDArray[np.int16]) -> NDArray[np.int16]:
        """Frames (count, size) at a rate that webrtcvad knows, each for itself, so that no state is left over."""
        if self.rate == self._inner_rate or not len(frames):
            return frames
        made = resample(frames.T, self.rate, self._inner_rate)[: self._inner_size].T
        return np.pad(made, ((0, 0), (0, self._inner_size - made.shape[1])))


class _Verdicts:
    """What webrtcvad said of each frame.

    Its state cannot be copied, so copies of a detector share it: who comes second to a frame is told
    what the first one heard, provided it is the same sound.
    """

    def __init__(self, mode: int, rate: int) -> None:
        self._vad = webrtcvad.Vad(mode)
        self._mode = mode
        self._rate = rate
        self._known: dict[int, tuple[int, bool]] = {}

    def __reduce__(self) -> tuple[type[_Verdicts], tuple[int, int]]:
        # webrtcvad's own state stays behind: in another process the detector settles anew, within some frames.
        return _Verdicts, (self._mode, self._rate)

    def of(self, number: int, frame: bytes) -> bool:
        mark = hash(frame)
        known = self._known.get(number)
        if known is not None and known[0] == mark:
            return known[1]
        voiced = bool(self._vad.is_speech(frame, self._rate))
        self._known[number] = (mark, voiced)
        if len(self._known) > _VERDICTS_KEPT:
            del self._known[next(iter(self._known))]
        return voiced
