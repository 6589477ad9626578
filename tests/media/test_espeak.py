from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest

from media import espeak
from media.espeak import SpeechError, synthesize


def fresh(text: str, voice: str = "en", rate: int = 8000) -> bytes:
    synthesize.cache_clear()
    return synthesize(text, voice, rate).tobytes()


def test_a_text_is_spoken() -> None:
    sound = synthesize("Welcome to the voice menu", "en", 8000)
    assert sound.dtype == np.int16
    assert 8000 < len(sound) < 24000
    assert np.abs(sound).max() > 5000
    assert sound[0] != 0 != sound[-1] or np.abs(sound[:80]).any()
    assert abs(len(synthesize("Welcome to the voice menu", "en", 16000)) - 2 * len(sound)) <= 2
    assert synthesize("Welcome to the voice menu", "en", 8000) is sound


def test_voices_and_speeds_differ() -> None:
    assert fresh("drei", "de") != fresh("drei", "en")
    assert len(synthesize("one two three", speed=300)) < len(synthesize("one two three", speed=120))


def test_the_same_text_gives_the_same_samples() -> None:
    first = fresh("Please hold the line")
    fresh("something else in between")
    fresh("und auf Deutsch", "de")
    assert fresh("Please hold the line") == first
    code = (
        "import sys, zlib; from media.espeak import synthesize\n"
        "synthesize('another history'); print(zlib.crc32(synthesize('Please hold the line').tobytes()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert int(told) == zlib.crc32(first)


def test_nothing_to_say() -> None:
    for text in ("", " ", "\n"):
        assert len(synthesize(text)) == 0


@pytest.mark.parametrize("text", ["a\0b", "\udcff", "\U0001f600", "<speak>hi</speak>", "[[", "%s" * 50])
def test_any_text_can_be_given(text: str) -> None:
    assert synthesize(text).ndim == 1


def test_threads_take_turns() -> None:
    expected = [fresh(f"number {n}") for n in range(4)]
    synthesize.cache_clear()
    heard: dict[int, bytes] = {}

    def speak(n: int) -> None:
        heard[n] = synthesize(f"number {n}", "en", 8000).tobytes()

    threads = [threading.Thread(target=speak, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [heard[n] for n in range(4)] == expected


def test_no_file_stays_open() -> None:
    fresh("warm")
    before = len(os.listdir("/proc/self/fd"))
    for n in range(5):
        fresh(f"again {n}")
    assert len(os.listdir("/proc/self/fd")) == before


def test_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpeechError, match="no voice 'xx-nobody'"):
        synthesize("hello", "xx-nobody")
    with pytest.raises(SpeechError, match="too long"):
        synthesize("a" * 20_001)
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(SpeechError, match="espeakng-loader"):
        synthesize("not said before")
    monkeypatch.setattr(espeak, "_paths", lambda: ("/nowhere/libespeak-ng.so", "/nowhere"))
    with pytest.raises(SpeechError, match="cannot be loaded"):
        synthesize("nor this")


def test_noise_does_not_depend_on_the_second_it_is_made_in() -> None:
    first = fresh("a breathy voice", "en-us+f3")
    time.sleep(1.1)
    assert first == fresh("a breathy voice", "en-us+f3")


def test_a_variant_alone_is_refused() -> None:
    with pytest.raises(SpeechError, match=r"write en\+f3"):
        synthesize("hello", "f3")
