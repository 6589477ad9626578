"""The host's side of an engine in a process of its own: the same methods as `media.engine.Engine`.

The process starts with the first line. Commands and notices go over one connection; what is asked for (where a
playback is, whether a recording could be opened) is answered within a fraction of a millisecond, unless a tick
is being worked on.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from media import command as commands
from media.command import Command, MixerCommand
from media.engine_status import EngineStatus
from media.line import Line
from media.mixer_handle import Mixer
from media.notice import Notice
from media.packet_relay import PacketRelay, StreamEnd
from media.realtime import message
from media.realtime.command_pickler import HostedSink
from media.realtime.engine_connection import EngineConnection
from media.realtime.engine_lost import EngineLost
from media.realtime.remote_recording import RemoteRecording
from media.recording import RecordingError
from media.recording_form import PLAIN, RecordingForm
from media.rtp_line import RtpLine
from media.rtp_transport import Address, RtpTransport, TransportError, TransportReport

# Playbacks that have ended, whose position may still be asked for.
_ENDED_KEPT: Final = 4096

# Playbacks that run or were stopped: one for each of more lines than a process carries.
_PLAYBACKS_KEPT: Final = 1 << 16


class RemoteEngine:
    """All lines of a process that is not this one.

    `tell(text)` is called with what goes wrong in the engine, `lost(text, lines)` when its process ended by itself:
    those lines are dead, later ones get a new process.
    """

    def __init__(
        self,
        tell: Callable[[str], object] = lambda text: None,
        lost: Callable[[str, set[int]], object] = lambda text, lines: None,
    ) -> None:
        self.tell = tell
        self._lost = lost
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._process: EngineConnection | None = None
        self._homes: dict[int, EngineConnection] = {}
        self._mixers: dict[int, EngineConnection] = {}
        self._relays: dict[int, EngineConnection] = {}
        self._ended: dict[int, tuple[int, int]] = {}
        self._playbacks: dict[int, EngineConnection] = {}
        self._debugged: set[str] = set()
        self._browsers = False
        self._closed = False

    def next_number(self) -> int:
        """Return a number that no line, playback, tap or detector has."""
        return next(self._numbers)

    def start(self) -> None:
        """Start the process now, so that the first call need not wait for it."""
        self._running()

    def line(self, rate: int, notify: Callable[[Notice], object]) -> Line:
        """Open a line of `rate` samples a second; `notify(notice)` must return at once."""
        number = self.next_number()
        process = self._running()
        self._settle_in(process, number, rate, notify)
        process.send(message.OpenLine(number, rate))
        return Line(self, number, rate)

    def rtp_line(self, rate: int, notify: Callable[[Notice], object], transport: RtpTransport) -> RtpLine:
        """Open a line whose far end is reached by RTP; its local address is taken at once.

        Raises TransportError when there is no port, CodecError for a codec that there is not, and SrtpError for keys
        that cannot be used.
        """
        number = self.next_number()
        process = self._running()
        self._settle_in(process, number, rate, notify)
        try:
            local = process.ask(message.OpenTransport(number, rate, transport))
        except Exception as error:
            self._forget_line(process, number)
            if isinstance(error, EngineLost):
                raise TransportError(str(error)) from None
            raise
        assert isinstance(local, tuple)
        return RtpLine(self, number, rate, local, transport)

    def release_transport(self, line: int) -> None:
        """Give a line's ports back; they are free when this returns."""
        process = self._homes.get(line)
        if process is not None:
            with suppress(EngineLost):  # its ports went with it
                process.ask(message.ReleaseTransport(line))

    def open_transport(self, line: int, rate: int, transport: RtpTransport) -> Address:
        """Take ports again for a line that gave them back; return its local address. Raises as `rtp_line`."""
        process = self._homes.get(line)
        if process is None:
            raise TransportError("the line is gone")
        try:
            local = process.ask(message.OpenTransport(line, rate, transport))
        except EngineLost as error:
            raise TransportError(str(error)) from None
        assert isinstance(local, tuple)
        return local

    def set_rate(self, line: int, rate: int) -> bool:
        """Change a line's rate; see `media.engine.Engine.set_rate`."""
        process = self._homes.get(line)
        if process is None:
            return False
        try:
            done = bool(process.ask(message.SetRate(line, rate)))
        except EngineLost:
            return False
        if done:
            process.rates[line] = rate
        return done

    def transport_report(self, line: int) -> TransportReport | None:
        """Return what went over a line's transport so far; None for a line that has none, or that is gone."""
        process = self._homes.get(line)
        if process is None:
            return None
        try:
            answer = process.ask(message.AskTransport(line))
        except EngineLost:
            return None
        assert answer is None or isinstance(answer, TransportReport)
        return answer

    def debug_codec(self, codec: str, on: bool) -> None:
        """Have lines told of every packet of a codec that is coded or decoded (`CodecReport`), or no more."""
        with self._lock:
            (self._debugged.add if on else self._debugged.discard)(codec)
            process = self._process
        if process is not None:
            process.send(message.DebugCodec(codec, on))

    def debug_line(self, line: int, on: bool) -> None:
        """Have one line told of every packet that is coded or decoded, where its codec can be told of, or no more."""
        process = self._homes.get(line)
        if process is not None:
            process.send(message.DebugLine(line, on))

    def expect_browsers(self) -> None:
        """Have what lines to browsers need loaded now, so that no other line waits for that later."""
        with self._lock:
            self._browsers = True
            process = self._process
        if process is not None:
            process.send(message.ExpectBrowsers())

    def _settle_in(
        self, process: EngineConnection, line: int, rate: int, notify: Callable[[Notice], object]
    ) -> None:
        process.notify[line] = notify
        process.rates[line] = rate
        self._homes[line] = process

    def _forget_line(self, process: EngineConnection, line: int) -> None:
        self._homes.pop(line, None)
        process.notify.pop(line, None)
        process.rates.pop(line, None)

    def mixer(self, rate: int, interval: int, notify: Callable[[Notice], object], comfort: int = 0) -> Mixer:
        """Open a mixer as `media.engine.Engine.mixer` does."""
        number = self.next_number()
        process = self._running()
        process.notify[number] = notify
        process.rates[number] = rate
        self._mixers[number] = process
        process.send(message.OpenMixer(number, rate, interval, comfort))
        return Mixer(self, number, rate)

    def packet_relay(self, addresses: tuple[str, str], ports: tuple[int, int]) -> PacketRelay:
        """Return a relay that has no ports yet; see `media.packet_relay.PacketRelay`."""
        return PacketRelay(self, self.next_number(), addresses, ports)

    def widen_relay(
        self, relay: int, addresses: tuple[str, str], ports: tuple[int, int], streams: int
    ) -> tuple[tuple[int, int], ...]:
        """Have a relay's ports for so many streams. TransportError where there is none."""
        process = self._relays.get(relay)
        try:
            if process is None:
                process = self._relays[relay] = self._running()
            taken = process.ask(message.WidenRelay(relay, addresses, ports, streams))
        except EngineLost as error:
            raise TransportError(str(error)) from None
        assert isinstance(taken, tuple)
        return taken

    def set_relay(self, relay: int, side: int, ends: tuple[StreamEnd, ...]) -> None:
        """Tell where the far end of a relay's side receives."""
        process = self._relays.get(relay)
        if process is not None:
            process.send(message.SetRelay(relay, side, ends))

    def close_relay(self, relay: int) -> None:
        """Give a relay's ports back."""
        process = self._relays.pop(relay, None)
        if process is not None:
            process.send(message.CloseRelay(relay))

    @property
    def mixer_count(self) -> int:
        """How many mixers are open."""
        return len(self._mixers)

    @property
    def line_count(self) -> int:
        """How many lines are open."""
        return len(self._homes)

    def execute(self, command: Command) -> None:
        """Do what `command` says; one that names a line or playback that is gone does nothing.

        TypeError for a source or detector that the engine's process cannot have.
        """
        process = self._homes.get(command.line)
        if process is None:
            return
        match command:
            case commands.Play() | commands.Displace():
                rate = process.rates[command.line]
                if command.source.rate != rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {rate} Hz")
                if isinstance(command, commands.Play):
                    self._note_playback(command.playback, process)
            case commands.Tap() if not isinstance(command.sink, RemoteRecording):
                process.sinks[command.tap] = command.sink
                command = replace(command, sink=HostedSink(command.tap))
            case commands.Untap():
                process.sinks.pop(command.tap, None)
            case commands.Stop() if command.playback in self._ended:
                return  # it has stopped by itself
            case commands.Close():
                self._forget_line(process, command.line)
        process.send(command)

    def execute_in_mixer(self, command: MixerCommand) -> None:
        """Do what `command` says to a mixer; one that names a mixer that is gone does nothing."""
        process = self._mixers.get(command.mixer)
        if process is None:
            return
        match command:
            case commands.MixerPlay():
                rate = process.rates[command.mixer]
                if command.source.rate != rate:
                    raise ValueError(f"source at {command.source.rate} Hz in a mixer at {rate} Hz")
                self._note_playback(command.playback, process)
            case commands.MixerTap() if not isinstance(command.sink, RemoteRecording):
                process.sinks[command.tap] = command.sink
                command = replace(command, sink=HostedSink(command.tap))
            case commands.MixerUntap():
                process.sinks.pop(command.tap, None)
            case commands.CloseMixer():
                self._mixers.pop(command.mixer, None)
                process.notify.pop(command.mixer, None)
                process.rates.pop(command.mixer, None)
        process.send(command)

    def _note_playback(self, playback: int, process: EngineConnection) -> None:
        self._playbacks[playback] = process
        if len(self._playbacks) > _PLAYBACKS_KEPT:
            self._playbacks.pop(next(iter(self._playbacks)), None)

    def member_status(self, line: int) -> tuple[bool, int, int | None]:
        """Return whether a line in a mixer talks, its last score, and how long ago (µs) it was heard talking."""
        process = self._homes.get(line)
        if process is None:
            return False, 0, None
        try:
            answer = process.ask(message.MemberStatus(line))
        except EngineLost:
            return False, 0, None
        assert isinstance(answer, tuple)
        return answer

    def progress(self, playback: int) -> tuple[int, int]:
        """Return where a playback is and how many samples were played; its last values when it ended, else zeros."""
        ended = self._ended.get(playback)
        process = self._playbacks.get(playback)
        if ended is not None or process is None:
            return ended or (0, 0)
        try:
            answer = process.ask(message.Progress(playback))
        except EngineLost:
            return 0, 0
        assert isinstance(answer, tuple)
        return answer

    def displaced(self, line: int, displacement: int) -> bool:
        """Return whether a line's displacement still lasts."""
        process = self._homes.get(line)
        if process is None:
            return False
        try:
            return bool(process.ask(message.Displaced(line, displacement)))
        except EngineLost:
            return False

    def recording(
        self, path: str, rate: int, channels: int = 1, append: bool = False, form: RecordingForm = PLAIN
    ) -> RemoteRecording:
        """Open a recording for a tap; RecordingError as `media.recording.Recording` raises it."""
        process, number = self._running(), self.next_number()
        try:
            process.ask(message.OpenRecording(number, path, rate, channels, append, form))
        except EngineLost as error:
            raise RecordingError(path, str(error)) from None
        return RemoteRecording(process, number, path, rate, channels)

    def status(self, *, renew: bool = False) -> EngineStatus:
        """Return the engine's figures, zeros while there is no process; `renew` has them begin anew afterwards."""
        process = self._process
        if process is None:
            return EngineStatus()
        try:
            answer = process.ask(message.AskStatus(renew))
        except EngineLost:
            return EngineStatus()
        assert isinstance(answer, EngineStatus)
        return answer

    def close(self) -> None:
        """End the process and wait for that; recordings are completed."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.end()
        self._homes.clear()
        self._mixers.clear()
        self._relays.clear()
        self._playbacks.clear()

    def kill(self) -> None:
        """End the process without waiting for what it does, so that `close` comes to an end."""
        for process in {self._process, *self._homes.values()} - {None}:
            process.kill()  # type: ignore[union-attr]

    def note_end(self, playback: int, progress: tuple[int, int]) -> None:
        """Keep where a playback was when it ended."""
        self._ended[playback] = progress
        self._playbacks.pop(playback, None)
        if len(self._ended) > _ENDED_KEPT:
            self._ended.pop(next(iter(self._ended)), None)

    def lose(self, process: EngineConnection, text: str) -> None:
        """Take that a process ended by itself."""
        with self._lock:
            if self._process is process:
                self._process = None
            lines = {number for number, home in self._homes.items() if home is process}
            for number in lines:
                self._homes.pop(number, None)
            for number in [number for number, home in self._mixers.items() if home is process]:
                self._mixers.pop(number, None)
            for number in [number for number, home in self._relays.items() if home is process]:
                self._relays.pop(number, None)
        self._lost(text, lines)

    def _running(self) -> EngineConnection:
        with self._lock:
            if self._closed:
                raise EngineLost("the media engine is closed")
            if self._process is None or self._process.lost:
                self._process = EngineConnection(self)
                for codec in self._debugged:
                    self._process.send(message.DebugCodec(codec, True))
                if self._browsers:
                    self._process.send(message.ExpectBrowsers())
            return self._process
