from __future__ import annotations

import mmap
import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.realtime.sound_memory import QUIET_SAMPLES, Extents, SoundMemory, open_memory

PAGE = mmap.PAGESIZE


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20_000)), max_size=60))
def test_no_two_sounds_share_a_page_and_all_room_comes_back(steps: list[tuple[bool, int]]) -> None:
    extents = Extents(64 * PAGE + 2 * QUIET_SAMPLES)
    held: list[tuple[int, int]] = []
    for taking, number in steps:
        if taking:
            place = extents.take(number)
            if place is not None:
                assert place >= QUIET_SAMPLES and 2 * place % PAGE == 0
                for other, length in held:
                    assert place + number <= other or other + max(1, length) <= place
                held.append((place, number))
        elif held:
            extents.give_back(*held.pop(number % len(held)))
    for place, length in held:
        extents.give_back(place, length)
    assert extents.taken == 0
    assert extents.take(64 * PAGE // 2) == QUIET_SAMPLES


def test_both_sides_see_the_same_and_pages_are_given_back() -> None:
    descriptor = open_memory(1 << 20)
    here, there = SoundMemory(descriptor), SoundMemory(descriptor)
    os.close(descriptor)
    here.at(40_000, 100)[:] = np.arange(100)
    assert there.at(40_000, 100).tolist() == list(range(100))
    place = PAGE * 20 // 2
    here.at(place, 5000)[:] = 7
    here.discard(place, 5000)
    assert not there.at(place, 5000).any()
