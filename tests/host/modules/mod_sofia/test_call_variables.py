"""What an INVITE says, as variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.call.call_variables import (
    caller_of,
    destination_of,
    invite_variables,
    passed_headers,
)
from host.modules.mod_sofia.call.in_dialog import parse_dtmf
from host.modules.mod_sofia.call.refer_to import parse_refer_to
from host.modules.mod_sofia.message import Message
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.transport import message_guard
from host.modules.mod_sofia.transport.nat import is_private, route_back


def invite(
    *headers: str, uri: str = "sip:4711@far.example", contact: str = "<sip:alice@10.1.1.1:5066>"
) -> Message:
    lines = [
        f"INVITE {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 10.1.1.1:5066;branch=z9hG4bKx;rport=40000;received=98.7.6.5",
        "Max-Forwards: 69",
        'From: "Alice A." <sip:+4930@near.example:5070;user=phone>;tag=abc',
        "To: <sip:4711@far.example>",
        "Call-ID: call-1",
        "CSeq: 7 INVITE",
        f"Contact: {contact}",
        *headers,
        "Content-Length: 0",
        "",
        "",
    ]
    message = message_guard.parse("\r\n".join(lines).encode())
    message.source = (("98.7.6.5", 40000), "udp")
    return message


def test_the_variables_of_a_call() -> None:
    known = dict(invite_variables(invite("User-Agent: Phone 1", "Subject: hello", "Allow: INVITE, BYE")))
    expected = {
        "sip_from_user": "+4930",
        "sip_from_user_stripped": "4930",
        "sip_from_host": "near.example",
        "sip_from_port": "5070",
        "sip_from_uri": "+4930@near.example:5070",
        "sip_from_params": "user=phone",
        "sip_from_tag": "abc",
        "sip_from_display": "Alice A.",
        "sip_full_from": '"Alice A." <sip:+4930@near.example:5070;user=phone>;tag=abc',
        "sip_req_user": "4711",
        "sip_req_uri": "4711@far.example",
        "sip_to_user": "4711",
        "sip_contact_uri": "alice@10.1.1.1:5066",
        "sip_call_id": "call-1",
        "sip_user_agent": "Phone 1",
        "sip_subject": "hello",
        "sip_allow": "INVITE, BYE",
        "sip_network_ip": "98.7.6.5",
        "sip_network_port": "40000",
        "sip_received_ip": "98.7.6.5",
        "sip_via_protocol": "udp",
        "sip_via_host": "10.1.1.1",
        "sip_via_port": "5066",
        "sip_via_rport": "40000",
        "max_forwards": "69",
    }
    assert {name: known.get(name) for name in expected} == expected


def test_headers_keep_their_spelling_and_number_their_repetitions() -> None:
    message = invite("X-CuStom: 1", "x-custom: 2", "P-Charge: c", "Diversion: <sip:d@d>", "Foreign: no")
    assert list(passed_headers(message, "sip_h_")) == [
        ("sip_h_X-CuStom", "1"),
        ("sip_h_X-CuStom-1", "2"),
        ("sip_h_P-Charge", "c"),
        ("sip_h_Diversion", "<sip:d@d>"),
    ]


def test_identity_headers_name_the_caller() -> None:
    assert caller_of(invite()).number == "+4930"
    asserted = caller_of(invite("P-Asserted-Identity: Bob <sip:bob@b>", "Privacy: id"))
    assert (asserted.number, asserted.name, asserted.cid_type, asserted.hide_number) == (
        "bob",
        "Bob",
        "pid",
        True,
    )
    rpid = caller_of(invite('Remote-Party-ID: "Carl" <sip:77@c>;party=calling;privacy=full'))
    assert (rpid.number, rpid.name, rpid.cid_type, rpid.hide_number) == ("77", "Carl", "rpid", True)


def test_the_number_that_is_called() -> None:
    assert destination_of(invite()) == "4711"
    assert destination_of(invite(uri="sip:far.example")) == "4711"
    assert destination_of(invite(uri="sip:a%20b@x")) == "a b"
    assert destination_of(invite(), full=True) == "4711@far.example"


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("Call-Info: <sip:x>;answer-after=0", "sip_auto_answer_detected", "true"),
        ("History-Info: <sip:1@a>;index=1", "sip_history_info", "<sip:1@a>;index=1"),
        ("Replaces: abc;to-tag=1;from-tag=2;early-only", "sip_replaces_early-only", "true"),
        ("Accept-Language: de;q=0.8, en", "sip_accept_language_count", "2"),
        ("Date: Mon, 05 Jan 2026 10:00:00 GMT", "sip_date_epoch_time", "1767607200"),
        ("Referred-By: <sip:+12@a>;cid=x", "sip_referred_by_user_stripped", "12"),
        ("Privacy: id;critical", "sip_Privacy", "id;critical"),
    ],
)
def test_single_headers(header: str, name: str, value: str) -> None:
    assert dict(invite_variables(invite(header)))[name] == value


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_whatever_a_header_holds_passes(value: str) -> None:
    message = invite(f"X-Any: {value}", f"P-Asserted-Identity: {value}", f"Refer-To: {value}")
    dict(invite_variables(message))


@pytest.mark.parametrize(
    ("kind", "text", "digit", "duration"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5", 1280),
        ("application/dtmf-relay", "Signal= # \r\n", "#", 2000),
        ("application/dtmf-relay", "Signal=11", "#", 2000),
        ("application/dtmf", "*", "*", 2000),
        ("application/dtmf", "zz", "", 2000),
        ("application/dtmf-relay", "", "", 2000),
    ],
)
def test_digits_of_info(kind: str, text: str, digit: str, duration: int) -> None:
    assert parse_dtmf(kind, text) == (digit, duration)


def test_refer_to() -> None:
    plain = parse_refer_to("<sip:1002@far:5080;user=phone>")
    assert (plain.user, plain.host, plain.replaces) == ("1002", "far", "")
    replacing = parse_refer_to("<sip:1002@far?Replaces=abc%40h%3Bto-tag%3D1%3Bfrom-tag%3D2>")
    assert replacing.replaced_dialog[0] == "abc@h"
    assert replacing.replaces == "abc@h;to-tag=1;from-tag=2"
    assert replacing.uri == "sip:1002@far"
    with pytest.raises(ValueError, match="not a SIP address"):
        parse_refer_to("http://x")


def test_the_way_back() -> None:
    settings = ProfileSettings(name="p")
    assert route_back(settings, invite()).source == ("98.7.6.5", 40000, "udp")
    assert route_back(settings, invite(contact="<sip:a@98.7.6.5:40000>")).source is None
    assert route_back(settings, invite(contact="<sip:a@5.6.7.8>")).source is None
    aggressive = ProfileSettings(name="p", aggressive_nat_detection=True)
    assert route_back(aggressive, invite(contact="<sip:a@5.6.7.8>")).source is not None
    assert route_back(settings, invite("Record-Route: <sip:edge;lr>")).source is None
    assert is_private("192.168.1.1") and not is_private("98.7.6.5") and not is_private("name")
