"""The encoder of iLBC: what FFmpeg's decoder makes of its frames, and that no sound is too much for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media import ilbc_lpc
from media.espeak import synthesize
from media.ilbc import Ilbc
from media.ilbc_codebook import Codebook
from media.ilbc_encoder import FRAME_BYTES, encode_frames, new_states
from media.ilbc_tables import BITS, LSF_CODEBOOKS, ORDER

pytest.importorskip("av")

MODES = (20, 30)
# Segmental signal-to-noise ratios in dB that the reference encoder of RFC 3951 has of these voices, by modes.
REFERENCE = {
    ("en", 20): 8.76,
    ("en", 30): 8.33,
    ("en+f3", 20): 9.22,
    ("en+f3", 30): 8.71,
    ("de", 20): 8.97,
    ("de", 30): 8.73,
}
TEXT = "The quick brown fox jumps over the lazy dog, and she sells sea shells by the sea shore."


def encoded(sound: NDArray[np.int16], mode: int) -> list[bytes]:
    states = new_states(mode, lines=1)
    frames = sound[: len(sound) // (8 * mode) * 8 * mode].reshape(-1, 1, 8 * mode)
    return [encode_frames(frame, states).tobytes() for frame in frames]


def decoded(payloads: list[bytes], mode: int) -> NDArray[np.int16]:
    codec = Ilbc(mode)
    return np.concatenate([codec.decode(payload) for payload in payloads])


def segmental_snr(sound: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """The mean signal-to-noise ratio in dB of the 20 ms that are not silent; both are as loud at all frequencies."""
    length = min(len(sound), len(heard)) // 160 * 160
    said, got = (part[:length].astype(float).reshape(-1, 160) for part in (sound, heard))
    power = (said**2).sum(1)
    noise = ((said - got) ** 2).sum(1) + 1
    loud = power > 160 * 200**2
    return float(np.clip(10 * np.log10(power[loud] / noise[loud]), -10, 60).mean())


def bits_of(payload: bytes, mode: int) -> list[int]:
    """The parameters of a frame, in the order of table 3.2, taken apart as a decoder does."""
    left = "".join(f"{byte:08b}" for byte in payload)
    values = [0] * len(BITS[mode])
    for part in range(3):
        for place, counts in enumerate(BITS[mode]):
            values[place] = values[place] << counts[part] | int(left[: counts[part]] or "0", 2)
            left = left[counts[part] :]
    assert left == ""
    return values


@pytest.mark.parametrize(("voice", "mode"), REFERENCE)
def test_speech_is_as_good_as_the_standard_has_it(voice: str, mode: int) -> None:
    sound = synthesize(TEXT, voice=voice)
    heard = decoded(encoded(sound, mode), mode)
    assert segmental_snr(high_passed(sound), heard) > REFERENCE[voice, mode] - 0.2


def high_passed(sound: NDArray[np.int16]) -> NDArray[np.int16]:
    """What RFC 3951 A.28 makes of a sound."""
    out = [0.0, 0.0]
    given = [0.0, 0.0, *sound.tolist()]
    for place in range(2, len(given)):
        new = 0.92727436 * given[place] - 1.8544941 * given[place - 1] + 0.92727436 * given[place - 2]
        out.append(new + 1.9059465 * out[-1] - 0.9114024 * out[-2])
    return np.array(out[2:]).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("frequency", [200, 440, 1000, 2500, 3400])
def test_a_tone_keeps_its_frequency_and_level(mode: int, frequency: int) -> None:
    sound = (8000 * np.sin(2 * np.pi * frequency / 8000 * np.arange(8000))).astype(np.int16)
    heard = decoded(encoded(sound, mode), mode)[2000:6096].astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) / (len(heard) / 4)
    assert abs(int(spectrum.argmax()) * 8000 / len(heard) - frequency) < 4
    assert spectrum.max() == pytest.approx(8000, rel=0.15)


@pytest.mark.parametrize("mode", MODES)
def test_lines_are_encoded_as_each_by_itself(mode: int) -> None:
    sound = synthesize(TEXT)
    frames = sound[: 60 * 8 * mode].reshape(60, 8 * mode)
    # More than are worked on at once, so few that each is taken for itself, and one.
    alone = [encoded(frames[place : place + 3].ravel(), mode) for place in range(40)]
    for lines in (40, 3, 1):
        states = new_states(mode, lines)
        for turn in range(3):
            payloads = encode_frames(frames[turn : turn + lines], states)
            assert payloads.shape == (lines, FRAME_BYTES[mode])
            assert payloads.dtype == np.uint8
            same = [row.tobytes() == alone[place][turn] for place, row in enumerate(payloads)]
            # Products of many lines are added up in another order, which may tip a close decision.
            assert np.mean(same) > 0.9


@pytest.mark.parametrize("mode", MODES)
def test_rows_of_states_can_be_taken_in_any_order(mode: int) -> None:
    sound = synthesize(TEXT)
    frames = sound[8000 : 8000 + 8 * 8 * mode].reshape(4, 2, 8 * mode)
    whole = new_states(mode, 4)
    expected = [encode_frames(frames[:, turn], whole).tolist() for turn in range(2)]
    states = new_states(mode, 4)
    for turn in range(2):
        for rows in ([3, 0], [1], [2]):
            some = states[rows]
            payloads = encode_frames(frames[rows, turn], some)
            states[rows] = some
            for row, payload in zip(rows, payloads.tolist(), strict=True):
                assert payload == expected[turn][row]
    np.testing.assert_allclose(states, whole, rtol=1e-6, atol=1e-6)


def test_another_number_of_samples_is_refused() -> None:
    for samples, states in (
        (np.zeros((1, 160), np.int16), new_states(30, 1)),
        (np.zeros((2, 240), np.int16), new_states(30, 1)),
        (np.zeros((1, 200), np.int16), new_states(20, 1)),
        (np.zeros((1, 161), np.int16), new_states(20, 1)),
    ):
        with pytest.raises(ValueError, match="cannot take"):
            encode_frames(samples, states)
    with pytest.raises(ValueError, match="not 25"):
        new_states(25, 1)
    assert encode_frames(np.zeros((0, 160), np.int16), new_states(20, 0)).shape == (0, 38)


@pytest.mark.parametrize("mode", MODES)
def test_silence_stays_silent(mode: int) -> None:
    heard = decoded(encoded(np.zeros(8000, np.int16), mode), mode)
    assert np.abs(heard).max() <= 2


PLACES = np.arange(4800)
HARD: dict[str, NDArray[np.float64]] = {
    "full scale": np.full(4800, 32767.0),
    "least": np.full(4800, -32768.0),
    "square of 100 Hz": 32767 * np.sign(np.sin(2 * np.pi * 100 / 8000 * PLACES + 0.1)),
    "square of 4 kHz": np.where(PLACES % 2, -32767.0, 32767.0),
    "clicks": 32767.0 * (PLACES % 397 == 0),
    "tone at the edge": 32767 * np.sin(2 * np.pi * 3990 / 8000 * PLACES),
    "hum": 32767 * np.sin(2 * np.pi * 50 / 8000 * PLACES),
    "a step": np.where(PLACES < 2400, -32768.0, 32767.0),
    "the least bit": (PLACES % 2).astype(float),
    "noise": np.random.default_rng(1).integers(-32768, 32768, 4800).astype(float),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HARD)
@pytest.mark.filterwarnings("error")
def test_hard_sounds_are_frames_like_others(mode: int, name: str) -> None:
    sound = HARD[name].astype(np.int16)
    payloads = encoded(sound, mode)
    assert {len(payload) for payload in payloads} == {FRAME_BYTES[mode]}
    for payload in payloads:
        check(bits_of(payload, mode), mode)
    heard = decoded(payloads, mode)
    assert heard.shape == (4800,)


def check(values: list[int], mode: int) -> None:
    """Assert that a decoder can take a frame's parameters: what is told beyond their bits."""
    sets = 1 if mode == 20 else 2
    start = values[3 * sets]
    assert 1 <= start <= (3 if mode == 20 else 5)
    assert values[-1] == 0
    # The first target, of 23 or 22 samples, has no more than 126 or 128 vectors.
    short = values[3 * sets + 3 + (57 if mode == 20 else 58) :][:3]
    assert max(short) < (126 if mode == 20 else 128)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(MODES),
    st.integers(1, 3),
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    st.lists(st.integers(0, 2**16), min_size=1, max_size=4),
)
@pytest.mark.filterwarnings("error")
def test_any_sound_is_encoded(mode: int, lines: int, pattern: list[int], turns: list[int]) -> None:
    states = new_states(mode, lines)
    codec = Ilbc(mode)
    sound = np.resize(np.array(pattern, np.int16), lines * 8 * mode * 2)
    for turn in turns:
        payloads = encode_frames(np.roll(sound, turn)[: lines * 8 * mode].reshape(lines, -1), states)
        assert np.isfinite(states).all()
        for row in payloads:
            check(bits_of(row.tobytes(), mode), mode)
            assert codec.decode(row.tobytes()).shape == (8 * mode,)


