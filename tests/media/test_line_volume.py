"""Volume and displacement of a line, as its far end and its taps hear them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.engine import Engine
from media.line import Line
from media.notice import Notice
from media.source import Samples

SECOND = 1_000_000


class Heard:
    def __init__(self) -> None:
        self.blocks: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples.copy())

    @property
    def last(self) -> NDArray[np.int16]:
        return self.blocks[-1]


def level(value: int, count: int) -> Samples:
    return Samples(np.full(count, value, np.int16), 8000)


def pair() -> tuple[Engine, Line, Line, Heard]:
    engine, heard = Engine(), Heard()
    notices: list[Notice] = []
    near, far = engine.line(8000, notices.append), engine.line(8000, notices.append)
    near.connect(far)
    far.tap(heard, read=True, write=False)
    near.play(level(100, 80_000))
    return engine, near, far, heard


def test_what_is_sent_is_scaled() -> None:
    engine, near, _, heard = pair()
    near.volume(read=False, factor=2.0)
    engine.advance(SECOND)
    near.volume(read=False, factor=0.0)
    engine.advance(2 * SECOND)
    assert (heard.blocks[0] == 200).all() and (heard.blocks[1] == 0).all()


def test_what_is_received_is_scaled_for_the_receiver_alone() -> None:
    engine, near, far, heard = pair()
    sent = Heard()
    near.tap(sent, read=False, write=True)
    far.volume(read=True, factor=0.5)
    engine.advance(SECOND)
    assert (heard.last == 50).all() and (sent.last == 100).all()


def test_a_displacement_takes_the_place_and_ends_by_itself() -> None:
    engine, near, _, heard = pair()
    number = near.displace(level(7, 4000))
    engine.advance(SECOND)
    assert (heard.last[:4000] == 7).all() and (heard.last[4000:] == 100).all()
    assert not near.displaced(number)


def test_a_mixed_displacement_lies_over_and_can_be_limited() -> None:
    engine, near, _, heard = pair()
    number = near.displace(level(7, 80_000), mux=True, limit=8000)
    engine.advance(SECOND // 2)
    assert near.displaced(number)
    engine.advance(2 * SECOND)
    assert (heard.blocks[0] == 107).all()
    assert (heard.last[:4000] == 107).all() and (heard.last[4000:] == 100).all()


def test_a_displacement_is_taken_away() -> None:
    engine, _, far, heard = pair()
    number = far.displace(level(7, 80_000), read=True)
    engine.advance(SECOND)
    far.undisplace(number)
    engine.advance(2 * SECOND)
    assert (heard.blocks[0] == 7).all() and (heard.last == 100).all()
