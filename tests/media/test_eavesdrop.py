"""Eavesdropping in the engine: what the one who listens hears, and who hears it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.engine import Engine
from media.line import Line
from media.source import Samples

SECOND = 1_000_000


class Ear:
    """Keeps what a line receives."""

    def __init__(self, line: Line) -> None:
        self.level = 0
        line.tap(self, write=False)

    def write(self, samples: NDArray[np.int16]) -> None:
        self.level = int(samples[-1])


class Phone:
    """A far end and the line that the host has of it."""

    def __init__(self, engine: Engine, level: int) -> None:
        self.line = engine.line(8000, lambda notice: None)
        self.far = engine.line(8000, lambda notice: None)
        self.line.connect(self.far)
        self.far.play(Samples(np.full(80_000, level, np.int16), 8000))
        self.ear = Ear(self.far)


@pytest.fixture
def phones() -> tuple[Engine, Phone, Phone, Phone]:
    engine = Engine()
    a, b, spy = Phone(engine, 100), Phone(engine, 20), Phone(engine, 3)
    a.line.bridge(b.line)
    return engine, a, b, spy


@pytest.mark.parametrize(
    ("how", "spy_hears", "a_hears", "b_hears"),
    [
        ({}, 120, 20, 100),
        ({"hears_write": False}, 100, 20, 100),
        ({"hears_read": False}, 20, 20, 100),
        ({"speaks_read": True}, 120, 20, 103),
        ({"speaks_write": True}, 120, 23, 100),
        ({"speaks_read": True, "speaks_write": True}, 120, 23, 103),
    ],
)
def test_who_hears_whom(
    phones: tuple[Engine, Phone, Phone, Phone],
    how: dict[str, bool],
    spy_hears: int,
    a_hears: int,
    b_hears: int,
) -> None:
    engine, a, b, spy = phones
    spy.line.eavesdrop(a.line, **how)
    engine.advance(SECOND)
    assert (spy.ear.level, a.ear.level, b.ear.level) == (spy_hears, a_hears, b_hears)


def test_it_ends(phones: tuple[Engine, Phone, Phone, Phone]) -> None:
    engine, a, b, spy = phones
    spy.line.eavesdrop(a.line, speaks_read=True, speaks_write=True)
    engine.advance(SECOND)
    spy.line.stop_eavesdrop()
    engine.advance(2 * SECOND)
    assert (spy.ear.level, a.ear.level, b.ear.level) == (0, 20, 100)


def test_it_ends_with_either_line(phones: tuple[Engine, Phone, Phone, Phone]) -> None:
    engine, a, b, spy = phones
    spy.line.eavesdrop(a.line)
    a.line.close()
    engine.advance(SECOND)
    assert spy.ear.level == 0
    spy.line.eavesdrop(b.line, speaks_write=True)
    engine.advance(2 * SECOND)
    assert (spy.ear.level, b.ear.level) == (20, 3)
    spy.line.close()
    engine.advance(3 * SECOND)
    assert b.ear.level == 0


def test_a_line_does_not_eavesdrop_on_itself(phones: tuple[Engine, Phone, Phone, Phone]) -> None:
    engine, a, b, _ = phones
    a.line.eavesdrop(a.line, speaks_read=True)
    engine.advance(SECOND)
    assert (a.ear.level, b.ear.level) == (20, 100)
