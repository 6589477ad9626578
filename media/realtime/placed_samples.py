"""Sound in the shared memory, with its place there, so that many lines can be served by one look-up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.realtime.sound_memory import QUIET_SAMPLES
from media.source import Samples, Silence, Source, part


class PlacedSamples(Samples):
    """Samples that begin at sample `place` of the shared memory."""

    def __init__(self, array: NDArray[np.int16], rate: int, place: int) -> None:
        super().__init__(array, rate)
        self.place = place


def stretch(source: Source, position: int, frame: int) -> tuple[int, int] | None:
    """Return where in the shared memory a source sounds from `position` on, and for how many samples.

    These are whole frames where something else follows, so that no frame has a seam in it. None where the memory
    does not hold it, or where the seam is in the next frame.
    """
    found, place, count = part(source, position)
    if isinstance(found, PlacedSamples):
        place += found.place
        assert count is not None  # what is in memory ends
    elif isinstance(found, Silence):
        place, count = 0, QUIET_SAMPLES if count is None else min(count, QUIET_SAMPLES)
    else:
        return None
    if source.length is None or position + count < source.length:
        count -= count % frame
    return (place, count) if count > 0 else None
