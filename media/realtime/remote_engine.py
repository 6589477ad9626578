"""The host's side of an engine in a process of its own: the same methods as `media.engine.Engine`.

The process starts with the first line. Commands and notices go over one connection; what is asked for (where a
playback is, whether a recording could be opened) is answered within a fraction of a millisecond, unless a tick
is being worked on.
"""

from __future__ import annotations

import io
import itertools
import os
import pickle
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from media import command as commands
from media.command import Command, MixerCommand, Sink
from media.engine_status import EngineStatus
from media.line import Line
from media.mixer_handle import Mixer
from media.notice import Notice, PlaybackEnded
from media.realtime import message, wire
from media.realtime.sound_memory import ROOM_BYTES, Extents, SoundMemory, open_memory
from media.recording import RecordingError
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport, TransportError, TransportReport
from media.source import Live, Samples

# Playbacks that have ended, whose position may still be asked for.
_ENDED_KEPT: Final = 4096

# Playbacks that run or were stopped: one for each of more lines than a process carries.
_PLAYBACKS_KEPT: Final = 1 << 16

_LOST: Final = "the media engine's process is gone"

# Sound shorter than this (bytes) travels in the command: a page of shared memory would not be filled.
_SHARED_FROM: Final = 4096

# What a source, a sink or a detector may be made of: the engine's process loads nothing else.
_KNOWN: Final = ("media.", "numpy", "builtins", "collections", "functools", "copyreg", "_codecs")

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from media.realtime.process import main; main()"
)


class EngineLost(RuntimeError):
    """The engine's process is gone, and with it the line, playback or recording that was asked for."""


def _whole(answer: object) -> int:
    assert isinstance(answer, int)
    return answer


class RemoteRecording:
    """A recording that the engine's process writes; see `media.recording.Recorder`."""

    def __init__(self, process: _Process, number: int, path: str, rate: int, channels: int) -> None:
        self._process = process
        self.number = number
        self.path = path
        self.rate = rate
        self.channels = channels
        self._samples: int | None = None

    @property
    def samples(self) -> int:
        """How many samples were recorded; as many as were known when the engine's process was lost."""
        if self._samples is not None:
            return self._samples
        try:
            return _whole(self._process.ask(message.Recorded(self.number)))
        except EngineLost:
            return 0

    def write(self, samples: NDArray[np.int16]) -> None:
        """Belongs to the engine: raises RecordingError."""
        raise RecordingError(self.path, "only a tap can write to it")

    def pause(self) -> None:
        """Leave out what is heard from now on."""
        self._steer("pause")

    def resume(self) -> None:
        """End a pause."""
        self._steer("resume")

    def mask(self) -> None:
        """Record silence from now on."""
        self._steer("mask")

    def unmask(self) -> None:
        """End a mask."""
        self._steer("unmask")

    def close(self) -> None:
        """Complete the file; RecordingError when that fails. May be called more than once."""
        if self._samples is not None:
            return
        self._samples = 0
        try:
            self._samples = _whole(self._process.ask(message.CloseRecording(self.number)))
        except EngineLost:
            return  # its file is valid up to what was written last

    def _steer(self, what: str) -> None:
        if self._samples is None:
            self._process.send(message.SteerRecording(self.number, what))


