from __future__ import annotations

import numpy as np
import pytest

from media.sound_changes import SoundChanges

# Frames of 20 ms at 8 kHz: two of silence, three of sound, two of silence, one of sound.
SOUND = np.repeat(np.array([0, 199, 200, 900, -200, 0, 0, 300], np.int16), 160)
CHANGES = [(480, "sound"), (960, "silence"), (1280, "sound")]


def test_each_change_is_told_with_its_frame() -> None:
    assert SoundChanges(8000, 200).feed(SOUND) == CHANGES


@pytest.mark.parametrize("size", [1, 80, 160, 250, 1000])
def test_blocks_of_any_size(size: int) -> None:
    detector, found = SoundChanges(8000, 200), []
    for start in range(0, len(SOUND), size):
        block = SOUND[start : start + size]
        found += [(start + offset, what) for offset, what in detector.feed(block)]
    assert found == CHANGES


def test_a_copy_goes_its_own_way() -> None:
    detector = SoundChanges(8000, 200)
    detector.feed(SOUND[:500])
    twin = detector.copy()
    assert twin.feed(SOUND[500:]) == detector.feed(SOUND[500:])
    assert twin.sounding
