from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.frame_resampler import FrameResampler

PAIRS = [
    (8000, 16000),
    (16000, 8000),
    (8000, 48000),
    (48000, 8000),
    (32000, 48000),
    (24000, 16000),
    (8000, 44100),
]


def tone(rate: int, frequency: float, count: int) -> NDArray[np.int16]:
    sound: NDArray[np.int16] = (10_000 * np.sin(2 * np.pi * frequency / rate * np.arange(count))).astype(
        np.int16
    )
    return sound


def through(resampler: FrameResampler, sound: NDArray[np.int16], size: int) -> NDArray[np.int16]:
    return np.concatenate([resampler.feed(sound[at : at + size]) for at in range(0, len(sound), size)])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_frames_stay_frames_and_tones_stay_tones(source: int, target: int) -> None:
    size = source // 50
    made = through(FrameResampler(source, target), tone(source, 1000, 50 * size), size)
    assert len(made) == target
    steady = made[target // 10 : target // 10 * 9].astype(float)
    places = np.arange(len(steady)) * 2 * np.pi * 1000 / target
    basis = np.stack((np.sin(places), np.cos(places)))
    weights = basis @ steady * 2 / len(steady)
    assert np.hypot(*weights) == pytest.approx(10_000, rel=0.01)
    assert np.abs(steady - weights @ basis).max() < 20


def test_the_block_size_does_not_matter() -> None:
    sound = np.random.default_rng(2).integers(-9000, 9000, 4800).astype(np.int16)
    whole = FrameResampler(48000, 8000).feed(sound)
    assert np.array_equal(through(FrameResampler(48000, 8000), sound, 480), whole)


def test_the_delay_is_2_ms() -> None:
    click = np.zeros(480, np.int16)
    click[48] = 20_000
    for source, target in [(8000, 16000), (16000, 8000), (8000, 48000), (48000, 8000)]:
        resampler = FrameResampler(source, target)
        size = source // 50
        sound = np.zeros(3 * size, np.int16)
        sound[size] = 20_000
        found = int(np.argmax(through(resampler, sound, size)))
        assert found / target * 1000 - 20 == pytest.approx(2, abs=0.13)
        assert resampler.delay_ms == 2


def test_what_does_not_fit_into_the_band_is_gone() -> None:
    made = through(FrameResampler(16000, 8000), tone(16000, 5000, 16000), 320)
    assert np.abs(made[200:]).max() < 10
    made = through(FrameResampler(8000, 16000), tone(8000, 3000, 8000), 160).astype(float)[400:-400]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert spectrum[int(len(spectrum) * 0.55) :].max() < spectrum.max() / 1000


def test_lines_are_each_for_themselves() -> None:
    sound = np.random.default_rng(5).integers(-20000, 20000, (6, 320)).astype(np.int16)
    together = FrameResampler(16000, 8000)
    alone = [FrameResampler(16000, 8000) for _ in range(6)]
    for _ in range(3):
        made = together.feed(sound)
        assert made.shape == (6, 160)
        for line in range(6):
            # Sums in another order may round differently.
            assert np.abs(made[line].astype(int) - alone[line].feed(sound[line])).max() <= 1


def test_equal_rates_and_wrong_sizes() -> None:
    sound = np.arange(160, dtype=np.int16)
    assert FrameResampler(8000, 8000).feed(sound) is sound
    with pytest.raises(ValueError, match="multiple of 6"):
        FrameResampler(48000, 8000).feed(sound)
