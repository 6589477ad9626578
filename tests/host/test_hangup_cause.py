from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.hangup_cause import HangupCause, find_cause, parse_cause
from tests.host.recorded_transcript import CONFORMANCE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("USER_BUSY", "USER_BUSY"),
        ("user_busy", "USER_BUSY"),
        ("17", "USER_BUSY"),
        ("17abc", "USER_BUSY"),
        ("nonsense", "NORMAL_CLEARING"),
        ("", "NORMAL_CLEARING"),
        ("486", "UNKNOWN"),
        ("9999", "UNKNOWN"),
        ("-1", "NORMAL_CLEARING"),
        ("0", "NONE"),
    ],
)
def test_what_freeswitch_takes_a_text_for(text: str, name: str) -> None:
    assert parse_cause(text).name == name


def test_numbers_without_a_name_are_kept() -> None:
    cause = parse_cause("486")
    assert (cause.name, cause.value, cause == 486) == ("UNKNOWN", 486, True)
    assert cause == HangupCause(486)
    assert cause not in list(HangupCause)
    with pytest.raises(ValueError, match="16"):
        HangupCause("16")  # type: ignore[arg-type]


def test_find_cause_is_strict() -> None:
    assert find_cause("lose_race") is HangupCause.LOSE_RACE
    assert find_cause("16") is HangupCause.NORMAL_CLEARING
    for text in ("", "nonsense", "486", "16x", "-16", "٣"):
        assert find_cause(text) is None


@given(st.text())
def test_any_text_has_a_number(text: str) -> None:
    assert isinstance(parse_cause(text).name, str)


LIST = CONFORMANCE / "lists" / "hangup_causes.json"


@pytest.mark.skipif(not LIST.exists(), reason="no recorded list near by")
def test_recorded() -> None:
    assert {c["name"]: c["number"] for c in json.loads(LIST.read_text())} == {
        c.name: c.value for c in HangupCause
    }
