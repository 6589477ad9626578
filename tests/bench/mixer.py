"""One mixer of 500 members, 50 of them talking, in ticks of 20 ms: ``python -m tests.bench mixer``.

Every member's far end is a line of the engine, and what each member hears is rendered, as RTP would have it.
"""

from __future__ import annotations

import time

import numpy as np

from media.command import MemberSettings
from media.engine import Engine
from media.notice import Notice
from media.source import Repeat, Samples

MEMBERS = 500
TALKING = 50
RATE = 8000
TICK = 20_000
TICKS = 500


class _Drain:
    """A sink that throws away what it gets."""

    def write(self, samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
        """Take samples."""


def run() -> None:
    """Print the time of a tick and what share of a core that is."""
    engine = Engine()
    notices: list[Notice] = []
    mixer = engine.mixer(RATE, TICK // 1000, notices.append)
    noise = np.random.default_rng(1)
    for number in range(MEMBERS):
        member, far = engine.line(RATE, notices.append), engine.line(RATE, notices.append)
        member.connect(far)
        mixer.join(member, MemberSettings(energy=100))
        member.tap(_Drain(), read=False)
        if number % (MEMBERS // TALKING) == 0:
            speech = noise.integers(-3000, 3000, RATE * 2, np.int16)
            far.play(Repeat(Samples(speech, RATE)))
    times = []
    for tick in range(1, TICKS + 1):
        began = time.perf_counter()
        engine.advance(tick * TICK)
        times.append(time.perf_counter() - began)
    times.sort()
    mean = sum(times) / len(times)
    print(
        f"{MEMBERS} members, {TALKING} talking: {mean * 1000:.2f} ms a tick of {TICK // 1000} ms"
        f" (p99 {times[len(times) * 99 // 100] * 1000:.2f} ms), {mean * 1_000_000 / TICK * 100:.1f} % of a core"
    )
