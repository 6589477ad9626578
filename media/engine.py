"""The media engine: moves all lines through time, a block at a time, of whatever length the clock says.

Under a virtual clock the clock asks `horizon` how far nothing happens and calls `advance` with that: a block may be
a minute long. In real time `advance` is called every 20 ms. Lines, playbacks, taps and detectors are the same.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from media import command as commands
from media.dtmf_detector import DtmfDetector, feed_together
from media.engine_status import EngineStatus
from media.line import Line
from media.line_sound import LineSound
from media.line_state import Ahead, Displacement, LineState, PlaybackState, TapState
from media.mix import mix
from media.mixer import MixerState
from media.mixer_handle import Mixer
from media.mixer_playback import MixerPlayback, notices_of_ends
from media.notice import Detected, DigitReceived, Notice, PlaybackEnded
from media.preprocessing import Preprocessing
from media.recording import Recording, RecordingError
from media.rtp_transport import TransportError
from media.stream_source import is_over
from media.transport_delegation import TransportDelegation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.command import Command, MixerCommand
    from media.rtp_line import RtpLine
    from media.rtp_transport import RtpTransport
    from media.transports import Transports

_SECOND: Final = 1_000_000

# Playbacks that have ended, whose position may still be asked for.
_ENDED_KEPT: Final = 4096


# Notices with the line or mixer that they are for.
_Deliveries = list[tuple["LineState | MixerState", Notice]]


@dataclass(slots=True)
class Counters:
    """What the engine has done since it started."""

    blocks: int = 0
    samples: int = 0


class Engine:
    """All lines of a process. Commands come in by `execute`; notices go out through each line's `notify`."""

    def __init__(
        self,
        touch: Callable[[], None] = lambda: None,
        on_fault: Callable[[str, Exception], object] | None = None,
        transports: Transports | None = None,
    ) -> None:
        """Make an engine. `touch()` is called when what is due by itself may have changed.

        What goes wrong while time moves on is raised; with `on_fault(where, error)` it is told instead, and costs
        the line concerned its playback, taps and detectors, but no other line anything.
        """
        self._lines: dict[int, LineState] = {}
        self._mixers: dict[int, MixerState] = {}
        self._numbers = itertools.count(1)
        self._now = 0
        self._touch = touch
        self._lock = threading.RLock()
        self._ended: dict[int, tuple[int, int]] = {}
        self._sound = LineSound(self._lines, transports)
        self._transports = transports
        self._delegation = (
            None if transports is None else TransportDelegation(self._lines, transports, self._sound)
        )
        self._on_fault = on_fault
        self._looked_ahead = False
        self._listening_for_keys: list[tuple[LineState, int, DtmfDetector, NDArray[np.int16]]] = []
        self.counters = Counters()

    # -- the host's side -----------------------------------------------------------------------------------------

    def next_number(self) -> int:
        """Return a number that no line, playback, tap or detector has."""
        return next(self._numbers)

    def line(self, rate: int, notify: Callable[[Notice], object]) -> Line:
        """Open a line of `rate` samples a second; `notify(notice)` must return at once."""
        return self.open_line(self.next_number(), rate, notify)

    def open_line(
        self, number: int, rate: int, notify: Callable[[Notice], object], *, remote: bool = False
    ) -> Line:
        """Open a line under a number that came from somebody else's `next_number`; `remote`: it has a transport."""
        line = Line(self, number, rate)
        with self._lock:
            state = self._lines[number] = LineState(line, notify, remote=remote)
            if remote:
                self._take_over(state)
        return line

    def rtp_line(self, rate: int, notify: Callable[[Notice], object], transport: RtpTransport) -> RtpLine:
        """Refuse with TransportError: packets come and go in real time, in the process of a `RemoteEngine`."""
        raise TransportError("RTP needs a media engine in a process of its own, by the real clock")

    def recording(self, path: str, rate: int, channels: int = 1, append: bool = False) -> Recording:
        """Open a recording for a tap; RecordingError when it cannot be written."""
        return Recording(path, rate, channels, append)

    def debug_codec(self, codec: str, on: bool) -> None:
        """Do nothing: no line within the host's process has a codec."""

    def debug_line(self, line: int, on: bool) -> None:
        """Do nothing, for the same reason."""

    def start(self) -> None:
        """Be ready for the first line: there is nothing to be done."""

    def status(self) -> EngineStatus:
        """Return the figures that an engine within the host's process has."""
        return EngineStatus(lines=len(self._lines), ticks=self.counters.blocks)

    def mixer(self, rate: int, interval: int, notify: Callable[[Notice], object], comfort: int = 0) -> Mixer:
        """Open a mixer that works in frames of `interval` ms; `comfort` is the divisor of its noise, 0 for none.

        `notify(notice)` must return at once.
        """
        return self.open_mixer(self.next_number(), rate, interval, notify, comfort)

    def open_mixer(
        self, number: int, rate: int, interval: int, notify: Callable[[Notice], object], comfort: int = 0
    ) -> Mixer:
        """Open a mixer under a number that came from somebody else's `next_number`."""
        with self._lock:
            self._mixers[number] = MixerState(number, rate, interval, comfort, notify)
        return Mixer(self, number, rate)

    @property
    def mixer_count(self) -> int:
        """How many mixers are open."""
        return len(self._mixers)

    @property
    def line_count(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    def progress(self, playback: int) -> tuple[int, int]:
        """Return where a playback is and how many samples were played; its last values when it ended, else zeros."""
        with self._lock:
            for state in self._lines.values():
                if state.playback is not None and state.playback.number == playback:
                    ahead = (
                        self._transports.moved(state.line.number) if state.plain and self._transports else 0
                    )
                    length, position = state.playback.source.length, state.playback.position + ahead
                    reached = position if length is None else min(position, length)
                    return reached, state.playback.played + ahead
            for mixer in self._mixers.values():
                if playback in mixer.playbacks:
                    return mixer.playbacks[playback].progress
            return self._ended.get(playback, (0, 0))

    def member_status(self, line: int) -> tuple[bool, int, int | None]:
        """Return whether a line in a mixer talks, its last score, and how long ago (µs) it was heard talking."""
        with self._lock:
            state = self._lines.get(line)
            return (False, 0, None) if state is None or state.mixer is None else state.mixer.status(line)

    def displaced(self, line: int, displacement: int) -> bool:
        """Return whether a line's displacement still lasts."""
        with self._lock:
            state = self._lines.get(line)
            return state is not None and displacement in state.displacements

    def execute(self, command: Command) -> None:
        """Do what `command` says; one that names a line or playback that is gone does nothing."""
        delivered: _Deliveries = []
        with self._lock:
            state = self._lines.get(command.line)
            if state is None:
                return
            self._forget()
            self._take_over(state)
            if isinstance(command, commands.Bridge | commands.Eavesdrop | commands.Connect):
                other = (
                    command.other
                    if isinstance(command, commands.Bridge)
                    else (command.target if isinstance(command, commands.Eavesdrop) else command.peer)
                )
                if other in self._lines:
                    self._take_over(self._lines[other])
            self._dispatch(state, command, delivered)
        self._touch()
        for receiver, notice in delivered:
            receiver.notify(notice)

    def set_rate(self, line: int, rate: int) -> bool:
        """Change how many samples a second a line has; False while something on it counts in the old ones.

        CodecError where its transport's codec cannot be had at that rate.
        """
        with self._lock:
            state = self._lines.get(line)
            if state is None or state.counts_samples:
                return False
            self._forget()
            self._take_over(state)
            if state.remote and self._transports is not None:
                self._transports.set_rate(line, rate)
            state.line.rate = rate
            for one in (state, state.bridged):
                if one is not None:
                    one.bridge_tails.clear()
        self._touch()
        return True

    def execute_in_mixer(self, command: MixerCommand) -> None:
        """Do what `command` says to a mixer; one that names a mixer that is gone does nothing."""
        with self._lock:
            mixer = self._mixers.get(command.mixer)
            if mixer is None:
                return
            self._forget()
            if isinstance(command, commands.CloseMixer):
                for member in mixer.members:
                    self._take_over(self._lines[member.line])
                    self._lines[member.line].mixer = None
                for playback in mixer.playbacks.values():
                    self._remember(playback.number, playback.progress)
                del self._mixers[command.mixer]
            else:
                stopped = mixer.apply(command)
                if stopped is not None:
                    self._remember(stopped.number, stopped.progress)
        self._touch()

    def _forget(self) -> None:
        """Throw away what was rendered ahead: something is another now."""
        self._sound.forget()
        if self._looked_ahead:
            self._looked_ahead = False
            for line in self._lines.values():
                line.ahead = None
        for mixer in self._mixers.values():
            mixer.forget()

    def _dispatch(self, state: LineState, command: Command, delivered: _Deliveries) -> None:
        playback = state.playback
        match command:
            case commands.Play():
                if playback is not None:
                    self._retire(state)
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                start = max(0, command.start)
                end = state.end_of(command.source, start)
                state.playback = PlaybackState(command.playback, command.source, start, end)
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
                state.taps[command.tap] = TapState(command.sink, command.read, command.write, command.stereo)
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
            case commands.Preprocess():
                if command.settings is None:
                    state.preprocessing.pop(command.read, None)
                elif command.read in state.preprocessing:
                    state.preprocessing[command.read].change(command.settings)
                else:
                    state.preprocessing[command.read] = Preprocessing(state.line.rate, command.settings)
            case commands.Displace():
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                ends = [end for end in (command.source.length, command.limit) if end is not None]
                state.displacements[command.displacement] = Displacement(
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
                delayed = command.on and command.delay > 0
                state.echo_delayed = np.zeros(command.delay, np.int16) if delayed else None
            case commands.Eavesdrop():
                self._stop_eavesdrop(state)
                target = self._lines.get(command.target)
                if target is not None and target is not state:
                    state.spied = target
                    target.spies[state] = command
            case commands.StopEavesdrop():
                self._stop_eavesdrop(state)
            case commands.Join():
                mixer = self._mixers.get(command.mixer)
                if mixer is not None:
                    self._leave_mixer(state)
                    state.mixer = mixer
                    mixer.join(state.line.number, state.line.rate, command.settings)
            case commands.Leave():
                self._leave_mixer(state)
            case commands.SetMember() if state.mixer is not None:
                state.mixer.set_member(state.line.number, command.settings)
            case commands.SetTransport():
                if self._transports is not None:
                    self._transports.change(command.line, command.transport)
            case commands.SendDigit() if state.remote:
                if self._transports is not None:
                    self._transports.press(command.line, command.digit, command.duration)
            case commands.SendDigit():
                if state.peer is not None:
                    delivered.append((state.peer, DigitReceived(command.digit, command.duration)))
            case commands.Close():
                if playback is not None:
                    self._retire(state)
                self._unbridge(state)
                self._leave_mixer(state)
                self._stop_eavesdrop(state)
                for spy in list(state.spies):
                    self._stop_eavesdrop(spy)
                if state.peer is not None:
                    state.peer.peer = None
                del self._lines[state.line.number]
                if state.remote and self._transports is not None and self._delegation is not None:
                    self._delegation.forget(state.line.number)
                    self._transports.close(state.line.number)

    def _unbridge(self, state: LineState) -> None:
        if state.bridged is not None:
            self._take_over(state.bridged)
            state.bridged.bridged = None
            state.bridged = None

    def _leave_mixer(self, state: LineState) -> None:
        if state.mixer is not None:
            state.mixer.leave(state.line.number)
            state.mixer = None

    def _stop_eavesdrop(self, state: LineState) -> None:
        if state.spied is not None:
            self._take_over(state.spied)
            state.spied.spies.pop(state, None)
            state.spied = None

    def _retire(self, state: LineState) -> None:
        """Remove a line's playback and remember where it was."""
        assert state.playback is not None
        length, position = state.playback.source.length, state.playback.position
        reached = position if length is None else min(position, length)
        self._remember(state.playback.number, (reached, state.playback.played))
        state.playback = None

    def _remember(self, playback: int, progress: tuple[int, int]) -> None:
        self._ended[playback] = progress
        if len(self._ended) > _ENDED_KEPT:
            del self._ended[next(iter(self._ended))]

    # -- the clock's side ----------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether the passing of time alone can bring no notice: nothing ends and nobody listens."""
        return not any(
            state.detectors or (state.playback is not None and state.playback.remaining() is not None)
            for state in self._lines.values()
        ) and not any(
            mixer.listens(self._sound.is_quiet)
            or any(playback.remaining() is not None for playback in mixer.playbacks.values())
            for mixer in self._mixers.values()
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
            for mixer in self._mixers.values():
                listens = mixer.listens(self._sound.is_quiet)
                upcoming = mixer.horizon(now, upcoming, self._sound.hear, listens=listens)
            for state in self._lines.values():
                if state.detectors:
                    upcoming = self._listen_ahead(state, now, upcoming)
            return upcoming

    def settle(self) -> None:
        """Let transports carry by themselves what they can, before they read what has come."""
        if self._delegation is not None and not self._delegation.settled:
            with self._lock:
                self._delegation.settle()

    def advance(self, now: int) -> None:
        """Move every line to `now` (µs): feed taps and detectors, move playbacks on, and send what is due."""
        self.settle()
        while self._now < now:
            step = now
            for mixer in list(self._mixers.values()):
                if mixer.linked:
                    step = min(step, max(self._now + 1, mixer.next_frame(self._now)))
            self._advance(step)
        self._advance(now)
        if self._transports is not None:
            self._end_tick(self._transports)

    def _advance(self, now: int) -> None:
        delivered: _Deliveries = []
        with self._lock:
            if now > self._now:
                start, self._now = self._now, now
                self.counters.blocks += 1
                for state in self._lines.values():
                    if state.taps or state.detectors:
                        try:
                            self._feed(state, start, now, delivered)
                        except Exception as error:
                            self._take_fault(state, error, delivered)
                if self._listening_for_keys:
                    self._listen_for_keys(delivered)
                if self._delegation is not None:
                    for state in self._delegation.speaking.values():
                        try:
                            self._delegation.speak(state, start, now)
                        except Exception as error:
                            self._take_fault(state, error, delivered)
                self._move_echoes(start, now)
                self._move_mixers(start, now, delivered)
                for state in self._lines.values():
                    if state.playback is not None and not state.plain:
                        self._move_playback(state, start, now, delivered)
                    if state.displacements:
                        self._move_displacements(state, start, now)
                    state.ahead = None
                self._sound.forget()
            else:
                for state in self._lines.values():
                    if state.playback is not None and state.playback.remaining() == 0:
                        self._end_playback(state, delivered)
                for mixer in self._mixers.values():
                    self._end_in_mixer(mixer, mixer.end_playbacks(), delivered)
        for receiver, notice in delivered:
            receiver.notify(notice)

    def _move_mixers(self, start: int, end: int, delivered: _Deliveries) -> None:
        # All are rendered before any is moved on: one may hear another.
        hear = self._sound.hear(start, end)
        for mixer in self._mixers.values():
            mixer.block(start, end, hear)
            try:
                mixer.tap(start, end, hear)
            except Exception as error:
                if self._on_fault is None:
                    raise
                self._on_fault(f"mixer {mixer.number}", error)
                mixer.taps.clear()
        for mixer in self._mixers.values():
            notices, ended = mixer.advance(start, end, hear)
            delivered.extend((mixer, notice) for notice in notices)
            self._end_in_mixer(mixer, ended, delivered)

    def _end_in_mixer(
        self,
        mixer: MixerState,
        ended: list[MixerPlayback],
        delivered: _Deliveries,
    ) -> None:
        for playback in ended:
            self._remember(playback.number, playback.progress)
        delivered.extend((mixer, notice) for notice in notices_of_ends(ended))

    # -- lines with a transport ----------------------------------------------------------------------------------

    def _take_over(self, state: LineState) -> None:
        """Take over from the transport of a line what it may have been doing by itself."""
        if self._delegation is not None:
            self._delegation.take_over(state)

    def _end_tick(self, transports: Transports) -> None:
        delivered: _Deliveries = []
        with self._lock:
            for number in transports.send():
                state = self._lines.get(number)
                if state is None or not state.plain or state.playback is None:
                    continue
                self._take_over(state)
                if state.playback.remaining() == 0:
                    self._end_playback(state, delivered)
        for receiver, notice in delivered:
            receiver.notify(notice)

    def _take_fault(self, state: LineState, error: Exception, delivered: _Deliveries) -> None:
        """Tell what went wrong with a line, and end what it may have come from."""
        if self._on_fault is None:
            raise error
        self._on_fault(f"line {state.line.number}", error)
        state.taps.clear()
        if isinstance(error, RecordingError):
            return
        state.detectors.clear()
        state.written_detectors.clear()
        state.displacements.clear()
        state.preprocessing.clear()
        if state.playback is not None:
            self._end_playback(state, delivered)

    def _move_playback(self, state: LineState, start: int, end: int, delivered: _Deliveries) -> None:
        playback = state.playback
        assert playback is not None
        if not playback.paused:
            moved = state.index(end) - state.index(start)
            if playback.end is not None:  # in real time a tick may reach beyond the end
                moved = min(moved, max(0, playback.end - playback.position))
            playback.position += moved
            playback.played += moved
            if playback.end is None and is_over(playback.source, playback.position):
                playback.end = playback.position
        if playback.remaining() == 0:
            self._end_playback(state, delivered)

    def _move_echoes(self, start: int, end: int) -> None:
        # All are heard before any is moved on: one may be another's far end.
        rests = [
            (
                state,
                self._sound.echoed(state, state.echo_delayed, start, end)[
                    state.index(end) - state.index(start) :
                ],
            )
            for state in self._lines.values()
            if state.echo_delayed is not None
        ]
        for state, rest in rests:
            state.echo_delayed = rest

    def _move_displacements(self, state: LineState, start: int, end: int) -> None:
        for number, displacement in list(state.displacements.items()):
            displacement.position += state.index(end) - state.index(start)
            if displacement.end is not None and displacement.position >= displacement.end:
                del state.displacements[number]

    def _end_playback(self, state: LineState, delivered: _Deliveries) -> None:
        assert state.playback is not None
        delivered.append((state, PlaybackEnded(state.playback.number)))
        self._retire(state)
        self._take_over(state)

    def _feed(self, state: LineState, start: int, end: int, delivered: _Deliveries) -> None:
        first, last = state.index(start), state.index(end)
        count = last - first
        if count <= 0:
            return
        self.counters.samples += count
        need_read = len(state.detectors) > len(state.written_detectors) or any(
            tap.read for tap in state.taps.values()
        )
        read = self._sound.received(state, start, end, count) if need_read else None
        for tap in list(state.taps.values()):
            if tap.read and tap.write:
                assert read is not None
                written = self._sound.to_send(state, start, end, count)
                if tap.stereo:
                    tap.sink.write(np.column_stack((read, written)))
                else:
                    tap.sink.write(mix(read, written))
            elif tap.read:
                assert read is not None
                tap.sink.write(read)
            elif tap.write:
                tap.sink.write(self._sound.to_send(state, start, end, count))
        if state.ahead is not None and state.ahead.start == start and state.ahead.end == end:
            state.detectors.update(state.ahead.detectors)
            return
        for number, detector in list(state.detectors.items()):
            heard = (
                self._sound.to_send(state, start, end, count) if number in state.written_detectors else read
            )
            assert heard is not None
            if isinstance(detector, DtmfDetector):
                self._listening_for_keys.append((state, number, detector, heard))
            else:
                delivered.extend((state, Detected(number, detail)) for _, detail in detector.feed(heard))

    def _listen_for_keys(self, delivered: _Deliveries) -> None:
        """Let all that listen for keys in this block do so together."""
        listening, self._listening_for_keys = self._listening_for_keys, []
        try:
            found = feed_together([(detector, heard) for _, _, detector, heard in listening])
        except Exception as error:
            for state, *_ in listening:
                self._take_fault(state, error, delivered)
            return
        for (state, number, _, _), keys in zip(listening, found, strict=True):
            delivered.extend((state, Detected(number, detail)) for _, detail in keys)

    def _listen_ahead(self, state: LineState, now: int, limit: int) -> int:
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
            heard = (self._sound.to_send if written else self._sound.received)(state, now, limit, count)
            offsets += [offset for offset, _ in copy.feed(heard)[:1]]
        if offsets:
            # an offset tells how much was heard before; one sample more at least makes it sure
            return min(limit, max(now + 1, state.time_of(first + max(1, min(offsets)))))
        state.ahead = Ahead(now, limit, copies)
        self._looked_ahead = True
        return limit
