"""Sound files as libsndfile (through pysndfile) opens them: a typed face, and FreeSWITCH's names of formats."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pysndfile import PySndfile, construct_format, get_sndfile_formats

# More of a tag than that readers of WAV files may not take (libsndfile 1.0.28: 2040 bytes).
LONGEST_TAG = 2040

# What a header may claim and still be worth decoding: above any studio format.
RATE_LIMIT = 384_000
CHANNEL_LIMIT = 16


class SndfileError(Exception):
    """libsndfile's words for why a file cannot be opened, read or written."""


@dataclass(frozen=True, slots=True)
class Format:
    """A container and an encoding by pysndfile's names; `rate` where a headerless file has its own."""

    major: str
    encoding: str
    rate: int | None = None
    mono: bool = False


# FreeSWITCH (mod_sndfile): headerless files, told by the ending of their name alone. Mono when read.
HEADERLESS = {
    "raw": Format("raw", "pcm16", 8000),
    "r8": Format("raw", "pcm16", 8000),
    "r16": Format("raw", "pcm16", 16000),
    "r24": Format("raw", "pcm24", 24000),
    "r32": Format("raw", "pcm32", 32000),
    "ul": Format("raw", "ulaw", 8000),
    "ulaw": Format("raw", "ulaw", 8000),
    "al": Format("raw", "alaw", 8000),
    "alaw": Format("raw", "alaw", 8000),
    "gsm": Format("raw", "gsm610", 8000, mono=True),
    "vox": Format("raw", "vox_adpcm", 8000, mono=True),
}

WRITABLE = HEADERLESS | {
    "wav": Format("wav", "pcm16"),
    "wavex": Format("wavex", "pcm16"),
    "w64": Format("wav64", "pcm16"),
    "rf64": Format("rf64", "pcm16"),
    "aif": Format("aiff", "pcm16"),
    "aiff": Format("aiff", "pcm16"),
    "au": Format("au", "pcm16"),
    "caf": Format("caf", "pcm16"),
    "flac": Format("flac", "pcm16"),
    "oga": Format("ogg", "vorbis"),
    "ogg": Format("ogg", "vorbis"),
    "opus": Format("ogg", "opus"),
    "mp3": Format("mpeg", "mp3"),
}

_REASON = re.compile(r"->b?['\"](.*?)\.?['\"]\s*$", re.DOTALL)


def ending(path: str) -> str:
    """The ending of a file name without its dot, in lower case; empty where there is none."""
    return os.path.splitext(path)[1][1:].lower()


def knows(major: str) -> bool:
    """Whether this libsndfile has the container (mp3 came with 1.1)."""
    return major in get_sndfile_formats()


