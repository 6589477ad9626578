"""From the text of a `playback` to what the media engine plays: prefixes, parameters, schemes and formats."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.spoken_prompt import spoken_text, words_of
from media.source import Sequence

if TYPE_CHECKING:
    from host.channel import Channel
    from host.switch import Switch
    from media.source import Source

SCHEME_MARK: Final = "://"
_WARNED: Final = ("Error Opening File [", "Invalid Input [")


class SoundFileError(OSError):
    """There is nothing to play or nowhere to record; `args[0]` says why."""

    @property
    def words(self) -> str:
        """What the format said of it, without the path before it."""
        return str(self.__cause__ or self)

    @property
    def level(self) -> LogLevel:
        """How severe that is. FreeSWITCH: a missing file or a bad length of silence is a warning."""
        return LogLevel.WARNING if self.words.startswith(_WARNED) else LogLevel.ERR


@dataclass(frozen=True, slots=True)
class Sound:
    """An opened sound: its full path, its source, and the text that is spoken in place of a missing prompt."""

    path: str
    source: Source
    spoken: str | None = None


def split_parameters(path: str) -> tuple[dict[str, str], str]:
    """Split `{name=value,…}rest` into the parameters and the rest."""
    parameters: dict[str, str] = {}
    while path.startswith("{"):
        inside, closed, rest = path[1:].partition("}")
        if not closed:
            break
        for pair in inside.split(","):
            name, _, value = pair.partition("=")
            parameters[name.strip()] = value.strip()
        path = rest.lstrip()
    return parameters, path


def full_path(channel: Channel, path: str) -> str:
    """Return `path` below the channel's `sound_prefix` when it is relative and has no scheme."""
    if SCHEME_MARK in path or os.path.isabs(path):
        return path
    prefix = channel.get_variable("sound_prefix") or channel.get_variable("base_dir") or "."
    return os.path.join(prefix, path)


class SoundString(Sequence):
    """Several sounds in a row, of which `spoken` tells the words of those that are spoken in place of prompts."""

    def __init__(self, sources: SequenceOf[Source], spoken: str | None) -> None:
        super().__init__(sources)
        self.spoken = spoken


def open_sound(switch: Switch, channel: Channel, path: str, rate: int, *, asks: bool = False) -> Sound:
    """Open what `path` names, at `rate` samples a second; SoundFileError says why there is nothing to play.

    With `switch.speak_missing`, a prompt that is not there is spoken when it is named like one of FreeSWITCH's, or
    when it `asks` the caller for keys, which cannot be pressed when nothing is asked. A path without an ending is
    tried with the name of the call's codec, then with `native_backup_extension` (wav).
    """
    parameters, name = split_parameters(path)
    get = channel.get_variable
    prefix = get("sound_prefix") or ""
    parameters = {"sound_prefix": prefix} | parameters if prefix else parameters
    prefixes = (prefix, get("sounds_dir") or "", get("base_dir") or "")
    full = full_path(channel, name)
    if SCHEME_MARK not in full and "." not in full:  # FreeSWITCH looks for a dot anywhere in the path
        try:
            return open_prompt(switch, f"{full}.{get('read_codec') or 'L16'}", rate, parameters, ())
        except SoundFileError:
            full = f"{full}.{get('native_backup_extension') or 'wav'}"
    return open_prompt(switch, full, rate, parameters, prefixes, asks=asks)


def open_prompt(
    switch: Switch,
    path: str,
    rate: int,
    parameters: Mapping[str, str],
    prefixes: Iterable[str],
    *,
    asks: bool = False,
) -> Sound:
    """Open a full path, spoken where it is missing as `open_sound` says; `prefixes` are the folders of prompts."""
    try:
        source = open_source(switch, path, rate, parameters)
        return Sound(path, source, source.spoken if isinstance(source, SoundString) else None)
    except FileNotFoundError as error:
        spoken = spoken_text(path, prefixes) or (words_of(path) if asks else None)
        if spoken and switch.speak_missing is not None:
            return Sound(path, switch.speak_missing(spoken, rate), spoken)
        raise SoundFileError(f"{path}: {error.strerror or error}") from error
    except OSError as error:
        raise SoundFileError(f"{path}: {error}") from error


def open_source(switch: Switch, path: str, rate: int, parameters: Mapping[str, str] | None = None) -> Source:
    """Open a full path or a `scheme://…`; OSError when nothing can be played."""
    scheme, mark, rest = path.partition(SCHEME_MARK)
    kind = scheme if mark else os.path.splitext(path)[1][1:]
    found = switch.file_formats.get(kind)
    if found is None:
        raise SoundFileError(f"Invalid file format [{kind}] for [{path}]!")
    return found.open(switch, rest if mark else path, rate, parameters or {})
