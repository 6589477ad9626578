from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.xml_text import XmlTextError, named_child, parse_xml, xml_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('<a b="x&y"/>', "x&y"),
        ('<a b="x&amp;y&nbsp;"/>', "x&y&nbsp;"),
        ('<a b="^(?<n>1)$"/>', "^(?<n>1)$"),
        ("<a b='say \"x\" & y'/>", 'say "x" & y'),
        ('<a b="1" b="2"/>', "1"),
        ('<a b = "1"></a>', "1"),
        ("<!-- a -- b --><a b='1'/>", "1"),
        ('<?xml version="1.0" encoding="latin1"?><a b="&#65;"/>', "A"),
        ('<a b="\udce9"/>', "é"),
    ],
)
def test_what_is_no_xml_but_freeswitch_reads(text: str, value: str) -> None:
    assert parse_xml(text).get("b") == value


def test_text_and_cdata() -> None:
    root = parse_xml("<a>fish & chips ]]> <!-- not -- me --><b><![CDATA[<x>&]]></b></a>")
    assert root.text == "fish & chips ]]> "
    assert root[0].text == "<x>&"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "[error near line 1]: root tag missing"),
        ("<a>\n<b>\n</a>", "[error near line 3]: unexpected closing tag </a>"),
        ("<a>\n<b>", "[error near line 2]: unclosed tag <b>"),
        ("<a/>\n<b/>", "[error near line 2]: markup outside of root element"),
        ("<a>\n\n<!-- x", "[error near line 3]: unclosed <!--"),
        ("<a>&\n<![CDATA[ x", "[error near line 2]: unclosed <![CDATA["),
    ],
)
def test_errors_are_freeswitchs(text: str, reason: str) -> None:
    with pytest.raises(XmlTextError) as caught:
        parse_xml(text)
    assert str(caught.value) == reason


def test_lines_count_through_repaired_tags_and_comments() -> None:
    with pytest.raises(XmlTextError) as caught:
        parse_xml('<a>\n<!-- --\n -->\n<b c="&"\n d="e"\n/>\n</c></a>')
    assert caught.value.line == 7


def test_no_file_is_read_through_an_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    root = parse_xml(f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><a><b/>&e;</a>')
    assert xml_text(root) == "<a>\n  <b></b>\n&e;</a>\n"


def test_written_as_freeswitch_writes() -> None:
    root = parse_xml('<user id="1"><params><param name="n&lt;" value="é"/></params>tail</user>')
    assert xml_text(root) == (
        '<user id="1">tail  <params>\n    <param name="n&lt;" value="&#xE9;"></param>\n  </params>\ntail</user>\n'
    )


def test_children_by_attribute_in_any_case() -> None:
    root = parse_xml('<a><b n="X"/><c n="y"/><b n="Y" m="1"/></a>')
    child = named_child(root, "b", "n", "y")
    assert child is not None and child.get("m") == "1"
    assert named_child(root, "b", "q", "y") is None


_PIECES = st.sampled_from(
    ["<", ">", "/", "<a>", "</a>", "<b c='", "'", '"', "&", "&amp;", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>",
     "<!DOCTYPE x", "[", "=", " ", "\n", "x", "é", "\udc80", "\ud800", "\x00", "\x0b"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_text_is_a_tree_or_the_declared_error(text: str) -> None:
    try:
        root = parse_xml(text)
    except XmlTextError:
        return
    assert xml_text(root).startswith("<")


def test_many_open_tags_are_refused_quickly() -> None:
    with pytest.raises(XmlTextError):
        parse_xml("<a b=" * 50_000)
    with pytest.raises(XmlTextError):
        parse_xml("<a>" * 50_000)
