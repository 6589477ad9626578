"""Sound files as sources: decoded and resampled once, then shared by every line that plays them."""

from __future__ import annotations

import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from math import gcd

import numpy as np
from numpy.typing import NDArray

from media import sndfile
from media.mix import downmix
from media.opening_error import OpeningError
from media.resample import resample
from media.source import Samples, Source, within

# Files up to so long are decoded whole. Prompts are seconds long; decoding five minutes takes some 0.1 s,
# more would hold up the line that waits for its first sample.
HELD_SECONDS = 300

# What is decoded of longer files at a time (48 kHz: 0.7 ms, in which nothing else is played), and how much beside it
# the resampling filter looks at.
BLOCK_SECONDS = 2
MARGIN_SECONDS = 0.1

# Decoded sound kept for the next player: two hours at 8 kHz, ten long-playing hosts fit into a small machine.
CACHE_BYTES = 128 * 1024 * 1024

# A block of a long file weighs little but saves a seek; two lines at different places need two.
_BLOCKS_KEPT = 4

# Frames decoded at a time when a file is read whole: a header that promises too much costs no more than this.
_READ_FRAMES = 1 << 20

# FreeSWITCH: a file is first looked for in the folder named after the call's rate, then in these, then itself.
_RATE_FOLDERS = (48000, 32000, 16000, 8000)

_Key = tuple[str, int, int, int]


class FileError(OpeningError):
    """A sound file that cannot be played: `path`, and why in `reason`."""


def locate(path: str, rate: int) -> str:
    """The file that FreeSWITCH would open for `path`: `digits/16000/7.wav` before `digits/7.wav`."""
    folder, name = os.path.split(path)
    if folder:
        for choice in (rate, *_RATE_FOLDERS):
            candidate = os.path.join(folder, str(choice), name)
            if os.path.isfile(candidate):
                return candidate
    return path


def load(path: str, rate: int) -> Source:
    """A sound file as a source of `rate`: mono (channels added up), shared with all who load the same file.

    The kind of file is found by its content, but for headerless ones, which are known by the ending of
    their name (`media.sndfile.HEADERLESS`). Raises FileError for a file that is missing, unreadable,
    empty of meaning or of a kind that libsndfile does not know.
    """
    path = locate(path, rate)
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise FileError(path, f"System error : {getattr(error, 'strerror', error)}.") from None
    if stat.S_ISDIR(found.st_mode):
        raise FileError(path, "is a directory not a file")
    if not stat.S_ISREG(found.st_mode):
        raise FileError(path, "is not a regular file")
    key = (os.path.realpath(path), found.st_mtime_ns, found.st_size, rate)
    held = _cache.get(key)
    if held is None:
        held = _decode(path, rate)
        _cache.put(key, held)
    return held


def _decode(path: str, rate: int) -> Samples | LongFile:
    form = sndfile.HEADERLESS.get(sndfile.ending(path))
    if form is None and sndfile.ending(path) == "mp3" and not sndfile.knows("mpeg"):
        return Samples(_decode_with_av(path, rate), rate)
    try:
        file = sndfile.Sndfile(path, "r", form, (form and form.rate) or rate)
    except sndfile.SndfileError as error:
        raise FileError(path, str(error)) from None
    if file.seekable and file.frames > HELD_SECONDS * file.rate:
        return LongFile(path, file, rate)
    try:
        sound = downmix(_read_all(file))
    except sndfile.SndfileError as error:
        raise FileError(path, str(error)) from None
    else:
        tags = file.tags()
    finally:
        file.close()
    return Samples(resample(sound, file.rate, rate), rate, tags)


def _read_all(file: sndfile.Sndfile) -> NDArray[np.int16]:
    """All frames, as many as there are, whatever the header says."""
    parts: list[NDArray[np.int16]] = []
    while len(part := file.read(_READ_FRAMES)):
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros((0, file.channels), np.int16)


