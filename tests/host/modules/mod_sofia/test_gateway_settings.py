from __future__ import annotations

import pytest
from lxml import etree

from host.log import LogLevel
from host.modules.mod_sofia.gateway.gateway_settings import (
    GatewaySettings,
    GatewaySubscription,
    parse_gateways,
)
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

PROFILE = ProfileSettings(name="external", sip_ip="10.0.0.5", sip_port=5080, context="public")


def parsed(
    *params: tuple[str, str], inside: str = "", profile: ProfileSettings = PROFILE, name: str = "gw"
) -> tuple[list[GatewaySettings], list[str]]:
    rows = "".join(f'<param name="{key}" value="{value}"/>' for key, value in params)
    element = etree.fromstring(f'<gateway name="{name}">{rows}{inside}</gateway>')
    lines: list[str] = []

    def log(level: LogLevel, text: str) -> None:
        lines.append(text)

    return parse_gateways(profile, iter([element]), log), lines


LOGIN = (("username", "bob"), ("password", "secret"))


def test_what_is_not_said_follows_from_the_rest() -> None:
    [gateway], lines = parsed(*LOGIN, ("proxy", "sip.example.com:5070"))
    assert lines == []
    assert gateway.realm == "sip.example.com:5070"
    assert (gateway.auth_username, gateway.from_user, gateway.destination) == ("bob", "bob", "bob")
    assert (gateway.context, gateway.expire_seconds, gateway.retry_seconds) == ("public", 3600, 30)
    assert gateway.register_url == "sip:sip.example.com:5070;transport=udp"
    assert gateway.register_from == "sip:bob@sip.example.com:5070"
    assert gateway.register_to == "sip:bob@sip.example.com:5070"
    assert gateway.registrar == "sip:sip.example.com:5070"
    assert gateway.register_contact(PROFILE) == "<sip:gw+gw@10.0.0.5:5080;transport=udp;gw=gw>"


def test_without_a_proxy_the_realm_and_then_the_name_is_it() -> None:
    assert parsed(*LOGIN, ("realm", "r.example"))[0][0].proxy == "r.example"
    assert parsed(*LOGIN)[0][0].proxy == "gw"


def test_a_gateway_that_does_not_register_needs_no_login() -> None:
    [gateway], _ = parsed(("register", "false"), ("proxy", "p.example"))
    assert (gateway.username, gateway.password) == ("FreeSWITCH", "")


@pytest.mark.parametrize("missing", ["username", "password"])
def test_one_that_registers_does(missing: str) -> None:
    found, lines = parsed(*[pair for pair in LOGIN if pair[0] != missing])
    assert found == []
    assert lines == [f"ERROR: {missing} param is REQUIRED!"]


@pytest.mark.parametrize(
    ("name", "value", "line", "attribute", "expected"),
    [
        ("retry-seconds", "3", "Invalid retry-seconds of 3 on gateway gw, using the value of 30 instead.",
         "retry_seconds", 30),
        ("timeout-seconds", "0", "Invalid timeout-seconds of 0 on gateway gw, using the value of 60 instead.",
         "timeout_seconds", 60),
        ("expire-seconds", "x", "Invalid register-frequency of 0 on gateway gw, using the value of 3600 instead",
         "expire_seconds", 3600),
        ("ping", "2", "ERROR: invalid ping!", "ping", 0),
        ("colour", "red", "Unknown param colour in gateway gw", "name", "gw"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(name: str, value: str, line: str, attribute: str, expected: object) -> None:
    [gateway], lines = parsed(*LOGIN, (name, value))
    assert [text.rstrip(".") for text in lines] == [line.rstrip(".")]
    assert getattr(gateway, attribute) == expected


@pytest.mark.parametrize(
    ("params", "contact"),
    [
        ((("extension-in-contact", "true"), ("extension", "4711")),
         "<sip:4711@10.0.0.5:5080;transport=udp;gw=gw>"),
        ((("contact-params", "a=b"), ("register-transport", "tcp")),
         "<sip:gw+gw@10.0.0.5:5080;a=b;transport=tcp;gw=gw>"),
        ((("contact-host", "pbx.example.com"),), "<sip:gw+gw@pbx.example.com:5080;transport=udp;gw=gw>"),
    ],
)  # fmt: skip
def test_the_contact(params: tuple[tuple[str, str], ...], contact: str) -> None:
    assert parsed(*LOGIN, *params)[0][0].register_contact(PROFILE) == contact


def test_the_contact_behind_nat_depends_on_where_the_provider_is() -> None:
    profile = ProfileSettings(name="x", sip_ip="10.0.0.5", ext_sip_ip="203.0.113.1", auto_nat=True)
    near, far = (
        parsed(*LOGIN, ("proxy", ip), profile=profile)[0][0] for ip in ("10.0.0.9:5060", "198.51.100.1")
    )
    assert near.register_contact(profile).startswith("<sip:gw+gw@10.0.0.5:")
    assert far.register_contact(profile).startswith("<sip:gw+gw@203.0.113.1:")


def test_an_instance_stays_the_same() -> None:
    profile = ProfileSettings(name="x", sip_ip="10.0.0.5", enable_rfc_5626=True)
    contacts = {
        parsed(*LOGIN, ("rfc-5626", "true"), ("reg-id", "2"), profile=profile)[0][0].register_contact(profile)
        for _ in range(2)
    }
    [contact] = contacts
    assert ';reg-id=2;+sip.instance="<urn:uuid:' in contact


def test_tls_needs_a_profile_with_tls() -> None:
    found, lines = parsed(*LOGIN, ("register-transport", "tls"))
    assert (found, lines) == ([], ["ERROR: unsupported transport"])
    profile = ProfileSettings(name="x", sip_ip="10.0.0.5", tls=True)
    [gateway], _ = parsed(*LOGIN, ("register-transport", "tls"), profile=profile)
    assert ":5061;transport=tls" in gateway.register_contact(profile)


def test_variables_have_directions() -> None:
    inside = (
        '<variables><variable name="a" value="1" direction="inbound"/><variable name="b" value="2"/>'
        '<variable name="c" value="3" direction="outbound"/></variables>'
    )
    [gateway], _ = parsed(*LOGIN, inside=inside)
    assert gateway.inbound_variables == (("a", "1"), ("b", "2"))
    assert gateway.outbound_variables == (("b", "2"), ("c", "3"))


def test_subscriptions_are_read() -> None:
    inside = (
        '<subscriptions><subscription event="message-summary"><param name="expire-seconds" value="1"/>'
        '<param name="retry-seconds" value="1"/></subscription></subscriptions>'
    )
    [gateway], lines = parsed(*LOGIN, inside=inside)
    assert gateway.subscriptions == (GatewaySubscription(event="message-summary"),)
    assert lines == [
        "INVALID: retry_seconds correcting the value to 30",
        "Invalid Freq: 1.  Setting Register-Frequency to 3600",
    ]


def test_names_are_words_and_of_one_gateway() -> None:
    assert parsed(*LOGIN, name="a b")[1] == ["Ignoring invalid name 'a b'"]
    element = etree.fromstring('<gateway name="a"><param name="register" value="false"/></gateway>')
    lines: list[str] = []
    found = parse_gateways(PROFILE, iter([element, element]), lambda level, text: lines.append(text))
    assert len(found) == 1
    assert lines == ["Ignoring duplicate gateway 'a'"]
