"""What taps of rows of arrays get: what the lines hear and say in a tick, both ways mixed for all lines at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from media.realtime.recorder import RelayedRecording

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._kinds: list[_Kind] | None = None  # None where they are to be listed

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
        if len(rows := mixed.rows):
            total = heard[rows].astype(np.int32)
            total += said(rows)
            np.clip(total, -32768, 32767, out=total)
            self._give(mixed, total.astype(np.int16))
        if len(rows := stereo.rows):
            self._give(stereo, np.stack((heard[rows], said(rows)), axis=-1))
        if len(rows := read.rows):
            self._give(read, heard[rows])
        if len(rows := written.rows):
            self._give(written, said(rows))

    def _listed(self) -> list[_Kind]:
        kinds: list[list[tuple[int, Sink]]] = [[] for _ in range(4)]
        for row, taps in self._taps.items():
            for tap in taps:
                both = _STEREO if tap.stereo else _MIXED
                kinds[both if tap.read and tap.write else _READ if tap.read else _WRITTEN].append(
                    (row, tap.sink)
                )
        return [_Kind(kind) for kind in kinds]

    def _give(self, kind: _Kind, sound: NDArray[np.int16]) -> None:
        together = len(kind.recordings)
        if together:
            for place, error in RelayedRecording.write_many(kind.recordings, sound[:together]):
                self._end(int(kind.rows[place]), error)
        for row, sink, samples in zip(
            kind.rows[together:].tolist(), kind.others, sound[together:], strict=True
        ):
            try:
                sink.write(samples)
            except Exception as error:
                self._end(row, error)

    def _end(self, row: int, error: Exception) -> None:
        self.set(row, ())
        self._tell_fault(row, error)


class _Kind:
    """Rows with the sink that each of them has: first recordings, which are written together, then all others."""

    def __init__(self, taps: list[tuple[int, Sink]]) -> None:
        recorded = [(row, sink) for row, sink in taps if isinstance(sink, RelayedRecording)]
        other = [(row, sink) for row, sink in taps if not isinstance(sink, RelayedRecording)]
        self.recordings = [sink for _, sink in recorded]
        self.others = [sink for _, sink in other]
        self.rows = np.array([row for row, _ in (*recorded, *other)], np.intp)
