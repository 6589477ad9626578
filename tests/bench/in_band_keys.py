"""What listening for in-band DTMF costs: 500 lines that hear speech, in ticks of 20 ms."""

from __future__ import annotations

import resource

from media.dtmf_detector import DtmfDetector
from media.engine import Engine
from media.espeak import synthesize
from media.source import Repeat, Samples

LINES = 500
TICKS = 250
TICK = 20_000
RATE = 8000
_TEXT = "Please enter your account number, then press pound. The quick brown fox jumps over the lazy dog."


def run() -> None:
    """Print the cost with and without detectors."""
    for listening in (False, True):
        engine = Engine()
        speech = Repeat(Samples(synthesize(_TEXT, "en", RATE), RATE))
        for number in range(LINES):
            line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, lambda notice: None)
            line.connect(far)
            far.play(speech, number * 37)
            if listening:
                line.listen(DtmfDetector(RATE))
        engine.advance(TICK)
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for tick in range(2, 2 + TICKS):
            engine.advance(tick * TICK)
        took = (resource.getrusage(resource.RUSAGE_SELF).ru_utime - began) / TICKS / LINES
        kind = "listen for keys" if listening else "do not listen"
        print(
            f"{LINES} lines that {kind}: {took * 1e6:.1f} µs a tick and line, {took * 5000:.3f} % of a core"
        )
