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

from media import command as commands
from media.engine_parts import EngineParts
from media.engine_status import EngineStatus
from media.line import Line
from media.line_commands import LineCommands
from media.line_listening import LineListening
from media.line_movement import LineMovement
from media.line_state import LineState
from media.mixer import MixerState
from media.mixer_handle import Mixer
from media.recording import Recording
from media.recording_form import PLAIN, RecordingForm
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from media.command import Command, MixerCommand
    from media.engine_parts import Deliveries
    from media.notice import Notice
    from media.packet_relay import PacketRelay
    from media.rtp_line import RtpLine
    from media.rtp_transport import RtpTransport
    from media.transports import Transports

# So often transports are asked again to play by themselves what they could not: it takes time, and gains some.
_ASK_AGAIN_BLOCKS: Final = 25


@dataclass(frozen=True, slots=True)
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
        self._parts = EngineParts(transports, on_fault)
        self._lines, self._mixers = self._parts.lines, self._parts.mixers
        self._sound, self._transports = self._parts.sound, transports
        self._commands = LineCommands(self._parts)
        self._listening = LineListening(self._parts)
        self._movement = LineMovement(self._parts)
        self._numbers = itertools.count(1)
        self._now = 0
        self._blocks = 0
        self._touch = touch
        self._lock = threading.RLock()

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        return Counters(self._blocks, self._listening.samples)

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
                self._parts.take_over(state)
        return line

    def release_transport(self, number: int) -> None:
        """Give the ports of a line back; it says and hears nothing until they are opened again."""
        with self._lock:
            state = self._lines.get(number)
            if state is not None and state.remote and self._transports is not None:
                self._parts.take_over(state)
                self._transports.close(number)

    def renew_transport(self, number: int) -> bool:
        """Go on with a line whose ports were opened again; False where there is no such line."""
        with self._lock:
            state = self._lines.get(number)
            if state is None:
                return False
            self._parts.take_over(state)
            return True

    def rtp_line(self, rate: int, notify: Callable[[Notice], object], transport: RtpTransport) -> RtpLine:
        """Refuse with TransportError: packets come and go in real time, in the process of a `RemoteEngine`."""
        raise TransportError("RTP needs a media engine in a process of its own, by the real clock")

    def packet_relay(self, addresses: tuple[str, str], ports: tuple[int, int]) -> PacketRelay:
        """Refuse with TransportError, as `rtp_line`."""
        raise TransportError("packets are relayed by a media engine in a process of its own")

    def recording(
        self, path: str, rate: int, channels: int = 1, append: bool = False, form: RecordingForm = PLAIN
    ) -> Recording:
        """Open a recording for a tap; RecordingError when it cannot be written."""
        return Recording(path, rate, channels, append, form)

    def debug_codec(self, codec: str, on: bool) -> None:
        """Do nothing: no line within the host's process has a codec."""

    def debug_line(self, line: int, on: bool) -> None:
        """Do nothing, for the same reason."""

    def expect_browsers(self) -> None:
        """Do nothing, for the same reason."""

    def start(self) -> None:
        """Be ready for the first line: there is nothing to be done."""

    def status(self) -> EngineStatus:
        """Return the figures that an engine within the host's process has."""
        return EngineStatus(lines=len(self._lines), ticks=self._blocks)

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
            state = self._parts.players.get(playback)
            if state is not None and state.playback is not None:
                ahead = self._transports.moved(state.line.number) if state.plain and self._transports else 0
                length, position = state.playback.source.length, state.playback.position + ahead
                reached = position if length is None else min(position, length)
                return reached, state.playback.played + ahead
            for mixer in self._mixers.values():
                if playback in mixer.playbacks:
                    return mixer.playbacks[playback].progress
            return self._parts.ended.get(playback, (0, 0))

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
        delivered: Deliveries = []
        with self._lock:
            state = self._lines.get(command.line)
            if state is None:
                return
            self._forget()
            self._parts.take_over(state)
            if isinstance(command, commands.Bridge | commands.Eavesdrop | commands.Connect):
                other = (
                    command.other
                    if isinstance(command, commands.Bridge)
                    else (command.target if isinstance(command, commands.Eavesdrop) else command.peer)
                )
                if other in self._lines:
                    self._parts.take_over(self._lines[other])
            self._commands.execute(state, command, delivered)
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
            self._parts.take_over(state)
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
                    self._parts.take_over(self._lines[member.line])
                    self._lines[member.line].mixer = None
                for playback in mixer.playbacks.values():
                    self._parts.remember(playback.number, playback.progress)
                del self._mixers[command.mixer]
            else:
                stopped = mixer.apply(command)
                if stopped is not None:
                    self._parts.remember(stopped.number, stopped.progress)
        self._touch()

    def _forget(self) -> None:
        """Throw away what was rendered ahead: something is another now."""
        self._sound.forget()
        self._listening.forget()
        for mixer in self._mixers.values():
            mixer.forget()

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
                    upcoming = self._listening.listen_ahead(state, now, upcoming)
            return upcoming

    def settle(self) -> None:
        """Let transports carry by themselves what they can, before they read what has come."""
        if self._parts.delegation is not None and not self._parts.delegation.settled:
            with self._lock:
                self._parts.delegation.settle()

    def _take_back(self) -> None:
        """Carry what transports carry no longer, and have them carry what they could not before."""
        delegation = self._parts.delegation
        if self._transports is None or delegation is None:
            return
        with self._lock:
            for number in self._transports.given_back():
                state = self._lines.get(number)
                if state is not None:
                    self._parts.take_over(state)
            if self._blocks % _ASK_AGAIN_BLOCKS == 0:
                delegation.ask_again()

    def advance(self, now: int) -> None:
        """Move every line to `now` (µs): feed taps and detectors, move playbacks on, and send what is due."""
        self._take_back()
        self.settle()
        while self._now < now:
            step = now
            for mixer in list(self._mixers.values()):
                if mixer.linked:
                    step = min(step, max(self._now + 1, mixer.next_frame(self._now)))
            self._advance(step)
        self._advance(now)
        if self._transports is not None:
            delivered: Deliveries = []
            with self._lock:
                self._movement.end_tick(delivered)
            for receiver, notice in delivered:
                receiver.notify(notice)

    def _advance(self, now: int) -> None:
        delivered: Deliveries = []
        with self._lock:
            if now > self._now:
                start, self._now = self._now, now
                self._blocks += 1
                self._listening.feed(start, now, delivered)
                self._movement.move(start, now, delivered)
            else:
                self._movement.end_what_is_over(delivered)
        for receiver, notice in delivered:
            receiver.notify(notice)
