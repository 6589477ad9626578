from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.comfort_noise import ComfortNoise, ComfortNoiseError


def level(samples: NDArray[np.int16]) -> float:
    return float(-20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768))


@given(st.integers(0, 127), st.lists(st.integers(0, 254), max_size=32))
def test_what_is_parsed_is_serialized_again(loudness: int, numbers: list[int]) -> None:
    payload = bytes([loudness, *numbers])
    assert ComfortNoise.parse(payload).serialize() == payload


@given(st.binary(max_size=40))
def test_any_bytes_are_noise_or_the_declared_error(payload: bytes) -> None:
    try:
        noise = ComfortNoise.parse(payload)
    except ComfortNoiseError:
        assert not 1 <= len(payload) <= 33
    else:
        assert len(noise.coefficients) == len(payload) - 1


@pytest.mark.parametrize("rate", [8000, 16000])
def test_level_and_colour_are_those_of_the_sound(rate: int) -> None:
    random = np.random.default_rng(7)
    white = random.standard_normal(rate)
    # A room's rumble: a low pass.
    coloured = np.convolve(white, np.exp(-np.arange(40) / 6))[:rate]
    original = (coloured * 60).astype(np.int16)
    noise = ComfortNoise.parse(ComfortNoise.of(original).serialize())
    assert noise.level == pytest.approx(level(original), abs=0.6)
    # What follows a sample is most of it: exp(-1 / 6).
    assert noise.coefficients[0] == pytest.approx(-np.exp(-1 / 6), abs=0.05)


def test_digital_silence() -> None:
    assert ComfortNoise.of(np.zeros(160, np.int16)) == ComfortNoise(127)
    assert ComfortNoise.of(np.zeros(0, np.int16)) == ComfortNoise(127)


def test_what_cannot_be_sent() -> None:
    for noise in (ComfortNoise(128), ComfortNoise(-1), ComfortNoise(1, (0.0,) * 33)):
        with pytest.raises(ComfortNoiseError):
            noise.serialize()
    with pytest.raises(ComfortNoiseError):
        ComfortNoise.of(np.zeros(10, np.int16), order=33)
