"""Contact headers: what is read of them, and the form they are kept in."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.call.destination import destination
from host.modules.mod_sofia.registration.contact_address import (
    MAX_CONTACTS,
    ContactError,
    contact_from,
    contact_url,
    expires_seconds,
    kept_contact,
    parse_contact,
    parse_contacts,
    public_url,
    split_values,
    with_path,
    without_scheme,
)


@pytest.mark.parametrize(
    ("text", "uri", "display", "expires"),
    [
        ("<sip:1000@10.0.0.1:5062>", "sip:1000@10.0.0.1:5062", "", None),
        (
            '"Bob, <x>" <sip:bob@h;transport=tcp>;expires=60;q=0.5',
            "sip:bob@h;transport=tcp",
            '"Bob, <x>"',
            60,
        ),
        ("Bob B <sip:bob@h>;EXPIRES=0", "sip:bob@h", "Bob B", 0),
        ("sip:bob@h;expires=90", "sip:bob@h", "", 90),
        ("sip:h", "sip:h", "", None),
        ("<sips:a%40b@[2001:db8::1]:5061;ob>;expires=7", "sips:a%40b@[2001:db8::1]:5061;ob", "", 7),
        ("<sip:bob@h;fs_path=sip%3Aevil;fs_nat=yes;x=1>", "sip:bob@h;x=1", "", None),
        ('<sip:b@h>;+sip.instance="<urn:uuid:0-1>";reg-id=2', "sip:b@h", "", None),
        ("<sip:bob@h?Route=x>", "sip:bob@h", "", None),
        ("<sip:bob@h>;expires=soon", "sip:bob@h", "", 3600),
    ],
)
def test_one_contact(text: str, uri: str, display: str, expires: int | None) -> None:
    contact = parse_contact(text)
    assert (contact.uri, contact.display, contact.expires) == (uri, display, expires)


def test_flows_and_transports() -> None:
    contact = parse_contact('<sip:b@h;transport=TLS>;+sip.instance="<urn:uuid:0-1>";reg-id=2')
    assert contact.flow == ("<urn:uuid:0-1>", "2")
    assert contact.transport == "tls"
    assert parse_contact("<sips:b@h>").transport == "tls"
    assert parse_contact("<sip:b@h>;reg-id=2").flow is None
    assert parse_contact("<sip:b@h;transport=ws>").transport == "ws"


@pytest.mark.parametrize(
    "text",
    ["", "<>", "tel:1", "<tel:1>", "bob", "<sip:>", "<sip:a@h:99999>", "<sip:a@h", "<sip:a b@h>", "x" * 2000,
     "<sip:a@h>x", "<sip:a@h>;=1", "<sip:a@h\x01>", "<mailto:a@h>", "sip:a@h,sip:b@h"],
)  # fmt: skip
def test_what_is_no_contact(text: str) -> None:
    with pytest.raises(ContactError):
        parse_contact(text)


def test_lists_and_the_star() -> None:
    found = parse_contacts(['"a,b" <sip:a@h;x=1,2>, <sip:b@h>', "sip:c@h"])
    assert found is not None
    assert [one.user for one in found] == ["a", "b", "c"]
    assert parse_contacts([" * "]) is None
    assert parse_contacts([]) == []
    for wrong in (["*", "<sip:a@h>"], ["*,*"], ["<sip:a@h>"] * (MAX_CONTACTS + 1)):
        with pytest.raises(ContactError):
            parse_contacts(wrong)


def test_kept_contacts() -> None:
    contact = parse_contact("<sip:1000@10.0.0.1:5062;transport=udp>")
    assert kept_contact(contact, "") == '"" <sip:1000@10.0.0.1:5062;transport=udp>'
    assert kept_contact(contact, "Bob") == '"Bob" <sip:1000@10.0.0.1:5062;transport=udp>'
    behind = kept_contact(contact, "", way=contact.at("5.6.7.8:1024"))
    assert behind == (
        '"" <sip:1000@10.0.0.1:5062;transport=udp;fs_nat=yes;'
        "fs_path=sip%3A1000%405.6.7.8%3A1024%3Btransport%3Dudp>"
    )
    assert public_url(behind) == "sip:1000@10.0.0.1:5062;transport=udp"
    assert contact_url(behind).endswith("transport%3Dudp")
    assert destination(behind).next_hop == "sip:1000@5.6.7.8:1024;transport=udp"
    assert destination(behind).uri == public_url(behind)
    assert destination(behind).nat


def test_paths_become_routes() -> None:
    contact = parse_contact("<sip:a@h>")
    kept = kept_contact(contact, "", paths=("<sip:p1.example.com;lr;ob>", "<sip:p2.example.com;lr>"))
    assert destination(kept).routes == ("<sip:p1.example.com;lr;ob>", "<sip:p2.example.com;lr>")


def test_contacts_put_in_place() -> None:
    contact = parse_contact("<sip:a@10.0.0.1;x=1>")
    assert contact_from(contact, "", "5.6.7.8:9", "5.6.7.8:9") == (
        '"" <sip:a@5.6.7.8:9;x=1;received=5.6.7.8:9;fs_nat=yes>'
    )
    kept = with_path(kept_contact(contact, ""), contact, "5.6.7.8:9")
    assert kept == '"" <sip:a@10.0.0.1;x=1;fs_nat=yes;fs_path=sip%3Aa%405.6.7.8%3A9>'
    assert with_path(kept, contact, "1.1.1.1:1") == kept


def test_small_words() -> None:
    assert expires_seconds("9" * 30) == 2**32 - 1
    assert expires_seconds("-1") == 3600
    assert without_scheme("sip:a@b:5") == "a@b:5"
    assert split_values('a, "b,c" , <d,e>,,f') == ["a", '"b,c"', "<d,e>", "f"]


users = st.text("abcXYZ019-_.!~*'()&=+$,;?/%", min_size=1, max_size=20)
hosts = st.sampled_from(["h", "example.com", "10.1.2.3", "[2001:db8::1]"])
ports = st.none() | st.integers(1, 65535)
displays = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cc"]), max_size=20)


@given(users, hosts, ports, displays, st.integers(0, 2**32 - 1))
def test_contacts_survive_being_kept(
    user: str, host: str, port: int | None, display: str, expires: int
) -> None:
    place = f"{host}:{port}" if port else host
    quoted = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    values = [f"{quoted} <sip:{user}@{place};ob>;expires={expires}", "<sip:z@z>"]
    found = parse_contacts([", ".join(values)])
    assert found is not None
    contact = found[0]
    assert len(found) == 2
    assert (contact.user, contact.uri, contact.expires) == (user, f"sip:{user}@{place};ob", expires)
    way = contact.at("5.6.7.8:9")
    kept = kept_contact(contact, "", way=way)
    path = kept.rpartition(";fs_path=")[2].rstrip(">")
    assert unquote(path) == way
    assert ";" not in path


@given(st.text(max_size=120))
def test_any_text_parses_or_raises_the_one_error(text: str) -> None:
    for given_text in (text, f"<{text}>", f"<sip:{text}>", f"<sip:a@b>;{text}"):
        try:
            parse_contacts([given_text])
        except ContactError:
            pass
