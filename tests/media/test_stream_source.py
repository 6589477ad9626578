"""Sound that comes while it is heard: order, silence where there is none, room, the end, and another process's copy."""

from __future__ import annotations

import gc
import os
import pickle

import numpy as np
import pytest

from media.engine import Engine
from media.notice import Notice, PlaybackEnded
from media.source import Louder, Repeat, Sequence, Silence, Speed
from media.stream_source import SECONDS, StreamRing, is_over, known

RATE = 8000


def numbered(first: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.arange(first, first + count).astype(np.int16)


def test_what_comes_late_is_heard_later() -> None:
    ring = StreamRing(RATE)
    source = ring.source
    assert ring.write(numbered(1, 100)) == 100
    assert source.render(0, 160).tolist() == [*range(1, 101), *[0] * 60]
    ring.write(numbered(101, 200))
    assert source.render(160, 200).tolist() == list(range(101, 301))
    assert source.render(0, 100).tolist() == list(range(1, 101))
    assert not source.over(360)
    ring.end()
    assert source.over(360) and not source.over(359)


def test_the_ring_takes_no_more_than_there_is_room_for() -> None:
    ring = StreamRing(RATE)
    room = RATE * SECONDS
    assert ring.write(np.ones(2 * room, np.int16)) == room
    assert ring.write(np.ones(10, np.int16)) == 0
    ring.source.render(0, 1000)
    assert ring.write(numbered(1, 2000)) == 1000
    assert ring.source.render(room, 1000).tolist() == list(range(1, 1001))
    assert ring.source.render(0, 500).tolist() == [0] * 500  # long overwritten


def test_a_copy_shares_the_memory_until_the_ring_is_given_up() -> None:
    ring = StreamRing(RATE)
    packed = pickle.dumps(ring.source)
    copy = pickle.loads(packed)
    ring.write(numbered(1, 10))
    assert copy.render(0, 10).tolist() == list(range(1, 11))
    path = ring.source.path
    del ring
    gc.collect()
    assert not os.path.exists(path)
    assert copy.render(0, 10).tolist() == list(range(1, 11))
    assert pickle.loads(packed).length == 0


def test_a_playback_ends_with_its_stream() -> None:
    notices: list[Notice] = []
    engine = Engine()
    line = engine.line(RATE, notices.append)
    ring = StreamRing(RATE)
    source = Sequence([Silence(RATE, 160), ring.source])
    playback = line.play(source)
    ring.write(numbered(1, 400))
    for tick in range(1, 4):
        engine.advance(tick * 20_000)
    assert not notices
    ring.end()
    assert is_over(source, 160 + 400) and not is_over(source, 100)
    engine.advance(80_000)
    assert notices == [PlaybackEnded(playback.number)]


def test_how_far_a_sound_is_known_before_a_stream() -> None:
    ring = StreamRing(RATE)
    silence = Silence(RATE, 1000)
    row = Sequence([silence, silence, ring.source])
    assert known(row, 0, 500) == 500 and known(row, 900, 5000) == 1100 and known(row, 2000, 100) == 0
    assert known(Repeat(silence), 900, 5000) == 5000 and known(silence, 900, 5000) == 5000
    assert known(Louder(row, 3), 900, 5000) == 1100
    assert known(Speed(row, 2), 900, 5000) == 100  # half as long: the stream begins at 1000
    assert known(Speed(row, -2), 2900, 5000) == 100
    ring.end()
    assert is_over(Louder(ring.source, 3), 10) and not is_over(Louder(row, 3), 10)


def test_a_negative_place_is_none() -> None:
    with pytest.raises(ValueError):
        StreamRing(RATE).source.render(-1, 5)
