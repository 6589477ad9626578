from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.espeak import synthesize
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


def noisy(sound: NDArray[np.int16], signal_to_noise: float, seed: int) -> NDArray[np.int16]:
    power = np.square(sound.astype(np.float64)).mean()
    noise = np.random.default_rng(seed).normal(0, (power * 10 ** (-signal_to_noise / 10)) ** 0.5, len(sound))
    return np.clip(np.rint(sound + noise), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        # ITU-T T.30: CNG 1100 ± 38 Hz, CED 2100 ± 15 Hz
        *[((1100.0,), (frequency,)) for frequency in (1062.0, 1100.0, 1138.0)],
        *[((2100.0,), (frequency,)) for frequency in (2085.0, 2115.0)],
        # ITU-T Q.35: special information tone ± 50 Hz
        *[((nominal,), (nominal + off,)) for nominal in (950.0, 1400.0, 1800.0) for off in (-50.0, 50.0)],
        # ITU-T E.180: dial, ringing and busy tones
        *[((425.0,), (frequency,)) for frequency in (410.0, 440.0)],
        ((350.0, 440.0), (352.0, 438.0)),
        ((440.0, 480.0), (442.0, 478.0)),
        ((480.0, 620.0), (482.0, 618.0)),
    ],
)
def test_tones_within_their_tolerances_and_in_noise(
    wanted: tuple[float, ...], heard: tuple[float, ...]
) -> None:
    for signal_to_noise in (40, 15, 10):
        hits = [
            bool(ToneDetector(8000, wanted).feed(noisy(tones(8000, 0.5, *heard), signal_to_noise, seed)))
            for seed in range(10)
        ]
        assert all(hits), signal_to_noise


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ((1100,), (1000,)),
        ((1100,), (1200,)),
        ((2100,), (1950,)),
        ((350, 440), (440, 480)),
        ((440, 480), (350, 440)),
    ],
)
def test_neighbours_are_other_tones(wanted: tuple[float, ...], heard: tuple[float, ...]) -> None:
    assert ToneDetector(8000, wanted).feed(tones(8000, 1, *heard)) == []


def test_the_answering_tone_of_a_modem_whose_phase_turns() -> None:
    # ITU-T V.8: ANSam, 2100 Hz, turned by 180° every 450 ms, its amplitude moved by 15 Hz
    places = np.arange(16000)
    turned = np.sin(2 * np.pi * 2100 * places / 8000 + np.pi * (places // 3600 % 2))
    sound = 3000 * turned * (1 + 0.2 * np.sin(2 * np.pi * 15 * places / 8000))
    assert len(ToneDetector(8000, [2100]).feed(sound.astype(np.int16))) >= 3


def test_special_information_is_found_tone_by_tone() -> None:
    # ITU-T E.180: 330 ms each
    sound = np.concatenate([tones(8000, 0.33, frequency) for frequency in (950, 1400, 1800)])
    offsets = [ToneDetector(8000, [frequency]).feed(sound) for frequency in (950, 1400, 1800)]
    assert [len(found) for found in offsets] == [1, 1, 1]
    assert [found[0][0] // 2640 for found in offsets] == [0, 1, 2]


@pytest.mark.parametrize("voice", ["en", "en+f2", "de", "de+m3", "fr+f2", "es"])
def test_speech_is_no_tone(voice: str) -> None:
    text = "The quick brown fox jumps over the lazy dog. Please enter your account number, then press pound. "
    for pitch in (20, 60, 95):
        speech = synthesize(text, voice, 8000, 160, pitch)
        for wanted in ((1100,), (2100,), (950,), (1400,), (1800,), (350, 440), (440, 480), (480, 620)):
            assert ToneDetector(8000, wanted).feed(speech) == [], (pitch, wanted)
