"""The media engine: moves all lines through time, a block at a time, of whatever length the clock says.

Under a virtual clock the clock asks `horizon` how far nothing happens and calls `advance` with that: a block may be
a minute long. In real time `advance` is called every 20 ms. Lines, playbacks, taps and detectors are the same.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from media import command as commands
from media.line import Line
from media.mix import mix, scale
from media.notice import Detected, DigitReceived, Notice, PlaybackEnded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.command import Command, Detector, Sink
    from media.source import Source

_SECOND: Final = 1_000_000

# Sound goes out in frames of so many ms.
_FRAME_MS: Final = 20

# Playbacks that have ended, whose position may still be asked for.
_ENDED_KEPT: Final = 256


@dataclass(slots=True)
class _Playback:
    number: int
    source: Source
    position: int
    end: int | None
    played: int = 0
    paused: bool = False
    gain: float = 1.0

    def remaining(self) -> int | None:
        """Return the samples left, None when endless or paused."""
        if self.paused or self.end is None:
            return None
        return max(0, self.end - self.position)


@dataclass(slots=True)
class _Tap:
    sink: Sink
    read: bool
    write: bool
    stereo: bool


@dataclass(slots=True)
class _Displacement:
    source: Source
    read: bool
    mux: bool
    end: int | None
    position: int = 0

    def over(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return `samples` with this in their place or over them; what is behind the end stays."""
        count = len(samples) if self.end is None else max(0, min(len(samples), self.end - self.position))
        sound = self.source.render(self.position, count)
        if self.mux:
            return mix(samples, sound)
        return np.concatenate((sound, samples[len(sound) :]))


@dataclass(slots=True)
class _Ahead:
    """What was heard when listening ahead, so that advancing over the same block need not listen again."""

    start: int
    end: int
    detectors: dict[int, Detector]


