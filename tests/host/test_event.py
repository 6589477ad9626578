from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.event import Event, EventJsonError, event_from_json, event_type
from host.event_name import EVENT_NAMES, find_event_name
from tests.host.recorded_transcript import CONFORMANCE


def custom() -> Event:
    event = Event("CUSTOM")
    event.set_subclass("lua_case::x")
    return event


def test_names() -> None:
    assert find_event_name("custom") == "CUSTOM"
    assert find_event_name("SWITCH_EVENT_channel_answer") == "CHANNEL_ANSWER"
    assert find_event_name("nosuch") is None
    assert event_type("heartbeat") == "HEARTBEAT"
    assert event_type("nosuch") == event_type("") == "MESSAGE"
    assert event_type("HEARTBEAT", "a::b") == "CUSTOM"
    assert event_type("CUSTOM", "") == "CUSTOM"
    with pytest.raises(ValueError, match="nosuch"):
        Event("nosuch")


NAMES = CONFORMANCE / "lists" / "event_names.json"


@pytest.mark.skipif(not NAMES.exists(), reason="no recorded list near by")
def test_recorded_names() -> None:
    assert json.loads(NAMES.read_text()) == list(EVENT_NAMES)


def test_first_headers() -> None:
    assert Event("API").headers == [("Event-Name", "API")]
    assert Event("CUSTOM", "a::b").headers == [("Event-Subclass", "a::b"), ("Event-Name", "CUSTOM")]
    assert custom().headers == [("Event-Name", "CUSTOM"), ("Event-Subclass", "lua_case::x")]


def test_headers_are_found_in_any_case() -> None:
    event = custom()
    event.add_header("Colour", "green")
    assert event.get_header("COLOUR") == "green"
    assert "colour" in event
    assert event.get_header("Shape") is None
    assert event.get_header("") is None
    assert event.delete_header("cOLOUR")
    assert not event.delete_header("Colour")
    assert event.delete_header("Event-Name")
    assert event.get_header("Event-Name") is None
    assert event.name == "CUSTOM"


def test_an_empty_value_deletes() -> None:
    event = custom()
    event.add_header("Kept", "x")
    event.add_header("Kept", "")
    event.add_header("Blank", "")
    assert event.get_header("Kept") is event.get_header("Blank") is None


def test_a_header_may_come_twice() -> None:
    event = custom()
    event.add_headers([("Step", "one"), ("Step", "two"), ("step", "three")])
    assert event.get_header("Step") == "one"
    assert "Step: one\nStep: two\nstep: three\n" in event.serialize()
    assert event.delete_header("Step")
    assert "tep:" not in event.serialize()


def test_some_types_keep_a_header_once() -> None:
    event = Event("MESSAGE")
    event.add_headers([("a", "1"), ("b", "2"), ("A", "3")])
    assert event.headers[1:] == [("b", "2"), ("A", "3")]


def test_indexed_headers() -> None:
    event = custom()
    seen = []
    for name, value in (("List[0]", "zero"), ("List[1]", "one"), ("List[3]", "three"), ("LIST[4]", "four")):
        event.add_header(name, value)
        seen.append(event.get_header("List"))
    assert seen == [
        "zero",
        "ARRAY::zero|:one",
        "ARRAY::zero|:one|:|:three",
        "ARRAY::zero|:one|:|:three|:four",
    ]
    assert event.get_header("List[1]") is None
    assert [event.get_header("List", n) for n in (1, 2, 5)] == ["one", "", None]
    event.add_header("List[1]", "1")
    assert event.get_header("List") == seen[-1], "the text follows at the next growth only"
    event.add_header("List[4001]", "x")
    event.add_header("Other[-1]", "x")
    assert event.get_header("Other") is None
    assert event.delete_header("List")


def test_push_and_unshift_in_a_name_are_no_orders() -> None:
    event = custom()
    event.add_header("push:List", "a")
    assert event.get_header("List") is None
    assert event.get_header("push:List") == "a"


def test_pushed_headers() -> None:
    event = custom()
    event.push_header("List", "a")
    event.push_header("LIST", "b")
    assert event.get_header("List") == "ARRAY::a|:b"
    event.add_header("Plain", "x")
    event.push_header("Plain", "y")
    assert event.get_header("Plain") == "ARRAY::x|:y"
    event.push_header("None", "")
    assert event.get_header("None") is None


