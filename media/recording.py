"""Recordings: sinks that leave a playable file behind, whatever happens to the process."""

from __future__ import annotations

import os
import stat
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from media import sndfile
from media.opening_error import OpeningError
from media.recording_form import PLAIN, RecordingForm
from media.resample import StreamResampler

# Containers whose header can be brought up to date while the file grows.
_LIVE_HEADERS = frozenset({"wav", "wavex", "wav64", "rf64", "aiff", "au", "caf"})
# Containers whose tags go behind the sound: with tags before it libsndfile cannot continue a file.
_TAGS_BEHIND = frozenset({"wav", "wavex", "rf64"})


class RecordingError(OpeningError):
    """A file that cannot be recorded to: `path`, and why in `reason`."""


class Recorder(Protocol):
    """A recording that an engine writes: what is steered while a tap feeds it."""

    path: str
    rate: int
    channels: int

    @property
    def samples(self) -> int:
        """How many samples were recorded so far, pauses not counted."""

    def write(self, samples: NDArray[np.int16]) -> None:
        """Take int16 of shape (n,) for one channel, (n, channels) for more."""

    def pause(self) -> None:
        """Leave out what is heard from now on."""

    def resume(self) -> None:
        """End a pause."""

    def mask(self) -> None:
        """Record silence from now on."""

    def unmask(self) -> None:
        """End a mask."""

    def close(self) -> None:
        """Complete the file; may be called more than once. Raises RecordingError."""


class Recording:
    """A sound file being written, its kind told by the ending of its name (`media.sndfile.WRITABLE`).

    A WAV, AIFF, AU or CAF file is valid between any two writes, from the first moment on and also when
    the process is killed; headerless files always are; the compressed kinds only after `close`.

    With `append` an existing file is continued, with `form.over` written over; it keeps its own rate, sound is
    resampled to it.
    Raises RecordingError for a missing folder, an unwritable path, an unknown ending, or a file to
    continue that has other channels or cannot be continued. Belongs to one thread at a time.
    """

    def __init__(
        self, path: str, rate: int, channels: int = 1, append: bool = False, form: RecordingForm = PLAIN
    ) -> None:
        self.path = path
        self.rate = rate
        self.channels = channels
        self.samples = 0
        self._paused = False
        self._masked = False
        self._file: sndfile.Sndfile | None = None
        ending = sndfile.ending(path)
        kind = sndfile.WRITABLE.get(ending)
        if kind is None or not sndfile.knows(kind.major):
            raise RecordingError(path, f"Invalid file format [{ending}]")
        written = 2 if form.side is not None else channels
        if kind.mono and written != 1:
            raise RecordingError(path, f"{ending} holds one channel only")
        if _is_pipe(path):
            raise RecordingError(path, "is not a regular file")
        keeps = (append or form.over) and _has_content(path)
        try:
            file = sndfile.Sndfile(path, "rw" if keeps else "w", kind, form.rate or rate, written)
        except sndfile.SndfileError as error:
            raise RecordingError(path, str(error)) from None
        if file.channels != written:
            file.close()
            raise RecordingError(path, f"the file has {file.channels} channels, not {written}")
        self._file = file
        self._resampler = StreamResampler(rate, file.rate, written) if file.rate != rate else None
        self._swapped = form.swapped and channels == 2
        self._side = form.side
        self._tags = form.tags
        try:
            if keeps and append:
                file.seek_to_end()
            elif keeps:
                file.seek_to_start()
            if kind.major not in _TAGS_BEHIND:
                self._tag(file)
            if kind.major in _LIVE_HEADERS:
                file.keep_header_valid()
        except sndfile.SndfileError as error:
            file.close()
            raise RecordingError(path, str(error)) from None

    @property
    def closed(self) -> bool:
        return self._file is None

    @property
    def seconds(self) -> float:
        """How much this recording has added to its file."""
        return self.samples / self.rate

    def pause(self) -> None:
        """What is written from now on is left out."""
        self._paused = True

    def resume(self) -> None:
        """Ends a pause."""
        self._paused = False

    def mask(self) -> None:
        """What is written from now on becomes silence of the same length."""
        self._masked = True

    def unmask(self) -> None:
        """Ends a mask."""
        self._masked = False

    def write(self, samples: NDArray[np.int16]) -> None:
        """Adds int16 of shape (n,) for one channel, (n, channels) for more.

        Raises RecordingError once closed, when the disk is full, or for a block of another shape.
        """
        if self._file is None:
            raise RecordingError(self.path, "the recording is closed")
        if samples.shape[1:] != (() if self.channels == 1 else (self.channels,)):
            raise RecordingError(self.path, f"a block of shape {samples.shape} for {self.channels} channels")
        if self._paused or not len(samples):
            return
        if self._masked:
            samples = np.zeros_like(samples)
        elif self._swapped:
            samples = samples[:, ::-1]
        if self._side is not None:
            silent = np.zeros_like(samples)
            samples = np.column_stack((samples, silent) if self._side == "left" else (silent, samples))
        self._put(self._file, samples if self._resampler is None else self._resampler.feed(samples))
        self.samples += len(samples)

    def close(self) -> None:
        """Completes the file. May be called more than once."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if self._resampler is not None:
                self._put(file, self._resampler.flush())
        finally:
            file.close()

    def _put(self, file: sndfile.Sndfile, sound: NDArray[np.int16]) -> None:
        try:
            if len(sound):
                file.write(sound)
                self._tag(file)
        except sndfile.SndfileError as error:
            raise RecordingError(self.path, str(error)) from None

    def _tag(self, file: sndfile.Sndfile) -> None:
        """Puts the tags into the file, once."""
        tags, self._tags = self._tags, {}
        for name, text in tags.items():
            file.tag(name, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_pipe(path: str) -> bool:
    """Whether opening the path would wait for a reader."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except (OSError, ValueError):
        return False
