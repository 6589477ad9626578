"""The media engine's process: takes commands, moves all lines every 20 ms, sends notices.

It is started with its end of the host's connection as standard input and the descriptor of the shared sound
memory as argument, and ends when the connection does: recordings, which a process of its own writes, are completed
even when the host was killed.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media import call_quality, engine_status, notice, rtp_transport
from media.command import Command, MixerCommand
from media.engine import Engine
from media.engine_status import EngineStatus
from media.kept_memory import keep_freed_memory
from media.notice import Notice, PlaybackEnded
from media.realtime import message, recorder, wire
from media.realtime.pace import Pace, wall
from media.realtime.packet_relays import PacketRelays
from media.realtime.placed_samples import PlacedSamples
from media.realtime.quick_pickling import pickle_quickly
from media.realtime.recorder import Recorder, start_recorder
from media.realtime.rtp_lines import RtpLines
from media.realtime.sound_memory import SoundMemory
from media.realtime.webrtc_path import load_libraries
from media.recording import RecordingError
from media.rtp_transport import Address
from media.source import Live

pickle_quickly(message, notice, rtp_transport, call_quality, engine_status)

# Lines, playbacks and notices hold each other in no cycles worth a stop of all calls; what there is goes this often.
_COLLECT_TICKS: Final = 500

# Where real time is not allowed.
_NICENESS: Final = -10


class HostSink:
    """The sink of a tap whose audio the host's process takes."""

    def __init__(self, tap: int, tell: Callable[[object], None]) -> None:
        self._tap = tap
        self._tell = tell

    def write(self, samples: NDArray[np.int16]) -> None:
        """Send the samples on, shape (n,) or (n, 2)."""
        channels = samples.shape[1] if samples.ndim > 1 else 1
        self._tell(message.Heard(self._tap, samples.tobytes(), channels))


