"""The words of missing prompts."""

from __future__ import annotations

import pytest

from host.spoken_prompt import spoken_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ivr/ivr-welcome_to_freeswitch.wav", "welcome to freeswitch"),
        ("digits/7.wav", "7"),
        ("digits/h-3.wav", "third"),
        ("time/day-1.wav", "Monday"),
        ("time/mon-0.wav", "January"),
        ("time/p-m.wav", "P M"),
        ("ascii/65.wav", "A"),
        ("voicemail/vm-goodbye.wav", "goodbye"),
        ("/usr/share/sounds/en/us/callie/ivr/8000/ivr-please_hold.wav", "please hold"),
        ("currency/dollar.wav", "dollar"),
        ("/tmp/swimp.raw", None),
        ("prompt.wav", None),
        ("music/8000/danza.wav", None),
        ("", None),
    ],
)
def test_words(path: str, text: str | None) -> None:
    assert spoken_text(path, ("/usr/share/sounds/en/us/callie",)) == text
