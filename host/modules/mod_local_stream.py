"""Music that all callers share: `local_stream://NAME` from the folders of local_stream.conf.

All who listen to a stream hear the same place of it: it plays on while nobody listens.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from host.interfaces import FileFormat
from host.log import LogLevel
from host.sound_file import open_source
from host.truth import is_true
from media.source import Repeat, Sequence

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

_SECOND: Final = 1_000_000
_FALLBACK: Final = "default"
_LIST_ENDING: Final = ".loc"

# A folder of music has dozens of files; more is a folder that was meant otherwise.
_FILES_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Stream:
    """A configured stream: where its files are, and whether it begins with any of them."""

    name: str
    location: str
    shuffle: bool
    started: int  # µs of Clock.now() when it began to play

    def files(self) -> list[str]:
        """Return the files in the order they are played; a `.loc` file is a list of files."""
        found: list[str] = []
        for name in sorted(os.listdir(self.location))[:_FILES_LIMIT]:
            path = os.path.join(self.location, name)
            if name.lower().endswith(_LIST_ENDING):
                with open(path, encoding="utf-8", errors="surrogateescape") as lines:
                    found += [line.strip() for line in lines if line.strip()][:_FILES_LIMIT]
            elif os.path.isfile(path):
                found.append(path)
        if self.shuffle and found:
            # By the name, so that a simulated call is the same each time.
            first = random.Random(self.name).randrange(len(found))
            found = found[first:] + found[:first]
        return found


class _From:
    """An endless source heard from a place within it."""

    def __init__(self, source: Source, start: int) -> None:
        self.rate = source.rate
        self.length: int | None = None
        self._source = source
        self._start = start

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        return self._source.render(self._start + start, count)


class LocalStreams:
    """The streams of one switch and what they play, by name and rate."""

    def __init__(self, switch: Switch) -> None:
        self._streams = _configured(switch)
        self._playing: dict[tuple[str, int], Source] = {}

    def open(self, switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
        """Open `NAME` (also `NAME/RATE`) where it is now; FreeSWITCH: an unknown one is the stream `default`."""
        stream = self._find(path, rate)
        if stream is None:
            switch.log(LogLevel.WARNING, f"Unknown source {path}, trying '{_FALLBACK}'")
            stream = self._find(_FALLBACK, rate)
            if stream is None:
                raise FileNotFoundError(f"Unknown source {path}")
        source = self._playing.get((stream.name, rate))
        if source is None:
            source = self._playing[stream.name, rate] = _endless(switch, stream, rate)
        played = (switch.clock.now() - stream.started) * rate // _SECOND
        return _From(source, played)

    def _find(self, name: str, rate: int) -> Stream | None:
        return self._streams.get(f"{name}/{rate}") or self._streams.get(name)


def load(switch: Switch) -> None:
    """Read local_stream.conf and register the scheme."""
    switch.file_formats.add(FileFormat("local_stream", "mod_local_stream", LocalStreams(switch).open))


def _configured(switch: Switch) -> dict[str, Stream]:
    configuration = switch.xml.configuration("local_stream.conf")
    streams: dict[str, Stream] = {}
    if configuration is None:
        return streams
    for directory in configuration.iterfind("directory"):
        name, location = directory.get("name", ""), directory.get("path", "")
        if not name or not location:
            switch.log(LogLevel.ERR, f"Invalid source in local_stream.conf [{name}] [{location}]")
            continue
        shuffle = any(
            param.get("name", "").lower() == "shuffle" and is_true(param.get("value", ""))
            for param in directory.iterfind("param")
        )
        streams[name] = Stream(name, location, shuffle, switch.clock.now())
    return streams


def _endless(switch: Switch, stream: Stream, rate: int) -> Source:
    sources: list[Source] = []
    try:
        files = stream.files()
    except OSError as error:
        raise OSError(f"Can't open directory: {stream.location}: {error.strerror}") from None
    for path in files:
        try:
            source = open_source(switch, path, rate)
        except OSError as error:
            switch.log(LogLevel.ERR, f"Can't open {path}: {error}")
            continue
        if source.length != 0:
            sources.append(source)
    if not sources:
        raise OSError(f"there is nothing to play in {stream.location}")
    return Repeat(Sequence(sources))
