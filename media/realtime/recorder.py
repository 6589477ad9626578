"""The process that writes recordings, so that no disk can hold up the media engine's ticks.

libsndfile is called with Python's lock held, so a thread of the engine's process would not do. The engine sends
what its taps hear, without waiting; the recorder's process opens, writes and completes the files, and answers when
that is done. What waits between the two is bounded. When the engine is gone, however it went, the recorder writes
what it was sent and completes all files.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.realtime import wire
from media.recording import Recording, RecordingError
from media.recording_form import PLAIN, RecordingForm

# What may wait for the disk: 20 s of 200 stereo recordings at 8 kHz. A disk that is further behind will not recover.
MOST_WAITING: Final = 128 << 20

# Ticks that are written together, for a header is brought up to date with each write: 200 ms.
_TOGETHER: Final = 10

_TOO_SLOW: Final = "the disk is too slow"
_GONE: Final = "the process that writes recordings is gone"


@dataclass(frozen=True, slots=True)
class Open:
    """Open a recording; answered with 0 or RecordingError."""

    recording: int
    path: str
    rate: int
    channels: int
    append: bool
    form: RecordingForm = PLAIN


@dataclass(frozen=True, slots=True)
class Steer:
    """Pause, resume, mask or unmask from here on."""

    recording: int
    what: str


@dataclass(frozen=True, slots=True)
class Close:
    """Complete a recording; answered with its samples or RecordingError."""

    recording: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What taps heard in a tick: the recordings, how many bytes each gets, and the samples of all one after another."""

    recordings: list[int]
    sizes: list[int]
    samples: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to an `Open` or `Close`, in the order of those, or (`written`) why it cannot be written any more."""

    recording: int
    value: int = 0
    error: RecordingError | None = None
    written: bool = False


# What becomes of an answer: its value, or the error.
Answered = Callable[[int, "RecordingError | None"], object]


class RelayedRecording:
    """The engine's side of one recording: a tap's sink that sends on what it gets."""

    def __init__(self, recorder: Recorder, number: int, path: str, channels: int) -> None:
        self.samples = 0
        self.failed: RecordingError | None = None
        self._recorder = recorder
        self._number = number
        self.path = path
        self._channels = channels
        self._paused = False

    def write(self, samples: NDArray[np.int16]) -> None:
        """Send int16 of shape (n,) or (n, channels). Raises RecordingError for what an earlier block met."""
        if self.failed is not None:
            raise self.failed
        if samples.shape[1:] != (() if self._channels == 1 else (self._channels,)):
            raise RecordingError(self.path, f"a block of shape {samples.shape} for {self._channels} channels")
        if self._paused or not len(samples):
            return
        if self._recorder.waiting > MOST_WAITING:
            self.failed = RecordingError(self.path, _TOO_SLOW)
            raise self.failed
        self.samples += len(samples)
        self._recorder.hear([self._number], samples.tobytes())

    @staticmethod
    def write_many(
        recordings: Sequence[RelayedRecording], samples: NDArray[np.int16]
    ) -> list[tuple[int, RecordingError]]:
        """Send a block each to recordings of one recorder: int16 of shape (recordings, n) or (recordings, n, channels).

        Return the places of those that take no more, with what `write` would have raised.
        """
        recorder = recordings[0]._recorder
        channels = samples.shape[2] if samples.ndim == 3 else 1
        count, late = samples.shape[1], recorder.waiting > MOST_WAITING
        numbers: list[int] = []
        others: list[int] = []
        for place, recording in enumerate(recordings):
            if late or recording._paused or recording.failed is not None or recording._channels != channels:
                others.append(place)
            else:
                recording.samples += count
                numbers.append(recording._number)
        if numbers:
            taken = np.delete(samples, others, axis=0) if others else samples
            recorder.hear(numbers, taken.tobytes())
        failed: list[tuple[int, RecordingError]] = []
        for place in others:
            try:
                recordings[place].write(samples[place])
            except RecordingError as error:
                failed.append((place, error))
        return failed

    def steer(self, what: str) -> None:
        """Pause, resume, mask or unmask."""
        if what in ("pause", "resume"):
            self._paused = what == "pause"
        else:
            self._recorder.tell(Steer(self._number, what))


class Recorder:
    """The engine's side of the recorder's process: never waits, but for `end`."""

    def __init__(self, connection: socket.socket, process: int) -> None:
        self._connection = connection
        self.process = process
        self._outbox = wire.Outbox(connection)
        self._frames = wire.Frames()
        self._recordings: dict[int, RelayedRecording] = {}
        # Whom the answers are for that are still to come, in their order.
        self._asked: deque[tuple[str, Answered]] = deque()
        self._lost = False
        # What was heard since the last message, as much of each of some recordings, and its bytes.
        self._heard: list[tuple[list[int], bytes]] = []
        self._heard_bytes = 0

    @property
    def waiting(self) -> int:
        """Bytes that wait for the recorder, besides those in the kernel."""
        return self._outbox.waiting + self._heard_bytes

    def __getitem__(self, recording: int) -> RelayedRecording:
        return self._recordings[recording]

    def get(self, recording: int) -> RelayedRecording | None:
        """Return a recording that is open or about to be."""
        return self._recordings.get(recording)

    def open(self, wanted: Open, answered: Answered) -> None:
        """Have a recording opened."""
        self._recordings[wanted.recording] = RelayedRecording(
            self, wanted.recording, wanted.path, wanted.channels
        )
        self._ask(wanted, wanted.path, answered)

    def close(self, recording: int, answered: Answered) -> None:
        """Have a recording completed; KeyError when there is none."""
        closed = self._recordings.pop(recording)
        closed.failed = RecordingError(closed.path, "the recording is closed")
        self._ask(Close(recording), closed.path, answered)

    def _ask(self, what: Open | Close, path: str, answered: Answered) -> None:
        self._asked.append((path, answered))
        self.tell(what)
        self.flush()
        if self._lost:
            self._lose()

    def hear(self, recordings: list[int], samples: bytes) -> None:
        """Queue samples for recordings, as many for each; those of a tick go together."""
        self._heard.append((recordings, samples))
        self._heard_bytes += len(samples)

    def tell(self, told: object) -> None:
        """Queue something for the recorder, behind what was heard."""
        self._gather()
        self._outbox.put(pickle.dumps(told, pickle.HIGHEST_PROTOCOL))

    def _gather(self) -> None:
        heard, self._heard, self._heard_bytes = self._heard, [], 0
        if heard:
            together = Heard(
                [recording for recordings, _ in heard for recording in recordings],
                [
                    len(samples) // len(recordings)
                    for recordings, samples in heard
                    for _ in range(len(recordings))
                ],
                b"".join([samples for _, samples in heard]),
            )
            self._outbox.put(pickle.dumps(together, pickle.HIGHEST_PROTOCOL))

    def flush(self) -> None:
        """Send as much as the recorder takes now."""
        self._gather()
        self._outbox.flush()

    def receive(self) -> None:
        """Take the answers that have come."""
        received = b"" if self._lost else wire.receive(self._connection)
        if received is None:
            self._lose()
            return
        for frame in self._frames.feed(received):
            done = pickle.loads(frame)
            if done.written:
                recording = self._recordings.get(done.recording)
                if recording is not None:
                    recording.failed = done.error
                continue
            if done.error is not None:
                self._recordings.pop(done.recording, None)
            _, answered = self._asked.popleft()
            answered(done.value, done.error)

    def _lose(self) -> None:
        """Take that the recorder's process is gone: nothing can be recorded any more."""
        self._lost = True
        for recording in self._recordings.values():
            recording.failed = RecordingError(recording.path, _GONE)
        while self._asked:
            path, answered = self._asked.popleft()
            answered(0, RecordingError(path, _GONE))

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What is readable when there is something to `receive`."""
        return () if self._lost else (self._connection.fileno(),)

    @property
    def full(self) -> tuple[int, ...]:
        """What is writable when there is something to `flush` that did not go before."""
        return () if self._lost or not self._outbox.waiting else (self._connection.fileno(),)

    def end(self) -> None:
        """Have all recordings completed, and wait for that."""
        self._gather()
        self._connection.setblocking(True)
        self._outbox.flush()
        with contextlib.suppress(OSError):  # the recorder has died, so there is nothing to complete
            self._connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
            os.waitpid(self.process, 0)
        self._connection.close()


def start_recorder(keeps_not: Sequence[int] = ()) -> Recorder:
    """Start the recorder's process, before there are threads; descriptors it must not keep open are named.

    Among those is the standard input, which is the engine's connection.
    """
    ours, theirs = wire.pair()
    process = os.fork()
    if not process:
        status = 1
        try:
            ours.close()
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.close(null)
            for descriptor in keeps_not:
                os.close(descriptor)
            _Writer(theirs).run()
            status = 0
        finally:
            os._exit(status)
    theirs.close()
    ours.setblocking(False)
    return Recorder(ours, process)


class _Writer:
    """What the recorder's process does."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._recordings: dict[int, Recording] = {}
        self._failed: set[int] = set()
        # Samples that came since the last write, by recording: one write for all that waited.
        self._gathered: dict[int, list[memoryview]] = {}
        self._ticks = 0  # since the last write

    def run(self) -> None:
        """Write until the engine is gone, then complete all files."""
        frames = wire.Frames()
        while (received := wire.receive(self._connection)) is not None:
            for frame in frames.feed(received):
                self._take(pickle.loads(frame))
            if self._ticks >= _TOGETHER:
                self._write_all()
        self._write_all()
        for recording in self._recordings.values():
            with contextlib.suppress(RecordingError):  # there is no engine any more to be told
                recording.close()

    def _write_all(self) -> None:
        self._ticks = 0
        for number in list(self._gathered):
            self._write(number)

    def _gather(self, heard: Heard) -> None:
        samples, at = memoryview(heard.samples), 0
        for number, size in zip(heard.recordings, heard.sizes, strict=True):
            self._gathered.setdefault(number, []).append(samples[at : at + size])
            at += size
        self._ticks += 1

    def _take(self, told: object) -> None:
        match told:
            case Heard():
                self._gather(told)
            case Open():
                try:
                    self._recordings[told.recording] = Recording(
                        told.path, told.rate, told.channels, told.append, told.form
                    )
                    self._tell(Done(told.recording))
                except RecordingError as error:
                    self._tell(Done(told.recording, error=error))
            case Steer():
                self._write(told.recording)
                recording = self._recordings.get(told.recording)
                if recording is not None:
                    getattr(recording, told.what)()
            case Close():
                self._write(told.recording)
                self._close(told.recording)

    def _write(self, number: int) -> None:
        blocks, recording = self._gathered.pop(number, None), self._recordings.get(number)
        if not blocks or recording is None or number in self._failed:
            return
        samples = np.frombuffer(b"".join(blocks), np.int16)
        try:
            recording.write(samples if recording.channels == 1 else samples.reshape(-1, recording.channels))
        except RecordingError as error:
            self._failed.add(number)
            self._tell(Done(number, error=error, written=True))

    def _close(self, number: int) -> None:
        recording = self._recordings.pop(number, None)
        self._failed.discard(number)
        if recording is None:  # it could not be opened
            self._tell(Done(number))
            return
        try:
            recording.close()
            self._tell(Done(number, recording.samples))
        except RecordingError as error:
            self._tell(Done(number, error=error))

    def _tell(self, done: Done) -> None:
        with contextlib.suppress(
            OSError
        ):  # the engine is gone: what came before that is written all the same
            wire.send(self._connection, pickle.dumps(done, pickle.HIGHEST_PROTOCOL), ())
