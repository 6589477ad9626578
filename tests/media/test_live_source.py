from __future__ import annotations

import gc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.source import Later, Live, Louder, Repeat, Samples, Sequence, Silence, Source, part

RATE = 8000


def ramp(start: int, length: int) -> Samples:
    return Samples(np.arange(start, start + length, dtype=np.int16), RATE)


sources = st.recursive(
    st.builds(ramp, st.integers(0, 1000), st.integers(0, 40))
    | st.builds(lambda length: Silence(RATE, length), st.none() | st.integers(0, 40)),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map(Sequence)
        | st.builds(Repeat, inner, st.none() | st.integers(0, 3))
        | st.builds(Later, inner, st.integers(0, 30))
    ),
    max_leaves=8,
)


@given(sources, st.integers(0, 200))
def test_a_part_sounds_as_the_whole_does_there(source: Source, position: int) -> None:
    found, place, count = part(source, position)
    left = None if source.length is None else max(0, source.length - position)
    wanted = 50 if count is None else min(count, 50)
    if left is not None:
        wanted = min(wanted, left)
    heard = found.render(place, wanted)
    assert np.array_equal(heard, source.render(position, wanted))
    assert len(heard) == wanted
    assert count == 0 or not isinstance(found, Sequence | Repeat | Later)


def test_what_is_later_stays_at_its_beginning_before_it() -> None:
    assert Later(ramp(0, 10), -3).render(0, 5).tolist() == [0, 1, 2, 3, 4]
    assert Later(ramp(0, 10), 4).render(2, 9).tolist() == [6, 7, 8, 9]


def test_louder_and_silent() -> None:
    assert Louder(ramp(100, 2), 6).render(0, 2).tolist() == [199, 201]
    assert Louder(ramp(100, 2), -50).render(0, 2).tolist() == [0, 0]


class Watcher:
    def __init__(self) -> None:
        self.told: list[int] = []

    def tell(self, live: Live) -> None:
        self.told.append(live.number)


def test_a_live_source_becomes_another_and_tells_who_still_cares() -> None:
    live = Live(Repeat(ramp(0, 4)))
    watcher, gone = Watcher(), Watcher()
    live.watch(watcher.tell)
    live.watch(gone.tell)
    del gone
    gc.collect()
    assert Later(live, 2).render(0, 3).tolist() == [2, 3, 0]
    live.become(Silence(RATE))
    assert Later(live, 2).render(0, 3).tolist() == [0, 0, 0]
    assert watcher.told == [live.number]
    assert part(live, 10**6)[2] == RATE  # no longer than a second