class _Question:
    """Somebody who waits for an answer."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: object = None
        self.error: Exception | None = None


class _Process:
    """One run of the engine's process, from its first line to its end."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._tickets = itertools.count()
        self._questions: dict[int, _Question] = {}
        self._gone: deque[message.SoundGone | message.LiveGone] = deque()
        self._lives: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._sounds: dict[int, tuple[int, int]] = {}
        self._sound_numbers = itertools.count()
        self._frames = wire.Frames()
        self._pending: deque[object] = deque()
        self._ending = False
        self.lost = False
        self.sinks: dict[int, Sink] = {}
        self.rates: dict[int, int] = {}
        self.notify: dict[int, Callable[[Notice], object]] = {}
        memory = open_memory()
        try:
            self._memory = SoundMemory(memory)
            self._extents = Extents(ROOM_BYTES)
            self._connection, other = wire.pair()
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-P", "-c", _PROGRAM, _ROOT, str(memory)],
                    stdin=other.fileno(),
                    pass_fds=(memory,),
                    start_new_session=True,
                )
            except BaseException:
                self._connection.close()
                raise
            finally:
                other.close()
        finally:
            os.close(memory)
        self._reader = threading.Thread(target=self._read, name="media-notices", daemon=True)
        self._reader.start()

    @property
    def process_id(self) -> int:
        """The number of the engine's process."""
        return self._child.pid

    # -- to the engine -------------------------------------------------------------------------------------------

    def send(self, told: object) -> None:
        """Tell the engine something; nothing once it is lost. TypeError for what its process cannot have."""
        with self._lock:
            while self._gone:
                self._put(self._gone.popleft())
            self._put(told)

    def _put(self, told: object) -> None:
        if self.lost:
            return
        packed = io.BytesIO()
        pickler = _Pickler(packed, self)
        pickler.dump(told)
        try:
            wire.send(self._connection, packed.getvalue(), pickler.descriptors)
        except OSError:
            self.lost = True  # the reader tells it

    def ask(self, question: message.Question) -> object:
        """Return the engine's answer; raises what it raised, EngineLost when there is no engine."""
        ticket, waiting = next(self._tickets), _Question()
        self._questions[ticket] = waiting
        self.send(message.Ask(ticket, question))
        if self.lost:
            self._questions.pop(ticket, None)
            raise EngineLost(_LOST)
        if threading.current_thread() is self._reader:
            while not waiting.done.is_set() and self._receive():
                continue
            if not waiting.done.is_set():
                raise EngineLost(_LOST)
        else:
            waiting.done.wait()
        if waiting.error is not None:
            raise waiting.error
        return waiting.value

    def place(self, sound: Samples) -> tuple[object, ...] | None:
        """Return what stands for a sound in messages, written to the shared memory the first time; None: no room."""
        number = self._numbers.get(id(sound))
        samples = sound.render(0, sound.length or 0)
        if number is None:
            offset = self._extents.take(len(samples))
            if offset is None:
                return None
            number = next(self._sound_numbers)
            place = self._memory.at(offset, len(samples))
            place[:] = samples
            self._sounds[number] = (offset, len(samples))
            self._numbers[id(sound)] = number
            weakref.finalize(sound, self._forget, id(sound), number).atexit = False
            sound.move_to(place)
        offset, length = self._sounds[number]
        return ("sound", number, offset, length, sound.rate)

    def introduce(self, live: Live) -> None:
        """Tell what a `Live` source is, before the first command that names it."""
        if live.number in self._lives:
            return
        self._lives.add(live.number)
        live.watch(self._tell_live)
        weakref.finalize(live, self._gone.append, message.LiveGone(live.number)).atexit = False
        self._put(message.LiveIs(live.number, live.source))

    def _tell_live(self, live: Live) -> None:
        self.send(message.LiveIs(live.number, live.source))

    def _forget(self, identity: int, number: int) -> None:
        # Called by the garbage collector, perhaps while this thread is sending: the next one to send tells it.
        self._numbers.pop(identity, None)
        self._gone.append(message.SoundGone(number))

    # -- from the engine -----------------------------------------------------------------------------------------

    def _read(self) -> None:
        while self._receive():
            while self._pending:
                self._deliver(self._pending.popleft())
        self._end()

    def _receive(self) -> bool:
        """Take what comes next: answers at once, the rest is queued; False once the engine is gone."""
        received = wire.receive(self._connection)
        if received is None:
            return False
        for frame in self._frames.feed(received):
            told = pickle.loads(frame)
            if isinstance(told, message.Answer | message.Failure):
                waiting = self._questions.pop(told.ticket, None)
                if waiting is not None:
                    if isinstance(told, message.Failure):
                        waiting.error = told.error
                    else:
                        waiting.value = told.value
                    waiting.done.set()
            else:
                self._pending.append(told)
        return True

    def _deliver(self, told: object) -> None:
        try:
            match told:
                case message.Noticed():
                    if told.progress is not None and isinstance(told.notice, PlaybackEnded):
                        self._engine.note_end(told.notice.playback, told.progress)
                    notify = self.notify.get(told.line)
                    if notify is not None:
                        notify(told.notice)
                case message.Heard():
                    sink = self.sinks.get(told.tap)
                    if sink is not None:
                        samples = np.frombuffer(told.samples, np.int16)
                        sink.write(samples if told.channels == 1 else samples.reshape(-1, told.channels))
                case message.SoundFree():
                    place = self._sounds.pop(told.sound, None)
                    if place is not None:
                        self._memory.discard(*place)
                        self._extents.give_back(*place)
                case message.Fault():
                    self._engine.tell(told.text)
        except Exception as error:  # one call's fault must not keep notices from the others
            self._engine.tell(f"a notice of the media engine was not taken: {error!r}")

    def _end(self) -> None:
        self.lost = True
        self._child.kill()
        status = self._child.wait()
        for ticket in list(self._questions):
            waiting = self._questions.pop(ticket, None)
            if waiting is not None:
                waiting.error = EngineLost(_LOST)
                waiting.done.set()
        self._connection.close()
        if not self._ending:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            self._engine.lose(self, f"the media engine's process {self._child.pid} ended with {how}")

    def end(self) -> None:
        """Have the engine complete its recordings, and wait for its process to end."""
        self._ending = True
        self.send(message.End())
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def kill(self) -> None:
        """End the process without waiting for what it does."""
        self._child.kill()


