"""What setting up and ending a line costs: ``python -m tests.bench line_set_ups`` does what a short call asks for.

Each line is opened, told of its far end, plays a prompt, is asked for its report and is closed. Printed is the
processor time of the host's process and of the engine's, without that of its ticks, beside no other lines and beside
1,000 that hear a prompt.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import numpy as np

from media.realtime.remote_engine import RemoteEngine
from media.rtp_transport import RtpTransport
from media.source import Repeat, Samples
from tests.bench.rtp_lines import cpu

LINES: Final = 3000
BESIDE: Final = (0, 1000)
_RATE: Final = 8000
_A_SECOND: Final = 150
_SETTLING: Final = 1
_FAR: Final = ("127.0.0.1", 9)  # nobody takes what comes there
_PORTS: Final = (20_000, 40_000)


def run() -> None:
    """Print a line of figures for each number of other lines."""
    for others in BESIDE:
        measure(others)


def measure(others: int) -> None:
    """Set so many lines up at an even rate, beside `others` that are there all the time."""
    engine = RemoteEngine(print, lambda text, lines: print(text))
    prompt = Samples(np.random.default_rng(1).normal(0, 3000, _RATE).astype(np.int16), _RATE)
    known = RtpTransport("127.0.0.1", _PORTS, _FAR)
    try:
        for _ in range(others):
            engine.rtp_line(_RATE, lambda notice: None, known).play(Repeat(prompt))
        engine.start()
        process = engine.status().process
        time.sleep(_SETTLING)
        idle, began = cpu(process), time.perf_counter()
        time.sleep(LINES / _A_SECOND / 2)
        ticks = (cpu(process) - idle) / (time.perf_counter() - began)
        used, mine, began = cpu(process), time.process_time(), time.perf_counter()
        for number in range(LINES):
            line = engine.rtp_line(_RATE, lambda notice: None, RtpTransport("127.0.0.1", _PORTS))
            line.set_transport(replace(known))
            line.play(prompt)
            line.report()
            line.close()
            time.sleep(max(0.0, began + number / _A_SECOND - time.perf_counter()))
        took = time.perf_counter() - began
        here, there = time.process_time() - mine, cpu(process) - used - ticks * took
        print(
            f"{LINES} lines at {LINES / took:.0f} a second beside {others}: {1e6 * here / LINES:.0f} µs a line in "
            f"the host's process, {1e6 * there / LINES:.0f} in the engine's besides {100 * ticks:.1f} % of a core for "
            f"ticks; these are late by {engine.status().lateness_p99 / 1000:.2f} ms for 99 %",
            flush=True,
        )
    finally:
        engine.close()
