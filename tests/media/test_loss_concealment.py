from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.espeak import synthesize
from media.loss_concealment import LossConcealer


def voiced(rate: int, count: int, pitch: float = 120.0) -> NDArray[np.int16]:
    """Something like a vowel: harmonics that fall off."""
    places = np.arange(count) / rate
    wave = sum(np.sin(2 * np.pi * pitch * number * places + number) / number for number in range(1, 12))
    return np.asarray(wave * 4000).astype(np.int16)


def snr(wanted: NDArray[np.int16], got: NDArray[np.int16]) -> float:
    signal, noise = wanted.astype(float), wanted.astype(float) - got
    return float(10 * np.log10((signal**2).sum() / max(1.0, (noise**2).sum())))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("pitch", [80.0, 125.0, 160.0, 250.0])
def test_a_vowel_goes_on(rate: int, pitch: float) -> None:
    size = rate // 50
    sound = voiced(rate, 12 * size, pitch)
    concealer = LossConcealer(rate)
    for at in range(10):
        concealer.good(sound[at * size : (at + 1) * size])
    made = concealer.conceal(size)
    assert made.dtype == np.int16
    assert len(made) == size
    # The first 10 ms have the full level, and hardly differ from what was lost.
    half = size // 2
    assert snr(sound[10 * size : 10 * size + half], made[:half]) > 10


def test_without_steps_at_the_joints() -> None:
    size = 160
    sound = voiced(8000, 30 * size)
    concealer = LossConcealer(8000)
    out = []
    for at in range(30):
        if at in (10, 15, 16, 22, 23, 24):
            out.append(concealer.conceal(size))
        else:
            out.append(concealer.good(sound[at * size : (at + 1) * size]))
    joined = np.concatenate(out).astype(int)
    usual = np.abs(np.diff(sound.astype(int))).max()
    assert np.abs(np.diff(joined)).max() < 1.5 * usual


def test_fades_to_silence_in_60_ms() -> None:
    concealer = LossConcealer(8000)
    for at in range(10):
        concealer.good(voiced(8000, 1600)[at * 160 : (at + 1) * 160])
    levels = [float(np.abs(concealer.conceal(80).astype(int)).mean()) for _ in range(8)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 1000
    assert levels[6:] == [0, 0]
    assert concealer.concealed == 640


@pytest.mark.parametrize("frame_ms", [10, 20, 30, 60])
def test_a_fifth_of_the_level_is_lost_every_10_ms(frame_ms: int) -> None:
    """G.711 appendix I: the first 10 ms are as they were, from 60 ms on there is silence."""
    concealer = LossConcealer(8000)
    tone = (8000 * np.sin(np.arange(1600) * 2 * np.pi / 40)).astype(np.int16)
    for at in range(10):
        concealer.good(tone[at * 160 : (at + 1) * 160])
    made = np.concatenate([concealer.conceal(8 * frame_ms) for _ in range(-(-120 // frame_ms))])
    levels = np.sqrt((made.astype(float) ** 2).reshape(-1, 80).mean(1)) / (8000 / np.sqrt(2))
    assert levels[:6] == pytest.approx([1.0, 0.9, 0.7, 0.5, 0.3, 0.1], abs=0.04)
    assert not levels[6:].any()


def test_good_frames_are_left_alone() -> None:
    concealer = LossConcealer(8000)
    sound = voiced(8000, 1600)
    for at in range(10):
        frame = sound[at * 160 : (at + 1) * 160]
        assert np.array_equal(concealer.good(frame), frame)
    concealer.conceal(160)
    concealer.silence()
    assert np.array_equal(concealer.good(sound[:160]), sound[:160])


def test_nothing_is_made_from_nothing() -> None:
    concealer = LossConcealer(8000)
    assert not concealer.conceal(160).any()
    concealer.good(np.zeros(160, np.int16))
    assert not concealer.conceal(160).any()


@pytest.mark.parametrize("size", [80, 160, 240, 480])
def test_speech_is_nearer_than_with_silence(size: int) -> None:
    speech = synthesize("The quick brown fox jumps over the lazy dog", "en", 8000)
    speech = speech[: len(speech) // size * size]
    concealer = LossConcealer(8000)
    filled = []
    muted = speech.copy()
    for at in range(len(speech) // size):
        frame = speech[at * size : (at + 1) * size]
        if at % 10 == 5:
            filled.append(concealer.conceal(size))
            muted[at * size : (at + 1) * size] = 0
        else:
            filled.append(concealer.good(frame))
    whole = np.concatenate(filled)
    assert len(whole) == len(speech)

    def spectra(samples: NDArray[np.int16]) -> NDArray[np.float64]:
        frames = samples[: len(samples) // 80 * 80].reshape(-1, 80) * np.hanning(80)
        levels: NDArray[np.float64] = np.log10(np.abs(np.fft.rfft(frames)) + 100)
        return levels

    # What is heard is the spectrum; its distance from the original's is what concealment makes smaller.
    assert (
        np.abs(spectra(whole) - spectra(speech)).mean()
        < 0.7 * np.abs(spectra(muted) - spectra(speech)).mean()
    )


def test_the_loudest_sound_is_not_wrapped() -> None:
    square = np.where(np.arange(1680) // 30 % 2, 32767, -32768).astype(np.int16)
    concealer = LossConcealer(8000)
    for at in range(10):
        concealer.good(square[at * 160 : (at + 1) * 160])
    made = concealer.conceal(80)
    # A wrap would turn a peak's sign: here it changes only where the square does.
    assert np.array_equal(np.sign(made[20:]), np.sign(square[1620:]))
    assert np.abs(made.astype(int)).max() >= 32000
