from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.energy import SETTLING_FRAMES, EnergyDetector, Heard, frame_size, hits_of, scores


def sound(*levels: int, rate: int = 8000) -> NDArray[np.int16]:
    """Frames of 20 ms, each of one absolute value."""
    frames = [np.resize(np.array([level, -level], np.int16), frame_size(rate)) for level in levels]
    return np.concatenate(frames) if frames else np.zeros(0, np.int16)


def test_scores_are_means_of_absolute_values() -> None:
    assert scores(sound(100, 0, 32767), 8000).tolist() == [100, 0, 32767]
    assert scores(sound(100, rate=16000), 16000).tolist() == [200]
    assert scores(sound(100, rate=11025), 11025).tolist() == [100]
    assert scores(np.full(160, -32768, np.int16), 8000).tolist() == [32768]
    assert scores(np.zeros(159, np.int16), 8000).tolist() == []


def test_silence_after_sound() -> None:
    detector = EnergyDetector(8000, 200, hits_of(0.1))
    assert detector.feed(sound(0, 0, 300, 0, 0, 0, 0)) == []
    assert detector.feed(sound(200, 199, 199, 199, 199)) == []
    assert detector.feed(sound(199, 0, 0)) == [(160, "silence")]
    assert detector.found
    assert detector.feed(sound(*[0] * 50)) == []


def test_listening_first() -> None:
    detector = EnergyDetector(8000, 200, 3, listen_hits=2)
    assert detector.feed(sound(*[0] * 100)) == []
    assert detector.feed(sound(500, 500, 0, 0, 0, 0)) == []
    assert detector.feed(sound(500, 0, 0, 0)) == [(4 * 160, "silence")]


def test_settling() -> None:
    detector = EnergyDetector(8000, 200, 2, settling=SETTLING_FRAMES)
    assert detector.feed(sound(0, 0, 9000, 9000)) == []
    assert detector.feed(sound(*[0] * 30)) == [(23 * 160, "silence")]


def test_sound() -> None:
    detector = EnergyDetector(8000, 200, 2, "sound")
    assert detector.feed(sound(300, 0, 300)) == []
    assert detector.feed(sound(300, 0)) == [(160, "sound")]


def test_hits() -> None:
    assert hits_of(1) == 50
    assert hits_of(0) == 1
    with pytest.raises(ValueError, match="at least one"):
        EnergyDetector(8000, 200, 0)


@given(
    st.lists(st.sampled_from([0, 150, 250]), max_size=40),
    st.integers(1, 4),
    st.sampled_from(["silence", "sound"]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.lists(st.integers(0, 6400), max_size=10),
)
def test_the_block_size_does_not_matter(
    levels: list[int], hits: int, kind: Heard, listen: int, settling: int, cuts: list[int]
) -> None:
    whole = sound(*levels)
    expected = EnergyDetector(8000, 200, hits, kind, listen, settling).feed(whole)
    detector = EnergyDetector(8000, 200, hits, kind, listen, settling)
    pieces: list[tuple[int, str]] = []
    at = 0
    for end in [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]:
        copied = detector.copy()
        answer = detector.feed(whole[at:end])
        assert copy.copy(copied).feed(whole[at:end]) == answer
        pieces += [(at + offset, word) for offset, word in answer]
        at = end
    assert pieces == expected
    # the same by counting frame by frame
    row = sounds = 0
    counted: list[tuple[int, str]] = []
    for place, level in enumerate(levels):
        sounds += level >= 200
        hit = (level >= 200) == (kind == "sound")
        if kind == "silence" and listen:
            hit = hit and sounds > listen
        row = row + 1 if hit else 0
        if row == hits and place + settling < len(levels):
            counted = [((place + 1 + settling) * 160, kind)]
        if row == hits:
            break
    assert expected == counted
