from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.espeak import synthesize
from media.vad import VoiceDetector


def spoken(rate: int) -> NDArray[np.int16]:
    """One second of silence, a sentence, two of silence, a sentence, one of silence."""
    speech = synthesize("Good morning, this is a sentence without a pause", "en", rate)
    gap = np.zeros(rate, np.int16)
    return np.concatenate([gap, speech, gap, gap, speech, gap])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 24000, 44100, 48000])
@pytest.mark.parametrize("frame_ms", [10, 20, 30])
def test_talking_starts_and_stops(rate: int, frame_ms: int) -> None:
    sound = spoken(rate)
    events = VoiceDetector(rate, frame_ms=frame_ms).feed(sound)
    assert [event for _, event in events] == ["start-talking", "stop-talking"] * 2
    length = (len(sound) / rate - 4) / 2
    expected = [1.2, 1 + length + 0.5, 3 + length + 0.2, 3 + 2 * length + 0.5]
    for (offset, _), seconds in zip(events, expected, strict=True):
        assert abs(offset / rate - seconds) < 0.35


@pytest.mark.parametrize("rate", [8000, 11025])
def test_the_block_size_does_not_matter(rate: int) -> None:
    sound = spoken(rate)
    whole = VoiceDetector(rate).feed(sound)
    for size in (1000, 37777):
        detector = VoiceDetector(rate)
        pieces = []
        for at in range(0, len(sound), size):
            pieces += [(at + offset, event) for offset, event in detector.feed(sound[at : at + size])]
        assert pieces == whole


def test_a_copy_listens_ahead() -> None:
    sound = spoken(8000)
    whole = VoiceDetector(8000).feed(sound)
    detector = VoiceDetector(8000)
    assert detector.feed(sound[:5000]) == []
    ahead = detector.copy().feed(sound[5000:])
    assert [(5000 + offset, event) for offset, event in ahead] == whole
    assert detector.feed(sound[5000:]) == ahead
    assert not detector.talking


def test_silence_and_a_lone_click_are_no_voice() -> None:
    sound = np.zeros(80000, np.int16)
    sound[40000:40100] = 20000
    assert VoiceDetector(8000, mode=3).feed(sound) == []


def test_what_webrtcvad_does_not_take() -> None:
    with pytest.raises(ValueError, match="25"):
        VoiceDetector(8000, frame_ms=25)
    with pytest.raises(ValueError, match="mode"):
        VoiceDetector(8000, mode=4)
