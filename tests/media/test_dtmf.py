from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.dtmf import KEYS, Key, parse, tones


def test_a_string_of_keys() -> None:
    assert parse("12#").keys == (Key("1", 250), Key("2", 250), Key("#", 250))
    assert parse("1@1000").keys == (Key("1", 1000),)
    assert parse("34@500+5").keys == (Key("3", 500), Key("4", 500), Key("5", 250))
    assert parse("1w2W3").keys == (Key("1", 250), Key("w", 500), Key("2", 250), Key("W", 1000), Key("3", 250))
    assert [key.is_pause for key in parse("1wW").keys] == [False, True, True]
    assert parse("1", default=100).keys == (Key("1", 100),)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1@50", 250),
        ("1@51", 51),
        ("1@", 250),
        ("1@x", 250),
        ("1@-9", 250),
        ("1@99999", 24000),
        ("1@200ms", 200),
    ],
)
def test_durations_are_kept_in_bounds(text: str, duration: int) -> None:
    assert parse(text).keys == (Key("1", duration),)


def test_what_is_no_key_is_told() -> None:
    assert parse("1x-2").rejected == "x-"
    assert [key.digit for key in parse("1x-2").keys] == ["1", "2"]
    assert parse("").keys == ()


def test_a_tilde_asks_for_processing() -> None:
    assert parse("~12").processed
    assert parse("~12").keys == parse("12").keys
    assert not parse("12").processed


@given(st.text(max_size=40))
def test_every_character_is_a_key_or_rejected(text: str) -> None:
    found = parse(text)
    assert all(key.digit in KEYS for key in found.keys)
    assert not KEYS & set(found.rejected)


def test_tones_have_their_two_frequencies() -> None:
    sound = tones("7", 1000, 8000)
    assert len(sound) == 8000
    spectrum = np.abs(np.fft.rfft(sound))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [852, 1209]
    # -7 dBm0 each: 10.14 dB below a sine that fills the 16 bits
    assert spectrum[852] / 4000 == pytest.approx(32767 * 10 ** (-10.14 / 20), rel=0.001)
    assert np.array_equal(tones("a", 40, 8000), tones("A", 40, 8000))


def test_what_has_no_tones() -> None:
    for digit in ("w", "F", "", "12", "x"):
        with pytest.raises(ValueError, match="not a DTMF key"):
            tones(digit, 100, 8000)
    with pytest.raises(ValueError, match="fit"):
        tones("1", 100, 8000, 0)
