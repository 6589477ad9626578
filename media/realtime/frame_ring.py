"""A jitter buffer for many lines at once: rings of encoded frames, arrays over lines.

It is for streams of frames of one size and 20 ms, which is nearly every call; `media.jitter_buffer` serves the
rest. A line starts to play some ticks after its first frame, goes on at one frame a tick and fills what is missing.
It becomes later where nothing is there to play, and by a frame where one came too late, and leaves a frame out
when frames have been waiting for five seconds that nobody needed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# A second and more of frames: what `maximum` may be at most.
SLOTS: Final = 64

SILENCE, MEDIA, CONCEAL = 0, 1, 2

# Ticks without a frame after which a line is silent and starts anew: concealment has faded out before.
_GIVE_UP: Final = 10
# Ticks over which it is watched how many frames wait in vain.
_WINDOW: Final = 250
# Frames whose numbers are so far from the last ones are a new stream.
_JUMP: Final = 1000


class FrameRing:
    """`capacity` lines of frames of `size` bytes. Sequence numbers are extended beyond 16 bits in here."""

    def __init__(self, capacity: int, size: int) -> None:
        self.size = size
        self._frames = np.zeros((capacity, SLOTS, size), np.uint8)
        self._sequence = np.full((capacity, SLOTS), -1, np.int64)
        self._highest = np.zeros(capacity, np.int64)
        self._next = np.zeros(capacity, np.int64)
        self._started = np.zeros(capacity, bool)
        self._playing = np.zeros(capacity, bool)
        self._wait = np.zeros(capacity, np.int32)
        self._starved = np.zeros(capacity, np.int32)
        self._least = np.full(capacity, SLOTS, np.int32)
        self._watched = np.zeros(capacity, np.int32)
        self._delay = np.ones(capacity, np.int32)
        self._maximum = np.full(capacity, 20, np.int32)
        self._owed = np.zeros(capacity, bool)  # a frame came too late: the line has to be later
        self.late = np.zeros(capacity, np.int64)
        self.concealed = np.zeros(capacity, np.int64)
        self.skipped = np.zeros(capacity, np.int64)
        self.restarts = np.zeros(capacity, np.int64)
        self.largest = np.zeros(capacity, np.int32)  # the most frames that were waiting
        self.lost_in_row = self._starved  # how long concealment lasts already, in ticks

    def open(self, line: int, delay: int, maximum: int) -> None:
        """Make a line's ring empty; `delay` and `maximum` are in frames."""
        self._sequence[line] = -1
        self._started[line] = self._playing[line] = self._owed[line] = False
        self._starved[line] = self._wait[line] = self._watched[line] = 0
        self._least[line] = SLOTS
        self.set_delay(line, delay, maximum)
        for counts in (self.late, self.concealed, self.skipped, self.restarts, self.largest):
            counts[line] = 0

    def set_delay(self, line: int, delay: int, maximum: int) -> None:
        """Change by how much the line is late, and how far it may fall behind; at once where it is playing."""
        delay = min(max(0, delay), SLOTS // 2)
        longer = delay - int(self._delay[line])
        self._delay[line] = delay
        self._maximum[line] = min(max(2, maximum), SLOTS - 2)
        if self._playing[line] and longer > 0:
            self._playing[line] = False
            self._wait[line] = delay - longer
        elif self._playing[line] and longer < 0:
            spare = min(-longer, max(0, int(self._highest[line] - self._next[line]) + 1 - delay))
            self._next[line] += spare
            self.skipped[line] += spare

    def restart(self, line: int) -> None:
        """Let the next frame begin a new stream."""
        self._started[line] = self._playing[line] = False
        self._sequence[line] = -1

    def put(
        self, lines: NDArray[np.intp], sequences: NDArray[np.uint16], frames: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        """Take one frame each of different lines, uint8 of shape (n, size); return the extended sequence numbers."""
        highest = self._highest[lines]
        ahead = (sequences.astype(np.int64) - (highest & 0xFFFF) + 0x8000 & 0xFFFF) - 0x8000
        fresh = ~self._started[lines] | (np.abs(ahead) > _JUMP)
        if fresh.any():
            begun = lines[fresh]
            self.restarts[begun] += self._started[begun]
            self._sequence[begun] = -1
            self._started[begun] = True
            self._playing[begun] = False
            self._wait[begun] = 0
            first = sequences[fresh].astype(np.int64) + 0x10000
            self._highest[begun] = self._next[begun] = first
            highest = self._highest[lines]
            ahead = np.where(fresh, 0, ahead)
        extended = highest + ahead
        following = self._next[lines]
        # Before a line plays, an earlier frame moves its beginning.
        earlier = (extended < following) & ~self._playing[lines] & (following - extended < SLOTS // 2)
        if earlier.any():
            self._next[lines[earlier]] = extended[earlier]
            following = self._next[lines]
        late = extended < following
        if late.any():
            self.late[lines[late]] += 1
            self._owed[lines[late]] = True
        self._highest[lines] = np.maximum(highest, extended)
        # So far ahead that what comes next would be overwritten: go on from nearby.
        far = extended - following >= self._maximum[lines]
        if far.any():
            moved = lines[far]
            self.skipped[moved] += extended[far] - self._delay[moved] - following[far]
            self._next[moved] = extended[far] - self._delay[moved]
        good = ~late
        rows, numbers = lines[good], extended[good]
        slots = numbers & (SLOTS - 1)
        self._sequence[rows, slots] = numbers
        self._frames[rows, slots] = frames[good] if not good.all() else frames
        return extended

    def take(self, lines: NDArray[np.intp], quiet: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
        """Move the lines on by a tick and return what each plays: SILENCE, MEDIA or CONCEAL, uint8 of shape (n,).

        `frames` then gives the frames of those that play one.
        """
        following = self._next[lines]
        waiting = self._highest[lines] - following + 1
        more = waiting > self.largest[lines]
        if more.any():
            self.largest[lines[more]] = waiting[more]
        playing = self._playing[lines]
        idle = self._started[lines] & ~playing
        if idle.any():
            rows = lines[idle & (waiting > 0)]
            self._wait[rows] += 1
            begin = idle & (waiting > 0) & (self._wait[lines] > self._delay[lines])
            if begin.any():
                rows = lines[begin]
                self._playing[rows] = True
                self._starved[rows] = self._watched[rows] = 0
                self._least[rows] = SLOTS
                playing = self._playing[lines]
        here = playing & (self._sequence[lines, following & (SLOTS - 1)] == following)
        held = here & self._owed[lines]
        if held.any():
            # Say nothing new for a tick, and have everything after it later.
            self._owed[lines[held]] = False
            held &= waiting < self._maximum[lines]
            here &= ~held
        lost = playing & ~here
        kinds: NDArray[np.uint8] = here.astype(np.uint8)
        self._last = following
        step = here.astype(np.int64)
        if lost.any():
            kinds[lost] = CONCEAL
            self.concealed[lines[lost]] += 1
            self._starved[lines[lost]] += 1
            # With later frames here it will not come any more; without, it is waited for.
            step[lost & (waiting > 0) & ~held] = 1
            over = lines[playing & (self._starved[lines] > _GIVE_UP)]
            self._playing[over] = False
            self._wait[over] = 0
            self._next[over] = self._highest[over] + 1
            step[playing & ~self._playing[lines]] = 0
        self._starved[lines[here]] = 0
        self._next[lines] += step
        self._watch(lines, playing, waiting - step, quiet)
        return kinds

    def frames(self, lines: NDArray[np.intp], which: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the frames that `take` gave to those of its `lines` that `which` marks."""
        found: NDArray[np.uint8] = self._frames[lines[which], self._last[which] & (SLOTS - 1)]
        return found

    def before(self, index: int, line: int, count: int) -> NDArray[np.uint8]:
        """Return the frames before the place of a line in the last `take`, the oldest first, uint8 of shape (n, size).

        `line` is the one at `index` of that. There are `count` at most, and none before one that is missing.
        """
        found: list[NDArray[np.uint8]] = []
        number = int(self._last[index]) - 1
        while len(found) < count and self._sequence[line, number & (SLOTS - 1)] == number:
            found.append(self._frames[line, number & (SLOTS - 1)])
            number -= 1
        return np.array(found[::-1], np.uint8).reshape(len(found), self.size)

    def _watch(
        self,
        lines: NDArray[np.intp],
        playing: NDArray[np.bool_],
        left: NDArray[np.int64],
        quiet: NDArray[np.bool_] | None,
    ) -> None:
        """Count how many frames wait in vain, and leave one out where there are always more than the delay asks for."""
        self._least[lines] = np.minimum(self._least[lines], left)
        self._watched[lines] += playing
        due = playing & (self._watched[lines] >= _WINDOW)
        if not due.any():
            return
        spare = due & (self._least[lines] > self._delay[lines])
        # It is heard least where nobody speaks; after a second window without such a moment, anywhere.
        if quiet is not None:
            spare &= quiet | (self._watched[lines] >= 2 * _WINDOW)
            due = spare | (due & (self._least[lines] <= self._delay[lines]))
        rows = lines[spare]
        self._next[rows] += 1
        self.skipped[rows] += 1
        done = lines[due]
        self._watched[done] = 0
        self._least[done] = SLOTS
