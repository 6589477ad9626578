from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.condition import condition


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("1 == 1 ? yes : no", "yes"),
        ("1 == 2 ? yes : no", "no"),
        ("1.0 == 1 ? yes : no", "yes"),
        ("100 < 20 ? yes : no", "no"),
        ("'10' == 10 ? yes : no", "no"),
        ("'10' > '99' ? yes : no", "no"),
        ("0 == '' ? yes : no", "yes"),
        ("'it\\'s' == 'it\\'s' ? yes : no", "yes"),
        ("'a\\\\' == 'a\\\\' ? yes : no", "yes"),
        ("'a\\b' == 'a\\b' ? yes : no", "yes"),
        ("abc > ab ? longer : not", "longer"),
        ("abc == 3 ? yes : no", "yes"),
        ("äb == 3 ? yes : no", "yes"),
        ("A == a ? yes : no", "no"),
        ("a != b ? yes", "yes"),
        ("1 == 2 ? yes", ""),
        ("1 == 1 ?yes:no", "yes"),
        ("1 == 1 ? :no", ""),
        ("1 < 2 ? a\\:b : c", "a:b"),
        ("1 < 2 ? 'a:b' : c", "a:b"),
        ("1 == 2 ? a : b : c", "b : c"),
        ("a == b ? x ? y : z", "z"),
    ],
)
def test_answers(argument: str, answer: str) -> None:
    assert condition(argument) == answer


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "1",
        "1 ==",
        "1 == ",
        "1 == 1",
        "1 == 1 ?",
        "1 = 1 ? a : b",
        "a ! b ? yes : no",
        "a =~ b ? yes : no",
        "1==1 ? yes : no",
        "1 ==1 ? yes : no",
        "1 == 1? yes : no",
        "== a ? yes : no",
        "'a == 'a' ? yes : no",
        "'a'b == c ? yes : no",
        '"a b" == "a b" ? yes : no',
    ],
)
def test_errors(argument: str) -> None:
    assert condition(argument) == "-ERR"


@given(st.text(st.sampled_from("a1 '\\=!<>?:.-"), max_size=30))
def test_any_text(argument: str) -> None:
    assert isinstance(condition(argument), str)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_numbers_compare_as_numbers(a: int, b: int) -> None:
    for sign, holds in (
        ("==", a == b),
        ("!=", a != b),
        ("<", a < b),
        ("<=", a <= b),
        (">", a > b),
        (">=", a >= b),
    ):
        assert condition(f"{a} {sign} {b} ? yes : no") == ("yes" if holds else "no")


def test_many_backslashes_take_no_time() -> None:
    begin = time.process_time()
    assert condition("'" + "\\\\" * 50_000 + " == a ? b : c") == "-ERR"
    assert time.process_time() - begin < 2
