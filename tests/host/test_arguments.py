from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.arguments import clean, separate
from tests.host.recorded_transcript import CONFORMANCE

TRICKY = st.text(st.sampled_from("ab ,|\\'\"^sn:"), max_size=40)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("   ", [""]),
        ("a  b   c", ["a", "b", "c"]),
        ("  a b  ", ["a", "b"]),
        ("'a b' c", ["a b", "c"]),
        ("'it''s'", ["its"]),
        ("a '' b", ["a", "", "b"]),
        ('"a b" c', ['"a', 'b"', "c"]),
        ("x'y z'w", ["xy zw"]),
        ("'open", ["'open"]),
        ("a b'", ["a", "b'"]),
        ("a 'b c d", ["a", "'b c d"]),
        ("\\'a b\\'", ["'a", "b'"]),
        ("\\s|\\s", [" | "]),
        ("a\\nb\\tc\\\\d\\xe", ["a\nb\tc\\d\\xe"]),
        ("^^;one;two three;x", ["one", "two three", "x"]),
        ("^^;", ["^^;"]),
        ("ends in \\", ["ends", "in", "\\"]),
    ],
)
def test_blanks(text: str, parts: list[str]) -> None:
    assert separate(text, " ", 128) == parts


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("a,b,c", 10, ["a", "b", "c"]),
        ("a,,c", 10, ["a", "", "c"]),
        ("a,b,", 10, ["a", "b"]),
        ("a,,", 10, ["a", ""]),
        (",", 10, [""]),
        (" a , b ", 10, ["a", "b"]),
        ("a,b,c,d", 2, ["a", "b,c,d"]),
        ("a,b", 1, ["a,b"]),
        ("a,", 2, ["a"]),
        ("'a,b',c", 10, ["a,b", "c"]),
        ("a\\,b,c", 10, ["a,b", "c"]),
        ("a\\|b,c", 10, ["a\\|b", "c"]),
        ("'a,b", 10, ["'a", "b"]),
        ("'a' , ' b '", 10, ["a", " b "]),
        ("^^|a,b|c", 10, ["a,b", "c"]),
        ("'x'\\s'y', z", 1, ["x y, z"]),
    ],
)
def test_other_delimiters(text: str, limit: int, parts: list[str]) -> None:
    assert separate(text, ",", limit) == parts


def test_the_last_part_holds_the_rest() -> None:
    words = [f"w{n}" for n in range(140)]
    assert separate(" ".join(words), " ", 128) == [*words[:127], " ".join(words[127:])]
    assert separate("'a b' c  'd e' f", " ", 2) == ["a b", "c  d e f"]


def test_blanks_before_a_quote_stay() -> None:
    assert clean("a  ''  ") == "a  "
    assert clean("  a  ") == "a"


@given(TRICKY, st.sampled_from(" ,|^"), st.integers(1, 5))
def test_any_text_splits(text: str, delimiter: str, limit: int) -> None:
    parts = separate(text, delimiter, limit)
    assert len(parts) <= limit
    assert (not parts) == (not text)


@given(
    st.lists(st.text(st.characters(exclude_characters="',\\^ \0", categories=["L", "N", "P"])), max_size=8)
)
def test_plain_words_come_back(words: list[str]) -> None:
    joined = ",".join(words)
    while words and not words[-1]:
        words = words[:-1]
        if not words or words[-1]:
            break
    assert [p for p in separate(joined, ",", 100) if p] == [w for w in words if w]


@given(TRICKY)
def test_quick_way_is_the_same(text: str) -> None:
    """A text without quotes and backslashes is split as one that has a harmless escape at its end."""
    text = text.replace("\\", "").replace("'", "").replace("^", "") + "x"
    for delimiter in " ,":
        slow = separate(text + "\\\\", delimiter, 4)
        slow[-1] = slow[-1].removesuffix("\\")
        assert separate(text, delimiter, 4) == slow


LUA = CONFORMANCE / "lua"


@pytest.mark.skipif(not LUA.exists(), reason="no recorded cases near by")
@pytest.mark.parametrize("name", ["lua_argv_quotes", "lua_argv_special"])
def test_recorded(name: str) -> None:
    for line in (LUA / f"{name}.expected").read_text(encoding="utf-8").splitlines():
        text, _, answer = line.partition(" -> ")
        answer = re.sub(r"^[0-9]+ ", "", answer)
        assert "".join(f"[{part}]" for part in separate(text, " ", 128)) == answer, text
