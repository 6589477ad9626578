"""What a tick costs for what lines do: ``python -m tests.bench line_ticks`` moves the engine by hand.

Every line hears a far end of its own that speaks, and is heard by it. The engine runs in this process and is called as
its own process calls it at every tick; only its processor time counts, not that of the far ends. So the figures hardly
depend on what else the machine does. ``python -m tests.bench.line_ticks WORD`` runs the file, which the others are
compared with, and the kinds whose names hold the word; with a second word `profile` it prints where the time goes.
"""

from __future__ import annotations

import cProfile
import pstats
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from media import command as commands
from media.codec_registry import create
from media.command import MemberSettings
from media.engine import Engine
from media.kept_memory import keep_freed_memory
from media.line import Line
from media.mixer_handle import Mixer
from media.realtime.placed_samples import PlacedSamples
from media.realtime.recorder import Open, Recorder, start_recorder
from media.realtime.rtp_lines import RtpLines
from media.rtp import HEADER_SIZE
from media.rtp_batch import build_many
from media.rtp_transport import RtpTransport
from media.source import Repeat

LINES: Final = 1000
MEMBERS: Final = 500
_TALKING: Final = 50
_TICK: Final = 20_000
_RATE: Final = 8000
_FRAME: Final = 160
_SETTLING: Final = 60
_TICKS: Final = 300
_PROMPT: Final = (40_000, 80_000)
_PORTS: Final = (20_000, 40_000)
# One packet of a hundred is lost, and each of the rest is late by up to so many ticks.
_LOSS: Final = 0.01
_LATE_TICKS: Final = 2
# Payloads that far ends repeat, of each codec: seconds of noise.
_PAYLOADS: Final = 50

# How a line's codec is called, with its payload type.
_G711: Final = ("PCMU", 0)


