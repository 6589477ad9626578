"""Where dial strings and contacts point."""

from __future__ import annotations

import pytest

from host.modules.mod_sofia.call.destination import (
    Destination,
    DialledAddress,
    destination,
    host_of,
    parse_address,
    to_uri,
)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("internal/bob@example.com", DialledAddress(False, "internal", "bob@example.com", "")),
        ("internal/1000%example.com", DialledAddress(False, "internal", "1000%example.com", "")),
        ("gateway/carrier/4930", DialledAddress(True, "carrier", "4930", "")),
        ("GATEWAY/carrier/4930", DialledAddress(True, "carrier", "4930", "")),
        ("internal/bob@a^alice@b", DialledAddress(False, "internal", "bob@a", "alice@b")),
        ("internal/sip:bob@a;x=1/2", DialledAddress(False, "internal", "sip:bob@a;x=1/2", "")),
    ],
)
def test_the_parts_of_a_dial_string(address: str, parts: DialledAddress) -> None:
    assert parse_address(address) == parts


@pytest.mark.parametrize("address", ["", "internal", "gateway/carrier"])
def test_a_dial_string_without_a_target(address: str) -> None:
    assert parse_address(address) is None


@pytest.mark.parametrize(
    ("contact", "way"),
    [
        ("sip:bob@10.0.0.1", Destination("sip:bob@10.0.0.1", "sip:bob@10.0.0.1")),
        (
            "<sip:bob@10.0.0.1;transport=tcp>;expires=60",
            Destination("sip:bob@10.0.0.1;transport=tcp", "sip:bob@10.0.0.1;transport=tcp", transport="tcp"),
        ),
        (
            "sip:bob@10.0.0.1:5062;fs_nat=yes;fs_path=sip%3Abob%4098.7.6.5%3A40000",
            Destination(
                "sip:bob@10.0.0.1:5062",
                "sip:bob@10.0.0.1:5062",
                next_hop="sip:bob@98.7.6.5:40000",
                nat=True,
            ),
        ),
        (
            "sip:bob@10.0.0.1;fs_path=%3Csip%3Aedge%3Blr%3E",
            Destination("sip:bob@10.0.0.1", "sip:bob@10.0.0.1", routes=("<sip:edge;lr>",)),
        ),
        ("sips:bob@a", Destination("sips:bob@a", "sips:bob@a", transport="tls")),
    ],
)
def test_the_way_to_a_contact(contact: str, way: Destination) -> None:
    assert destination(contact) == way


def test_what_goes_to_to() -> None:
    assert to_uri("", "h") == ""
    assert to_uri("bob", "h") == "sip:bob@h"
    assert to_uri("bob@x", "h") == "sip:bob@x"
    assert to_uri("sip:bob@x", "h") == "sip:bob@x"
    assert host_of("sip:bob@example.com:5070;transport=tcp") == "example.com:5070"
    assert host_of("sips:example.com") == "example.com"