def test_array_texts() -> None:
    event = custom()
    event.add_header("List", "ARRAY::x|:y|:z")
    assert event.get_header("List") == "ARRAY::x|:y|:z"
    assert "\nList: ARRAY%3A%3Ax%7C%3Ay%7C%3Az\n" in event.serialize()
    assert '"List":["x","y","z"]' in event.serialize("json")
    assert "<List>x</List>\n    <List>y</List>" in event.serialize("xml")
    event.add_header("List", "ARRAY::q")
    assert event.get_header("List") == "ARRAY::x|:y|:z|:q"
    event.add_header("Nothing", "ARRAY::")
    assert event.get_header("Nothing") is None


def test_plain() -> None:
    event = custom()
    event.add_headers([("First", "1"), ("Second", "two words"), ("Third", "a:b/c")])
    head = "Event-Name: CUSTOM\nEvent-Subclass: lua_case%3A%3Ax\n"
    assert event.serialize() == head + "First: 1\nSecond: two%20words\nThird: a%3Ab/c\n\n"
    event.body = "the body\nof ü"
    assert event.serialize("plain").endswith("c\nContent-Length: 14\n\nthe body\nof ü")
    event.body = ""
    assert event.serialize("whatever").endswith("c\n\n")
    event.add_header("E[0]", "")
    assert "E: _undef_\n" in event.serialize()


def test_json() -> None:
    event = custom()
    event.add_headers([("Special", 'a"b\\c/d\n<e>&'), ("Accent", "üñ€")])
    head = (
        '{"Event-Name":"CUSTOM","Event-Subclass":"lua_case::x","Special":"a\\"b\\\\c/d\\n<e>&","Accent":"üñ€"'
    )
    assert event.serialize("JSON") == head + "}"
    event.body = "line 1\nline 2"
    assert event.serialize("json") == head + ',"Content-Length":"13","_body":"line 1\\nline 2"}'
    event.body = ""
    assert event.serialize("json") == head + ',"Content-Length":"0","_body":""}'


def test_xml() -> None:
    event = custom()
    event.add_header("Special", 'a<b>&"c" d')
    head = (
        "<event>\n  <headers>\n    <Event-Name>CUSTOM</Event-Name>\n"
        "    <Event-Subclass>lua_case%3A%3Ax</Event-Subclass>\n"
        "    <Special>a%3Cb%3E%26%22c%22%20d</Special>\n  </headers>\n"
    )
    assert event.serialize("Xml") == head + "</event>\n"
    event.body = '<body> & "text"\nline'
    body = '  <Content-Length>20</Content-Length>\n  <body>&lt;body&gt; &amp; "text"\nline</body>\n'
    assert event.serialize("xml") == head + body + "</event>\n"
    event.body = "é € 😀\n"
    assert "<body>&#xE9; &#x20AC; &#x1F600;\n  </body>" in event.serialize("xml")
    assert Event.of("API", ()).serialize("xml") == "<event>\n  <headers></headers>\n</event>\n"


def test_encoding_letter_by_letter() -> None:
    event = Event("API")
    for value, encoded in (
        ("abc XYZ 019", "abc%20XYZ%20019"),
        ("-_.!~*'()", "-_.!~*'()"),
        (";/?:@&=+$,", "%3B/%3F%3A%40%26%3D%2B$,"),
        ('[]{}<>|\\^`"#%', "%5B%5D%7B%7D%3C%3E%7C%5C%5E%60%22%23%25"),
        ("a\nb\r\tc", "a%0Ab%0D%09c"),
        ("üñ€😀\udcff", "%C3%BC%C3%B1%E2%82%AC%F0%9F%98%80%FF"),
        ("%41 %zz", "%41%20%25zz"),
        ("\x7f\x01\x1f", "%7F%01%1F"),
    ):
        event.set_header("Value", value)
        assert event.serialize() == f"Event-Name: API\nValue: {encoded}\n\n"


