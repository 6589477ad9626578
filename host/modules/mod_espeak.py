"""The speech engine `espeak`: espeak-ng in the process, voices by language (`en-us`, `de`) and variant (`en+f3`)."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from host.interfaces import SpeechInterface
from media.espeak import SpeechError, synthesize
from media.source import Samples

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

DEFAULT_VOICE: Final = "en-us"


def load(switch: Switch) -> None:
    """Register the engine."""
    switch.speeches.add(SpeechInterface("espeak", "mod_espeak", speak))


def speak(text: str, voice: str, rate: int) -> Source:
    """Speak `text` in `voice` (`default` and none are American English); OSError for a voice that there is not."""
    name = voice.lower()
    if name in ("", "default"):
        name = DEFAULT_VOICE
    language, plus, variant = name.partition("+")
    try:
        languages, variants = _voices()
    except ImportError:
        raise OSError("speech needs espeakng-loader: pip install espeakng-loader") from None
    # espeak-ng crashes on the name of a variant alone, so no name that is not in its lists gets there.
    if language not in languages or (plus and variant not in variants):
        raise OSError(f"espeak-ng has no voice {voice!r}")
    try:
        return Samples(synthesize(text, language + (f"+{variants[variant]}" if plus else ""), rate), rate)
    except SpeechError as error:
        raise OSError(str(error)) from None


@lru_cache(maxsize=1)
def _voices() -> tuple[frozenset[str], dict[str, str]]:
    """Return the languages' codes, and the variants' names as espeak-ng writes them, by small letters."""
    import espeakng_loader

    data = espeakng_loader.get_data_path()
    languages: set[str] = set()
    for folder, _, files in os.walk(os.path.join(data, "lang")):
        for name in files:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    words = line.split()
                    if len(words) > 1 and words[0] == "language":
                        languages.add(words[1].lower())
    variants = os.listdir(os.path.join(data, "voices", "!v"))
    return frozenset(languages), {name.lower(): name for name in variants}
