"""What becomes of a frame that the members of a mixer have spoken: who is heard, who talks, who has the floor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from media.command import MemberSettings, Regulation
from media.mix import scale
from media.notice import FloorTaken, Notice, Talking, TalkStatistics
from media.talk_gate import Column, Setting, TalkGate

if TYPE_CHECKING:
    from numpy.typing import NDArray

# FreeSWITCH: the floor goes to somebody whose smoothed score is above the first when its holder's is below the second.
_FLOOR_TAKEN: Final = 300
_FLOOR_CEDED: Final = 100

# Automatic gain moves within so many dB.
_REGULATED: Final = 13.0


@dataclass(slots=True)
class MemberState:
    """One line in the mixer."""

    line: int
    rate: int
    settings: MemberSettings

    def gate_settings(self) -> list[int]:
        """Return the settings as the gate keeps them."""
        settings = self.settings
        return [
            settings.energy,
            int(settings.speaks),
            int(settings.detects),
            settings.loudest,
            settings.loud_trigger,
            settings.hush,
        ]


class Members:
    """The members in the order in which they came, which is that of the gate's columns, with their places by line."""

    def __init__(self) -> None:
        self.list: list[MemberState] = []
        self.rows: dict[int, int] = {}

    def add(self, member: MemberState) -> None:
        """Add a member behind the others."""
        self.rows[member.line] = len(self.list)
        self.list.append(member)

    def remove(self, line: int) -> int | None:
        """Take a member out and return its place; None when it is not there."""
        row = self.rows.get(line)
        if row is not None:
            del self.list[row]
            self.rows = {member.line: place for place, member in enumerate(self.list)}
        return row


@dataclass(slots=True)
class Phase:
    """Where the mixer is: what was said so far of the present frame, and what is heard during it."""

    gate: TalkGate
    filled: int = 0
    said: dict[int, NDArray[np.int16]] = field(default_factory=dict)
    total: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    voices: dict[int, NDArray[np.int16]] = field(default_factory=dict)
    floor: int | None = None
    tails: dict[int, NDArray[np.int16]] = field(default_factory=dict)  # of members of another rate
    regulated: dict[int, tuple[float, int, int]] = field(
        default_factory=dict
    )  # gain in dB, frames, their scores

    def copy(self) -> Phase:
        """Return an independent copy; arrays other than `said` are never written to."""
        said = {line: samples.copy() for line, samples in self.said.items()}
        return replace(
            self,
            gate=self.gate.copy(),
            said=said,
            tails=dict(self.tails),
            regulated=dict(self.regulated),
        )


def end_frame(phase: Phase, members: Members, frame: int, *, closed: bool, always: bool) -> list[Notice]:
    """Judge the frame of so many samples that is full, and let what passes be heard in the next one.

    Return who begins and stops talking and who takes the floor.
    """
    notices: list[Notice] = []
    lines = list(phase.said)
    places = [members.rows[line] for line in lines]
    gate = phase.gate
    scores = np.zeros(len(members.list), np.int64)
    spoken = np.stack(list(phase.said.values())) if lines else np.zeros((0, frame), np.int16)
    for number, row in enumerate(places):
        settings = members.list[row].settings
        factor = settings.gain_in
        if settings.regulation is not None:
            factor *= 10 ** (phase.regulated.get(lines[number], (0.0, 0, 0))[0] / 20)
        if factor != 1:
            spoken[number] = scale(spoken[number], factor)
    if lines:
        scores[places] = np.abs(spoken.astype(np.int32)).sum(axis=1) // frame
        _regulate(phase, members, lines, places, scores)
    begins, stops = gate.step(scores)
    for row in begins:
        notices.append(Talking(members.list[row].line))
    for row in stops:
        notices.append(Talking(members.list[row].line, _statistics(gate, int(row))))
    settings_of, state = gate.settings, gate.state
    passing = (settings_of[Setting.SPEAKS] != 0) & (
        (state[Column.TALKING] != 0) | (settings_of[Setting.ENERGY] == 0)
    )
    if always:
        passing = settings_of[Setting.SPEAKS] != 0
    if settings_of[Setting.LOUDEST].any():
        passing &= ~gate.hush(scores)
    chosen = np.flatnonzero(passing[places]) if lines and not closed else np.zeros(0, np.intp)
    phase.voices = {lines[number]: spoken[number] for number in chosen}
    phase.total = spoken[chosen].sum(axis=0, dtype=np.int32)
    phase.said = {}
    phase.filled = 0
    return notices + _pass_floor(phase, members)


def _regulate(
    phase: Phase, members: Members, lines: list[int], places: list[int], scores: NDArray[np.int64]
) -> None:
    for line, row in zip(lines, places, strict=True):
        how = members.list[row].settings.regulation
        if how is not None and scores[row] > max(how.low, members.list[row].settings.energy):
            gain, frames, total = phase.regulated.get(line, (0.0, 0, 0))
            frames, total = frames + 1, total + int(scores[row])
            if frames >= how.period:
                gain, frames, total = _regulated(how, gain, total // frames), 0, 0
            phase.regulated[line] = gain, frames, total


def _pass_floor(phase: Phase, members: Members) -> list[Notice]:
    smoothed = phase.gate.state[Column.SMOOTHED]
    taker: int | None = None
    if phase.floor is None:
        taker = len(members.list) - 1 if members.list else None
    elif smoothed[members.rows[phase.floor]] < _FLOOR_CEDED:
        louder = np.flatnonzero(smoothed > _FLOOR_TAKEN)
        taker = int(louder[-1]) if len(louder) else None
    if taker is not None:
        phase.floor = members.list[taker].line
        smoothed[taker] = 0
        return [FloorTaken(phase.floor)]
    return []


def _regulated(how: Regulation, gain: float, score: int) -> float:
    if score > how.target + how.margin:
        gain -= how.step
    elif score < how.target - how.margin:
        gain += how.step
    return max(-_REGULATED, min(_REGULATED, gain))


def _statistics(gate: TalkGate, row: int) -> TalkStatistics:
    state = gate.state[:, row]
    return TalkStatistics(
        *(
            int(state[column])
            for column in (
                Column.FRAMES,
                Column.HITS,
                Column.MISSES,
                Column.SCORE_SUM,
                Column.CHANGE_SUM,
            )
        )
    )
