from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.modules.mod_sofia.message import (
    all_headers,
    body_of,
    contact_of,
    display_of,
    from_of,
    headers_of,
    to_of,
    uri_host,
    uri_user,
)
from host.modules.mod_sofia.message_text import text_of
from host.modules.mod_sofia.transport import message_guard
from host.modules.mod_sofia.transport.message_guard import MalformedMessage, parse
from tests.host.modules.mod_sofia.torture_messages import DOUBTFUL, INVALID, VALID, message

OURS = (("192.0.2.1", 5060), "udp")


def read_all(data: bytes) -> int:
    """Parse and use whatever a handler may use; return 0, or the status that answers what is malformed."""
    try:
        found = parse(data)
    except MalformedMessage as error:
        if error.response is None:
            return 0
        assert text_of(error.response, OURS).startswith("SIP/2.0 ")
        return int(error.response.scode)
    all_headers(found)
    for header in found.headers:
        header.getBody()
    for address in (from_of(found), to_of(found), contact_of(found)):
        if address is not None:
            display_of(address)
            uri_user(address.url)
            uri_host(address.url)
    body_of(found)
    found.getTId(True, True)
    text_of(found, OURS)
    if hasattr(found, "method"):
        text_of(found.genResponse(200, "OK"), OURS)
    return 200


@pytest.mark.parametrize("name", VALID)
def test_good_messages_that_look_bad_are_read(name: str) -> None:
    assert read_all(VALID[name]) == 200


@pytest.mark.parametrize("name", INVALID)
def test_bad_messages_are_refused_or_dropped(name: str) -> None:
    data, status = INVALID[name]
    with pytest.raises(MalformedMessage) as found:
        parse(data)
    assert (found.value.response.scode if found.value.response is not None else 0) == status
    read_all(data)


@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubtful_messages_are_read_or_refused(name: str) -> None:
    assert read_all(DOUBTFUL[name]) in (200, 400)


@pytest.mark.parametrize("name", [*VALID, *INVALID, *DOUBTFUL])
def test_cut_at_every_byte_they_raise_nothing_else(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = {**VALID, **DOUBTFUL, **{key: value[0] for key, value in INVALID.items()}}[name]
    for end in range(len(data)):
        read_all(data[:end])
    assert capsys.readouterr() == ("", "")  # and sippy prints nothing


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*VALID.values(), *DOUBTFUL.values(), *(data for data, _ in INVALID.values())]),
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.integers(0, 12),
            st.binary(max_size=6)
            | st.sampled_from(
                [b"\r\n", b'"', b"<", b">", b";", b",", b":", b"=", b"%", b"\0", b"\x85", b" ", b"[", b"@"]
            ),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_mutated_they_raise_nothing_else(data: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    for at, length, put in changes:
        at %= len(data) + 1
        data = data[:at] + put + data[at + length :]
    read_all(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_raise_nothing_else(data: bytes) -> None:
    read_all(data)
    read_all(b"OPTIONS sip:a@b SIP/2.0\r\n" + data)


def test_the_tortuous_invite_says_what_it_says() -> None:
    found = parse(VALID["3.1.1.1 short tortuous INVITE"])
    assert [str(via) for via in found.getHFBodys("via")] == [
        "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
        "SIP/2.0/TCP spindle.example.org;branch=z9hG4bK9ikj8",
        "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
    ]
    assert to_of(found).getParam("tag") == "99887n"
    assert from_of(found).getParam("tag") == "98ab"
    contact = contact_of(found)
    assert contact is not None and contact.params == {
        "newparam": "newvalue",
        "secondparam": None,
        "q": "0.33",
    }
    assert headers_of(found, "newfangledheader") == ["newfangled value continued newfangled value"]
    body = body_of(found)
    assert body is not None and body.content_type == "application/sdp" and body.text.endswith("RTP/AVP 0\r\n")


def test_a_message_ends_where_its_content_length_says() -> None:
    found = parse(VALID["3.1.1.8 extra trailing octets"])
    assert found.getBody() is None


def test_only_line_ends_end_a_line() -> None:
    """sippy would make three lines of this, the last a header of its own."""
    found = parse(
        message("OPTIONS sip:a@b SIP/2.0", "Subject: a\u0085Route: <sip:x@y>\x0bEvil: 1\x1cMore: 2")
    )
    assert found.countHFs("route") == 0 and found.countHFs("evil") == 0
    assert headers_of(found, "subject") == ["a\u0085Route: <sip:x@y> Evil: 1 More: 2"]


def test_utf8_passes_unharmed() -> None:
    found = parse(message("OPTIONS sip:a@b SIP/2.0", 'From: "J\u00fcrgen \u2026" <sip:j@b>;tag=1'))
    assert display_of(from_of(found)) == "J\u00fcrgen \u2026"
    assert '"J\u00fcrgen \u2026" <sip:j@b>;tag=1'.encode() in text_of(found, OURS).encode("latin-1")


def test_a_tel_uri_is_a_number_at_our_address() -> None:
    found = parse(VALID["a tel URI"])
    assert uri_user(found.getRURI()) == "+1-201-555-0123"
    assert text_of(found, OURS).startswith("INVITE sip:+1-201-555-0123;phone-context=example.com@192.0.2.1")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (message("OPTIONS sip:a@b SIP/2.0", *["X-N: 1"] * (message_guard.MAX_HEADERS + 1)), 400),
        (message("OPTIONS sip:a@b SIP/2.0", "X-N: " + "1" * (message_guard.MAX_HEADER + 1)), 400),
        (message(f"OPTIONS sip:{'a' * message_guard.MAX_URI}@b SIP/2.0"), 414),
        (message("MESSAGE sip:a@b SIP/2.0", body="x" * (message_guard.MAX_BODY + 1)), 413),
        (message("OPTIONS sip:a@b SIP/2.0", f"CSeq: {message_guard.MAX_CSEQ + 1} OPTIONS"), 400),
        (message("OPTIONS sip:a@b SIP/2.0", *["Via: SIP/2.0/UDP h;branch=z9hG4bK1"] * 71), 400),
        (message("MESSAGE sip:a@b SIP/2.0", body="x" * message_guard.MAX_MESSAGE), 0),
    ],
)
def test_limits(data: bytes, status: int) -> None:
    with pytest.raises(MalformedMessage):
        parse(data)
    assert read_all(data) == status


def test_optional_headers_that_are_bad_are_left_out() -> None:
    found = parse(message("REGISTER sip:b SIP/2.0", "Expires: soon", "Contact: <sip:a@b>;expires=1"))
    assert found.countHFs("expires") == 0 and found.countHFs("contact") == 1


def test_what_is_put_into_a_header_does_not_become_another() -> None:
    found = parse(message("OPTIONS sip:a@b SIP/2.0"))
    from_of(found).name = "x\r\nEvil: 1"
    assert "\r\nEvil" not in text_of(found, OURS)


def test_credentials_with_a_comma_in_quotes_are_kept() -> None:
    text = (
        b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
        b"From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n"
        b'Authorization: Digest username="bob", realm="here, there", nonce="a,b", uri="sip:x", response="0"\r\n'
        b"Content-Length: 0\r\n\r\n"
    )
    message_read = message_guard.parse(text)
    assert headers_of(message_read, "authorization") == [
        'Digest username="bob", realm="here, there", nonce="a,b", uri="sip:x", response="0"'
    ]
