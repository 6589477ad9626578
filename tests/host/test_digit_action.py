"""The digit machine: literals, patterns, realms, and that it never loses a digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.digit_action import DigitMachine, Matched, Unmatched
from host.meta_key import MetaBinding, MetaKeys


def machine(*bindings: str, priority: bool = False, terminators: str = "") -> DigitMachine[str]:
    made: DigitMachine[str] = DigitMachine(terminators=terminators)
    for binding in bindings:
        assert made.bind("realm", binding, binding, priority=priority)
    return made


def press(keys: DigitMachine[str], digits: str) -> list[object]:
    return [keys.feed(digit) for digit in digits]


def test_a_literal_matches_at_once_when_nothing_longer_can_come() -> None:
    keys = machine("12", "3")
    assert press(keys, "12") == [None, Matched("12", "12")]
    assert press(keys, "3") == [Matched("3", "3")]


def test_a_literal_that_begins_a_longer_one_waits() -> None:
    keys = machine("1", "12")
    assert press(keys, "1") == [None]
    assert keys.time_out() == Matched("1", "1")
    assert press(keys, "12") == [None, Matched("12", "12")]
    assert machine("=1", "12").feed("1") == Matched("1", "=1")


def test_what_fits_nothing_is_given_back() -> None:
    keys = machine("12")
    assert keys.feed("9") == Unmatched("9")
    assert press(keys, "13") == [None, Unmatched("13")]
    keys.feed("1")
    assert keys.time_out() == Unmatched("1")
    assert keys.time_out() is None


def test_a_pattern_alone_matches_at_once_and_beside_others_after_the_pause() -> None:
    assert press(machine(r"~^3\d$"), "34") == [None, Matched("34", r"~^3\d$")]
    keys = machine(r"~^3\d$", "9")
    assert press(keys, "34") == [None, None]
    assert keys.time_out() == Matched("34", r"~^3\d$")
    assert keys.feed("9") is None
    assert keys.time_out() == Matched("9", "9")
    assert press(keys, "12") == [None, None]
    assert keys.time_out() == Unmatched("12")


def test_a_pattern_can_rewrite_the_digits() -> None:
    assert press(machine(r"~^(\d)(\d)$~~$2-$1"), "34")[-1] == Matched("4-3", r"~^(\d)(\d)$~~$2-$1")


def test_priority_and_terminators() -> None:
    assert press(machine(r"~^3\d$", "9", priority=True), "34")[-1] == Matched("34", r"~^3\d$")
    keys = machine("1", "12", terminators="#")
    assert press(keys, "1#") == [None, Matched("1", "1")]


def test_realms() -> None:
    keys: DigitMachine[str] = DigitMachine()
    keys.bind("one", "1", "of one")
    keys.bind("two", "1", "of two")
    assert keys.feed("1") == Matched("1", "of two")
    assert keys.set_realm("one") and not keys.set_realm("three")
    assert keys.feed("1") == Matched("1", "of one")
    assert keys.clear_realm("one") and not keys.clear_realm("one")
    assert keys.feed("1") == Unmatched("1")


def test_a_binding_is_replaced_and_a_wrong_pattern_matches_nothing() -> None:
    keys = machine("1")
    keys.bind("realm", "1", "again")
    assert keys.feed("1") == Matched("1", "again")
    broken = machine("~[")
    assert broken.feed("1") is None
    assert broken.time_out() == Unmatched("1")
    assert not keys.bind("realm", "1" * 200, "too long")


@given(
    st.lists(st.from_regex(r"(=|~)?[0-9*#.+\[\]()^$]{1,6}", fullmatch=True), max_size=5),
    st.text("0123456789*#", max_size=40),
)
def test_no_digit_is_lost(bindings: list[str], digits: str) -> None:
    keys = machine(*bindings)
    out = ""
    for digit in digits:
        decided = keys.feed(digit)
        if decided is not None:
            out += decided.digits
    last = keys.time_out()
    out += last.digits if last is not None else ""
    assert out == digits
    assert keys.digits == ""


@pytest.mark.parametrize(
    ("pressed", "swallowed", "runs"),
    [("*1", "TT", "one"), ("1", "F", ""), ("**", "TF", ""), ("*9", "TT", ""), ("*1*1", "TTTT", "one one")],
)
def test_meta_keys(pressed: str, swallowed: str, runs: str) -> None:
    keys = MetaKeys(bindings={"1": MetaBinding("one")})
    results = [keys.feed(digit, index) for index, digit in enumerate(pressed)]
    assert "".join("T" if taken else "F" for taken, _ in results) == swallowed
    assert " ".join(binding.application for _, binding in results if binding) == runs


def test_meta_keys_once_and_too_late() -> None:
    keys = MetaKeys(bindings={"1": MetaBinding("one", once=True)})
    assert keys.feed("*", 0) == (True, None)
    assert keys.feed("1", 6_000_000) == (False, None)
    keys.feed("*", 6_000_001)
    assert keys.feed("1", 6_000_002)[1] == MetaBinding("one", once=True)
    keys.feed("*", 6_000_003)
    assert keys.feed("1", 6_000_004) == (True, None)
