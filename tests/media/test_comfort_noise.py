from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.comfort_noise import ComfortNoise, ComfortNoiseError, ComfortNoiseGenerator


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
        return
    generator = ComfortNoiseGenerator(8000)
    generator.update(noise)
    assert len(generator.next(160)) == 160


@pytest.mark.parametrize("loudness", [20, 40, 60])
@pytest.mark.parametrize("coefficients", [(), (0.5,), (-0.9, 0.4, 0.1)])
def test_the_level_is_that_of_the_payload(loudness: int, coefficients: tuple[float, ...]) -> None:
    generator = ComfortNoiseGenerator(8000, seed=4)
    generator.update(ComfortNoise(loudness, coefficients))
    generator.next(160)
    sound = np.concatenate([generator.next(160) for _ in range(100)])
    assert level(sound) == pytest.approx(loudness, abs=0.6)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_noise_is_heard_and_made_again(rate: int) -> None:
    random = np.random.default_rng(7)
    white = random.standard_normal(rate)
    # A room's rumble: a low pass.
    coloured = np.convolve(white, np.exp(-np.arange(40) / 6))[:rate]
    original = (coloured * 60).astype(np.int16)
    noise = ComfortNoise.parse(ComfortNoise.of(original).serialize())
    generator = ComfortNoiseGenerator(rate, seed=1)
    generator.update(noise)
    generator.next(rate // 50)
    made = generator.next(rate)
    assert level(made) == pytest.approx(level(original), abs=1)

    def bands(samples: NDArray[np.int16]) -> NDArray[np.float64]:
        power = np.abs(np.fft.rfft(samples[: rate // 2].astype(float))) ** 2
        decibels: NDArray[np.float64] = 10 * np.log10(
            power[: len(power) // 8 * 8].reshape(8, -1).mean(axis=1)
        )
        return decibels

    assert np.abs(bands(made) - bands(original)).max() < 3


def test_digital_silence() -> None:
    assert ComfortNoise.of(np.zeros(160, np.int16)) == ComfortNoise(127)
    assert ComfortNoise.of(np.zeros(0, np.int16)) == ComfortNoise(127)
    generator = ComfortNoiseGenerator(8000)
    assert not generator.next(160).any()
    generator.update(ComfortNoise(127))
    assert np.abs(generator.next(160)).max() <= 1


def test_a_change_makes_no_step_and_a_repetition_no_change() -> None:
    generator, other = ComfortNoiseGenerator(8000), ComfortNoiseGenerator(8000)
    for one in (generator, other):
        one.update(ComfortNoise(40))
        one.next(160)
    generator.update(ComfortNoise(40))
    assert np.array_equal(generator.next(160), other.next(160))
    generator.update(ComfortNoise(90))
    crossing = np.abs(generator.next(160).astype(int))
    assert crossing[:20].max() > 10 * crossing[100:].max()


def test_what_cannot_be_sent() -> None:
    for noise in (ComfortNoise(128), ComfortNoise(-1), ComfortNoise(1, (0.0,) * 33)):
        with pytest.raises(ComfortNoiseError):
            noise.serialize()
    with pytest.raises(ComfortNoiseError):
        ComfortNoise.of(np.zeros(10, np.int16), order=33)
