"""What hearing each kind of sound costs: ``python -m tests.bench line_sounds`` plays one kind after another to lines.

1,000 lines of PCMU hear a file first, which is what the others are compared with: their processor time and how late
the ticks are. Nobody listens: the packets go to a socket that drops them. ``python -m tests.bench.line_sounds tone``
runs the file and the kinds whose names hold the word.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from host.clock import RealClock
from host.sound_file import open_source
from host.switch import Switch
from media.mix import STEP_FACTORS
from media.realtime.remote_engine import RemoteEngine
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport
from media.source import Repeat, Source, Speed
from tests.bench.rtp_lines import cpu
from tests.host.xml_document import section

LINES: Final = 1000
SECONDS: Final = 6
_SETTLING: Final = 2
_RATE: Final = 8000
_MODULES: Final = ("mod_sndfile", "mod_tone_stream", "mod_local_stream", "mod_dptools")
_LOCAL_STREAMS: Final = """\
<configuration name="local_stream.conf">
  <directory name="moh" path="{0}"/>
  <directory name="softer" path="{0}"><param name="volume" value="-6"/></directory>
</configuration>
"""


@dataclass(frozen=True)
class Cost:
    """What a kind of sound costs a line: % of a core; ticks' lateness in ms."""

    share: float
    p50: float
    p99: float
    most: float
    overruns: int
    packets: float


class Ground:
    """A switch with an engine's process, files to play, and lines that send to a socket that drops what comes."""

    def __init__(self, switch: Switch, folder: Path) -> None:
        self.switch = switch
        self.folder = folder
        assert isinstance(switch.engine, RemoteEngine)
        self.engine = switch.engine
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(("127.0.0.1", 0))
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.far = self.sink.getsockname()[:2]

    def open(self, path: str) -> Source:
        """Open what a `playback` names."""
        return open_source(self.switch, path, _RATE)

    def file(self, name: str, samples: int) -> str:
        """Write a file of noise, of which no part is like another, and return its path."""
        path = self.folder / name
        noise = np.random.default_rng(samples).integers(-8000, 8000, samples).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(noise.tobytes())
        return str(path)

    def lines(self, count: int) -> list[RtpLine]:
        """Open so many lines."""
        transport = RtpTransport("127.0.0.1", (20_000, 40_000), self.far)
        return [self.engine.rtp_line(_RATE, lambda notice: None, transport) for _ in range(count)]


# What has each of the lines do what is measured.
Kind = Callable[[Ground, list[RtpLine]], object]


def played(path: str) -> Kind:
    """Return what plays a path."""

    def begin(ground: Ground, lines: list[RtpLine]) -> None:
        for line in lines:
            line.play(ground.open(path))

    return begin


def _file(ground: Ground, lines: list[RtpLine]) -> None:
    source = ground.open(ground.file("prompt.wav", 60 * _RATE))
    for line in lines:
        line.play(source)


def _repeated(ground: Ground, lines: list[RtpLine]) -> None:
    source = Repeat(ground.open(ground.file("short.wav", 12_345)))
    for line in lines:
        line.play(source)


def _words(ground: Ground) -> str:
    names = [ground.file(f"word-{number}.wav", 2500 + 333 * number) for number in range(12)]
    return "file_string://" + "!".join(names * 5)


def _list(ground: Ground, lines: list[RtpLine]) -> None:
    path = _words(ground)
    for line in lines:
        line.play(ground.open(path))


def _list_repeated(ground: Ground, lines: list[RtpLine]) -> None:
    source = Repeat(ground.open(_words(ground)))
    for line in lines:
        line.play(source)


def _softer(ground: Ground, lines: list[RtpLine]) -> None:
    source = ground.open(ground.file("prompt.wav", 60 * _RATE))
    for line in lines:
        line.play(source).gain(STEP_FACTORS[-2])


def _faster(ground: Ground, lines: list[RtpLine]) -> None:
    source = Speed(ground.open(ground.file("prompt.wav", 60 * _RATE)), 1)
    for line in lines:
        line.play(source)


def _long(ground: Ground, lines: list[RtpLine]) -> None:
    source = ground.open(ground.file("long.wav", 1200 * _RATE))
    for number, line in enumerate(lines):
        line.play(source, number * 8000)


