from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.resample import StreamResampler, resample

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


def sine(rate: int, seconds: float = 0.5) -> NDArray[np.int16]:
    wave: NDArray[np.float64] = 8000 * np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 500 / rate)
    return np.rint(wave).astype(np.int16)


@pytest.mark.parametrize("source", RATES)
@pytest.mark.parametrize("target", RATES)
def test_a_tone_stays_itself(source: int, target: int) -> None:
    made = resample(sine(source), source, target)
    assert made.dtype == np.int16
    assert len(made) == -(-len(sine(source)) * target // source)
    middle = slice(len(made) // 4, len(made) // 2)
    places = np.arange(len(made)) * 2 * np.pi * 500 / target
    assert np.abs(made[middle] - 8000 * np.sin(places[middle])).max() < 20


def test_silence_stays_digital_silence() -> None:
    assert not resample(np.zeros(1000, np.int16), 8000, 48000).any()
    assert len(resample(np.zeros(0, np.int16), 8000, 48000)) == 0


def test_too_loud_is_clipped() -> None:
    square = np.repeat(np.array([32767, -32768] * 50, np.int16), 20)
    made = resample(square, 8000, 16000)
    assert made.max() == 32767
    assert made.min() == -32768


def test_blocks_join_to_the_same_sound() -> None:
    sound = sine(8000)
    stream = StreamResampler(8000, 22050)
    parts = [stream.feed(sound[at : at + 160]) for at in range(0, len(sound), 160)]
    joined = np.concatenate([*parts, stream.flush()])
    whole = resample(sound, 8000, 22050)
    assert abs(len(joined) - len(whole)) <= 1
    assert np.abs(joined[: len(whole)].astype(int) - whole[: len(joined)]).max() <= 1


def test_stereo_and_equal_rates() -> None:
    stereo = np.stack([sine(8000), -sine(8000)], axis=1)
    made = resample(stereo, 8000, 16000)
    assert made.shape == (8000, 2)
    assert np.abs(made.sum(axis=1)).max() <= 1
    stream = StreamResampler(8000, 16000, 2)
    assert stream.feed(stereo).shape[1] == 2
    assert stream.flush().shape[1] == 2
    same = StreamResampler(8000, 8000)
    assert same.feed(sine(8000)) is not None
    assert len(same.flush()) == 0