def _decode_with_av(path: str, rate: int) -> NDArray[np.int16]:
    """mp3 for a libsndfile from before 1.1; channels averaged, as PyAV does it."""
    try:
        import av
    except ImportError:
        raise FileError(path, "mp3 needs libsndfile 1.1 or the extra moonline[av]") from None
    parts: list[NDArray[np.int16]] = []
    try:
        with av.open(os.fsencode(path).decode("utf-8", "surrogateescape")) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in container.decode(audio=0):
                parts += [made.to_ndarray()[0] for made in resampler.resample(frame)]
            parts += [made.to_ndarray()[0] for made in resampler.resample(None)]
    except (av.FFmpegError, IndexError, OSError, UnicodeError) as error:
        raise FileError(path, str(error)) from None
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class LongFile:
    """A file too long to hold: a source that decodes the block that is asked for. Safe between threads.

    It keeps the file open, so that a file replaced meanwhile plays on as it was.
    """

    def __init__(self, path: str, file: sndfile.Sndfile, rate: int) -> None:
        self.rate = rate
        self.length: int | None = -(-file.frames * rate // file.rate)
        self.tags = file.tags()
        self._path = path
        self._file = file
        self._lock = threading.Lock()
        # Blocks and margins are whole numbers of samples at both rates, so that blocks join without a seam.
        common = gcd(file.rate, rate)
        self._unit_in, self._unit_out = file.rate // common, rate // common
        self._block_units = max(1, BLOCK_SECONDS * common)
        self._margin_units = max(1, round(MARGIN_SECONDS * common))
        self._blocks: OrderedDict[int, NDArray[np.int16]] = OrderedDict()

    def __reduce__(self) -> tuple[Callable[[str, int], Source], tuple[str, int]]:
        # Another process opens the file for itself.
        return load, (self._path, self.rate)

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        wanted = within(self.length, start, count)
        size = self._block_units * self._unit_out
        parts: list[NDArray[np.int16]] = []
        while wanted:
            index, inside = divmod(start, size)
            part = self._block(index)[inside : inside + wanted]
            parts.append(part)
            start += len(part)
            wanted -= len(part)
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _block(self, index: int) -> NDArray[np.int16]:
        with self._lock:
            block = self._blocks.get(index)
            if block is None:
                block = self._blocks[index] = self._decode(index)
                if len(self._blocks) > _BLOCKS_KEPT:
                    self._blocks.popitem(last=False)
            else:
                self._blocks.move_to_end(index)
            return block

    def _decode(self, index: int) -> NDArray[np.int16]:
        """The samples of a block; silence in place of what the file promised and does not hold."""
        first = index * self._block_units
        margin = min(first, self._margin_units)
        units = self._block_units + self._margin_units + margin
        wanted = units * self._unit_in
        try:
            self._file.seek((first - margin) * self._unit_in)
            sound = downmix(self._file.read(wanted))
        except sndfile.SndfileError:
            sound = np.zeros(0, np.int16)
        if len(sound) < wanted:
            sound = np.pad(sound, (0, wanted - len(sound)))
        made = resample(sound, self._file.rate, self.rate)
        return made[margin * self._unit_out :][: self._block_units * self._unit_out]


class _Cache:
    """Decoded files, the least recently played forgotten first. Safe between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, Samples | LongFile] = OrderedDict()
        self._bytes = 0

    def get(self, key: _Key) -> Samples | LongFile | None:
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def put(self, key: _Key, source: Samples | LongFile) -> None:
        with self._lock:
            former = self._held.pop(key, None)
            if former is not None:
                self._bytes -= _weight(former)
            self._held[key] = source
            self._bytes += _weight(source)
            while self._bytes > self._limit and self._held:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= _weight(oldest)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._bytes = 0


def _weight(source: Samples | LongFile) -> int:
    """Bytes that a source holds, or may come to hold."""
    if isinstance(source, LongFile):
        return 2 * _BLOCKS_KEPT * BLOCK_SECONDS * source.rate
    return 2 * (source.length or 0)


_cache = _Cache(CACHE_BYTES)


def forget() -> None:
    """Empties the cache of decoded files; sources that are playing play on."""
    _cache.clear()
