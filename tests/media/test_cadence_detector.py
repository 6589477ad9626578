"""Tones with a cadence, as networks send them and somewhat off."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.cadence_detector import CadenceDetector, CadenceElement, CadenceTone
from media.espeak import synthesize

Part = tuple[tuple[int, ...], int]


def tone(name: str, *elements: tuple[int, int, int, int]) -> CadenceTone:
    return CadenceTone(name, tuple(CadenceElement(*element) for element in elements))


TONES = (
    tone("ced", (2100, 0, 700, 0)),
    tone("sit", (950, 0, 256, 400), (1400, 0, 256, 400), (1800, 0, 256, 400)),
    tone("ring", (440, 480, 1200, 0)),
    tone("reorder", (480, 620, 224, 316), (0, 0, 168, 352), (480, 620, 224, 316)),
    tone("busy", (480, 620, 464, 536), (0, 0, 464, 572), (480, 620, 464, 536)),
)
BUSY: tuple[Part, ...] = (((480, 620), 500), ((), 500))


def sound(*parts: Part, rate: int = 8000, off: float = 0, noise: float = 20) -> NDArray[np.int16]:
    made = []
    for frequencies, ms in parts:
        times = np.arange(rate * ms // 1000) / rate + 0.0137
        waves = (3000 * np.sin(2 * np.pi * (frequency + off) * times) for frequency in frequencies)
        made.append(sum(waves, np.zeros(len(times))))
    whole = np.concatenate(made)
    return (whole + np.random.default_rng(2).normal(0, noise, len(whole))).astype(np.int16)


def heard(whole: NDArray[np.int16], rate: int = 8000, size: int = 160) -> list[tuple[int, str]]:
    """Return the tones that are told, with their times in ms."""
    detector, found = CadenceDetector(rate, TONES), []
    for start in range(0, len(whole), size):
        found += [
            ((start + offset) * 1000 // rate, name)
            for offset, name in detector.feed(whole[start : start + size])
        ]
    return found


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("off", [-6, 0, 6])
@pytest.mark.parametrize("noise", [0, 300])
def test_the_tones_of_a_network(rate: int, off: float, noise: float) -> None:
    def names(*parts: Part) -> list[str]:
        return [name for _, name in heard(sound(*parts, rate=rate, off=off, noise=noise), rate, rate // 50)]

    assert names(((), 333), *BUSY * 5) == ["busy"]
    assert names(*(((480, 620), 250), ((), 250)) * 5) == ["reorder"]
    assert names(*(((440, 480), 2000), ((), 4000)) * 2) == ["ring", "ring"]
    assert names(((), 100), ((950,), 330), ((1400,), 330), ((1800,), 330), ((), 300)) == ["sit"]
    assert names(((2100,), 1500), ((), 200)) == ["ced"]


def test_a_tone_is_told_once_its_last_element_is_long_enough() -> None:
    ((busy, _),) = heard(sound(*BUSY * 2))
    assert 1464 - 20 <= busy <= 1464 + 40
    ((ced, _),) = heard(sound(((2100,), 1500)))
    assert 700 - 20 <= ced <= 700 + 40


def test_a_tone_that_comes_again_is_told_again() -> None:
    assert [name for _, name in heard(sound(*BUSY * 3, ((), 2000), *BUSY * 3))] == ["busy", "busy"]


@pytest.mark.parametrize(
    "parts",
    [
        (((350, 440), 3000),),  # a dialling tone
        (((480,), 1500), ((440,), 1500), ((620,), 1500)),  # one frequency of two
        (((480, 620), 500), ((), 900)) * 3,  # a pause that is too long
        (((480, 620), 800), ((), 500)) * 3,
        (((2100,), 600), ((), 300)),
        (((950,), 330), ((1800,), 330), ((1400,), 330)),  # in another order
    ],
)
def test_what_is_none_of_them(parts: tuple[Part, ...]) -> None:
    assert heard(sound(*parts, ((), 300))) == []


def test_speech_and_noise_are_none_of_them() -> None:
    speech = synthesize("Please enter your account number, followed by the pound key.", rate=8000)
    assert heard(np.asarray(speech, np.int16)) == []
    assert heard(np.random.default_rng(5).normal(0, 3000, 40_000).astype(np.int16)) == []


@pytest.mark.parametrize("size", [1, 7, 500, 10**6])
def test_the_size_of_blocks_does_not_matter(size: int) -> None:
    whole = sound(((), 111), *BUSY * 2)
    assert heard(whole, size=size) == heard(whole)


def test_a_copy_goes_its_own_way() -> None:
    whole = sound(*BUSY * 2)
    detector = CadenceDetector(8000, TONES)
    assert detector.feed(whole[:8000]) == []
    twin = detector.copy()
    assert [name for _, name in twin.feed(whole[8000:])] == ["busy"]
    assert [name for _, name in detector.feed(whole[8000:])] == ["busy"]


@pytest.mark.parametrize(
    "wrong", [tone("none"), tone("high", (5000, 0, 100, 0)), tone("second", (0, 440, 100, 0))]
)
def test_a_tone_that_cannot_be(wrong: CadenceTone) -> None:
    with pytest.raises(ValueError):
        CadenceDetector(8000, (wrong,))
