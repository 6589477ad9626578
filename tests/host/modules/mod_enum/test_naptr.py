"""Domains of numbers, substitution expressions, and the routes that make dial strings of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_enum.name_servers import NameServer, parse_name_server
from host.modules.mod_enum.naptr import Naptr, NaptrError, Offer, Route, address, dial_list, domain_of, offers


def test_a_domain_is_the_digits_from_the_last_to_the_first() -> None:
    assert domain_of("+44-116 496", "e164.arpa") == "6.9.4.6.1.1.4.4.e164.arpa"  # as in RFC 6116 3.2
    assert domain_of("+", "e164.org") == "e164.org"


@pytest.mark.parametrize(
    ("regexp", "made"),
    [
        ("!^.*$!sip:info@example.com!", "sip:info@example.com"),
        (r"!^\+1(.*)$!sip:\1@example.com!", None),
        (r"!^\+44(.*)$!sip:\1@example.com!", "sip:116496@example.com"),
        (r"|^(\+)(44)|sip:\2\\\1x\9|", "sip:44\\+x"),
        (r"/^.*$/http:\/\/example.com\//", "http://example.com/"),
        ("!AB|44!sip:x@y!i", "sip:x@y"),
        ("_^.*$_sip:$1@x_", "sip:$1@x"),
        ("!!sip:empty@x!", "sip:empty@x"),
    ],
)
def test_a_substitution_expression(regexp: str, made: str | None) -> None:
    assert address("+44116496", regexp) == made


@pytest.mark.parametrize(
    "regexp",
    ["", "!", "!^.*$!sip:x", "!a!b!i!", "!^.*$!sip:x@y!g", "!(!sip:x@y!", "1^.*$1sip:x1", "ia" "ibi",
     "!^.*$!${system(id)}!", "!^.*$!$${x}!", r"!^.*$!$\{system id}!", "!^.*$!sip:x\r\nEvil: 1!"],
)  # fmt: skip
def test_an_expression_that_is_none_or_wants_too_much(regexp: str) -> None:
    with pytest.raises(NaptrError):
        address("+44116496", regexp)


@given(st.text(), st.text(alphabet="!\\i123()[].*+^$|{}sip:@é\0\udcff"))
def test_any_expression_is_used_or_refused(number: str, regexp: str) -> None:
    try:
        made = address(number, regexp)
    except NaptrError:
        return
    assert made is None or "${" not in made


ROUTES = (
    Route("E2U+SIP", "sip:(.*)", "sofia/${profile}/$1|sofia/other/$1"),
    Route("e2u+sip", "^sip:.*@example.com$", "loopback/home"),
    Route("E2U+tel", "(", "never"),
)


def offered(*records: Naptr) -> tuple[list[Offer], list[str]]:
    told: list[str] = []
    return offers("+1234", records, ROUTES, lambda text: text.replace("${profile}", "in"), told.append), told


def test_routes_of_the_service_make_dial_strings() -> None:
    found, told = offered(
        Naptr(10, 1, "E2U+sip", "!^.*$!sip:a@example.com!"),
        Naptr(10, 2, "E2U+mailto", "!^.*$!mailto:a@example.com!"),
        Naptr(20, 1, "E2U+sip", "!^5!sip:none@example.com!"),
        Naptr(20, 2, "", "!^.*$!sip:none@example.com!"),
        Naptr(20, 3, "E2U+sip", ""),
    )
    assert found == [
        Offer(10, 1, "E2U+sip", "sofia/in/a@example.com|sofia/other/a@example.com", True),
        Offer(10, 1, "E2U+sip", "loopback/home", True),
        Offer(10, 2, "E2U+mailto", "mailto:a@example.com", False),
    ]
    assert not told


def test_what_is_broken_is_told_and_passed_over() -> None:
    found, told = offered(
        Naptr(1, 1, "E2U+sip", "!("), Naptr(1, 1, "E2U+tel", "!^.*$!tel:1!"), Naptr(1, 1, "E2U+sip", "!.!x!")
    )
    assert found == [Offer(1, 1, "E2U+tel", "tel:1", False), Offer(1, 1, "E2U+sip", "x", False)]
    assert len(told) == 2 and "Invalid NAPTR record" in told[0] and "Invalid Route!" in told[1]


def test_equal_ranks_ring_together() -> None:
    def offer(order: int, preference: int, route: str, supported: bool = True) -> Offer:
        return Offer(order, preference, "E2U+sip", route, supported)

    found = [offer(1, 1, "a"), offer(1, 1, "b"), offer(1, 2, "no", False), offer(1, 2, "c"), offer(2, 2, "d")]
    assert dial_list(found) == "a,b|c|d"
    assert dial_list([]) == ""


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1", NameServer("127.0.0.1", 53)),
        (" 127.0.0.1:5353", NameServer("127.0.0.1", 5353)),
        ("2001:db8::1", NameServer("2001:db8::1", 53)),
        ("[2001:db8::1]:54", NameServer("2001:db8::1", 54)),
        ("ns.example.com", None),
        ("127.0.0.1:0", None),
        ("127.0.0.1:99999", None),
        ("127.0.0.1:x", None),
        ("", None),
    ],
)
def test_name_servers_are_addresses(text: str, server: NameServer | None) -> None:
    assert parse_name_server(text) == server
