from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.regex import MAX_SUBJECT, RegexError, asterisk_to_regex, search, substitute


def found(subject: str, expression: str) -> tuple[str | None, ...] | None:
    match = search(subject, expression)
    return match.groups if match else None


def test_groups_and_those_that_took_no_part() -> None:
    match = search("b", "^(a)?(b)(c)?$")
    assert match is not None
    assert match.groups == ("b", None, "b", None)
    assert match.count == 3
    assert match.captures() == ("b", "b")
    assert (
        match.substitute("0[$0] 1[$1] 2[${2}] 3[$3] 4[$4] $x ${name} $$ $")
        == "0[b] 1[] 2[b] 3[] 4[] $x ${name} $$ $"
    )


@pytest.mark.parametrize(
    ("subject", "expression", "matches"),
    [
        ("YES", "^yes$", False),
        ("YES", "/^yes$/i", True),
        ("a\nb", "/a.b/s", True),
        ("a\nb", "/a.b/", False),
        ("a/b", "/a/b/", True),
        ("2125551212", "_NXXXXXXXXX", True),
        ("1125551212", "_NXXXXXXXXX", False),
        ("", "", True),
        ("é", r"^..$", True),
        ("é", r"\w", False),
    ],
)
def test_ways_to_write_a_pattern(subject: str, expression: str, matches: bool) -> None:
    assert (search(subject, expression) is not None) is matches


def test_bytes_that_are_no_utf8_come_back_unharmed() -> None:
    assert found("x\udcffy", "x(.)y") == ("x\udcffy", "\udcff")


def test_asterisk_patterns() -> None:
    assert asterisk_to_regex("NXZ.5") == "^[2-9][0-9][1-9].*5$"


@pytest.mark.parametrize("expression", ["(", "[a", "*", "/abc", "a" * 70_000, "(?<n"])
def test_a_bad_pattern_is_one_declared_error(expression: str) -> None:
    with pytest.raises(RegexError):
        search("abc", expression)


def test_the_error_names_the_place_in_the_pattern_as_written() -> None:
    with pytest.raises(RegexError, match=r"COMPILE ERROR: 3 \[missing closing parenthesis\]\[ab\(\]"):
        search("abc", "ab(")


def test_a_pattern_that_explodes_is_given_up() -> None:
    with pytest.raises(RegexError, match="match limit exceeded"):
        search("a" * 60 + "b", "^(a+)+$")


def test_a_subject_beyond_the_limit_is_refused() -> None:
    with pytest.raises(RegexError, match="too long"):
        search("a" * (MAX_SUBJECT + 1), "a")


def test_group_numbers_beyond_the_match() -> None:
    assert substitute("$9 ${10} $300 $999999999999", ("a",)) == "  " + " 999"


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_pattern_matches_or_raises_the_declared_error(subject: str, expression: str) -> None:
    try:
        match = search(subject, expression)
    except RegexError:
        return
    if match:
        assert match.groups[0] is not None
        assert isinstance(match.substitute(expression), str)
