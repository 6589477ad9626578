from __future__ import annotations

import copy
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.dtmf import FREQUENCIES, tones
from media.dtmf_detector import DtmfDetector, feed_together
from media.espeak import synthesize

ALL = "0123456789ABCD*#"
Sound = NDArray[np.int16]


def silence(ms: int, rate: int = 8000) -> Sound:
    return np.zeros(rate * ms // 1000, np.int16)


def dialled(digits: str, on: int = 40, off: int = 40, rate: int = 8000, level: float = -10) -> Sound:
    parts = [silence(50, rate)]
    for digit in digits:
        parts += [tones(digit, on, rate, level), silence(off, rate)]
    return np.concatenate([*parts, silence(50, rate)])


def pair(low: float, high: float, low_level: float = 4000, high_level: float = 4000, ms: int = 100) -> Sound:
    at = np.arange(8 * ms) * 2 * np.pi / 8000
    tone = low_level * np.sin(at * low) + high_level * np.sin(at * high)
    return np.concatenate([silence(50), np.rint(tone).astype(np.int16), silence(50)])


def noisy(sound: Sound, signal_to_noise: float, seed: int, level: float = -10) -> Sound:
    power = (32767 * 10 ** ((level - 3.14) / 20)) ** 2  # of both tones together
    noise = np.random.default_rng(seed).normal(0, (power * 10 ** (-signal_to_noise / 10)) ** 0.5, len(sound))
    return np.clip(np.rint(sound + noise), -32768, 32767).astype(np.int16)


def found(sound: Sound, rate: int = 8000) -> str:
    return "".join(digit for _, digit in DtmfDetector(rate).feed(sound))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize("level", [-4, -10, -29])
def test_all_keys_at_the_shortest_times(rate: int, level: float) -> None:
    assert found(dialled(ALL * 2, rate=rate, level=level), rate) == ALL * 2


@pytest.mark.parametrize("shift", range(0, 80, 7))
def test_where_a_key_begins_does_not_matter(shift: int) -> None:
    assert found(np.concatenate([np.zeros(shift, np.int16), dialled("4711#")])) == "4711#"
    assert found(np.concatenate([np.zeros(shift, np.int16), dialled("4711", on=23)])) == ""


def test_the_offset_is_where_a_key_is_certain() -> None:
    sound = np.concatenate([silence(1000), tones("5", 400, 8000), silence(500), tones("6", 400, 8000)])
    (first, five), (second, six) = DtmfDetector(8000).feed(sound)
    assert five + six == "56"
    assert 8000 + 30 * 8 <= first <= 8000 + 50 * 8
    assert second - first == 900 * 8


def test_a_short_gap_does_not_split_a_key_but_a_change_does() -> None:
    held = np.concatenate([tones("5", 100, 8000), silence(10), tones("5", 100, 8000), tones("9", 60, 8000)])
    assert found(held) == "59"


def test_levels_twist_and_frequencies() -> None:
    low, high = FREQUENCIES["5"]
    assert found(pair(low, high)) == "5"
    assert found(pair(low, high, 50, 50)) == ""
    assert found(pair(low, high, 4000, 2000)) == found(pair(low, high, 2000, 4000)) == "5"
    assert found(pair(low, high, 8000, 1000)) == found(pair(low, high, 1000, 8000)) == ""
    for factor in (0.985, 1.015):
        assert found(pair(low * factor, high * factor)) == "5"
        assert found(pair(low, high * factor)) == "5"
    for factor in (0.965, 1.035):
        assert found(pair(low * factor, high)) == found(pair(low, high * factor)) == ""
    assert found(pair(low, 440)) == found(pair(350, 440)) == found(pair(low, low)) == ""


def test_hit_rate_at_15_db() -> None:
    hits = sum(found(noisy(dialled(ALL, 50, 50), 15, seed)) == ALL for seed in range(20))
    assert hits >= 19


def test_noise_and_speech_are_no_keys() -> None:
    noise = np.random.default_rng(3).normal(0, 4000, 8000 * 60).astype(np.int16)
    assert found(noise) == ""
    text = "The quick brown fox jumps over the lazy dog. Please enter your account number, then press pound. "
    for voice in ("en", "en-us+f3", "de", "fr"):
        assert found(synthesize(text * 8, voice, 8000)) == ""


def test_a_key_is_heard_over_a_quiet_prompt() -> None:
    speech = synthesize("Please enter your account number, then press pound.", "en", 8000) // 16
    sound = dialled("1234567890", 100, 100)
    sound[: len(speech)] += speech[: len(sound)]
    assert found(sound) == "1234567890"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=12), st.integers(0, 3))
def test_the_block_size_does_not_matter(cuts: list[int], seed: int) -> None:
    sound = noisy(dialled("159D*", 60, 45), 20, seed)
    detector = DtmfDetector(8000)
    whole = DtmfDetector(8000).feed(sound)
    pieces: list[tuple[int, str]] = []
    at = 0
    for end in [*sorted(cuts), len(sound)]:
        pieces += [(at + offset, digit) for offset, digit in detector.feed(sound[at:end])]
        at = max(at, min(end, len(sound)))
    assert pieces == whole
    assert [digit for _, digit in whole] == list("159D*")


def test_a_copy_goes_its_own_way() -> None:
    detector = DtmfDetector(8000)
    sound = dialled("12", 100, 100)
    assert detector.feed(sound[:550]) == []
    for other in (detector.copy(), copy.copy(detector)):
        assert [digit for _, digit in other.feed(sound[550:])] == ["1", "2"]
    assert detector.feed(silence(500)) == []
    assert detector.pressed == ""


def test_a_key_that_is_held_is_told_once_and_seen() -> None:
    detector = DtmfDetector(8000)
    assert [digit for _, digit in detector.feed(tones("8", 5000, 8000))] == ["8"]
    assert detector.pressed == "8"
    assert detector.feed(silence(1000)) == []
    assert detector.pressed == ""


def test_an_hour_is_quick() -> None:
    sound = np.tile(dialled("5", 100, 9800), 360)
    detector = DtmfDetector(8000)
    began = time.process_time()
    count = len(detector.feed(sound))
    assert time.process_time() - began < 3
    assert count == 360


def test_too_low_a_rate() -> None:
    with pytest.raises(ValueError, match="2000"):
        DtmfDetector(2000)


def test_many_detectors_hear_together_what_each_would_hear_alone() -> None:
    sounds = [
        noisy(dialled("159D*", 60, 45), 25, 1),
        dialled("0123", rate=16000),
        np.zeros(6000, np.int16),
        noisy(dialled("4711#", 50, 50), 15, 2),
        synthesize("Please enter your account number.", "en", 8000),
    ]
    rates = [8000, 16000, 8000, 8000, 8000]
    together = [DtmfDetector(rate) for rate in rates]
    alone = [DtmfDetector(rate) for rate in rates]
    together[3].feed(np.zeros(37, np.int16))  # has some left over
    alone[3].feed(np.zeros(37, np.int16))
    heard: list[list[tuple[int, str]]] = [[] for _ in sounds]
    expected: list[list[tuple[int, str]]] = [[] for _ in sounds]
    for tick in range(40):
        blocks = [sound[tick * rate // 50 :][: rate // 50] for sound, rate in zip(sounds, rates, strict=True)]
        for place, keys in enumerate(feed_together(list(zip(together, blocks, strict=True)))):
            heard[place] += keys
        for place, block in enumerate(blocks):
            expected[place] += alone[place].feed(block)
    assert heard == expected
    assert "".join(key for _, key in heard[1]) == "0123" and heard[2] == heard[4] == []
    assert feed_together([]) == []
