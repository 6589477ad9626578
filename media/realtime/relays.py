"""RTP lines that send on what others hear: a bridge that nobody has to carry."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from media.frame_resampler import FrameResampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.realtime.rtp_wire import RtpWire
    from media.realtime.transmission import Transmission


class Relays:
    """Rows of arrays on both sides are copied together; payloads of one codec pass as they came; the rest is coded."""

    def __init__(self, outgoing: Transmission) -> None:
        self._out = outgoing
        self._wires: dict[RtpWire, None] = {}
        self._coded: dict[RtpWire, None] = {}  # those of them that are no rows of arrays on both sides

    def set(self, wire: RtpWire, source: RtpWire | None, *, encoded: bool) -> None:
        """Let a line send on what `source` hears, None for no more; `encoded`: nobody else hears that."""
        former = wire.relayed
        if former is not None and former.passes_on is wire:
            former.passes_on = None
        if source is None:
            self._wires.pop(wire, None)
        else:
            self._wires[wire] = None
        wire.relayed = source
        if source is not None and encoded:
            source.passes_on = wire
        self._out.relay(wire.row, None)
        self._look_at(wire)

    def drop(self, wire: RtpWire) -> None:
        """Forget a line that is gone, on either side."""
        for other in [other for other in self._wires if other is wire or other.relayed is wire]:
            self.set(other, None, encoded=False)

    def settle(self, changed: Collection[RtpWire]) -> None:
        """Find out which relays are rows of arrays on both sides: some lines may have another codec or rate now."""
        for wire in self._wires:
            if wire in changed or wire.relayed in changed:
                self._look_at(wire)

    def _look_at(self, wire: RtpWire) -> None:
        source = wire.relayed
        self._coded.pop(wire, None)
        if source is None:
            return
        if wire.stream is None and source.stream is None:
            self._out.relay(wire.row, source.row)
        else:
            self._out.relay(wire.row, None)
            self._coded[wire] = None
        resampled = source.line, source.rate, wire.rate
        if resampled != wire.resampled:
            wire.resampled, wire.resampler = resampled, FrameResampler(source.rate, wire.rate)

    def say(
        self,
        rows: NDArray[np.intp],
        heard: NDArray[np.int16],
        say: Callable[[RtpWire, RtpWire], object],
    ) -> None:
        """Have all of them say what they relay: `heard` is that of `rows`, `say(wire, source)` does it for others."""
        if not self._wires:
            return
        for wire in self._coded:
            source = wire.relayed
            if source is None or (
                source.passes_on is wire and wire.saying
            ):  # then it has got what came already
                continue
            say(wire, source)
        self._out.say_relayed(rows, heard)
