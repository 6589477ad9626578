from __future__ import annotations

import shlex
import sqlite3
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.byte_text import to_bytes
from host.escape import escape, quote_shell_arg, sql_escape, url_decode, url_encode, xml_escape

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", ""),
        ("a b&c=d/e?f+g", "a%20b%26c%3Dd/e%3Ff%2Bg"),
        ("100%", "100%25"),
        ("%41 %4a %4", "%41%20%254a%20%254"),
        ("é\udc80", "%C3%A9%80"),
        ("abc-_.~", "abc-_.~"),
        ("\"'", "%22'"),
    ],
)
def test_url_encode(text: str, encoded: str) -> None:
    assert url_encode(text) == encoded


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("%41%42%zz", "AB%zz"),
        ("%C3%A9", "é"),
        ("%c3", "\udcc3"),
        ("abc%", "abc%"),
        ("%4", "%4"),
        ("%4g!", "\x04!"),
        ("%25%32%30", "%20"),
        ("a%00b", "a"),
    ],
)
def test_url_decode(text: str, decoded: str) -> None:
    assert url_decode(text) == decoded


@given(TEXT.filter(lambda text: "%" not in text))
def test_url_round_trip(text: str) -> None:
    encoded = url_encode(text)
    assert encoded.isascii()
    assert " " not in encoded
    assert url_decode(encoded) == text


@given(st.text(st.sampled_from("%4aG1\n é")))
def test_any_url_decodes(text: str) -> None:
    assert len(to_bytes(url_decode(text))) <= len(to_bytes(text))


def test_escape() -> None:
    assert escape("a b$c\n\r\t") == "a\\sb\\$c\\n\\r\\t"
    assert escape("a'b\"c\\d") == "a'b\"c\\d"


@given(TEXT)
def test_shell(text: str) -> None:
    assert shlex.split(quote_shell_arg(text)) == ([text] if text else [])


def test_shell_quotes() -> None:
    assert quote_shell_arg("''") == "''\\'''\\'''"


@given(TEXT)
def test_sql(text: str) -> None:
    row = sqlite3.connect(":memory:").execute(f"select '{sql_escape(text)}'").fetchone()
    assert row == (text,)


def test_xml() -> None:
    assert xml_escape("<a> & \"b\" 'c'") == "&lt;a&gt; &amp; \"b\" 'c'"
    assert xml_escape("é\r\udcff😀\n") == "&#xE9;&#xD;&#x1F600;\n"
    assert xml_escape("a<b<!-- c<d é") == "a&lt;b<!-- c<d é"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"])).filter(lambda text: "<!" not in text))
def test_xml_round_trip(text: str) -> None:
    element = ElementTree.fromstring(f"<x>{xml_escape(text)}</x>")
    assert (element.text or "") == text
