"""Text telephones: the code, the tones, and what is read of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.baudot import FIGURES, LETTERS, Decoder, encode
from media.espeak import synthesize
from media.tdd import BAUD_INTERNATIONAL, BAUD_US, TddDetector, modulate

TEXT = "Hello, it's me? 12345 ($9)"


def sound_of(text: str, rate: int = 8000, baud: float = BAUD_US) -> NDArray[np.int16]:
    source = modulate(text, rate, baud)
    quiet = np.zeros(rate // 3, np.int16)
    return np.concatenate((quiet, source.render(0, source.length or 0), quiet))


def read(detector: TddDetector, sound: NDArray[np.int16], size: int) -> list[tuple[int, str]]:
    found = []
    for start in range(0, len(sound), size):
        found += [(start + offset, text) for offset, text in detector.feed(sound[start : start + size])]
    return found


def test_the_code() -> None:
    assert encode("ab1-2 C") == [LETTERS, 3, 25, FIGURES, 23, 3, 19, 4, LETTERS, 14]
    assert encode("A\nB") == [LETTERS, 3, 8, 2, 25]
    assert encode("ä€") == []
    assert encode("#[") == [FIGURES, 9, 15]  # $(
    assert encode("A" * 100).count(LETTERS) == 2


@given(st.text(alphabet="ABCXYZ0123456789 -$',!:(\")=?+./;", max_size=300))
def test_what_is_encoded_is_decoded(text: str) -> None:
    decoder = Decoder()
    assert "".join(map(decoder.take, encode(text))) == text


@given(st.text(max_size=100))
def test_any_text_can_be_sent(text: str) -> None:
    assert all(0 <= code < 32 for code in encode(text))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("baud", [BAUD_US, BAUD_INTERNATIONAL])
def test_a_message_is_read_when_its_tone_has_ended(rate: int, baud: float) -> None:
    sound = sound_of(TEXT, rate, baud)
    noise = np.random.default_rng(1).normal(0, 600, len(sound))
    ((offset, text),) = read(TddDetector(rate, baud), (sound + noise).astype(np.int16), rate // 50)
    assert text == TEXT.upper()
    end = len(sound) - rate // 3
    assert end < offset <= end + rate // 5


@pytest.mark.parametrize("size", [1, 7, 160, 5000, 10**6])
def test_the_size_of_blocks_does_not_matter(size: int) -> None:
    sound = sound_of("OK 1")
    assert read(TddDetector(8000), sound, size) == read(TddDetector(8000), sound, 160)


def test_each_message_is_told_for_itself() -> None:
    sound = np.concatenate((sound_of("FIRST"), sound_of("2ND")))
    assert [text for _, text in read(TddDetector(8000), sound, 160)] == ["FIRST", "2ND"]


def test_a_long_message_is_told_in_parts() -> None:
    texts = [text for _, text in read(TddDetector(8000), sound_of("ABCDEFGHIJ" * 30), 8000)]
    assert "".join(texts) == "ABCDEFGHIJ" * 30 and len(texts[0]) == 256


def test_a_copy_goes_its_own_way() -> None:
    sound = sound_of("COPY")
    detector = TddDetector(8000)
    assert detector.feed(sound[:9000]) == []
    twin = detector.copy()
    assert [text for _, text in twin.feed(sound[9000:])] == ["COPY"]
    assert [text for _, text in detector.feed(sound[9000:])] == ["COPY"]


@pytest.mark.parametrize(
    "heard",
    [
        np.zeros(16_000, np.int16),
        np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16),
        (4000 * np.sin(2 * np.pi * 1400 * np.arange(16_000) / 8000)).astype(np.int16),
    ],
    ids=["silence", "noise", "mark"],
)
def test_what_types_nothing(heard: NDArray[np.int16]) -> None:
    assert read(TddDetector(8000), np.concatenate((heard, np.zeros(4000, np.int16))), 160) == []


def test_speech_is_hardly_ever_taken_for_typing() -> None:
    speech = synthesize("Please enter your account number, followed by the pound key.", rate=8000)
    sound = np.concatenate((np.asarray(speech, np.int16), np.zeros(4000, np.int16)))
    assert sum(len(text) for _, text in read(TddDetector(8000), sound, 160)) <= 2
