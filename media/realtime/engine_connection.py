"""The connection to one run of the media engine's process: starts it, sends commands, asks, delivers notices."""

from __future__ import annotations

import io
import itertools
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from media import command, rtp_transport
from media.command import Sink
from media.notice import Notice, PlaybackEnded
from media.realtime import message, wire
from media.realtime.command_pickler import CommandPickler
from media.realtime.engine_lost import EngineLost
from media.realtime.quick_pickling import pickle_quickly
from media.realtime.sound_memory import ROOM_BYTES, Extents, SoundMemory, open_memory
from media.source import Live, Samples

pickle_quickly(message, command, rtp_transport)

_LOST: Final = "the media engine's process is gone"

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from media.realtime.process import main; main()"
)


class Owner(Protocol):
    """Who is told what the process tells."""

    @property
    def tell(self) -> Callable[[str], object]:
        """What is called with what goes wrong in the engine."""

    def note_end(self, playback: int, progress: tuple[int, int]) -> None:
        """Keep where a playback was when it ended."""

    def lose(self, connection: EngineConnection, text: str) -> None:
        """Take that the process ended by itself."""


class _Waiting:
    """Somebody who waits for an answer."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: object = None
        self.error: Exception | None = None


class EngineConnection:
    """One run of the engine's process, from its first line to its end."""

    def __init__(self, owner: Owner) -> None:
        """Start the process."""
        self._owner = owner
        self._lock = threading.Lock()
        self._tickets = itertools.count()
        self._questions: dict[int, _Waiting] = {}
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
                    # OpenBLAS's threads would wait for each other longer than products within a tick take.
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
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
        pickler = CommandPickler(packed, self)
        pickler.dump(told)
        try:
            wire.send(self._connection, packed.getvalue(), pickler.descriptors)
        except OSError:
            self.lost = True  # the reader tells it

    def ask(self, question: message.Question) -> object:
        """Return the engine's answer; raises what it raised, EngineLost when there is no engine."""
        ticket, waiting = next(self._tickets), _Waiting()
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
                        self._owner.note_end(told.notice.playback, told.progress)
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
                    self._owner.tell(told.text)
        except Exception as error:  # one call's fault must not keep notices from the others
            self._owner.tell(f"a notice of the media engine was not taken: {error!r}")

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
            self._owner.lose(self, f"the media engine's process {self._child.pid} ended with {how}")

    def end(self) -> None:
        """Have the engine complete its recordings, and wait for its process to end."""
        self._ending = True
        self.send(message.End())
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def kill(self) -> None:
        """End the process without waiting for what it does."""
        self._child.kill()