def test_filters_and_their_frequencies_are_the_same_thing() -> None:
    noise = np.cumsum(np.random.default_rng(2).normal(0, 100, (8, 300)), 1)
    filters = ilbc_lpc.prediction_filters(noise, 2)
    frequencies = ilbc_lpc.spectral_frequencies(filters)
    assert frequencies.shape == (8, 2, ORDER)
    assert (np.diff(frequencies) > 0).all()
    np.testing.assert_allclose(ilbc_lpc.filters_of(frequencies), filters, atol=1e-9)
    # Their roots are where A(z) and what it is reversed cancel each other.
    first = filters[0, 0]
    both = np.append(first, 0) + np.append(first, 0)[::-1]
    roots = np.sort(np.angle(np.roots(both)))
    np.testing.assert_allclose(roots[(roots > 0) & (roots < 3.14)], frequencies[0, 0, ::2], atol=1e-7)


def test_the_filter_of_silence_lets_all_through() -> None:
    silent = ilbc_lpc.prediction_filters(np.zeros((1, 240)), 1)
    np.testing.assert_array_equal(silent, np.eye(1, ORDER + 1)[np.newaxis])
    np.testing.assert_allclose(
        ilbc_lpc.spectral_frequencies(silent)[0, 0], np.arange(1, 11) * np.pi / 11, atol=1e-12
    )


