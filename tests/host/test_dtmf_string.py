from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.clock import VirtualClock
from host.dtmf_string import SentDigit, parse_dtmf, wants_processing
from host.session_control import SessionControl

CONTROL = SessionControl(VirtualClock())


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("12", [SentDigit("1", 2000), SentDigit("2", 2000)]),
        ("1@200+2", [SentDigit("1", 1600), SentDigit("2", 2000)]),
        ("1@20", [SentDigit("1", 2000)]),
        ("1@99999999", [SentDigit("1", 192000)]),
        ("~#", [SentDigit("#", 2000)]),
        ("xyz", []),
        ("", []),
    ],
)
def test_digits_and_durations(text: str, digits: list[SentDigit]) -> None:
    assert parse_dtmf(text, CONTROL) == digits


def test_a_tilde_wants_processing() -> None:
    assert wants_processing("~1") and not wants_processing("1")


@given(st.text())
def test_any_text_gives_digits_within_bounds(text: str) -> None:
    digits = parse_dtmf(text, CONTROL)
    assert len(digits) <= 1000
    assert all(CONTROL.shortest_digit <= digit.duration <= CONTROL.longest_digit for digit in digits)
