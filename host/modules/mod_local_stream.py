"""Music that all callers share: `local_stream://NAME` from the folders of local_stream.conf.

All who listen to a stream hear the same place of it: it plays on while nobody listens.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lxml import etree

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.interfaces import ApiRequest, FileFormat
from host.leading_number import leading_int
from host.log import LogLevel
from host.sound_file import open_source
from host.truth import is_true
from media.mix import GRANULAR_LIMIT
from media.source import Later, Live, Louder, Repeat, Sequence, Silence

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

_SECOND: Final = 1_000_000
_FALLBACK: Final = "default"
_LIST_ENDING: Final = ".loc"
_SYNTAX: Final = "<show|start|reload|stop|hup> <local_stream_name>"
_SCHEME: Final = "local_stream://"

# A folder of music has dozens of files; more is a folder that was meant otherwise.
_FILES_LIMIT: Final = 10_000

# FreeSWITCH's defaults of what local_stream.conf says of a stream, and the rates it takes.
_RATES: Final = (8000, 12000, 16000, 24000, 32000, 48000)
_RATE: Final = 8000
_INTERVAL: Final = 20  # ms
_PREBUFFER: Final = 65536  # bytes
_TIMER: Final = "soft"


@dataclass(slots=True)
class Stream:
    """A stream: where its files are, whether it begins with any of them, and how far it has come.

    `rate`, `channels`, `interval`, `prebuf` and `timer` are what the configuration says, for `local_stream show`;
    listeners hear the stream at the rate of their call.
    """

    name: str
    location: str
    shuffle: bool
    started: int  # µs of Clock.now() when it began to play
    rate: int = _RATE
    channels: int = 1
    interval: int = _INTERVAL
    prebuf: int = _PREBUFFER
    timer: str = _TIMER
    volume: int = 0  # dB
    skipped: int = 0  # µs of music that were passed over
    stopped: bool = False
    music: dict[int, Sequence] = field(default_factory=dict)  # by rate
    heard: dict[int, Live] = field(default_factory=dict)  # by rate
    ends: dict[int, list[int]] = field(default_factory=dict)  # the sample at which each file ends, by rate

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

    def live(self, rate: int) -> Live:
        """Return what is heard of the stream at a rate, by all of its listeners, over its whole life."""
        found = self.heard.get(rate)
        if found is None:
            found = self.heard[rate] = Live(self._sound(rate))
        return found

    def changed(self) -> None:
        """Have the listeners hear what the stream is now."""
        for rate, live in self.heard.items():
            live.become(self._sound(rate))

    def _sound(self, rate: int) -> Source:
        music = self.music.get(rate)
        if self.stopped or music is None:
            return Silence(rate)
        sound: Source = Later(Repeat(music), self.skipped * rate // _SECOND)
        return Louder(sound, self.volume) if self.volume else sound

    def skip(self, now: int) -> None:
        """Go on with the next file."""
        for rate, ends in self.ends.items():
            if ends and ends[-1]:
                place = (now - self.started + self.skipped) * rate // _SECOND % ends[-1]
                left = next(end for end in ends if end > place) - place
                self.skipped += -(-left * _SECOND // rate)
                self.changed()
                return


class LocalStreams:
    """The streams of one switch by name."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.streams: dict[str, Stream] = {}
        self.start()

    def start(self, name: str | None = None) -> bool:
        """Begin the stream of that name in the configuration, or all; False when there is none."""
        configuration = self._switch.xml.configuration("local_stream.conf")
        found = False
        for directory in configuration.iterfind("directory") if configuration is not None else ():
            if name is None or directory.get("name") == name:
                stream = _configured(self._switch, directory)
                if stream is not None:
                    self.streams[stream.name] = stream
                    found = True
        return found

    def stop(self, stream: Stream) -> None:
        """End a stream; who plays it as a file goes on with what follows."""
        stream.stopped = True
        stream.changed()
        self.streams.pop(stream.name, None)
        for session in list(self._switch.sessions.values()):
            playing = session.playing
            if playing is not None and self.listens(playing.path, stream):
                playing.stop()

    def listens(self, path: str, stream: Stream) -> bool:
        """Return whether a path that is played is that stream."""
        name = path.partition(_SCHEME)[2]
        return path.startswith(_SCHEME) and name.partition("/")[0] == stream.name.partition("/")[0]

    def listeners(self, stream: Stream) -> int:
        """Return how many calls play the stream as a file."""
        playing = (session.playing for session in list(self._switch.sessions.values()))
        return sum(file is not None and self.listens(file.path, stream) for file in playing)

    def open(self, switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
        """Open `NAME` (also `NAME/RATE`) where it is now; FreeSWITCH: an unknown one is the stream `default`."""
        stream = self._find(path, rate)
        if stream is None:
            switch.log(LogLevel.WARNING, f"Unknown source {path}, trying '{_FALLBACK}'")
            stream = self._find(_FALLBACK, rate)
            if stream is None:
                raise FileNotFoundError(f"Unknown source {_FALLBACK}")
        if rate not in stream.music:
            _read(switch, stream, rate)
        played = (switch.clock.now() - stream.started) * rate // _SECOND
        return Later(stream.live(rate), played)

    def reload(self, stream: Stream) -> None:
        """Look into the stream's folder again and begin anew."""
        for rate in list(stream.music):
            try:
                _read(self._switch, stream, rate)
            except OSError as error:
                self._switch.log(LogLevel.ERR, f"{stream.name}: {error}")
        stream.skipped = -(self._switch.clock.now() - stream.started)
        stream.changed()

    def _find(self, name: str, rate: int) -> Stream | None:
        return self.streams.get(f"{name}/{rate}") or self.streams.get(name)


def load(switch: Switch) -> None:
    """Read local_stream.conf, register the scheme and the command."""
    streams = LocalStreams(switch)
    switch.file_formats.add(FileFormat("local_stream", "mod_local_stream", streams.open))
    commands = ApiTable("mod_local_stream")

    @commands.command("local_stream", _SYNTAX, "manage local streams")
    def local_stream(request: ApiRequest) -> str:
        """Show the streams, or one; start, stop, reload one, go to its next file (`hup`), set its volume (`vol`)."""
        parts = separate(request.argument, " ", 5)
        if not parts:
            raise UsageError
        what, name = parts[0].lower(), parts[1] if len(parts) > 1 else ""
        if what == "show" and not name:
            return "".join(f"{one.name},{one.location}\n" for one in streams.streams.values())
        stream = streams.streams.get(name)
        if what == "start" and name:
            return f"+OK stream: {name}" if stream is not None or streams.start(name) else ""
        if what not in ("show", "stop", "reload", "hup", "vol") or not name:
            return ""
        if stream is None:
            return "" if what in ("hup", "vol") else f"-ERR Cannot locate local_stream {name}!\n"
        match what:
            case "show":
                return _shown(stream, streams.listeners(stream), xml=parts[3:] == ["xml"])
            case "stop":
                streams.stop(stream)
                return "+OK"
            case "reload":
                streams.reload(stream)
                return "+OK"
            case "hup":
                stream.skip(switch.clock.now())
                return f"+OK hup stream: {name}"
        return _set_volume(stream, parts[2] if len(parts) > 2 else None)

    commands.register(switch)


def _set_volume(stream: Stream, wanted: str | None) -> str:
    if wanted is not None and wanted.lower().startswith("auto:"):
        return f"-ERR auto-volume is not there for stream: {stream.name}\n"
    if wanted is not None:
        stream.volume = max(-GRANULAR_LIMIT, min(GRANULAR_LIMIT, leading_int(wanted)))
        stream.changed()
    return f"+OK vol stream: {stream.name} is {stream.volume}"


def _shown(stream: Stream, listeners: int, *, xml: bool) -> str:
    facts: list[tuple[str, object]] = [
        ("location", stream.location),
        ("channels", stream.channels),
        ("rate", stream.rate),
        ("interval", stream.interval),
        ("samples", stream.rate * stream.interval // 1000),
        ("prebuf", stream.prebuf),
        ("timer", stream.timer),
        ("total", listeners),
        ("shuffle", "true" if stream.shuffle else "false"),
        ("ready", "true"),
        ("stopped", "true" if stream.stopped else "false"),
    ]
    if xml:
        root = etree.Element("local_stream", name=stream.name)
        for name, value in facts:
            etree.SubElement(root, name).text = str(value)
        etree.indent(root)
        return f'<?xml version="1.0"?>\n{etree.tostring(root, encoding="unicode")}\n'
    lines = [f"  {f'{name}:':<9} {value}\n" for name, value in facts]
    return f"{stream.name}\n{''.join(lines)}  reloading: false\n"


def _configured(switch: Switch, directory: etree._Element) -> Stream | None:
    name, location = directory.get("name", ""), directory.get("path", "")
    if not name or not location:
        switch.log(LogLevel.ERR, f"Invalid source in local_stream.conf [{name}] [{location}]")
        return None
    stream = Stream(name, location, False, switch.clock.now())
    for param in directory.iterfind("param"):
        value = param.get("value", "")
        number = leading_int(value)
        match param.get("name", "").lower():
            case "shuffle":
                stream.shuffle = is_true(value)
            case "rate" if number in _RATES:
                stream.rate = number
            case "channels" if number in (1, 2):
                stream.channels = number
            case "interval" if number > 0 and number % 10 == 0:
                stream.interval = number
            case "prebuf" if number > 0:
                stream.prebuf = number
            case "timer-name":
                stream.timer = value
            case "volume":
                stream.volume = max(-GRANULAR_LIMIT, min(GRANULAR_LIMIT, number))
    return stream


def _read(switch: Switch, stream: Stream, rate: int) -> None:
    """Open all files of a stream at a rate; OSError when there is nothing to play."""
    sources: list[Source] = []
    ends: list[int] = []
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
        if source.length:
            sources.append(source)
            ends.append((ends[-1] if ends else 0) + source.length)
        elif source.length is None:  # what follows is never heard
            sources.append(source)
            ends = []
            break
    if not sources:
        raise OSError(f"there is nothing to play in {stream.location}")
    stream.music[rate] = Sequence(sources)
    stream.ends[rate] = ends
