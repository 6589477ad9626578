"""replace, coalesce, regex, and patterns for digits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.coalesce import USAGE, coalesce
from host.regex_command import regex
from host.replace import MAX_LENGTH, replace


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("abcabc|b|X", "aXcaXc"),
        ("aaa|a|aa", "aaaaaa"),
        ("abc|abc|''", ""),
        ("a.b|.|-", "a-b"),
        ("a b c|' '|_", "a_b_c"),
        ("abc|b|x|y", "ax|yc"),
        ("'a|b'|b|c", "a|c"),
        ("m:/a|b/|/-", "a-b"),
        ("m:xabcxbxc", "-ERR"),
        ("", "-ERR"),
        ("abc|b|", "-ERR"),
        ("abc||x", "-ERR"),
    ],
)
def test_replace(argument: str, answer: str) -> None:
    assert replace(argument) == answer


def test_replace_has_a_limit() -> None:
    assert replace(f"{'a' * 10_000}|a|{'b' * (MAX_LENGTH // 5_000)}") == "-ERR"


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("a,b,c", "a"),
        (",,c", "c"),
        ("'',b", "b"),
        ("'a,b',c", "a,b"),
        ("a\\,b,c", "a,b"),
        ("^^||b", "b"),
        ("^^:a,b:c", "a,b"),
        (",", ""),
        ("", USAGE),
        ("^^", USAGE),
        ("^^|", USAGE),
    ],
)
def test_coalesce(argument: str, answer: str) -> None:
    assert coalesce(argument) == answer


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("abc|b", "true"),
        ("abc|^b", "false"),
        ("ABC|/abc/i", "true"),
        ("5552234567|_NXXNXXXXXX", "true"),
        ("55522345678|_NXXNXXXXXX", "false"),
        ("abc|/abc", "false"),
        ("abc|(", "false"),
        ("abc|(|%1", "abc"),
        ("12345|^(\\d\\d)(\\d+)$|%2-$1-${1}", "345-12-12"),
        ("12345|^x|%1", "12345"),
        ("12345|^x|%1|n", ""),
        ("12345|^x|%1|b", "false"),
        ("ab|(a)(z)?|[%1][%2]100%", "[a][]100$"),
        ("abc|b|$a ${b} $", "$a ${b} $"),
        ("m:~a/b~(\\w)/(\\w)~%2%1", "ba"),
        ("m:/a|b/a\\|b", "true"),
        ("abc|", "-ERR"),
        ("", "-ERR"),
        ("äb|^..b$", "true"),
        ("a" * 30 + "b|^(a+)+$", "false"),
    ],
)
def test_regex(argument: str, answer: str) -> None:
    assert regex(argument) == answer


def test_regex_cuts_long_answers() -> None:
    assert regex(f"{'a' * 100}|a+|%0%0") == "a" * 113


@settings(deadline=2000)
@given(st.text(st.sampled_from("ab|\\()[]*+?^$%{}1nm:/~'ü"), max_size=25))
def test_any_text(argument: str) -> None:
    for command in (regex, replace, coalesce):
        assert isinstance(command(argument), str)