def test_merge() -> None:
    a, b = Event("CUSTOM", "a::a"), Event("CUSTOM", "b::b")
    a.add_header("Same", "from a")
    b.add_headers([("Same", "from b"), ("Other", "only b"), ("L[0]", "x"), ("L[1]", "y")])
    b.body = "body of b"
    a.merge(b)
    assert a.get_header("Same") == "from a"
    assert "Same: from%20b\nOther: only%20b\nL: ARRAY" in a.serialize()
    assert (a.subclass, a.get_header("Event-Subclass"), a.body) == ("a::a", "a::a", None)
    a.merge(b)
    assert a.get_header("L") == "ARRAY::x|:y|:x|:y"
    assert b.get_header("L") == "ARRAY::x|:y"
    b.merge(b)
    assert b.get_header("L") == "ARRAY::x|:y|:x|:y"


def test_priority() -> None:
    event = custom()
    event.set_priority()
    event.set_priority("HIGH")
    assert event.get_header("priority") == event.priority == "HIGH"
    assert event.headers[:2] == [("priority", "HIGH"), ("priority", "NORMAL")]


def test_copy_has_the_subclass_first_and_stands_alone() -> None:
    event = custom()
    event.add_header("L[1]", "x")
    event.body = "b"
    twin = event.copy()
    assert [name for name, _ in twin.headers] == ["Event-Subclass", "Event-Name", "L"]
    assert (twin.name, twin.subclass, twin.body) == ("CUSTOM", "lua_case::x", "b")
    twin.push_header("L", "y")
    assert event.get_header("L") == "ARRAY::|:x"
    assert Event("API").copy().headers == [("Event-Name", "API")]


def test_body_header() -> None:
    event = Event("API")
    event.body = "text"
    assert event.get_header("_body") == "text"
    event.add_header("_body", "other")
    assert event.body == "other"


def test_from_json() -> None:
    event = event_from_json(
        ' {"Event-Name":"custom","Event-Subclass":"a::b","Colour":"green","Number":5,"L":["x",1,"y"],'
        '"Nested":{"a":"b"},"Null":null,"_body":"the body"} and more'
    )
    assert (event.name, event.subclass, event.body) == ("CUSTOM", "a::b", "the body")
    assert event.serialize() == (
        "Event-Name: custom\nEvent-Subclass: a%3A%3Ab\nColour: green\nL: ARRAY%3A%3Ax%7C%3Ay\n"
        "Content-Length: 8\n\nthe body"
    )
    assert event_from_json("{}").name == "CLONE"
    assert event_from_json('{"Event-Name":"nosuch"}').name == "CLONE"
    assert len(event_from_json("[1]")) == 0
    for text in ("", "nonsense", '{"a":', "[" * 100_000, '{"a":' * 5000):
        with pytest.raises(EventJsonError):
            event_from_json(text)


def test_making_an_event_is_quick() -> None:
    pairs = [(f"variable_name_{n}", f"value {n}") for n in range(60)]

    def took() -> float:
        begin = time.perf_counter()
        Event("CHANNEL_ANSWER").add_headers(pairs)
        return time.perf_counter() - begin

    def least() -> float:
        """How long a walk over the headers takes on this machine."""
        begin = time.perf_counter()
        assert [(name.lower(), value) for name, value in pairs]
        return time.perf_counter() - begin

    # The best of many: what it takes when nothing else runs.
    assert min(took() for _ in range(200)) < 12 * min(least() for _ in range(200))
    event = Event.of("CHANNEL_ANSWER", pairs)
    assert event.get_header("VARIABLE_NAME_59") == "value 59"
    assert len(event) == 60


HEADERS = st.lists(
    st.tuples(
        st.text(st.sampled_from("abA[]0_"), max_size=5),
        st.text(st.sampled_from("x|:\n%ü \udcff"), max_size=6),
    ),
    max_size=15,
)


@given(HEADERS, st.sampled_from(["API", "MESSAGE"]), st.one_of(st.none(), st.text()))
def test_any_headers(headers: list[tuple[str, str]], name: str, body: str | None) -> None:
    event = Event(name)
    event.add_headers(headers)
    event.body = body
    for form in ("plain", "json", "xml"):
        assert event.serialize(form)
    assert event.serialize().count("\n\n") >= 1
    assert event.copy().headers[0] == ("Event-Name", name)
    names = [n for n, _ in event.headers]
    for stored in names:
        assert event.get_header(stored) is not None
    if body is not None and "_body" not in names:
        again = event_from_json(event.serialize("json"))
        assert again.name == name
        assert again.body == body


@given(st.text())
def test_any_json(text: str) -> None:
    try:
        event = event_from_json(text)
    except EventJsonError:
        return
    assert event.serialize("json")
