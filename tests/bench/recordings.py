"""Ticks of the media engine while 200 calls are recorded, on the disk that is here and on a slow one.

The slow disk takes 50 µs more for every write, and every 3 s one of them takes 300 ms.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from host.clock import SECOND, RealClock
from media.realtime import engine_connection
from media.realtime.remote_engine import RemoteEngine
from media.source import Samples

CALLS = 200
SECONDS = 10
RATE = 8000

# Put before what the engine's process runs, so that the process that writes has it, too.
_SLOW = """import sys, time
sys.path.insert(0, sys.argv[1])
from media.sndfile import Sndfile
write, stall = Sndfile.write, time.monotonic() + 3
def slowly(self, sound):
    global stall
    now = time.monotonic()
    if now > stall:
        stall = now + 3
        time.sleep(0.3)
    while time.monotonic() < now + 0.00005: pass
    write(self, sound)
Sndfile.write = slowly
"""


def run() -> None:
    """Print the figures of both disks."""
    program = engine_connection._PROGRAM
    try:
        for name, text in (("this disk", program), ("a slow disk", _SLOW + program)):
            engine_connection._PROGRAM = text  # type: ignore[misc]
            _record(name)
    finally:
        engine_connection._PROGRAM = program  # type: ignore[misc]


def _record(name: str) -> None:
    engine, clock = RemoteEngine(print), RealClock()
    tone = Samples((3000 * np.sin(np.arange(10 * RATE) * 0.3)).astype(np.int16), RATE)
    with tempfile.TemporaryDirectory() as folder:
        recorded = []
        for number in range(CALLS):
            line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, lambda notice: None)
            line.connect(far)
            far.play(tone)
            recording = engine.recording(str(Path(folder) / f"{number}.wav"), RATE)
            recorded.append((line, line.tap(recording), recording))
        clock.sleep(SECOND)
        engine.status(renew=True)
        clock.sleep(SECONDS * SECOND)
        status = engine.status()
        began = clock.now()
        for line, tap, recording in recorded:
            line.untap(tap)
            recording.close()
        closing = (clock.now() - began) / SECOND
        short = sum(
            (Path(recording.path).stat().st_size - 44) // 2 != recording.samples
            for _, _, recording in recorded
        )
    engine.close()
    clock.close()
    print(
        f"{CALLS} recordings, {name}: lateness p99 {status.lateness_p99 / 1000:.2f} ms, at worst "
        f"{status.lateness_max / 1000:.2f} ms, overruns {status.overruns}, skipped {status.skipped}, load "
        f"{100 * status.busy:.0f} %; all closed in {closing:.2f} s, {short} of them short"
    )
