"""The beep detector, and how good it is: hits on tones in noise, false ones on greetings spoken by espeak-ng."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.beep_detector import Beep, BeepDetector, Mode
from media.dtmf import tones
from media.espeak import synthesize
from media.g711 import G711

Sound = NDArray[np.int16]

GREETINGS = {
    "en": "Hello, you have reached the voice mail of John Smith. I am not able to take your call right now. "
    "Please leave your name and number after the tone, and I will call you back.",
    "de": "Guten Tag, Sie haben den Anschluss von Familie Müller gewählt. Leider sind wir zurzeit nicht erreichbar.",
    "fr": "Bonjour, vous êtes bien sur la messagerie de Jean Dupont. Laissez un message après le bip sonore.",
    "es": "Hola, en este momento no podemos atenderle. Deje su mensaje después de la señal.",
}
VOICES = ("", "+f2", "+f4", "+m3")


def sine(frequency: float, ms: int, amplitude: float = 3000, rate: int = 8000) -> NDArray[np.float64]:
    at = np.arange(rate * ms // 1000) * 2 * np.pi / rate
    return amplitude * np.sin(at * frequency + 0.3)


def whole(sound: NDArray[np.float64]) -> Sound:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def found(sound: Sound, rate: int = 8000, mode: Mode = Mode.BOTH) -> list[tuple[int, Beep]]:
    return [(offset, Beep.parse(detail)) for offset, detail in BeepDetector(rate, mode).feed(sound)]


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 48000])
@pytest.mark.parametrize("frequency", [450, 620.3, 1000, 1400, 1999, 2500])
def test_a_beep_is_told_with_what_it_is(rate: int, frequency: float) -> None:
    [(offset, beep)] = found(
        whole(np.concatenate((np.zeros(rate // 4), sine(frequency, 200, 3000, rate)))), rate
    )
    assert abs(beep.frequency - frequency) < 1
    assert abs(beep.amplitude - 3000) < 60
    assert beep.frequency_variance < 1e-6 and beep.amplitude_variance < 10_000
    assert 0.060 < offset / rate - 0.25 < 0.110


def hit_rate(signal_to_noise: float) -> float:
    generator = np.random.default_rng(1)
    beeps, hits = 0, 0
    for frequency in np.linspace(450, 3450, 31):
        for amplitude in (300, 3000, 12000):
            sound = np.concatenate((np.zeros(1000), sine(float(frequency), 250, amplitude), np.zeros(1000)))
            noise = amplitude / 2**0.5 * 10 ** (-signal_to_noise / 20)
            heard = found(whole(sound + generator.normal(0, noise, len(sound))))
            beeps += 1
            hits += len(heard) == 1 and abs(heard[0][1].frequency - frequency) < 10
    return hits / beeps


@pytest.mark.parametrize(("signal_to_noise", "least"), [(30, 1), (15, 1), (10, 1), (8, 0.98)])
def test_hit_rate_in_noise(signal_to_noise: float, least: float) -> None:
    assert hit_rate(signal_to_noise) >= least


def greeting(language: str, voice: str, pitch: int) -> Sound:
    return synthesize(GREETINGS[language], language + voice, 8000, 160, pitch)


@pytest.mark.parametrize("voice", VOICES)
def test_greetings_are_no_beeps_and_the_beep_behind_them_is_one(voice: str) -> None:
    for language in GREETINGS:
        for pitch in (20, 60, 95):
            spoken = greeting(language, voice, pitch)
            beep = whole(sine(1000, 300, 2000))
            [(offset, heard)] = found(np.concatenate((spoken, beep)))
            assert len(spoken) < offset < len(spoken) + 1000, (language, pitch)
            assert abs(heard.frequency - 1000) < 5


def test_what_is_no_beep() -> None:
    generator = np.random.default_rng(3)
    others = {
        "noise": generator.normal(0, 1500, 80_000),
        "dial tone": sine(350, 2000) + sine(440, 2000),
        "ringing": sine(440, 2000) + sine(480, 2000),
        "busy": sine(480, 2000) + sine(620, 2000),
        "ringing in Europe": sine(425, 2000),
        "faint": sine(1000, 2000, 10),
        "short": np.concatenate((np.zeros(800), sine(1000, 60), np.zeros(800))),
        "sweep": 3000 * np.sin(np.cumsum(np.linspace(0.4, 1.4, 8000))),
        "silence": np.zeros(8000),
    }
    assert [name for name, sound in others.items() if found(whole(sound))] == []
    assert [key for key in "0123456789ABCD*#" if found(tones(key, 400, 8000, -10))] == []


def test_a_coded_beep_is_heard() -> None:
    sound = whole(np.concatenate((np.zeros(500), sine(1300, 200, 900))))
    codec = G711("PCMU", 20)
    assert found(codec.decode(codec.encode(sound)))


def test_what_need_not_be_steady() -> None:
    wobbling = sine(1000, 400) * (1 + 0.4 * np.sin(np.arange(3200) / 60))
    assert not found(whole(wobbling))
    assert found(whole(wobbling), mode=Mode.FREQUENCY)
    gliding = whole(3000 * np.sin(np.cumsum(np.linspace(0.5, 0.9, 6000))))
    assert not found(gliding, mode=Mode.FREQUENCY)
    assert found(gliding, mode=Mode.AMPLITUDE)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=30))
def test_the_size_of_blocks_does_not_matter(sizes: list[int]) -> None:
    sound = whole(np.concatenate((np.zeros(1234), sine(700, 300), np.zeros(100))))
    detector, pieces, place = BeepDetector(8000), [], 0
    for size in [*sizes, len(sound)]:
        pieces += [(place + offset, detail) for offset, detail in detector.feed(sound[place : place + size])]
        place += size
    assert [offset for offset, _ in pieces] == [offset for offset, _ in BeepDetector(8000).feed(sound)]
    assert len(pieces) == 1


def test_a_copy_goes_its_own_way() -> None:
    detector = BeepDetector(8000)
    beep = whole(sine(900, 200))
    twin = detector.copy()
    assert twin.feed(beep) and not twin.feed(beep)
    assert detector.feed(beep)


@pytest.mark.parametrize(("rate", "streak"), [(3999, 3), (8000, -1)])
def test_what_cannot_be_listened_to(rate: int, streak: int) -> None:
    with pytest.raises(ValueError, match="no beep"):
        BeepDetector(rate, Mode.BOTH, streak)


@pytest.mark.parametrize("detail", ["", "1 2 3", "a b c d", "1 2 3 4 5"])
def test_what_is_no_detail(detail: str) -> None:
    with pytest.raises(ValueError):
        Beep.parse(detail)
