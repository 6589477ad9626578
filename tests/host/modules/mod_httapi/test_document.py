"""Documents of servers: what is read of them, and that nothing else comes of whatever arrives."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_httapi.document import LIMIT, Bind, Document, DocumentError, Work, parse_document

FULL = b"""<?xml version="1.0"?>
<document type="xml/freeswitch-httapi">
  <params><url>http://x/?a=1&amp;b=2</url><empty/><url>again</url></params>
  <variables><a>1</a></variables>
  <work>
    <playback name="n" file="f.wav">some<bind action="u" strip="#">~\\d+#</bind><!-- no --><bind>1</bind>
 text</playback>
    <hangup/>
  </work>
  <work><break/></work>
</document>"""


def test_a_whole_document() -> None:
    found = parse_document(FULL)
    assert found.params == (("url", "http://x/?a=1&b=2"), ("empty", ""), ("url", "again"))
    assert found.variables == (("a", "1"),)
    playback, hangup = found.work
    assert playback == Work(
        "playback", {"name": "n", "file": "f.wav"}, "some\n text", (Bind("~\\d+#", "u", "#"), Bind("1"))
    )
    assert (playback.get("file"), playback.get("loops")) == ("f.wav", None)
    assert hangup == Work("hangup", {})


def test_the_lenient_kind() -> None:
    found = parse_document(b'<x><work><playback file="a?b=1&c=2"/></work></x>')
    assert found.work[0].get("file") == "a?b=1&c=2"
    assert parse_document(b"<x/>\0<y>") == Document()


@pytest.mark.parametrize("body", [b"", b"text", b"<a><b></a>", b"\0<a/>", b"<a/>" + b" " * LIMIT])
def test_what_is_none(body: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_document(body)


def test_entities_are_not_resolved() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    found = parse_document(bomb + b"<d><params>&b;<p>x&b;&f;</p></params><work>&f;<log>&f;</log></work></d>")
    assert found.params[0][1] == "x"
    assert found.work == (Work("log", {}),)


_TAGS = b"<document>|</document>|<params>|<work>|</work>|<bind |<!DOCTYPE d [|]>".split(b"|")
_MARKS = b"a=\"|'|&|&a;|<|>|/>|<!--|-->|<![CDATA[|]]>|<?x|x:y".split(b"|")
_PIECES = st.sampled_from((*_TAGS, *_MARKS, b"\xff", b"\0", b"1"))


@given(st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=30).map(b"".join)))
def test_whatever_arrives_is_a_document_or_none(body: bytes) -> None:
    with contextlib.suppress(DocumentError):
        assert isinstance(parse_document(body), Document)


@given(st.integers(0, len(FULL)), st.binary(max_size=3))
def test_a_document_that_was_damaged(place: int, put: bytes) -> None:
    for body in (FULL[:place] + put, FULL[:place] + put + FULL[place:]):
        with contextlib.suppress(DocumentError):
            for work in parse_document(body).work:
                assert work.name
