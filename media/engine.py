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
from media.engine_status import EngineStatus
from media.line import Line
from media.line_state import Ahead, Displacement, LineState, PlaybackState, TapState
from media.mix import mix, scale
from media.mixer import MixerState
from media.mixer_handle import Mixer
from media.mixer_playback import MixerPlayback, notices_of_ends
from media.notice import Detected, DigitReceived, Notice, PlaybackEnded
from media.recording import Recording, RecordingError
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.command import Command, MixerCommand
    from media.mixer import Hear
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
        self._sent: dict[tuple[int, int, int], NDArray[np.int16]] = {}
        self._transports = transports
        self._speaking: dict[int, LineState] = {}  # remote lines that have to be asked what they send
        self._unsettled: dict[int, LineState] = {}  # of which it is not known whether they are plain
        self._on_fault = on_fault
        self._looked_ahead = False
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
                self._unsettled[number] = state
        return line

    def rtp_line(self, rate: int, notify: Callable[[Notice], object], transport: RtpTransport) -> RtpLine:
        """Refuse with TransportError: packets come and go in real time, in the process of a `RemoteEngine`."""
        raise TransportError("RTP needs a media engine in a process of its own, by the real clock")

    def recording(self, path: str, rate: int, channels: int = 1, append: bool = False) -> Recording:
        """Open a recording for a tap; RecordingError when it cannot be written."""
        return Recording(path, rate, channels, append)

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
            self._unsettle(state)
            if isinstance(command, commands.Bridge | commands.Eavesdrop | commands.Connect):
                other = (
                    command.other
                    if isinstance(command, commands.Bridge)
                    else (command.target if isinstance(command, commands.Eavesdrop) else command.peer)
                )
                if other in self._lines:
                    self._unsettle(self._lines[other])
            self._dispatch(state, command, delivered)
        self._touch()
        for receiver, notice in delivered:
            receiver.notify(notice)

    def execute_in_mixer(self, command: MixerCommand) -> None:
        """Do what `command` says to a mixer; one that names a mixer that is gone does nothing."""
        with self._lock:
            mixer = self._mixers.get(command.mixer)
            if mixer is None:
                return
            self._forget()
            if isinstance(command, commands.CloseMixer):
                for member in mixer.members:
                    self._unsettle(self._lines[member.line])
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
        self._sent.clear()
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
                if state.remote:
                    self._speaking.pop(state.line.number, None)
                    self._unsettled.pop(state.line.number, None)
                    if self._transports is not None:
                        self._transports.close(state.line.number)

    def _unbridge(self, state: LineState) -> None:
        if state.bridged is not None:
            self._unsettle(state.bridged)
            state.bridged.bridged = None
            state.bridged = None

    def _leave_mixer(self, state: LineState) -> None:
        if state.mixer is not None:
            state.mixer.leave(state.line.number)
            state.mixer = None

    def _stop_eavesdrop(self, state: LineState) -> None:
        if state.spied is not None:
            self._unsettle(state.spied)
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
            mixer.listens(self._is_quiet)
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
                listens = mixer.listens(self._is_quiet)
                upcoming = mixer.horizon(now, upcoming, self._hear, listens=listens)
            for state in self._lines.values():
                if state.detectors:
                    upcoming = self._listen_ahead(state, now, upcoming)
            return upcoming

    def advance(self, now: int) -> None:
        """Move every line to `now` (µs): feed taps and detectors, move playbacks on, and send what is due."""
        if self._unsettled:
            with self._lock:
                self._settle()
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
                for state in self._speaking.values():
                    try:
                        self._speak(state, start, now)
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
                self._sent.clear()
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
        hear = self._hear(start, end)
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

    def _unsettle(self, state: LineState) -> None:
        """Take over from the transport of a line what it may have been doing by itself."""
        if not state.remote:
            return
        if state.plain:
            assert self._transports is not None and state.playback is not None
            moved = self._transports.stop(state.line.number)
            state.playback.position += moved
            state.playback.played += moved
            state.plain = False
        self._unsettled[state.line.number] = state

    def _settle(self) -> None:
        """Find out which lines their transport can serve by itself, and which have to be asked at every tick."""
        waiting, self._unsettled = self._unsettled, {}
        for number, state in waiting.items():
            self._speaking.pop(number, None)
            if number not in self._lines:
                continue
            playback = state.playback
            if playback is not None and self._is_plain(state, playback):
                frame = state.frame
                assert self._transports is not None
                if self._transports.play(number, playback.source, playback.position, frame):
                    state.plain = True
                    continue
                self._unsettled[number] = state  # perhaps behind the seam between two sounds
            if playback is not None or not self._is_mute(state):
                self._speaking[number] = state

    def _is_plain(self, state: LineState, playback: PlaybackState) -> bool:
        return (
            not playback.paused
            and playback.gain == 1
            and state.write_volume == 1
            and not state.displacements
            and not state.spies
            and not state.written_detectors
            and not any(tap.write for tap in state.taps.values())
        )

    def _is_mute(self, state: LineState) -> bool:
        """Whether a line that plays nothing has nothing else to send."""
        return (
            state.bridged is None
            and state.mixer is None
            and state.spied is None
            and not state.echo
            and not state.displacements
            and not state.spies
        )

    def _speak(self, state: LineState, start: int, end: int) -> None:
        """Give a line's transport what the line sends between two times."""
        assert self._transports is not None
        first, last = state.index(start), state.index(end)
        samples = self._to_send(state, start, end, last - first)
        self._transports.say(state.line.number, first % state.frame, samples)

    def _end_tick(self, transports: Transports) -> None:
        delivered: _Deliveries = []
        with self._lock:
            for number in transports.send():
                state = self._lines.get(number)
                if state is None or not state.plain or state.playback is None:
                    continue
                self._unsettle(state)
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
        if playback.remaining() == 0:
            self._end_playback(state, delivered)

    def _move_echoes(self, start: int, end: int) -> None:
        # All are heard before any is moved on: one may be another's far end.
        rests = [
            (
                state,
                self._echoed(state, state.echo_delayed, start, end)[state.index(end) - state.index(start) :],
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
        self._unsettle(state)

    def _feed(self, state: LineState, start: int, end: int, delivered: _Deliveries) -> None:
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
            heard = (self._to_send if written else self._received)(state, now, limit, count)
            offsets += [offset for offset, _ in copy.feed(heard)[:1]]
        if offsets:
            # an offset tells how much was heard before; one sample more at least makes it sure
            return min(limit, max(now + 1, state.time_of(first + max(1, min(offsets)))))
        state.ahead = Ahead(now, limit, copies)
        self._looked_ahead = True
        return limit

    # -- what a line sends and receives --------------------------------------------------------------------------

    def _is_quiet(self, line: int) -> bool:
        """Whether a line in a mixer certainly says nothing there."""
        state = self._lines[line]
        return state.playback is not None or state.quiet

    def _hear(self, start: int, end: int) -> Hear:
        """Return what answers what a line says in its mixer between two times.

        A line that plays something of its own is out of the room meanwhile.
        """

        def hear(line: int) -> NDArray[np.int16] | None:
            state = self._lines[line]
            if state.playback is not None or state.quiet:
                return None
            return self._received(state, start, end, state.index(end) - state.index(start))

        return hear

    def _received(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line receives between two times, with what spies say to it."""
        samples = self._from_peer(state, start, end, count)
        return self._with_spies(state, samples, start, end, read=True) if state.spies else samples

    def _with_spies(
        self, state: LineState, samples: NDArray[np.int16], start: int, end: int, *, read: bool
    ) -> NDArray[np.int16]:
        """Return `samples` of a line with what those who eavesdrop on it say into that direction."""
        voices = [samples]
        for spy, how in state.spies.items():
            if how.speaks_read if read else how.speaks_write:
                voice = self._from_peer(spy, start, end, spy.index(end) - spy.index(start))
                voices.append(voice if len(voice) == len(samples) else _stretched(voice, len(samples)))
        return mix(*voices) if len(voices) > 1 else samples

    def _overheard(self, state: LineState, target: LineState, start: int, end: int) -> NDArray[np.int16]:
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

    def _from_peer(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line's far end sends to it."""
        peer = state.peer
        if state.remote:
            assert self._transports is not None
            frame = state.frame
            samples = self._transports.heard(state.line.number, state.index(start) % frame, count)
        elif peer is None:
            samples = np.zeros(count, np.int16)
        else:
            there = peer.index(end) - peer.index(start)
            samples = self._to_send(peer, start, end, there)
            if there != count:
                samples = _stretched(samples, count)
        return self._shaped(state, samples, read=True)

    def _shaped(self, state: LineState, samples: NDArray[np.int16], *, read: bool) -> NDArray[np.int16]:
        """Return what a line's displacements and volume make of what it receives or sends."""
        for displacement in state.displacements.values():
            if displacement.read is read:
                samples = displacement.over(samples)
        return scale(samples, state.read_volume if read else state.write_volume)

    def _to_send(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
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

    def _render(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
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
        if state.echo_delayed is not None:
            return self._echoed(state, state.echo_delayed, start, end)[:count]
        if state.mixer is not None and not state.echo:
            return state.mixer.output(state.line.number, start, end, self._hear(start, end))
        other = state if state.echo else state.bridged
        if other is None:
            return np.zeros(count, np.int16)
        there = other.index(end) - other.index(start)
        samples = self._received(other, start, end, there)
        return samples if there == count else _stretched(samples, count)

    def _echoed(
        self, state: LineState, delayed: NDArray[np.int16], start: int, end: int
    ) -> NDArray[np.int16]:
        """Return what a delayed echo sends between two times, and behind it what is to be sent later."""
        return np.concatenate(
            (delayed, self._received(state, start, end, state.index(end) - state.index(start)))
        )


def _stretched(samples: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    """Return `samples` brought to `count` samples by interpolation: lines of different rates on one path."""
    if len(samples) == 0:
        return np.zeros(count, np.int16)
    places = np.linspace(0, len(samples) - 1, count)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype(np.int16)
