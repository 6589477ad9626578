"""What taps and detectors get of lines, a block at a time, and what detectors will find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from media.dtmf_detector import DtmfDetector, feed_together
from media.line_state import Ahead
from media.mix import mix
from media.notice import Detected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.engine_parts import Deliveries, EngineParts
    from media.line_state import LineState


class LineListening:
    """Feeds the taps and detectors of an engine's lines; `samples` counts what they got."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._listening_for_keys: list[tuple[LineState, int, DtmfDetector, NDArray[np.int16]]] = []
        self._looked_ahead = False
        self.samples = 0

    def forget(self) -> None:
        """Throw away what was found ahead: something is another now."""
        if self._looked_ahead:
            self._looked_ahead = False
            for line in self._parts.lines.values():
                line.ahead = None

    def feed(self, start: int, end: int, delivered: Deliveries) -> None:
        """Give all lines' taps and detectors the block between two times; add what is found to `delivered`."""
        for state in self._parts.attended.values():
            if (state.taps and not state.tapped) or state.detectors:
                try:
                    self._feed(state, start, end, delivered)
                except Exception as error:
                    self._parts.take_fault(state, error, delivered)
        if self._listening_for_keys:
            self._listen_for_keys(delivered)

    def _feed(self, state: LineState, start: int, end: int, delivered: Deliveries) -> None:
        first, last = state.index(start), state.index(end)
        count = last - first
        if count <= 0:
            return
        self.samples += count
        taps = () if state.tapped else tuple(state.taps.values())
        need_read = len(state.detectors) > len(state.written_detectors) or any(tap.read for tap in taps)
        read = self._parts.sound.received(state, start, end, count) if need_read else None
        for tap in taps:
            if tap.read and tap.write:
                assert read is not None
                written = self._parts.sound.to_send(state, start, end, count)
                if tap.stereo:
                    tap.sink.write(np.column_stack((read, written)))
                else:
                    tap.sink.write(mix(read, written))
            elif tap.read:
                assert read is not None
                tap.sink.write(read)
            elif tap.write:
                tap.sink.write(self._parts.sound.to_send(state, start, end, count))
        if state.ahead is not None and state.ahead.start == start and state.ahead.end == end:
            state.detectors.update(state.ahead.detectors)
            return
        for number, detector in list(state.detectors.items()):
            heard = (
                self._parts.sound.to_send(state, start, end, count)
                if number in state.written_detectors
                else read
            )
            assert heard is not None
            if isinstance(detector, DtmfDetector):
                self._listening_for_keys.append((state, number, detector, heard))
            else:
                delivered.extend((state, Detected(number, detail)) for _, detail in detector.feed(heard))

    def _listen_for_keys(self, delivered: Deliveries) -> None:
        """Let all that listen for keys in this block do so together."""
        listening, self._listening_for_keys = self._listening_for_keys, []
        try:
            found = feed_together([(detector, heard) for _, _, detector, heard in listening])
        except Exception as error:
            for state, *_ in listening:
                self._parts.take_fault(state, error, delivered)
            return
        for (state, number, _, _), keys in zip(listening, found, strict=True):
            delivered.extend((state, Detected(number, detail)) for _, detail in keys)

    def listen_ahead(self, state: LineState, now: int, limit: int) -> int:
        """Return when the first of a line's detectors will find something, or `limit` when none will by then."""
        if state.ahead is not None and state.ahead.start == now and state.ahead.end == limit:
            return limit
        first, count = state.index(now), state.index(limit) - state.index(now)
        if count <= 0:
            return limit
        copies = {number: detector.copy() for number, detector in state.detectors.items()}
        offsets: list[int] = []
        for number, copy in copies.items():
            written = number in state.written_detectors
            heard = (self._parts.sound.to_send if written else self._parts.sound.received)(
                state, now, limit, count
            )
            offsets += [offset for offset, _ in copy.feed(heard)[:1]]
        if offsets:
            # an offset tells how much was heard before; one sample more at least makes it sure
            return min(limit, max(now + 1, state.time_of(first + max(1, min(offsets)))))
        state.ahead = Ahead(now, limit, copies)
        self._looked_ahead = True
        return limit
