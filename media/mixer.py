"""A conference's sound: what each member hears of the others, who talks, and what is played to all or to one.

What members say is judged in frames (`media.talk_gate`) and heard one frame later, so that what is heard during a
frame is known before it begins, however long the blocks are in which time goes by. `Phase` is all that changes with
time; a block that was rendered ahead holds the phase after it, and is either taken over or thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from media.command import (
    MemberSettings,
    MixerCommand,
    MixerGain,
    MixerPause,
    MixerPlay,
    MixerSeek,
    MixerStop,
    MixerTap,
    MixerUntap,
    Relate,
    SetFloor,
    SetMixer,
)
from media.mix import mix, saturate, scale
from media.mixer_frame import Members, MemberState, Phase, end_frame
from media.mixer_playback import MixerPlayback
from media.notice import Notice
from media.rate_bridge import bridge_rate
from media.source import ComfortNoise
from media.talk_gate import Column, TalkGate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.command import Sink

_SECOND: Final = 1_000_000

# How far ahead a mixer is rendered that may have something to tell: what comes later is likely to be rendered again.
_LOOK_AHEAD: Final = _SECOND

# What the engine answers for a line between the two times of a block: its samples, or None for silence.
Hear = Callable[[int], "NDArray[np.int16] | None"]

_NOTHING: Final = np.zeros(0, np.int16)


@dataclass(slots=True)
class Block:
    """What is heard between two times: the sum of what is said, each voice in it, and what is played to all."""

    total: NDArray[np.int32]
    voices: dict[int, NDArray[np.int16]]
    played: NDArray[np.int32] | None = None
    everything: NDArray[np.int16] | None = None  # the clipped sum, what a member hears who says nothing
    after: Phase | None = None
    events: list[tuple[int, Notice]] = field(
        default_factory=list
    )  # with the samples after which they are due


class MixerState:
    """A mixer in the engine. All times are µs, indices samples at `rate` since time 0."""

    def __init__(
        self, number: int, rate: int, interval: int, comfort: int, notify: Callable[[Notice], object]
    ) -> None:
        self.number = number
        self.rate = rate
        self.frame = rate * interval // 1000
        self.notify = notify
        self._members = Members()
        self.playbacks: dict[int, MixerPlayback] = {}
        self.taps: dict[int, Sink] = {}
        self.linked = (
            False  # it hears itself, through others: what it hears has to be rendered frame by frame
        )
        self._noise = ComfortNoise(rate, None, comfort) if comfort > 0 else None
        self._phase = Phase(TalkGate())
        self._closed = False
        self._always = False
        self._unheard: dict[int, list[int]] = {}
        self._blocks: dict[tuple[int, int], Block] = {}
        self._early: dict[tuple[int, int], Block] = {}
        self._rendering = False
        self._heard_tails: dict[int, NDArray[np.int16]] = {}

    @property
    def members(self) -> list[MemberState]:
        """The members, the newest last."""
        return self._members.list

    def index(self, time: int) -> int:
        """Return the sample index at `time`."""
        return time * self.rate // _SECOND

    def time_of(self, index: int) -> int:
        """Return the earliest time at which `index(time)` has reached `index`."""
        return -(-index * _SECOND // self.rate)

    # -- members and commands ------------------------------------------------------------------------------------

    def join(self, line: int, rate: int, settings: MemberSettings) -> None:
        """Let a line in."""
        member = MemberState(line, rate, settings)
        self._members.add(member)
        self._phase.gate.add(member.gate_settings())
        self.linked = False
        self.forget()

    def leave(self, line: int) -> None:
        """Let a line out; whatever is played to it alone ends without a notice."""
        row = self._members.remove(line)
        if row is None:
            return
        phase = self._phase
        phase.gate.remove(row)
        phase.said.pop(line, None)
        phase.tails.pop(line, None)
        phase.regulated.pop(line, None)
        voice = phase.voices.get(line)
        if voice is not None:
            phase.voices = {number: one for number, one in phase.voices.items() if number != line}
            phase.total = phase.total - voice
        if phase.floor == line:
            phase.floor = None
        self._heard_tails.pop(line, None)
        for number in [p.number for p in self.playbacks.values() if p.line == line]:
            del self.playbacks[number]
        self.linked = False
        self.forget()

    def set_member(self, line: int, settings: MemberSettings) -> None:
        """Change how a line takes part."""
        row = self._members.rows.get(line)
        if row is not None:
            self.members[row].settings = settings
            self._phase.gate.set(row, self.members[row].gate_settings())
            self.forget()

    def apply(self, command: MixerCommand) -> MixerPlayback | None:
        """Do what a command says; return a playback that it stopped."""
        self.forget()
        match command:
            case SetMixer():
                self._closed, self._always = command.closed, command.always
            case Relate():
                self._unheard = {}
                for speaker, hearer in command.pairs:
                    self._unheard.setdefault(hearer, []).append(speaker)
            case SetFloor():
                self._phase.floor = command.holder
                row = None if command.holder is None else self._members.rows.get(command.holder)
                if row is not None:
                    self._phase.gate.state[Column.SMOOTHED, row] = 0
            case MixerPlay():
                if command.source.rate != self.rate:
                    raise ValueError(f"source at {command.source.rate} Hz in a mixer at {self.rate} Hz")
                length = command.source.length
                end = None if length is None else -(-length // self.frame) * self.frame
                self.playbacks[command.playback] = MixerPlayback(
                    command.playback, command.source, command.line, command.mux, -command.delay, end
                )
            case MixerStop():
                return self.playbacks.pop(command.playback, None)
            case MixerPause() if command.playback in self.playbacks:
                self.playbacks[command.playback].paused = command.paused
            case MixerSeek() if command.playback in self.playbacks:
                playback = self.playbacks[command.playback]
                length = playback.source.length
                playback.position = max(
                    0, command.position if length is None else min(command.position, length)
                )
            case MixerGain() if command.playback in self.playbacks:
                self.playbacks[command.playback].gain = command.factor
            case MixerTap():
                self.taps[command.tap] = command.sink
            case MixerUntap():
                self.taps.pop(command.tap, None)
        return None

    def status(self, line: int) -> tuple[bool, int, int | None]:
        """Return whether a line talks, its last score, and how long ago (µs) it was heard talking, None for never."""
        row = self._members.rows.get(line)
        if row is None:
            return False, 0, None
        state = self._phase.gate.state[:, row]
        ago = self._phase.gate.frame - int(state[Column.LAST_HEARD])
        heard = None if state[Column.LAST_HEARD] < 0 else ago * self.frame * _SECOND // self.rate
        return bool(state[Column.TALKING]), int(state[Column.SCORE]), heard

    # -- time ----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Throw away what was rendered: something is another now."""
        self._blocks.clear()
        self._early.clear()

    def listens(self, quiet: Callable[[int], bool]) -> bool:
        """Whether the passing of time may bring a notice of who talks: somebody is not `quiet`, or just was not."""
        phase = self._phase
        return bool(
            (self.members and phase.floor is None)
            or phase.said
            or phase.voices
            or not phase.gate.at_rest
            or any(not quiet(member.line) for member in self.members)
        )

    def horizon(self, now: int, limit: int, hear: Callable[[int, int], Hear], *, listens: bool) -> int:
        """Return the earliest time in (now, limit] at which a notice is due or may be, else `limit`."""
        for playback in self.playbacks.values():
            remaining = playback.remaining()
            if remaining is not None:
                limit = min(limit, max(now + 1, self.time_of(self.index(now) + remaining)))
        if not listens:
            return limit
        limit = min(limit, now + _LOOK_AHEAD)
        if self.linked:
            limit = min(limit, max(now + 1, self.next_frame(now)))
        linked = self.linked
        events = self.block(now, limit, hear(now, limit)).events
        if self.linked is not linked:
            self.forget()
            return self.horizon(now, limit, hear, listens=listens)
        if events:
            limit = min(limit, max(now + 1, self.time_of(self.index(now) + events[0][0])))
        return limit

    def next_frame(self, now: int) -> int:
        """Return when the present frame is full."""
        return self.time_of(self.index(now) + self.frame - self._phase.filled)

    def tap(self, start: int, end: int, hear: Hear) -> None:
        """Give the taps what all that is said and played comes to."""
        if self.taps:
            samples = self._everything(self.block(start, end, hear), start, end)
            for sink in list(self.taps.values()):
                sink.write(samples)

    def advance(self, start: int, end: int, hear: Hear) -> tuple[list[Notice], list[MixerPlayback]]:
        """Move on to `end`; return the notices that are due and the playbacks that have ended."""
        block = self.block(start, end, hear)
        for member in self.members:
            if member.rate != self.rate:
                _, self._heard_tails[member.line] = self._at_line(member, start, end, hear)
        assert block.after is not None
        self._phase = block.after
        self.forget()
        return [notice for _, notice in block.events], self.end_playbacks(self.index(end) - self.index(start))

    def end_playbacks(self, count: int = 0) -> list[MixerPlayback]:
        """Move the playbacks on and take out those that have ended."""
        ended = []
        for playback in list(self.playbacks.values()):
            playback.move(count)
            if playback.remaining() == 0:
                ended.append(self.playbacks.pop(playback.number))
        return ended

    # -- sound ---------------------------------------------------------------------------------------------------

    def output(self, line: int, start: int, end: int, hear: Hear) -> NDArray[np.int16]:
        """Return what is sent to a line between two times, at the line's rate."""
        member = self.members[self._members.rows[line]]
        if member.rate != self.rate:
            return self._at_line(member, start, end, hear)[0]
        return self._heard(member, start, end, hear)

    def _at_line(
        self, member: MemberState, start: int, end: int, hear: Hear
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        first = start * member.rate // _SECOND
        return bridge_rate(
            self._heard_tails.get(member.line, _NOTHING),
            self._heard(member, start, end, hear),
            self.rate,
            member.rate,
            self.index(start),
            first,
            end * member.rate // _SECOND - first,
        )

    def _heard(self, member: MemberState, start: int, end: int, hear: Hear) -> NDArray[np.int16]:
        settings = member.settings
        count = self.index(end) - self.index(start)
        if settings.hears:
            block = self._audible(start, end, hear)
            samples = self._everything(block, start, end)
            minus = [
                block.voices[number]
                for number in (member.line, *self._unheard.get(member.line, ()))
                if number in block.voices
            ]
            if minus:
                wide = block.total if block.played is None else block.total + block.played
                for voice in minus:
                    wide = wide - voice
                samples = saturate(wide)
            samples = scale(samples, settings.gain_out)
        else:
            samples = np.zeros(count, np.int16)
        for playback in self.playbacks.values():
            if playback.line == member.line:
                sound = scale(playback.render(count), settings.gain_out)
                if len(sound):
                    samples = (
                        mix(samples, sound)
                        if playback.mux
                        else np.concatenate((sound, samples[len(sound) :]))
                    )
        return samples

    def _everything(self, block: Block, start: int, end: int) -> NDArray[np.int16]:
        """Return the clipped sum of all that is said and played; comfort noise where that is nothing."""
        if block.everything is None:
            count = len(block.total)
            for playback in self.playbacks.values():
                if playback.line is None:
                    sound = playback.render(count)
                    if len(sound):
                        if block.played is None:
                            block.played = np.zeros(count, np.int32)
                        block.played[: len(sound)] += sound
            if block.played is not None:
                block.everything = saturate(block.total + block.played)
            elif not block.voices and self._noise is not None:
                block.everything = self._noise.render(self.index(start), count)
            else:
                block.everything = saturate(block.total)
        return block.everything

    def _audible(self, start: int, end: int, hear: Hear) -> Block:
        """Return the block to be heard; what is heard of one frame does not ask what is said in it."""
        phase = self._phase
        key = (start, end)
        if key in self._blocks:
            return self._blocks[key]
        known = self._early.get(key)
        if known is not None:
            return known
        count = self.index(end) - self.index(start)
        ready = self.frame - phase.filled
        if count > ready and not self._rendering:
            return self.block(start, end, hear)
        if count > ready:
            self.linked = True
        part = slice(phase.filled, phase.filled + min(count, ready))
        total = np.zeros(count, np.int32)
        voices: dict[int, NDArray[np.int16]] = {}
        if phase.voices:
            total[: part.stop - part.start] = phase.total[part]
            for line, voice in phase.voices.items():
                voices[line] = voice[part] if count <= ready else _padded(voice[part], count)
        block = Block(total, voices)
        if count <= ready:
            self._early[key] = block
        return block

    def block(self, start: int, end: int, hear: Hear) -> Block:
        """Return the block between two times with what happens in it and the phase after it."""
        known = self._blocks.get((start, end))
        if known is None:
            self._rendering = True
            try:
                known = self._render(start, end, hear)
            finally:
                self._rendering = False
            self._blocks[start, end] = known
        return known

    def _render(self, start: int, end: int, hear: Hear) -> Block:
        count = self.index(end) - self.index(start)
        phase = self._phase.copy()
        said = self._listen(phase, start, end, hear)
        total = np.zeros(count, np.int32)
        voices: dict[int, NDArray[np.int16]] = {}
        events: list[tuple[int, Notice]] = []
        done = 0
        while done < count:
            if not said and not phase.said and not phase.voices and self._at_rest(phase):
                frames, phase.filled = divmod(phase.filled + count - done, self.frame)
                phase.gate.frame += frames
                break
            take = min(self.frame - phase.filled, count - done)
            here, there = slice(done, done + take), slice(phase.filled, phase.filled + take)
            if phase.voices:
                total[here] = phase.total[there]
                for line, voice in phase.voices.items():
                    if take == count == self.frame:
                        voices[line] = voice
                        continue
                    if line not in voices:
                        voices[line] = np.zeros(count, np.int16)
                    voices[line][here] = voice[there]
            if take == count == self.frame:
                phase.said = said
            else:
                for line, samples in said.items():
                    if line not in phase.said:
                        phase.said[line] = np.zeros(self.frame, np.int16)
                    phase.said[line][there] = samples[here]
            phase.filled += take
            done += take
            if phase.filled == self.frame:
                ended = end_frame(phase, self._members, self.frame, closed=self._closed, always=self._always)
                events += [(done, notice) for notice in ended]
        return Block(total, voices, after=phase, events=events)

    def _at_rest(self, phase: Phase) -> bool:
        return phase.gate.at_rest and (phase.floor is not None or not self.members)

    def _listen(self, phase: Phase, start: int, end: int, hear: Hear) -> dict[int, NDArray[np.int16]]:
        """Return what the members say between two times, at the mixer's rate, without those who are silent."""
        first = self.index(start)
        count = self.index(end) - first
        said: dict[int, NDArray[np.int16]] = {}
        for member in self.members:
            settings = member.settings
            samples = hear(member.line) if settings.speaks or settings.detects else None
            if member.rate != self.rate:
                tail = phase.tails.get(member.line, _NOTHING)
                if samples is None and not tail.any():
                    phase.tails.pop(member.line, None)
                    continue
                there = start * member.rate // _SECOND
                if samples is None:
                    samples = np.zeros(end * member.rate // _SECOND - there, np.int16)
                samples, phase.tails[member.line] = bridge_rate(
                    tail, samples, member.rate, self.rate, there, first, count
                )
            if samples is not None:
                said[member.line] = samples
        return said


def _padded(samples: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    whole = np.zeros(count, np.int16)
    whole[: len(samples)] = samples
    return whole
