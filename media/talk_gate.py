"""Who of many is talking: an energy gate with hysteresis, for all members of a conference at once.

FreeSWITCH (mod_conference): a frame's score is the mean of its absolute samples. A member begins to talk with a frame
whose score is 400 above its energy level, or with the fifth that is above it at all; it has stopped when 40 more
frames were not above it than were.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CLEARLY_LOUD: Final = 400
_FAINT_FRAMES: Final = 5
_SILENT_FRAMES: Final = 40

# FreeSWITCH: so much of the former smoothed score stays in the next one, which is never above the limit.
_SCORE_DECAY: Final = 0.8
_SCORE_LIMIT: Final = 25_000


class Column(IntEnum):
    """What the gate keeps of each member, as rows of `TalkGate.state`."""

    SCORE = 0
    SMOOTHED = auto()
    SILENT = auto()  # frames on the way to silence
    FAINT = auto()  # frames on the way to talk
    TALKING = auto()
    LAST_HEARD = auto()  # number of the frame in which it last was heard talking, -1 for never
    FRAMES = auto()  # of the present talk; as are those below
    HITS = auto()
    MISSES = auto()
    SCORE_SUM = auto()
    CHANGE_SUM = auto()
    LOUD_HITS = auto()  # frames above the limit of loudness
    HUSHED = auto()  # frames for which it is still silenced because it was too loud


_TALK: Final = slice(Column.FRAMES, Column.CHANGE_SUM + 1)


class Setting(IntEnum):
    """What is set for each member, as rows of `TalkGate.settings`."""

    ENERGY = 0
    SPEAKS = auto()
    DETECTS = auto()  # listened to although it does not speak
    LOUDEST = auto()  # score above which it is silenced, 0 for none
    LOUD_TRIGGER = auto()  # after so many frames
    HUSH = auto()  # for so many


class TalkGate:
    """State and settings of the members, one column each; all arrays are int64 of shape (fields, members)."""

    def __init__(self) -> None:
        self.state = np.zeros((len(Column), 0), np.int64)
        self.settings = np.zeros((len(Setting), 0), np.int64)
        self.frame = 0

    def copy(self) -> TalkGate:
        """Return an independent copy; the settings, which `step` leaves alone, are shared."""
        twin = TalkGate()
        twin.state = self.state.copy()
        twin.settings = self.settings
        twin.frame = self.frame
        return twin

    def add(self, settings: list[int]) -> None:
        """Add a member behind the others."""
        column = np.zeros((len(Column), 1), np.int64)
        column[Column.LAST_HEARD] = -1
        self.state = np.concatenate((self.state, column), axis=1)
        self.settings = np.concatenate((self.settings, np.array(settings, np.int64)[:, np.newaxis]), axis=1)

    def remove(self, member: int) -> None:
        """Take a member out; those behind it move up."""
        self.state = np.delete(self.state, member, axis=1)
        self.settings = np.delete(self.settings, member, axis=1)

    def set(self, member: int, settings: list[int]) -> None:
        """Change a member's settings. FreeSWITCH: one that may not speak any more is not talking, without a word."""
        self.settings = self.settings.copy()
        self.settings[:, member] = settings
        if not settings[Setting.SPEAKS]:
            self.state[[Column.TALKING, Column.SMOOTHED], member] = 0

    @property
    def at_rest(self) -> bool:
        """Whether silence would change nothing."""
        state = self.state
        moving = state[Column.SCORE : Column.TALKING + 1].any() or state[Column.HUSHED].any()
        return not moving and not (self.settings[Setting.ENERGY] < 0).any()

    def step(self, scores: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Take one frame's scores, shape (members,); return who begins and who stops talking."""
        state, settings = self.state, self.settings
        energy, speaks = settings[Setting.ENERGY], settings[Setting.SPEAKS] != 0
        looks = speaks | (settings[Setting.DETECTS] != 0)
        last = state[Column.SCORE].copy()
        talking = state[Column.TALKING] != 0
        smoothed = ((1 - _SCORE_DECAY) * scores + _SCORE_DECAY * state[Column.SMOOTHED]).astype(np.int64)
        np.copyto(state[Column.SCORE], scores, where=looks)
        np.copyto(state[Column.SMOOTHED], np.minimum(smoothed, _SCORE_LIMIT), where=looks)
        above = looks & (scores > energy)
        below = looks & ~above
        counted = speaks & talking
        hit = counted & above
        state[Column.FRAMES] += counted
        state[Column.HITS] += hit
        state[Column.MISSES] += counted & below
        state[Column.SCORE_SUM] += scores * hit
        state[Column.CHANGE_SUM] += np.abs(scores - last) * hit
        silent, faint = state[Column.SILENT], state[Column.FAINT]
        silent -= above & (silent > 0)
        clear = above & (scores - energy >= _CLEARLY_LOUD)
        faint += above & ~clear
        heard = clear | (above & (faint >= _FAINT_FRAMES))
        faint -= below & (faint > 0)
        silent += below & counted
        stops = below & counted & (silent >= _SILENT_FRAMES)
        begins = heard & ~talking
        settled = heard | stops
        silent[settled] = 0
        faint[settled] = 0
        state[Column.LAST_HEARD][heard] = self.frame
        state[Column.TALKING] = (talking | begins) & ~stops
        if begins.any():
            state[_TALK, begins] = 0
        self.frame += 1
        return np.flatnonzero(begins), np.flatnonzero(stops)

    def hush(self, scores: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which members are silenced in a frame with these scores because they were too loud for too long."""
        state, settings = self.state, self.settings
        limited = (settings[Setting.LOUDEST] > 0) & (settings[Setting.SPEAKS] != 0)
        loud = limited & (scores > settings[Setting.LOUDEST])
        state[Column.LOUD_HITS] += loud
        trips = loud & (state[Column.LOUD_HITS] > settings[Setting.LOUD_TRIGGER])
        np.copyto(state[Column.HUSHED], settings[Setting.HUSH], where=trips)
        hushed: NDArray[np.bool_] = state[Column.HUSHED] > 0
        state[Column.HUSHED] -= hushed
        state[Column.LOUD_HITS][hushed & (state[Column.HUSHED] == 0)] = 0
        return hushed