class EngineProcess:
    """The engine with all that it shares with the host."""

    def __init__(self, connection: socket.socket, memory: SoundMemory, writer: Recorder) -> None:
        self._connection = connection
        self._outbox = wire.Outbox(connection)
        self._frames = wire.Frames()
        self._memory = memory
        self._rtp = RtpLines(memory.samples, wall, self._tell_fault)
        self._packets = PacketRelays()
        self.engine = Engine(on_fault=self._tell_fault, transports=self._rtp)
        self._recorder = writer
        self._sounds: dict[int, PlacedSamples] = {}
        self._lives: dict[int, Live] = {}
        self._descriptors: deque[int] = deque()
        self._running = True
        self._pace = Pace()  # last: the first tick is due from here on

    def run(self) -> None:
        """Work until the host ends it or is gone."""
        pace, descriptor = self._pace, self._connection.fileno()
        try:
            while self._running:
                due = pace.until_due(
                    descriptor,
                    *self._recorder.descriptors,
                    self._packets.descriptor,
                    writable=self._recorder.full,
                )
                self._receive()
                self._recorder.receive()
                if self._recorder.full:
                    self._recorder.flush()
                self._packets.forward()
                if due:
                    pace.begin()
                    try:
                        if len(self._rtp):
                            self.engine.settle()
                            self._rtp.receive()
                        self.engine.advance(pace.ticks * pace.tick)
                    except Exception as error:  # a fault of ours must not end every call
                        self._tell_fault("tick", error)
                    self._recorder.flush()
                    pace.end()
                    if pace.ticks % _COLLECT_TICKS == 0:
                        # All that lives is only looked at where there is time for it.
                        gc.collect(1 if self.engine.line_count else 2)
                self._outbox.flush()
        finally:
            self._recorder.end()

    # -- what comes from the host --------------------------------------------------------------------------------

    def _receive(self) -> None:
        while self._running:
            received = wire.receive(self._connection, self._descriptors)
            if received is None:
                self._running = False
                return
            if not received:
                return
            for frame in self._frames.feed(received):
                try:
                    self._take(_Unpickler(frame, self).load())
                except Exception as error:  # one wrong command must not end every call
                    self._tell_fault("command", error)

    def _take(self, taken: object) -> None:
        match taken:
            case message.OpenLine():
                number = taken.line
                self.engine.open_line(number, taken.rate, lambda notice: self._notify(number, notice))
            case message.OpenMixer():
                mixer = taken.mixer
                self.engine.open_mixer(
                    mixer,
                    taken.rate,
                    taken.interval,
                    lambda notice: self._notify(mixer, notice),
                    taken.comfort,
                )
            case message.Ask():
                self._answer(taken)
            case message.SteerRecording():
                recording = self._recorder.get(taken.recording)
                if recording is not None:
                    recording.steer(taken.what)
            case message.LiveIs():
                live = self._lives.get(taken.number)
                if live is None:
                    self._lives[taken.number] = Live(taken.source)
                else:
                    live.become(taken.source)
            case message.LiveGone():
                self._lives.pop(taken.number, None)
            case message.DebugCodec():
                self._rtp.debug_codec(taken.codec, taken.on)
            case message.DebugLine():
                self._rtp.debug_line(taken.line, taken.on)
            case message.ExpectBrowsers():
                load_libraries()
            case message.SetRelay():
                self._packets.set(taken.relay, taken.side, taken.ends)
            case message.CloseRelay():
                self._packets.close(taken.relay)
            case message.SoundGone():
                if self._sounds.pop(taken.sound, None) is None:  # its command never arrived
                    self._tell(message.SoundFree(taken.sound))
            case message.End():
                self._running = False
            case _:
                self._execute(taken)  # type: ignore[arg-type]

    def _execute(self, command: Command | MixerCommand) -> None:
        if isinstance(command, MixerCommand):
            self.engine.execute_in_mixer(command)
        else:
            self.engine.execute(command)

    def _answer(self, ask: message.Ask) -> None:
        def answered(value: int, error: RecordingError | None) -> None:
            ticket = ask.ticket
            self._tell(message.Answer(ticket, value) if error is None else message.Failure(ticket, error))

        try:
            match ask.question:
                case message.OpenRecording(number, path, rate, channels, append, form):
                    self._recorder.open(recorder.Open(number, path, rate, channels, append, form), answered)
                case message.CloseRecording(number):
                    self._recorder.close(number, answered)
                case question:
                    self._tell(message.Answer(ask.ticket, self._value(question)))
        except Exception as error:  # the host raises it where it was asked
            self._tell(message.Failure(ask.ticket, error))
        self._outbox.flush()

    def _value(self, question: message.Question) -> object:
        match question:
            case message.Progress():
                return self.engine.progress(question.playback)
            case message.Displaced():
                return self.engine.displaced(question.line, question.displacement)
            case message.MemberStatus():
                return self.engine.member_status(question.line)
            case message.Recorded():
                return self._recorder[question.recording].samples
            case message.AskStatus():
                status = self.status()
                if question.renew:
                    self._pace.renew()
                return status
            case message.OpenTransport():
                return self._open_transport(question)
            case message.WidenRelay():
                return self._packets.widen(
                    question.relay, question.addresses, question.ports, question.streams
                )
            case message.ReleaseTransport():
                self.engine.release_transport(question.line)
                return None
            case message.SetRate():
                return self.engine.set_rate(question.line, question.rate)
            case message.AskTransport():
                return self._rtp.report(question.line)
            case message.OpenRecording() | message.CloseRecording():
                raise TypeError("the recorder answers that")

    def _open_transport(self, question: message.OpenTransport) -> Address:
        number = question.line

        def notify(notice: Notice) -> None:
            self._notify(number, notice)

        address = self._rtp.open(number, question.transport, question.rate, notify)
        if not self.engine.renew_transport(number):
            self.engine.open_line(number, question.rate, notify, remote=True)
        return address

    def status(self) -> EngineStatus:
        """Return the figures so far."""
        pace = self._pace
        return EngineStatus(
            process=os.getpid(),
            lines=self.engine.line_count,
            ticks=pace.ticks,
            overruns=pace.overruns,
            skipped=pace.skipped,
            lateness_p50=pace.lateness(0.5),
            lateness_p99=pace.lateness(0.99),
            lateness_max=pace.most_late,
            busy=pace.busy,
            packets_received=self._rtp.packets_received,
            packets_sent=self._rtp.packets_sent,
            transports=len(self._rtp),
            relays=len(self._packets),
        )

    # -- what is found in messages -------------------------------------------------------------------------------

    def shared(self, name: tuple[object, ...]) -> object:
        """Return what stands for a shared sound, a recording or a sink of the host in a message."""
        match name:
            case ("sound", int(number), int(offset), int(length), int(rate)):
                sound = self._sounds.get(number)
                if sound is None:
                    sound = PlacedSamples(self._memory.at(offset, length), rate, offset)
                    self._sounds[number] = sound
                    weakref.finalize(sound, self._tell, message.SoundFree(number)).atexit = False
                return sound
            case ("recording", int(number)):
                return self._recorder[number]
            case ("sink", int(tap)):
                return HostSink(tap, self._tell)
            case ("live", int(number)):
                return self._lives[number]
            case ("socket",):
                return socket.socket(fileno=self._descriptors.popleft())
        raise pickle.UnpicklingError(f"{name} stands for nothing")

    # -- what goes to the host -----------------------------------------------------------------------------------

    def _notify(self, line: int, notice: Notice) -> None:
        progress = self.engine.progress(notice.playback) if isinstance(notice, PlaybackEnded) else None
        self._tell(message.Noticed(line, notice, progress))

    def _tell(self, told: object) -> None:
        self._outbox.put(pickle.dumps(told, pickle.HIGHEST_PROTOCOL))

    def _tell_fault(self, where: str, error: Exception) -> None:
        if isinstance(error, RecordingError):
            self._tell(message.Fault(str(error)))
        else:
            self._tell(
                message.Fault(f"media engine, {where}: {''.join(traceback.format_exception(error)).rstrip()}")
            )


class _Unpickler(pickle.Unpickler):
    def __init__(self, frame: bytes, process: EngineProcess) -> None:
        super().__init__(io.BytesIO(frame))
        self._process = process

    def persistent_load(self, pid: object) -> object:
        assert isinstance(pid, tuple)
        return self._process.shared(pid)


def main() -> None:
    """Run the engine of the host whose connection is standard input."""
    # What is typed at the terminal is meant for the host, which ends this process when it has hung up its calls.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory_descriptor = int(sys.argv[1])
    writer = start_recorder((memory_descriptor,))
    keep_freed_memory()
    _allow_descriptors()
    _take_precedence()
    memory = SoundMemory(memory_descriptor)
    os.close(memory_descriptor)
    connection = socket.socket(fileno=os.dup(0))
    connection.setblocking(False)
    gc.freeze()
    gc.disable()
    EngineProcess(connection, memory, writer).run()


def _allow_descriptors() -> None:
    """Have as many sockets as the system allows; each call takes two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # then the limit stays what it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _take_precedence() -> None:
    """Be served before the scripts, as far as the system allows it.

    FreeSWITCH: where there is more than one processor the switch runs in real time, unless it is told not to.
    """
    with contextlib.suppress(OSError):  # that takes a right which few have
        if (os.cpu_count() or 1) > 1:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            return
    with contextlib.suppress(OSError):  # nor may everybody do this
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
