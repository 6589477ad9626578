from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.leading_number import leading_float, leading_int, leading_long


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0), ("12", 12), (" \t-7x", -7), ("+3", 3), ("x1", 0), ("1.9", 1), ("--1", 0), ("٣", 0), ("007", 7)],
)
def test_integers(text: str, number: int) -> None:
    assert leading_int(text) == leading_long(text) == number


def test_widths() -> None:
    assert leading_int(str(2**31)) == -(2**31)
    assert leading_long("9" * 5000) == 2**63 - 1
    assert leading_long("-" + "9" * 5000) == -(2**63)
    assert leading_long("0" * 5000 + "5") == 5


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0.0), ("1.5", 1.5), ("1.2.3", 1.2), (".5", 0.5), ("-", 0.0), ("1e3", 1000.0), ("5.", 5.0)],
)
def test_decimals(text: str, number: float) -> None:
    assert leading_float(text) == number


@given(st.text())
def test_any_text(text: str) -> None:
    assert -(2**31) <= leading_int(text) < 2**31
    assert not math.isnan(leading_float(text))


@given(st.integers(-(2**31), 2**31 - 1))
def test_round_trip(number: int) -> None:
    assert leading_int(f" {number} ") == number
