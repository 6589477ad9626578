"""Noise suppression and automatic gain by libspeexdsp, and that blocks and repeated questions do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media import speexdsp
from media.engine import Engine
from media.espeak import synthesize
from media.preprocessing import Preprocessing
from media.source import Samples
from media.speexdsp import PreprocessSettings, SpeexDspUnavailable

try:
    speexdsp.require()
except SpeexDspUnavailable:
    pytest.skip("libspeexdsp is not installed", allow_module_level=True)

TEXT = "Please enter your account number, then press pound. The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def noise() -> NDArray[np.int16]:
    return np.random.default_rng(1).normal(0, 400, 8000 * 4).astype(np.int16)


def loudness(sound: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.square(sound.astype(np.float64)).mean()))


def test_noise_is_suppressed(noise: NDArray[np.int16]) -> None:
    settings = PreprocessSettings(noise_suppress=-20)
    out = Preprocessing(8000, settings).through(0, noise)
    assert len(out) == len(noise)
    assert loudness(out[16000:]) < loudness(noise) / 4


def test_speech_gets_as_loud_as_was_asked_for() -> None:
    speech = synthesize(TEXT * 2, "en", 8000) // 16
    settings = PreprocessSettings(agc_level=8000)
    out = Preprocessing(8000, settings).through(0, speech)
    half = len(speech) // 2
    assert loudness(out[half:]) > 4 * loudness(speech[half:])


@pytest.mark.parametrize("sizes", [(160,), (1, 159, 333), (4000,), (7,)])
def test_the_size_of_blocks_does_not_matter(noise: NDArray[np.int16], sizes: tuple[int, ...]) -> None:
    whole = Preprocessing(8000, PreprocessSettings()).through(0, noise[:4000])
    one, parts, place, turn = Preprocessing(8000, PreprocessSettings()), [], 0, 0
    while place < 4000:
        count = min(sizes[turn % len(sizes)], 4000 - place)
        parts.append(one.through(place, noise[place : place + count]))
        place, turn = place + count, turn + 1
    assert np.array_equal(np.concatenate(parts), whole)


def test_what_is_asked_for_again_is_the_same(noise: NDArray[np.int16]) -> None:
    one = Preprocessing(8000, PreprocessSettings())
    ahead = one.through(0, noise[:1600])
    assert np.array_equal(one.through(0, noise[:160]), ahead[:160])
    assert np.array_equal(one.through(160, noise[160:320]), ahead[160:320])
    assert np.array_equal(one.through(160, noise[160:2000])[:1440], ahead[160:])


def test_another_sound_than_was_looked_ahead_to(noise: NDArray[np.int16]) -> None:
    one = Preprocessing(8000, PreprocessSettings())
    one.through(0, noise[:1600])
    first = one.through(160, noise[160:320])
    changed = one.through(320, np.zeros(1600, np.int16))
    assert len(first) == 160 and len(changed) == 1600
    assert loudness(changed[800:]) < loudness(noise) / 10
    later = one.through(5000, noise[:160])  # nobody asked for what was between
    assert len(later) == 160 and not later.any()


def test_a_line_is_preprocessed_in_the_direction_asked_for(noise: NDArray[np.int16]) -> None:
    heard: list[NDArray[np.int16]] = []

    class Ear:
        def write(self, samples: NDArray[np.int16]) -> None:
            heard.append(samples)

    engine = Engine()
    line, far = engine.line(8000, lambda notice: None), engine.line(8000, lambda notice: None)
    line.connect(far)
    far.play(Samples(noise, 8000))
    line.tap(Ear(), write=False)
    line.preprocess(PreprocessSettings(noise_suppress=-30), read=True)
    for tick in range(1, 101):
        engine.advance(tick * 20_000)
    line.preprocess(None, read=True)
    for tick in range(101, 151):
        engine.advance(tick * 20_000)
    sound = np.concatenate(heard)
    assert loudness(sound[12000:16000]) < loudness(noise) / 4
    assert np.array_equal(sound[16000:], noise[16000:24000])
