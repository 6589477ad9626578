from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.tone_detector import ToneDetector


def tones(rate: int, seconds: float, *frequencies: float, level: int = 3000) -> NDArray[np.int16]:
    times = np.arange(int(rate * seconds)) / rate
    sound = sum(
        (level * np.sin(2 * np.pi * frequency * times) for frequency in frequencies), np.zeros(len(times))
    )
    return sound.astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("wanted", [(440,), (350, 440), (480, 620)])
def test_a_tone_is_found_within_two_frames(rate: int, wanted: tuple[int, ...]) -> None:
    found = ToneDetector(rate, wanted).feed(tones(rate, 0.3, *wanted))
    assert found == [(rate * 40 // 1000, "tone")]


@pytest.mark.parametrize(
    "heard",
    [
        tones(8000, 1, 1500),
        tones(8000, 1, 440, 1500),
        tones(8000, 1, 440, level=20),
        np.zeros(8000, np.int16),
        np.random.default_rng(1).normal(0, 2000, 8000).astype(np.int16),
    ],
    ids=["another", "two", "faint", "silence", "noise"],
)
def test_what_is_not_the_tone_is_not_found(heard: NDArray[np.int16]) -> None:
    assert ToneDetector(8000, [440]).feed(heard) == []


def test_hits_are_counted() -> None:
    detector = ToneDetector(8000, [440], hits=2)
    assert detector.feed(tones(8000, 0.5, 440)) == []
    assert [detail for _, detail in detector.feed(tones(8000, 0.5, 440))] == ["tone"]


@pytest.mark.parametrize("size", [1, 7, 160, 500])
def test_the_size_of_blocks_does_not_matter(size: int) -> None:
    sound = np.concatenate((np.zeros(333, np.int16), tones(8000, 1.5, 440)))
    whole = [offset for offset, _ in ToneDetector(8000, [440]).feed(sound)]
    detector, pieces = ToneDetector(8000, [440]), []
    for start in range(0, len(sound), size):
        pieces += [start + offset for offset, _ in detector.feed(sound[start : start + size])]
    assert pieces == whole and len(whole) > 1


def test_a_copy_goes_its_own_way() -> None:
    detector = ToneDetector(8000, [440])
    twin = detector.copy()
    assert twin.feed(tones(8000, 0.1, 440))
    assert detector.feed(tones(8000, 0.1, 440)) == [(320, "tone")]


@pytest.mark.parametrize("frequencies", [[], [0.0], [4000.0], [-5.0]])
def test_impossible_tones_are_refused(frequencies: list[float]) -> None:
    with pytest.raises(ValueError, match="no tone"):
        ToneDetector(8000, frequencies)