@dataclass(slots=True, eq=False)
class _LineState:
    line: Line
    notify: Callable[[Notice], object]
    peer: _LineState | None = None
    playback: _Playback | None = None
    bridged: _LineState | None = None
    spies: dict[_LineState, commands.Eavesdrop] = field(default_factory=dict)
    spied: _LineState | None = None
    echo: bool = False
    taps: dict[int, _Tap] = field(default_factory=dict)
    detectors: dict[int, Detector] = field(default_factory=dict)
    written_detectors: set[int] = field(default_factory=set)
    read_volume: float = 1.0
    write_volume: float = 1.0
    displacements: dict[int, _Displacement] = field(default_factory=dict)
    ahead: _Ahead | None = None
    rendering: bool = False

    def index(self, time: int) -> int:
        """Return the line's sample index at `time` (µs)."""
        return time * self.line.rate // _SECOND

    def end_of(self, source: Source, position: int) -> int | None:
        """Return where a playback from `position` ends: a last frame that is not full is filled with silence."""
        if source.length is None:
            return None
        frame = max(1, self.line.rate * _FRAME_MS // 1000)
        return position + -(-max(0, source.length - position) // frame) * frame

    def time_of(self, index: int) -> int:
        """Return the earliest time (µs) at which `index(time)` has reached `index`."""
        return -(-index * _SECOND // self.line.rate)


@dataclass(slots=True)
class Counters:
    """What the engine has done since it started."""

    blocks: int = 0
    samples: int = 0


class Engine:
    """All lines of a process. Commands come in by `execute`; notices go out through each line's `notify`."""

    def __init__(self, touch: Callable[[], None] = lambda: None) -> None:
        self._lines: dict[int, _LineState] = {}
        self._numbers = itertools.count(1)
        self._now = 0
        self._touch = touch
        self._lock = threading.RLock()
        self._ended: dict[int, tuple[int, int]] = {}
        self._sent: dict[tuple[int, int, int], NDArray[np.int16]] = {}
        self.counters = Counters()

    # -- the host's side -----------------------------------------------------------------------------------------

    def next_number(self) -> int:
        """Return a number that no line, playback, tap or detector has."""
        return next(self._numbers)

    def line(self, rate: int, notify: Callable[[Notice], object]) -> Line:
        """Open a line of `rate` samples a second; `notify(notice)` must return at once."""
        line = Line(self, self.next_number(), rate)
        with self._lock:
            self._lines[line.number] = _LineState(line, notify)
        return line

    @property
    def line_count(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    def progress(self, playback: int) -> tuple[int, int]:
        """Return where a playback is and how many samples were played; its last values when it ended, else zeros."""
        with self._lock:
            for state in self._lines.values():
                if state.playback is not None and state.playback.number == playback:
                    length, position = state.playback.source.length, state.playback.position
                    reached = position if length is None else min(position, length)
                    return reached, state.playback.played
            return self._ended.get(playback, (0, 0))

    def displaced(self, line: int, displacement: int) -> bool:
        """Return whether a line's displacement still lasts."""
        with self._lock:
            state = self._lines.get(line)
            return state is not None and displacement in state.displacements

    def execute(self, command: Command) -> None:
        """Do what `command` says; one that names a line or playback that is gone does nothing."""
        delivered: list[tuple[_LineState, Notice]] = []
        with self._lock:
            state = self._lines.get(command.line)
            if state is None:
                return
            self._sent.clear()
            for other in self._lines.values():
                other.ahead = None
            self._dispatch(state, command, delivered)
        self._touch()
        for receiver, notice in delivered:
            receiver.notify(notice)

    def _dispatch(
        self, state: _LineState, command: Command, delivered: list[tuple[_LineState, Notice]]
    ) -> None:
        playback = state.playback
        match command:
            case commands.Play():
                if playback is not None:
                    self._retire(state)
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                start = max(0, command.start)
                end = state.end_of(command.source, start)
                state.playback = _Playback(command.playback, command.source, start, end)
            case commands.Stop() if playback is not None and playback.number == command.playback:
                self._retire(state)
            case commands.Pause() if playback is not None and playback.number == command.playback:
                playback.paused = command.paused
            case commands.Seek() if playback is not None and playback.number == command.playback:
                length = playback.source.length
                playback.position = max(
                    0, command.position if length is None else min(command.position, length)
                )
                playback.end = state.end_of(playback.source, playback.position)
            case commands.Gain() if playback is not None and playback.number == command.playback:
                playback.gain = command.factor
            case commands.Tap():
                state.taps[command.tap] = _Tap(command.sink, command.read, command.write, command.stereo)
            case commands.Untap():
                state.taps.pop(command.tap, None)
            case commands.Listen():
                state.detectors[command.detector_id] = command.detector
                if command.written:
                    state.written_detectors.add(command.detector_id)
            case commands.Unlisten():
                state.detectors.pop(command.detector_id, None)
                state.written_detectors.discard(command.detector_id)
            case commands.Volume():
                if command.read:
                    state.read_volume = command.factor
                else:
                    state.write_volume = command.factor
            case commands.Displace():
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                ends = [end for end in (command.source.length, command.limit) if end is not None]
                state.displacements[command.displacement] = _Displacement(
                    command.source, command.read, command.mux, min(ends, default=None)
                )
            case commands.Undisplace():
                state.displacements.pop(command.displacement, None)
            case commands.Connect():
                peer = self._lines.get(command.peer)
                if peer is not None:
                    state.peer, peer.peer = peer, state
            case commands.Bridge():
                other = self._lines.get(command.other)
                if other is not None:
                    self._unbridge(state)
                    self._unbridge(other)
                    state.bridged, other.bridged = other, state
            case commands.Unbridge():
                self._unbridge(state)
            case commands.Echo():
                state.echo = command.on
            case commands.Eavesdrop():
                self._stop_eavesdrop(state)
                target = self._lines.get(command.target)
                if target is not None and target is not state:
                    state.spied = target
                    target.spies[state] = command
            case commands.StopEavesdrop():
                self._stop_eavesdrop(state)
            case commands.SendDigit():
                if state.peer is not None:
                    delivered.append((state.peer, DigitReceived(command.digit, command.duration)))
            case commands.Close():
                if playback is not None:
                    self._retire(state)
                self._unbridge(state)
                self._stop_eavesdrop(state)
                for spy in list(state.spies):
                    self._stop_eavesdrop(spy)
                if state.peer is not None:
                    state.peer.peer = None
                del self._lines[state.line.number]

    def _unbridge(self, state: _LineState) -> None:
        if state.bridged is not None:
            state.bridged.bridged = None
            state.bridged = None

    def _stop_eavesdrop(self, state: _LineState) -> None:
        if state.spied is not None:
            state.spied.spies.pop(state, None)
            state.spied = None

    def _retire(self, state: _LineState) -> None:
        """Remove a line's playback and remember where it was."""
        assert state.playback is not None
        length, position = state.playback.source.length, state.playback.position
        reached = position if length is None else min(position, length)
        self._ended[state.playback.number] = (reached, state.playback.played)
        if len(self._ended) > _ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        state.playback = None

    # -- the clock's side ----------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether the passing of time alone can bring no notice: nothing ends and nobody listens."""
        return not any(
            state.detectors or (state.playback is not None and state.playback.remaining() is not None)
            for state in self._lines.values()
        )

    def horizon(self, now: int, limit: int) -> int:
        """Return the earliest time in (now, limit] at which a notice is due, or `limit`."""
        with self._lock:
            upcoming = limit
            for state in self._lines.values():
                if state.playback is not None:
                    remaining = state.playback.remaining()
                    if remaining is not None:
                        end = state.time_of(state.index(now) + remaining)
                        upcoming = min(upcoming, max(end, now + 1))
            for state in self._lines.values():
                if state.detectors:
                    upcoming = self._listen_ahead(state, now, upcoming)
            return upcoming

    def advance(self, now: int) -> None:
        """Move every line to `now` (µs): feed taps and detectors, move playbacks on, and send what is due."""
        delivered: list[tuple[_LineState, Notice]] = []
        with self._lock:
            if now > self._now:
                start, self._now = self._now, now
                self.counters.blocks += 1
                for state in self._lines.values():
                    if state.taps or state.detectors:
                        self._feed(state, start, now, delivered)
                for state in self._lines.values():
                    if state.playback is not None:
                        self._move_playback(state, start, now, delivered)
                    if state.displacements:
                        self._move_displacements(state, start, now)
                    state.ahead = None
                self._sent.clear()
            else:
                for state in self._lines.values():
                    if state.playback is not None and state.playback.remaining() == 0:
                        self._end_playback(state, delivered)
        for state, notice in delivered:
            state.notify(notice)

    def _move_playback(
        self, state: _LineState, start: int, end: int, delivered: list[tuple[_LineState, Notice]]
    ) -> None:
        playback = state.playback
        assert playback is not None
        if not playback.paused:
            moved = state.index(end) - state.index(start)
            playback.position += moved
            playback.played += moved
        if playback.remaining() == 0:
            self._end_playback(state, delivered)

    def _move_displacements(self, state: _LineState, start: int, end: int) -> None:
        for number, displacement in list(state.displacements.items()):
            displacement.position += state.index(end) - state.index(start)
            if displacement.end is not None and displacement.position >= displacement.end:
                del state.displacements[number]

    def _end_playback(self, state: _LineState, delivered: list[tuple[_LineState, Notice]]) -> None:
        assert state.playback is not None
        delivered.append((state, PlaybackEnded(state.playback.number)))
        self._retire(state)

    def _feed(
        self, state: _LineState, start: int, end: int, delivered: list[tuple[_LineState, Notice]]
    ) -> None:
        first, last = state.index(start), state.index(end)
        count = last - first
        if count <= 0:
            return
        self.counters.samples += count
        need_read = len(state.detectors) > len(state.written_detectors) or any(
            tap.read for tap in state.taps.values()
        )
        read = self._received(state, start, end, count) if need_read else None
        for tap in list(state.taps.values()):
            if tap.read and tap.write:
                assert read is not None
                written = self._to_send(state, start, end, count)
                if tap.stereo:
                    tap.sink.write(np.column_stack((read, written)))
                else:
                    tap.sink.write(mix(read, written))
            elif tap.read:
                assert read is not None
                tap.sink.write(read)
            elif tap.write:
                tap.sink.write(self._to_send(state, start, end, count))
        if state.ahead is not None and state.ahead.start == start and state.ahead.end == end:
            state.detectors.update(state.ahead.detectors)
            return
        for number, detector in list(state.detectors.items()):
            heard = self._to_send(state, start, end, count) if number in state.written_detectors else read
            assert heard is not None
            delivered.extend((state, Detected(number, detail)) for _, detail in detector.feed(heard))

    def _listen_ahead(self, state: _LineState, now: int, limit: int) -> int:
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
            heard = (self._to_send if written else self._received)(state, now, limit, count)
            offsets += [offset for offset, _ in copy.feed(heard)[:1]]
        if offsets:
            # an offset tells how much was heard before; one sample more at least makes it sure
            return min(limit, max(now + 1, state.time_of(first + max(1, min(offsets)))))
        state.ahead = _Ahead(now, limit, copies)
        return limit

    # -- what a line sends and receives --------------------------------------------------------------------------

    def _received(self, state: _LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line receives between two times, with what spies say to it."""
        samples = self._from_peer(state, start, end, count)
        return self._with_spies(state, samples, start, end, read=True) if state.spies else samples

    def _with_spies(
        self, state: _LineState, samples: NDArray[np.int16], start: int, end: int, *, read: bool
    ) -> NDArray[np.int16]:
        """Return `samples` of a line with what those who eavesdrop on it say into that direction."""
        voices = [samples]
        for spy, how in state.spies.items():
            if how.speaks_read if read else how.speaks_write:
                voice = self._from_peer(spy, start, end, spy.index(end) - spy.index(start))
                voices.append(voice if len(voice) == len(samples) else _stretched(voice, len(samples)))
        return mix(*voices) if len(voices) > 1 else samples

    def _overheard(self, state: _LineState, target: _LineState, start: int, end: int) -> NDArray[np.int16]:
        """Return what one who eavesdrops on `target` hears: both directions, without what it says itself."""
        how = target.spies[state]
        there = target.index(end) - target.index(start)
        heard = [np.zeros(there, np.int16)]
        if how.hears_read:
            heard.append(self._from_peer(target, start, end, there))
        if how.hears_write and not target.rendering:
            target.rendering = True
            try:
                heard.append(self._shaped(target, self._render(target, start, end, there), read=False))
            finally:
                target.rendering = False
        return mix(*heard)

    def _from_peer(self, state: _LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line's far end sends to it."""
        peer = state.peer
        if peer is None:
            samples = np.zeros(count, np.int16)
        else:
            there = peer.index(end) - peer.index(start)
            samples = self._to_send(peer, start, end, there)
            if there != count:
                samples = _stretched(samples, count)
        return self._shaped(state, samples, read=True)

    def _shaped(self, state: _LineState, samples: NDArray[np.int16], *, read: bool) -> NDArray[np.int16]:
        """Return what a line's displacements and volume make of what it receives or sends."""
        for displacement in state.displacements.values():
            if displacement.read is read:
                samples = displacement.over(samples)
        return scale(samples, state.read_volume if read else state.write_volume)

    def _to_send(self, state: _LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line sends between two times."""
        key = (state.line.number, start, end)
        known = self._sent.get(key)
        if known is not None:
            return known
        if state.rendering:  # lines bridged in a ring: nothing comes from outside
            return np.zeros(count, np.int16)
        state.rendering = True
        try:
            samples = self._shaped(state, self._render(state, start, end, count), read=False)
            if state.spies:
                samples = self._with_spies(state, samples, start, end, read=False)
        finally:
            state.rendering = False
        self._sent[key] = samples
        return samples

    def _render(self, state: _LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        playback = state.playback
        if playback is not None:
            if playback.paused:
                return np.zeros(count, np.int16)
            samples = playback.source.render(playback.position, count)
            samples = scale(samples, playback.gain)
            if len(samples) < count:
                samples = np.concatenate((samples, np.zeros(count - len(samples), np.int16)))
            return samples
        if state.spied is not None:
            overheard = self._overheard(state, state.spied, start, end)
            return overheard if len(overheard) == count else _stretched(overheard, count)
        other = state if state.echo else state.bridged
        if other is None:
            return np.zeros(count, np.int16)
        there = other.index(end) - other.index(start)
        samples = self._received(other, start, end, there)
        return samples if there == count else _stretched(samples, count)


def _stretched(samples: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    """Return `samples` brought to `count` samples by interpolation: lines of different rates on one path."""
    if len(samples) == 0:
        return np.zeros(count, np.int16)
    places = np.linspace(0, len(samples) - 1, count)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype(np.int16)
