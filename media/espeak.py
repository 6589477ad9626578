"""Speech by espeak-ng, from the shared library and the voices that espeakng-loader brings along.

espeak-ng keeps the state of its oscillators from one text to the next, nothing resets it, and its noise is seeded
with the time, so the same text would sound a little different each time. Therefore the library is loaded afresh for
each text (some 3 ms) and given a seed, which makes the samples depend on the text, the voice and the rate alone.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from media.resample import resample

# The values of espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_RATE_PARAMETER = 1
_PITCH_PARAMETER = 3

# espeak-ng speaks a page in a tenth of a second; a whole book as one prompt is a mistake.
TEXT_LIMIT = 20_000

# Words per minute at which espeak-ng speaks unless told otherwise, and what it can do.
DEFAULT_SPEED = 175
SPEED_RANGE = (80, 450)

# Spoken prompts kept: a menu tree's worth, some 100 kB each.
_KEPT = 256

_lock = threading.Lock()


class SpeechError(Exception):
    """Text that cannot be spoken, and why."""


@lru_cache(maxsize=_KEPT)
def synthesize(
    text: str, voice: str = "en", rate: int = 8000, speed: int = DEFAULT_SPEED, pitch: int = 50
) -> NDArray[np.int16]:
    """The text as int16 of shape (n,) at `rate`, read-only, without the silence at its ends.

    `voice` is a name or language of espeak-ng (`en`, `en-us`, `de`, `en+f3`), `speed` words per minute,
    `pitch` 0 … 100. The same arguments give the same samples, in every process. An empty text is an
    empty array. Raises SpeechError for a voice that espeak-ng does not have, a text of more than 20,000
    characters, and where espeakng-loader is not installed.
    """
    if len(text) > TEXT_LIMIT:
        raise SpeechError(f"a text of {len(text)} characters is too long to speak")
    # A NUL would end the text early, and bytes that are no UTF-8 cannot be spoken.
    spoken = text.replace("\0", " ").encode("utf-8", "replace")
    with _lock:
        sound, own_rate = _speak(spoken, voice, max(SPEED_RANGE[0], min(SPEED_RANGE[1], speed)), pitch)
    result = resample(_trimmed(sound), own_rate, rate)
    result.flags.writeable = False
    return result


def _speak(text: bytes, voice: str, speed: int, pitch: int) -> tuple[NDArray[np.int16], int]:
    library_path, data_path = _paths()
    if os.path.exists(os.path.join(data_path, "voices", "!v", os.path.basename(voice))):
        raise SpeechError(f"{voice!r} is a variant of a voice: write en+{voice}")  # espeak-ng would crash
    try:
        library = ctypes.CDLL(library_path)
    except OSError as error:
        raise SpeechError(f"espeak-ng cannot be loaded: {error}") from None
    parts: list[bytes] = []

    def collect(samples: int | None, count: int, events: int | None) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(collect)
    try:
        own_rate = library.espeak_Initialize(
            _SYNCHRONOUS, 0, data_path.encode("utf-8", "surrogateescape"), _DONT_EXIT
        )
        if own_rate <= 0:
            raise SpeechError("espeak-ng does not start: its data is missing")
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode("utf-8", "replace")):
            raise SpeechError(f"espeak-ng has no voice {voice!r}")
        library.espeak_SetParameter(_RATE_PARAMETER, speed, 0)
        library.espeak_SetParameter(_PITCH_PARAMETER, max(0, min(100, pitch)), 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # else breathy voices are seeded with the time
        zero = ctypes.c_void_p(None)
        failed = library.espeak_Synth(
            ctypes.c_char_p(text), ctypes.c_size_t(len(text) + 1), 0, 1, 0, _UTF8, zero, zero
        )
        if failed:
            raise SpeechError(f"espeak-ng cannot speak the text (error {failed})")
        library.espeak_Synchronize()
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)
    return np.frombuffer(b"".join(parts), np.int16), int(own_rate)


def _paths() -> tuple[str, str]:
    try:
        import espeakng_loader
    except ImportError:
        raise SpeechError("speech needs the package espeakng-loader: pip install espeakng-loader") from None
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()


def _trimmed(sound: NDArray[np.int16]) -> NDArray[np.int16]:
    """Without the digital silence before the first and after the last sound."""
    heard = np.flatnonzero(sound)
    return sound[heard[0] : heard[-1] + 1] if len(heard) else sound[:0]
