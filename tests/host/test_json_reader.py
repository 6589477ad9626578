"""JSON as FreeSWITCH's cJSON reads it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.json_reader import JsonError, read

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("text", "value"),
    (
        ("[01, -.5, 1., 1E+2]", [1, -0.5, 1, 100]),
        ("01", 1),
        ("trueish", True),
        ('\x0b["\x07", \x01{"a" : null}] and more', ["\x07", {"a": None}]),
        ('\ufeff{"a": "b"}', {"a": "b"}),
        (r'["\/\b\n\u00e4\ud83d\ude00"]', ["/\b\nä😀"]),
        (r'["a\u00zzb"]', ["a\0b"]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[" * 1000 + "]" * 1000, None),
    ),
)
def test_what_cjson_takes(text: str, value: object) -> None:
    found = read(text)
    assert value is None or found == value


@pytest.mark.parametrize(
    "text",
    (
        "",
        "  ",
        "nul",
        ".5",
        "+1",
        "-",
        "NaN",
        "Infinity",
        "[1,]",
        "[1 2]",
        '{"a"}',
        '{"a":1,}',
        "{a:1}",
        "['a']",
        '["a]',
        '["\\q"]',
        r'["\ud83d"]',
        r'["\ude00"]',
        r'["\ud83dx"]',
        r'["\ud83d\n"]',
        r'["\u12"]',
        "[" * 1001 + "]" * 1001,
    ),
)
def test_what_cjson_refuses(text: str) -> None:
    with pytest.raises(JsonError):
        read(text)


def test_objects_are_made_of_pairs() -> None:
    assert read('{"a": 1, "a": {"b": []}}', lambda pairs: pairs) == [("a", 1), ("a", [("b", [])])]
    assert read('{"a": 01, "a": {"b": []}}', lambda pairs: pairs) == [("a", 1), ("a", [("b", [])])]


@given(VALUES)
def test_reads_what_is_json(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if "\0" not in text:
        assert read(text) == value
        assert read("\x01" + text) == value  # not by the quick way


@given(st.text())
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    try:
        read(text)
    except JsonError:
        pass