def test_frequencies_are_quantised_to_the_nearest_and_kept_apart() -> None:
    wanted = np.concatenate([book[7] for book in LSF_CODEBOOKS])
    indices, quantized = ilbc_lpc.quantize(wanted[np.newaxis] + 0.001)
    assert indices.tolist() == [[7, 7, 7]]
    np.testing.assert_allclose(quantized, wanted[np.newaxis])
    random = np.sort(np.random.default_rng(3).uniform(0, np.pi, (400, ORDER)), 1)
    indices, quantized = ilbc_lpc.quantize(random)
    plain = np.concatenate([book[indices[:, place]] for place, book in enumerate(LSF_CODEBOOKS)], 1)
    assert (np.diff(plain) < 0.039).any()
    # Once more than it takes for two that are too near: a third may be in the way.
    assert (np.diff(quantized) > 0).all()
    assert np.mean(np.diff(quantized).min(1) >= 0.0389) > 0.9


def test_the_residual_is_what_the_filters_leave() -> None:
    random = np.random.default_rng(4)
    speech, filters = random.normal(0, 1, (2, 220)), random.normal(0, 1, (2, 4, ORDER + 1))
    left = ilbc_lpc.residual(speech, filters)
    assert left.shape == (2, 160)
    for line, place in ((0, 0), (0, 39), (0, 40), (1, 100), (1, 159)):
        history = speech[line, 60 + place - ORDER : 60 + place + 1][::-1]
        assert left[line, place] == pytest.approx(float(history @ filters[line, place // 40]))


def test_vectors_of_the_codebook_are_what_decoders_build() -> None:
    memory = np.random.default_rng(5).normal(0, 1, (2, 147)).astype(np.float32)
    book = Codebook(147, 40)
    vectors = book.vectors(memory)
    assert vectors.shape == (2, 256, 40)
    np.testing.assert_array_equal(vectors[1, 0], memory[1, 107:])
    np.testing.assert_array_equal(vectors[1, 107], memory[1, :40])
    # RFC 3951, figure 3.11: delay 20, whose samples 15 to 19 fade over to those 20 before.
    line = memory[0]
    faded = line[142:147] * (1 - np.arange(5) / 5) + line[122:127] * np.arange(5) / 5
    np.testing.assert_allclose(vectors[0, 108], [*line[127:142], *faded, *line[127:147]], rtol=1e-5)
    # The expanded ones, with zeros beyond both ends.
    taps = (-0.034180, 0.108887, -0.184326, 0.806152, 0.713379, -0.144043, 0.083740, -0.033691)
    padded = np.pad(line, 8)
    expanded = [sum(tap * padded[8 + at + 4 - i] for i, tap in enumerate(taps)) for at in range(147)]
    np.testing.assert_allclose(vectors[0, 128], expanded[107:], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(vectors[0, 235], expanded[:40], rtol=1e-4, atol=1e-5)
    assert (len(Codebook(85, 22)), len(Codebook(85, 23))) == (128, 126)
