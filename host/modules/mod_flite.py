"""The speech engine `flite` with the voices kal, slt, rms and awb.

Where the program `flite` is not installed, espeak-ng speaks under its name with a voice of the same kind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes
from host.interfaces import SpeechInterface
from media.espeak import TEXT_LIMIT, SpeechError, synthesize
from media.soundfile import FileError
from media.soundfile import load as load_file
from media.source import Samples

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

# flite's voices: two American men, an American woman and a Scot.
VOICES: Final = {"kal": "en-us+m3", "rms": "en-us+m1", "slt": "en-us+f3", "awb": "en-gb-scotland"}

# Texts kept as spoken: a menu tree's worth, some 100 kB each.
_KEPT: Final = 256


def load(switch: Switch) -> None:
    """Register the engine."""
    switch.speeches.add(SpeechInterface("flite", "mod_flite", speak))


def speak(text: str, voice: str, rate: int) -> Source:
    """Speak `text`; raises OSError for a voice that flite does not have and where nothing can speak."""
    name = voice.lower()
    if name not in VOICES:
        raise OSError("Valid voice names are awb, rms, slt or kal")
    program = shutil.which("flite")
    if program is not None:
        return _by_program(program, text, name, rate)
    try:
        return Samples(synthesize(text, VOICES[name], rate), rate)
    except SpeechError as error:
        raise OSError(str(error)) from None


@lru_cache(maxsize=_KEPT)
def _by_program(program: str, text: str, voice: str, rate: int) -> Source:
    if len(text) > TEXT_LIMIT:
        raise OSError(f"a text of {len(text)} characters is too long to speak")
    with tempfile.TemporaryDirectory(prefix="flite-") as folder:
        made = os.path.join(folder, "spoken.wav")
        # The text is an argument of its own: no shell reads it. A NUL would end it early.
        arguments: list[str | bytes] = [
            program,
            "-voice",
            voice,
            "-o",
            made,
            "-t",
            to_bytes(text.replace("\0", " ")),
        ]
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise OSError(f"flite failed: {done.stderr.decode(errors='replace').strip()}")
        try:
            source = load_file(made, rate)
            assert source.length is not None  # a file ends
            return Samples(source.render(0, source.length), rate)
        except FileError as error:
            raise OSError(f"flite made no sound: {error}") from None
