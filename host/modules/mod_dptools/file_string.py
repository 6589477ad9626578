"""Files made of others: `file_string://a!b!c`, `file://…`, and `tts://engine|voice|text`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from host.arguments import separate
from host.interfaces import FileFormat
from host.log import LogLevel
from host.sound_file import (
    SCHEME_MARK,
    SoundFileError,
    SoundString,
    open_prompt,
    open_source,
    split_parameters,
)
from media.source import Silence

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

_MODULE: Final = "mod_dptools"
_PARTS_LIMIT: Final = 128

# FreeSWITCH: a file string begins with so much silence when its first file is there.
_LEAD_MS: Final = 250


def load(switch: Switch) -> None:
    """Register the three schemes."""
    switch.file_formats.add(FileFormat("file_string", _MODULE, open_file_string))
    switch.file_formats.add(FileFormat("file", _MODULE, open_file_url))
    switch.file_formats.add(FileFormat("tts", _MODULE, open_tts))


def open_file_string(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open the files of a string, relative ones below the parameter `sound_prefix`; missing ones are passed over.

    FileNotFoundError when none is there.
    """
    get = switch.global_variables.get
    prefix = parameters.get("sound_prefix") or get("sound_prefix") or get("sounds_dir") or "."
    prefixes = (prefix, get("sounds_dir") or "", get("base_dir") or "")
    sources: list[Source] = []
    spoken: list[str] = []
    for number, part in enumerate(separate(path, "!", _PARTS_LIMIT)):
        own, name = split_parameters(part)
        full = name if SCHEME_MARK in name or name.startswith("/") else f"{prefix}/{name}"
        try:
            sound = open_prompt(switch, full, rate, {"sound_prefix": prefix, **own}, prefixes)
        except SoundFileError as error:
            switch.log(LogLevel.ERR, f"Can't open file {error}")
            continue
        if number == 0:
            sources.append(Silence(rate, rate * _LEAD_MS // 1000))
        sources.append(sound.source)
        if sound.spoken:
            spoken.append(sound.spoken)
    if not sources:
        raise FileNotFoundError(f"no file of [{path}] can be opened")
    return SoundString(sources, " ".join(spoken) or None)


def open_file_url(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open `file:///path` or `file://host/path`, percent signs decoded."""
    slash = path.find("/")
    if slash < 0:
        raise FileNotFoundError(f"missing path in [{path}]")
    return open_source(switch, unquote(path[slash:], errors="surrogateescape"), rate, parameters)


def open_tts(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open `engine|voice|text`, spoken by that engine."""
    parts = path.split("|", 2)
    if len(parts) < 3:
        raise OSError(f"[{path}] is not engine|voice|text")
    engine, voice, text = (part.strip() for part in parts)
    found = switch.speeches.get(engine.partition(":")[0])
    if found is None:
        raise OSError(f"Invalid TTS module {engine}[{voice}]!")
    return found.speak(split_parameters(text)[1], voice, rate)
