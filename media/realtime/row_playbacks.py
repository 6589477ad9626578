"""What rows of arrays play by themselves: sound of the shared memory where it is, other sound made ahead.

A line's playback is a stretch of samples at a time. Behind each there is one look for the next: at a second of
what is made ahead, at the end of a file in a row of them. What comes in just when it is heard (a stream) is nothing
that a row could play.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from media.realtime.placed_samples import stretch
from media.stream_source import known

if TYPE_CHECKING:
    from media.realtime.transmission import Transmission
    from media.source import Source

# Stretches of the shared memory below so many frames are not worth a look each.
_FEW_FRAMES: Final = 10


class RowPlaybacks:
    """The playbacks of the rows of `outgoing`, each a source and how far of it was looked at."""

    def __init__(self, outgoing: Transmission) -> None:
        self._out = outgoing
        self._sources: dict[int, tuple[Source, int]] = {}

    def begin(self, row: int, source: Source, position: int) -> bool:
        """Play a source from `position` on as far as a row can; False where it cannot now.

        It goes on to a whole frame, or to the end of the source.
        """
        # Rows that begin together do not have their next stretches made in the same tick.
        first = 1 + row % self._out.ahead_frames
        found = self._next(row, source, position, first)
        if found is None:
            return False
        self._out.play(row, *found)
        return True

    def go_on(self, row: int) -> bool:
        """Play what follows the stretch that has ended; False where a row cannot, or there is nothing more."""
        playing = self._sources.get(row)
        if playing is None:
            return False
        found = self._next(row, *playing, self._out.ahead_frames)
        if found is None:
            return False
        self._out.play_on(row, *found)
        return True

    def stop(self, row: int) -> int:
        """Play no longer; return the samples that were played."""
        self._sources.pop(row, None)
        return self._out.stop(row)

    def _next(self, row: int, source: Source, position: int, frames: int) -> tuple[int, int] | None:
        """Return the place and the length of what comes next, and keep where it ends."""
        self._sources.pop(row, None)
        left = None if source.length is None else source.length - position
        if left is not None and left <= 0:
            return None
        frame = self._out.frame
        found = stretch(source, position, frame)
        few = _FEW_FRAMES * frame if left is None else min(left, _FEW_FRAMES * frame)
        if found is None or found[1] < few:
            found = self._ahead(row, source, position, frames * frame)
        if found is not None:
            self._sources[row] = source, position + found[1]
        return found

    def _ahead(self, row: int, source: Source, position: int, count: int) -> tuple[int, int] | None:
        """Make the next samples of a source ahead: `count` of them, or those before a stream, or its end."""
        sure = known(source, position, count)
        if sure < count:
            count = sure - sure % self._out.frame
        if not count:
            return None
        try:
            sound = source.render(position, count)
        except Exception:  # whoever asks for it a tick at a time will tell
            return None
        return (self._out.keep(row, sound), len(sound)) if len(sound) else None
