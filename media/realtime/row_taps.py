"""What taps of rows of arrays get: what the lines hear and say in a tick, both ways mixed for all lines at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from media.command import Sink
    from media.line_state import TapState

# Of both ways mixed, of both beside each other, of what is heard, of what is said.
_MIXED, _STEREO, _READ, _WRITTEN = range(4)


class RowTaps:
    """Taps by row. `tell_fault` is told, with the row, why a sink took no more; its row has no taps then."""

    def __init__(self, tell_fault: Callable[[int, Exception], object]) -> None:
        self._tell_fault = tell_fault
        self._taps: dict[int, Sequence[TapState]] = {}
        # The rows of each kind, with the sink that each of them has; None where they are to be listed.
        self._kinds: list[tuple[NDArray[np.intp], list[Sink]]] | None = None

    def set(self, row: int, taps: Sequence[TapState]) -> None:
        """Let a row have these taps from now on."""
        if taps:
            self._taps[row] = taps
        elif self._taps.pop(row, None) is None:
            return
        self._kinds = None

    def write(self, heard: NDArray[np.int16], said: Callable[[NDArray[np.intp]], NDArray[np.int16]]) -> None:
        """Give all sinks a frame: `heard` int16 of shape (capacity, frame), `said(rows)` of shape (rows, frame)."""
        if not self._taps:
            return
        if self._kinds is None:
            self._kinds = self._listed()
        mixed, stereo, read, written = self._kinds
        if len(rows := mixed[0]):
            total = heard[rows].astype(np.int32)
            total += said(rows)
            np.clip(total, -32768, 32767, out=total)
            self._give(mixed, total.astype(np.int16))
        if len(rows := stereo[0]):
            self._give(stereo, np.stack((heard[rows], said(rows)), axis=-1))
        if len(rows := read[0]):
            self._give(read, heard[rows])
        if len(rows := written[0]):
            self._give(written, said(rows))

    def _listed(self) -> list[tuple[NDArray[np.intp], list[Sink]]]:
        kinds: list[tuple[list[int], list[Sink]]] = [([], []) for _ in range(4)]
        for row, taps in self._taps.items():
            for tap in taps:
                both = _STEREO if tap.stereo else _MIXED
                kind = both if tap.read and tap.write else _READ if tap.read else _WRITTEN
                kinds[kind][0].append(row)
                kinds[kind][1].append(tap.sink)
        return [(np.array(rows, np.intp), sinks) for rows, sinks in kinds]

    def _give(self, kind: tuple[NDArray[np.intp], list[Sink]], sound: Iterable[NDArray[np.int16]]) -> None:
        rows, sinks = kind
        for number, (sink, samples) in enumerate(zip(sinks, sound, strict=True)):
            try:
                sink.write(samples)
            except Exception as error:
                row = int(rows[number])
                self.set(row, ())
                self._tell_fault(row, error)
