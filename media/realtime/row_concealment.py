"""Concealment of what is lost on rows of arrays: by pitch on a few lines at a time, by the last frame on all others.

Single losses are few in a tick. Where many lines lose their packets at once, the network is gone, or a trunk is on
hold: then the pitch of each would cost what all others need, and nothing is to be understood anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from media.loss_concealment import LossConcealer

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RATE: Final = 8000

# Lines that are concealed by pitch at the same time, at 0.1 ms each in the tick in which it is found.
MOST: Final = 32

# G.711 appendix I: what stands for what is lost is as loud as that was for 10 ms, then a fifth softer every 10 ms, and
# silent after 60 ms.
_FULL: Final = 80
_SILENT: Final = 480

# Frames before the loss that the pitch is looked for in, and goes on with.
HISTORY: Final = 3


class RowConcealment:
    """Which of `capacity` lines are concealed by pitch, and how loud the last frame of the others still is."""

    def __init__(self, capacity: int, frame: int) -> None:
        self._frame = frame
        self._by_pitch: dict[int, LossConcealer] = {}
        self._concealing = np.zeros(capacity, bool)
        self._fading = _fading(frame)

    def has_room(self, line: int) -> bool:
        """Whether a line whose first frame is lost can be concealed by pitch."""
        return len(self._by_pitch) < MOST and line not in self._by_pitch

    def begin(self, line: int, history: NDArray[np.int16]) -> None:
        """Conceal a line by pitch from now on; `history` is what was heard before, int16 of shape (n,)."""
        concealer = LossConcealer(_RATE)
        concealer.good(history)
        self._by_pitch[line] = concealer
        self._concealing[line] = True

    def conceal(self, lines: NDArray[np.intp], lost: NDArray[np.int32], heard: NDArray[np.int16]) -> None:
        """Have lines that lost their `lost`-th frame in a row hear something in its place.

        `heard` is what all lines hear, int16 of shape (capacity, frame), of these lines from the last tick.
        """
        by_pitch = self._concealing[lines]
        others = lines[~by_pitch]
        if len(others):
            which = np.minimum(lost[~by_pitch], len(self._fading)) - 1
            heard[others] = np.rint(heard[others] * self._fading[which]).astype(np.int16)
        for line in lines[by_pitch].tolist():
            heard[line] = self._by_pitch[line].conceal(self._frame)

    def join(self, lines: NDArray[np.intp], heard: NDArray[np.int16]) -> None:
        """Join what lines hear again to what stood for what was lost."""
        for line in lines[self._concealing[lines]].tolist():
            heard[line] = self._by_pitch[line].good(heard[line])
            self.forget(line)

    def forget_all(self, lines: NDArray[np.intp]) -> None:
        """Forget lines that hear nothing any more."""
        for line in lines[self._concealing[lines]].tolist():
            self.forget(line)

    def forget(self, line: int) -> None:
        """Forget a line."""
        self._concealing[line] = False
        self._by_pitch.pop(line, None)


def _fading(frame: int) -> NDArray[np.float32]:
    """Return what the samples of each frame are multiplied by that follows a lost one, float32 of shape (n, frame).

    Each is made of the one before it. The last one is silence.
    """
    count = -(-_SILENT // frame) + 1
    levels = np.interp(np.arange(count * frame), (_FULL, _SILENT), (1.0, 0.0)).reshape(count, frame)
    before = np.concatenate((np.ones((1, frame)), levels[:-1]))
    return np.divide(levels, before, out=np.zeros_like(levels), where=before > 0).astype(np.float32)