class _Pickler(pickle.Pickler):
    """Pickles commands: sound by its place in shared memory, recordings by number, nothing that media does not know."""

    def __init__(self, file: io.BytesIO, process: _Process) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._process = process
        self.descriptors: list[int] = []

    def persistent_id(self, obj: object) -> object:
        if type(obj) is Samples and 2 * (obj.length or 0) >= _SHARED_FROM:
            return self._process.place(obj)
        if isinstance(obj, Live):
            self._process.introduce(obj)
            return ("live", obj.number)
        if isinstance(obj, RemoteRecording):
            return ("recording", obj.number)
        if isinstance(obj, _HostSink):
            return ("sink", obj.tap)
        if isinstance(obj, socket.socket):
            self.descriptors.append(obj.fileno())
            return ("socket",)
        return None

    def reducer_override(self, obj: object) -> Any:
        # Classes and functions are asked about, too: those that make up what is unpickled.
        if isinstance(obj, type | FunctionType) and not f"{obj.__module__}.".startswith(_KNOWN):
            raise TypeError(f"{obj.__module__}.{obj.__qualname__} cannot go to the media engine's process")
        return NotImplemented


class _HostSink:
    """Stands for a sink that stays in the host's process."""

    def __init__(self, tap: int) -> None:
        self.tap = tap

    def write(self, samples: object) -> None:
        """Belongs to the other process."""
        raise TypeError("a sink of the host's process takes its audio there")


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
        self._process: _Process | None = None
        self._homes: dict[int, _Process] = {}
        self._mixers: dict[int, _Process] = {}
        self._ended: dict[int, tuple[int, int]] = {}
        self._playbacks: dict[int, _Process] = {}
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

        Raises TransportError when there is no port and CodecError for a codec that there is not.
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

    def _settle_in(self, process: _Process, line: int, rate: int, notify: Callable[[Notice], object]) -> None:
        process.notify[line] = notify
        process.rates[line] = rate
        self._homes[line] = process

    def _forget_line(self, process: _Process, line: int) -> None:
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
                command = replace(command, sink=_HostSink(command.tap))
            case commands.Untap():
                process.sinks.pop(command.tap, None)
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
                command = replace(command, sink=_HostSink(command.tap))
            case commands.MixerUntap():
                process.sinks.pop(command.tap, None)
            case commands.CloseMixer():
                self._mixers.pop(command.mixer, None)
                process.notify.pop(command.mixer, None)
                process.rates.pop(command.mixer, None)
        process.send(command)

    def _note_playback(self, playback: int, process: _Process) -> None:
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

    def recording(self, path: str, rate: int, channels: int = 1, append: bool = False) -> RemoteRecording:
        """Open a recording for a tap; RecordingError as `media.recording.Recording` raises it."""
        process, number = self._running(), self.next_number()
        try:
            process.ask(message.OpenRecording(number, path, rate, channels, append))
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

    def lose(self, process: _Process, text: str) -> None:
        """Take that a process ended by itself."""
        with self._lock:
            if self._process is process:
                self._process = None
            lines = {number for number, home in self._homes.items() if home is process}
            for number in lines:
                self._homes.pop(number, None)
            for number in [number for number, home in self._mixers.items() if home is process]:
                self._mixers.pop(number, None)
        self._lost(text, lines)

    def _running(self) -> _Process:
        with self._lock:
            if self._closed:
                raise EngineLost("the media engine is closed")
            if self._process is None or self._process.lost:
                self._process = _Process(self)
            return self._process
