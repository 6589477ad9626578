"""Something that a mixer plays, to all members or to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from media.mix import scale
from media.notice import Notice, PlaybackEnded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.source import Source

_NOTHING: Final = np.zeros(0, np.int16)


@dataclass(slots=True)
class MixerPlayback:
    """Something that is played to all members or to `line`; a negative position is silence before it."""

    number: int
    source: Source
    line: int | None
    mux: bool
    position: int
    end: int | None
    paused: bool = False
    gain: float = 1.0
    played: int = 0

    def remaining(self) -> int | None:
        """Return the samples left, None when endless or paused."""
        return None if self.paused or self.end is None else max(0, self.end - self.position)

    def render(self, count: int) -> NDArray[np.int16]:
        """Return the next `count` samples; shorter where it ends."""
        if self.paused:
            return _NOTHING
        lead = min(count, max(0, -self.position))
        if lead == count:
            return _NOTHING
        sound = scale(self.source.render(self.position + lead, count - lead), self.gain)
        return np.concatenate((np.zeros(lead, np.int16), sound)) if lead else sound

    def move(self, count: int) -> None:
        """Go on by `count` samples."""
        if not self.paused:
            self.played += max(0, min(count, count + self.position))
            self.position += count

    @property
    def progress(self) -> tuple[int, int]:
        """Where it is in its source, and how many samples were played."""
        length, position = self.source.length, max(0, self.position)
        return (position if length is None else min(position, length)), self.played


def notices_of_ends(ended: list[MixerPlayback]) -> list[Notice]:
    """Return the notices of playbacks that have ended."""
    return [PlaybackEnded(playback.number) for playback in ended]