def _recorded(ground: Ground, lines: list[RtpLine]) -> None:
    source = Repeat(ground.open(ground.file("prompt.wav", 60 * _RATE)))
    for number, line in enumerate(lines):
        line.play(source)
        line.tap(ground.engine.recording(str(ground.folder / f"record-{number}.wav"), _RATE))


def _bridged(ground: Ground, lines: list[RtpLine]) -> None:
    for one, other in zip(lines[::2], lines[1::2], strict=True):
        one.bridge(other)


def _bridged_and_recorded(ground: Ground, lines: list[RtpLine]) -> None:
    for number, (one, other) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        one.bridge(other)
        recording = ground.engine.recording(str(ground.folder / f"record-{number}.wav"), _RATE, 2)
        one.tap(recording, stereo=True)


def _idle_silence(ground: Ground, lines: list[RtpLine]) -> None:
    for line in lines:
        line.set_idle(1400)


def _idle(ground: Ground, lines: list[RtpLine]) -> None:
    return


KINDS: Final[dict[str, Kind]] = {
    "file": _file,
    "file in a loop": _repeated,
    "tone of 8 s": played("tone_stream://%(8000,0,440);loops=2"),
    "ringback tone": played("tone_stream://%(2000,4000,440,480);loops=-1"),
    "ringback tone of two": played("tone_stream://%(400,200,400,450);%(400,2000,400,450);loops=-1"),
    "tone of 25 s": played("tone_stream://%(25000,0,425)"),
    "tone without end": played("tone_stream://l=-1;%(500,500,425)"),
    "tone for ever": played("tone_stream://%(251,0,350,440);loops=-1"),
    "silence": played("silence_stream://-1"),
    "comfort noise": played("silence_stream://-1,1400"),
    "20 s of noise": played("silence_stream://20000,1400"),
    "list of files": _list,
    "list of files in a loop": _list_repeated,
    "local stream": played("local_stream://moh"),
    "local stream, softer": played("local_stream://softer"),
    "file at another volume": _softer,
    "file at another speed": _faster,
    "file of 20 minutes": _long,
    "file, and recorded": _recorded,
    "bridged in pairs": _bridged,
    "bridged, and recorded": _bridged_and_recorded,
    "noise while idle": _idle_silence,
    "nothing": _idle,
}


@contextmanager
def ground() -> Iterator[Ground]:
    """Start a switch with music on hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "moh").mkdir()
        switch = Switch(RealClock(), folder, media_process=True)
        made = Ground(switch, folder)
        for number in range(3):
            made.file(f"moh/{number}.wav", (20 + 7 * number) * _RATE + 100 * number)
        switch.xml.load_text(section("configuration", _LOCAL_STREAMS.format(folder / "moh")))
        try:
            for module in _MODULES:
                switch.modules.load(module)
            yield made
        finally:
            switch.close()
            made.sink.close()


def measure(kind: Kind) -> Cost:
    """Have 1,000 lines do something for some seconds."""
    with ground() as place:
        lines = place.lines(LINES)
        kind(place, lines)
        time.sleep(_SETTLING)
        before = place.engine.status(renew=True)
        used, began = cpu(before.process), time.perf_counter()
        time.sleep(SECONDS)
        used, took = cpu(before.process) - used, time.perf_counter() - began
        status = place.engine.status()
        return Cost(
            100 * used / took / LINES,
            status.lateness_p50 / 1000,
            status.lateness_p99 / 1000,
            status.lateness_max / 1000,
            status.overruns,
            (status.packets_sent - before.packets_sent) / took / LINES,
        )


def run(word: str = "") -> None:
    """Print a line for each kind whose name holds `word`."""
    print(
        f"{LINES} lines that hear     % of a core a line   of a file's   late by p50     p99      max ms  overruns"
    )
    file: Cost | None = None
    for name, kind in KINDS.items():
        if file is not None and word not in name:
            continue
        cost = measure(kind)
        file = file or cost
        print(
            f"{name:<25} {cost.share:13.4f} {cost.share / file.share:17.2f} {cost.p50:16.2f} {cost.p99:8.2f} "
            f"{cost.most:8.2f} {cost.overruns:8} {cost.packets:8.1f} packets/s",
            flush=True,
        )


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "")