class FarEnds:
    """Sockets that speak to a line each and throw away what they hear; with `rough` the network loses and delays."""

    def __init__(
        self,
        locals_: list[int],
        ends: list[socket.socket],
        codecs: list[tuple[str, int]],
        *,
        rough: bool,
        silent: int,
    ) -> None:
        count = len(locals_)
        for end, port in zip(ends, locals_, strict=True):
            end.connect(("127.0.0.1", port))
        self._ends = ends
        self._rough = random.Random(5) if rough else None
        self._late: list[list[tuple[int, bytes]]] = [[] for _ in range(_LATE_TICKS + 1)]
        self._silent = silent
        self._kinds = np.array([kind for _, kind in codecs])
        self._steps = np.array([create(name).clock_rate // 50 for name, _ in codecs])
        self._payloads = {name: _payloads(name) for name, _ in codecs}
        self._names = [name for name, _ in codecs]
        self._headers = np.zeros((count, HEADER_SIZE), np.uint8)
        self._ssrc = np.arange(count) + 1
        self._tick = 0

    def speak(self) -> None:
        """Send what is due in this tick."""
        self._tick += 1
        count, tick = len(self._ends), self._tick
        build_many(
            self._headers,
            self._kinds,
            np.zeros(count, bool),
            np.full(count, tick),
            tick * self._steps,
            self._ssrc,
        )
        headers = self._headers.tobytes()
        now: list[tuple[int, bytes]] = []
        for row, name in enumerate(self._names):
            payloads = self._payloads[name]
            payload = payloads[(tick + row) % len(payloads)] if row >= self._silent else payloads[-1]
            packet = headers[HEADER_SIZE * row : HEADER_SIZE * (row + 1)] + payload
            if self._rough is None:
                now.append((row, packet))
            elif self._rough.random() >= _LOSS:
                self._late[self._rough.randint(0, _LATE_TICKS)].append((row, packet))
        now += self._late.pop(0)
        self._late.append([])
        for row, packet in now:
            self._ends[row].send(packet)

    def hear(self) -> None:
        """Throw away what has come."""
        for end in self._ends:
            try:
                while end.recv(1500):
                    continue
            except BlockingIOError:
                continue

    def close(self) -> None:
        """Give the ports back."""
        for end in self._ends:
            end.close()


def _payloads(name: str) -> list[bytes]:
    codec = create(name)
    noise = np.random.default_rng(2).normal(0, 3000, (_PAYLOADS, codec.rate // 50)).astype(np.int16)
    silence = np.zeros(codec.rate // 50, np.int16)
    return [codec.encode(frame) for frame in noise] + [codec.encode(silence)]


class Ground:
    """An engine with lines of these codecs that have a far end each."""

    def __init__(
        self,
        folder: Path,
        recorder: Recorder,
        codecs: list[tuple[str, int]],
        *,
        rough: bool = False,
        silent: int = 0,
    ) -> None:
        self.folder, self.recorder = folder, recorder
        self.memory = np.zeros(1 << 17, np.int16)
        first, last = _PROMPT
        self.memory[first:last] = np.random.default_rng(3).normal(0, 3000, last - first)
        self.rtp = RtpLines(self.memory, lambda: time.time_ns() // 1000, _fail)
        self.engine = Engine(on_fault=_fail, transports=self.rtp)
        self.lines: list[Line] = []
        self.times: list[float] = []
        self._ticks = 0
        ends, ports = [], []
        for name, kind in codecs:
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
            number = self.engine.next_number()
            transport = RtpTransport("127.0.0.1", _PORTS, end.getsockname(), payload_type=kind, codec=name)
            ports.append(self.rtp.open(number, transport, _RATE, lambda notice: None)[1])
            self.lines.append(self.engine.open_line(number, _RATE, lambda notice: None, remote=True))
            ends.append(end)
        self.far = FarEnds(ports, ends, codecs, rough=rough, silent=silent)

    @property
    def prompt(self) -> PlacedSamples:
        """Return sound that all lines share."""
        first, last = _PROMPT
        return PlacedSamples(self.memory[first:last], _RATE, first)

    def record(self, line: Line, *, stereo: bool = False) -> None:
        """Record a line."""
        number = self.engine.next_number()
        path = str(self.folder / f"{number}.wav")
        self.recorder.open(Open(number, path, _RATE, 2 if stereo else 1, False), lambda value, error: None)
        self.engine.execute(
            commands.Tap(line.number, self.engine.next_number(), self.recorder[number], stereo=stereo)
        )

    def tick(self) -> None:
        """Do what the engine's process does in a tick."""
        self.engine.settle()
        self.rtp.receive()
        self._ticks += 1
        self.engine.advance(self._ticks * _TICK)
        self.recorder.receive()
        self.recorder.flush()

    def run(self, ticks: int, profile: cProfile.Profile | None = None) -> list[float]:
        """Let so many ticks go by; return the processor time of each in seconds."""
        times = []
        for _ in range(ticks):
            self.far.speak()
            if profile is not None:
                profile.enable()
            began = time.thread_time()
            self.tick()
            times.append(time.thread_time() - began)
            if profile is not None:
                profile.disable()
            self.far.hear()
        return times

    def close(self) -> None:
        """Give all back."""
        for line in self.lines:
            self.engine.execute(commands.Close(line.number))
        self.rtp.release()
        self.far.close()


def _fail(where: str, error: Exception) -> None:
    raise error


# Has the lines do what is measured.
Begin = Callable[[Ground], object]


def _file(ground: Ground) -> None:
    for line in ground.lines:
        line.play(Repeat(ground.prompt))


def _recorded(ground: Ground) -> None:
    _file(ground)
    for line in ground.lines:
        ground.record(line)


def _bridged(ground: Ground) -> None:
    for one, other in zip(ground.lines[::2], ground.lines[1::2], strict=True):
        one.bridge(other)


def _bridged_and_recorded(ground: Ground) -> None:
    _bridged(ground)
    for line in ground.lines[::2]:
        ground.record(line, stereo=True)


def _conference(ground: Ground) -> None:
    mixer: Mixer = ground.engine.mixer(_RATE, _TICK // 1000, lambda notice: None)
    for line in ground.lines:
        mixer.join(line, MemberSettings(energy=100))


def _nothing(ground: Ground) -> None:
    return


# What lines do, how many lines they are, the codecs of a line and the next one, whether the network is rough, and how
# many of the far ends say nothing.
KINDS: Final[dict[str, tuple[Begin, int, tuple[tuple[str, int], tuple[str, int]], bool, int]]] = {
    "file": (_file, LINES, (_G711, _G711), False, 0),
    "nothing": (_nothing, LINES, (_G711, _G711), False, 0),
    "file, and recorded": (_recorded, LINES, (_G711, _G711), False, 0),
    "file, rough network": (_file, LINES, (_G711, _G711), True, 0),
    "bridged in pairs": (_bridged, LINES, (_G711, _G711), False, 0),
    "bridged, and recorded": (_bridged_and_recorded, LINES, (_G711, _G711), False, 0),
    "bridged, rough network": (_bridged, LINES, (_G711, _G711), True, 0),
    "bridged, PCMU and PCMA": (_bridged, LINES, (_G711, ("PCMA", 8)), False, 0),
    "bridged, G722 on both": (_bridged, LINES // 10, (("G722", 9), ("G722", 9)), False, 0),
    "bridged, PCMU and G722": (_bridged, LINES // 10, (_G711, ("G722", 9)), False, 0),
    "bridged, PCMU and GSM": (_bridged, LINES // 10, (_G711, ("GSM", 3)), False, 0),
    "bridged, PCMU and opus": (_bridged, LINES // 10, (_G711, ("opus", 96)), False, 0),
    "file, GSM": (_file, LINES // 10, (("GSM", 3), ("GSM", 3)), False, 0),
    "conference": (_conference, MEMBERS, (_G711, _G711), False, MEMBERS - _TALKING),
}  # fmt: skip


def measure(name: str, recorder: Recorder, profile: cProfile.Profile | None = None) -> list[float]:
    """Return the processor time of each of some ticks, in seconds, sorted."""
    begin, count, codecs, rough, silent = KINDS[name]
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder), recorder, list(codecs) * (count // 2), rough=rough, silent=silent)
        try:
            begin(ground)
            ground.run(_SETTLING)
            return sorted(ground.run(_TICKS, profile))
        finally:
            ground.close()


def run(word: str = "", how: str = "") -> None:
    """Print a line for each kind whose name holds `word`."""
    keep_freed_memory()
    recorder = start_recorder()
    print("lines that                lines   ms a tick    (99 %)   % of a core a line   of a file's")
    file = 0.0
    try:
        for name, (_, count, *_) in KINDS.items():
            if file and word not in name:
                continue
            profile = cProfile.Profile() if how == "profile" and word in name else None
            times = measure(name, recorder, profile)
            median = times[len(times) // 2]
            share = 100 * median * 1_000_000 / _TICK / count
            file = file or share
            print(
                f"{name:<25} {count:5} {1000 * median:11.2f} {1000 * times[len(times) * 99 // 100]:9.2f} "
                f"{share:20.4f} {share / file:14.2f}",
                flush=True,
            )
            if profile is not None:
                pstats.Stats(profile).sort_stats("tottime").print_stats(28)
    finally:
        recorder.end()


if __name__ == "__main__":
    run(*sys.argv[1:])