class Sndfile:
    """An open sound file. Sound is int16 of shape (frames, channels). Not to be shared between threads.

    `mode` is "r", "w" (emptied first) or "rw" (as it is, to be continued). A file with a header keeps
    the rate and channels written there, whatever was asked. Raises SndfileError.
    """

    def __init__(
        self,
        path: str,
        mode: Literal["r", "w", "rw"] = "r",
        form: Format | None = None,
        rate: int = 8000,
        channels: int = 1,
    ) -> None:
        try:
            if form is None:
                self._file = PySndfile(os.fsencode(path), mode)
            else:
                number = construct_format(form.major, form.encoding)
                self._file = PySndfile(os.fsencode(path), mode, number, channels, rate)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise SndfileError(_reason(error)) from None
        self.rate = int(self._file.samplerate())
        self.channels = int(self._file.channels())
        self.frames = int(self._file.frames())
        self.seekable = bool(self._file.seekable())
        self._position = 0
        if not (0 < self.rate <= RATE_LIMIT and 0 < self.channels <= CHANNEL_LIMIT):
            self.close()
            raise SndfileError(f"{self.channels} channels at {self.rate} Hz are no telephone sound")
        self._lossy_mpeg = self._file.major_format_str() == "mpeg"
        if mode == "r" and not self._lossy_mpeg:
            # FreeSWITCH: floating-point sound (float WAV, Vorbis, Opus) is scaled so that its loudest
            # sample fills the 16 bits; mp3, which another module plays there, is not.
            self._file.command("SFC_SET_SCALE_FLOAT_INT_READ", 1)

    def read(self, frames: int) -> NDArray[np.int16]:
        """The next frames; fewer where the file ends sooner or is damaged from there on."""
        frames = min(frames, self.frames - self._position)
        if frames <= 0:
            return np.zeros((0, self.channels), np.int16)
        try:
            sound: NDArray[np.int16]
            if self._lossy_mpeg:
                exact = self._file.read_frames(frames, dtype=np.float32, fill_value=0)
                scaled = np.rint(np.asarray(exact) * 32768)
                sound = np.clip(scaled, -32768, 32767).astype(np.int16)
            else:
                sound = self._file.read_frames(frames, dtype=np.int16, fill_value=0)
        except EOFError:
            return np.zeros((0, self.channels), np.int16)
        except (OSError, RuntimeError) as error:
            raise SndfileError(_reason(error)) from None
        # What is missing was filled up; where libsndfile stands now tells how much there really was.
        reached = self._file.seek(0, os.SEEK_CUR, "r") if self.seekable else self._position + frames
        count = max(0, min(frames, int(reached) - self._position))
        self._position += count
        return sound.reshape(-1, self.channels)[:count]

    def seek(self, frame: int) -> None:
        """To a frame counted from the start. Raises SndfileError where that cannot be done."""
        try:
            reached = self._file.seek(frame, os.SEEK_SET, "r")
        except (OSError, RuntimeError) as error:
            raise SndfileError(_reason(error)) from None
        if reached != frame:
            raise SndfileError(f"cannot seek to frame {frame}")
        self._position = frame

    def seek_to_end(self) -> None:
        """Writes what follows behind what is there. Raises SndfileError."""
        self._seek_both(os.SEEK_END)

    def seek_to_start(self) -> None:
        """Writes what follows over what is there. Raises SndfileError."""
        self._seek_both(os.SEEK_SET)

    def tag(self, name: str, text: str) -> None:
        """Puts text into the file: a "title", "copyright", "software", "artist", "comment" or "date".

        It goes to the beginning of the file, behind the sound when some was written. What has no place in files of
        this kind is left out, and what is too long is cut.
        """
        encoded = text.partition("\0")[0].encode("utf-8", "surrogateescape")[:LONGEST_TAG]
        with contextlib.suppress(RuntimeError):  # no place for it
            if encoded:
                self._file.set_string(f"SF_STR_{name.upper()}", encoded)

    def tags(self) -> dict[str, str]:
        """The texts that the file has, by those names."""
        found: dict[str, bytes] = self._file.get_strings()
        return {
            name.removeprefix("SF_STR_").lower(): text.decode("utf-8", "surrogateescape")
            for name, text in found.items()
            if text
        }

    def _seek_both(self, whence: int) -> None:
        try:
            self._file.seek(0, whence, "rw")
        except (OSError, RuntimeError) as error:
            raise SndfileError(_reason(error)) from None

    def keep_header_valid(self) -> None:
        """Writes the header now, and again after every write, so that the file can be read meanwhile."""
        self._file.command("SFC_SET_UPDATE_HEADER_AUTO", 1)
        self._file.command("SFC_UPDATE_HEADER_NOW", 0)

    def write(self, sound: NDArray[np.int16]) -> None:
        """Adds frames. Raises SndfileError where not all of them could be written."""
        try:
            written = self._file.write_frames(np.ascontiguousarray(sound))
        except (OSError, RuntimeError) as error:
            raise SndfileError(_reason(error)) from None
        if written != len(sound):
            raise SndfileError(f"{written} of {len(sound)} frames written")

    def close(self) -> None:
        self._file.close()


def _reason(error: Exception) -> str:
    """libsndfile's own words out of pysndfile's."""
    found = _REASON.search(str(error))
    return found[1] if found else str(error)
