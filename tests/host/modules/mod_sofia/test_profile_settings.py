from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_address import (
    AddressLookup,
    external_address,
    interface_address,
    own_address,
)
from host.modules.mod_sofia.profile.profile_parameter_table import UNSUPPORTED
from host.modules.mod_sofia.profile.profile_parameters import MAX_ACL, ProfileDefaults, parse_profile
from host.modules.mod_sofia.profile.profile_settings import (
    Binding,
    InboundAcl,
    ProfileDomain,
    ProfileSettings,
)

LOOKUP = AddressLookup(
    "10.0.0.5",
    lambda name, family: {("eth0", ""): "10.9.9.9", ("eth0", "6"): "2001:db8::9"}.get((name, family)),
    lambda name: "198.51.100.7" if name == "pbx.example.com" else None,
)
DEFAULTS = ProfileDefaults(LOOKUP, "/certs")


def parsed(*params: tuple[str, str], **attributes: str) -> tuple[ProfileSettings, list[tuple[LogLevel, str]]]:
    element = etree.Element("profile", {"name": "internal", **attributes})
    settings = etree.SubElement(element, "settings")
    for name, value in params:
        etree.SubElement(settings, "param", {"name": name, "value": value})
    lines: list[tuple[LogLevel, str]] = []
    found = parse_profile(element, lambda level, text: lines.append((level, text)), DEFAULTS)
    assert found is not None
    return found, [line for line in lines if line[0] < LogLevel.DEBUG]


def test_an_empty_profile_has_freeswitchs_defaults() -> None:
    settings, lines = parsed()
    assert lines == []
    assert (settings.sip_ip, settings.sip_port, settings.rtp_ips) == ("10.0.0.5", 5060, ("10.0.0.5",))
    assert (settings.dialplan, settings.context, settings.username) == ("XML", "default", "FreeSWITCH")
    assert settings.auth_messages and settings.auth_subscriptions and not settings.auth_calls
    assert settings.enable_timer and not settings.enable_100rel and settings.pass_callee_id
    assert (settings.rfc2833_pt, settings.dtmf_type, settings.cng_pt, settings.nonce_ttl) == (
        101,
        "rfc2833",
        13,
        60,
    )
    assert settings.user_agent_string.startswith("FreeSWITCH-mod_sofia/1.11.2")
    assert settings.tls_cert_dir == "/certs"
    assert settings.transports == ("udp", "tcp")
    assert settings.url == "sip:mod_sofia@10.0.0.5:5060"
    assert settings.bind_url == "sip:mod_sofia@10.0.0.5:5060;transport=udp,tcp"


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("SIP-Port", "5080", "sip_port", 5080),
        ("sip-port", "auto", "sip_port", 0),
        ("context", "public", "context", "public"),
        ("auth-calls", "yes", "auth_calls", True),
        ("auth-calls", "false", "auth_calls", False),
        ("dtmf-type", "INFO", "dtmf_type", "info"),
        ("caller-id-type", "pid", "caller_id_type", "pid"),
        ("manage-presence", "true", "manage_presence", "full"),
        ("manage-presence", "passive", "manage_presence", "passive"),
        ("multiple-registrations", "true", "multiple_registrations", "contact"),
        ("multiple-registrations", "call-id", "multiple_registrations", "call-id"),
        ("nat-options-ping", "udp-only", "nat_options_ping", "udp-only"),
        ("enable-3pcc", "proxy", "enable_3pcc", "proxy"),
        ("enable-3pcc", "false", "enable_3pcc", ""),
        ("send-presence-on-register", "first-only", "send_presence_on_register", "first-only"),
        ("codec-prefs", "PCMU,PCMA", "outbound_codec_prefs", "PCMU,PCMA"),
        ("tls-version", "tlsv1.2,tlsv1.3", "tls_versions", ("tlsv1.2", "tlsv1.3")),
        ("tls-bind-params", "maddr=1.2.3.4", "tls_bind_params", "maddr=1.2.3.4;transport=tls"),
        ("tls-verify-policy", "in|subjects_in", "tls_verify_policy", frozenset({"in", "subjects_in"})),
        (
            "tls-verify-in-subjects",
            "a.example|b.example",
            "tls_verify_in_subjects",
            ("a.example", "b.example"),
        ),
        ("ws-binding", ":5066", "ws_binding", Binding("", 5066)),
        ("ws-binding", "", "ws_binding", None),
        ("ws-page-port", "8060", "ws_page_port", 8060),
        ("session-timeout", "", "session_timeout", 0),
        ("wss-binding", "[2001:db8::1]:7443", "wss_binding", Binding("2001:db8::1", 7443)),
        ("vad", "both", "vad", frozenset({"in", "out"})),
        ("NDLB-force-rport", "safe", "server_rport_level", 3),
        ("NDLB-force-rport", "true", "server_rport_level", 2),
        ("NDLB-broken-auth-hash", "true", "ndlb_broken_auth_hash", True),
        ("timer-T1X64", "8000", "timer_t1x64", 8000),
        ("minimum-session-expires", "30", "minimum_session_expires", 90),
        ("bind-attempts", "5", "bind_attempts", 4),
        ("local-network-acl", "none", "local_network_acl", ""),
        ("outbound-proxy", "proxy.example.com", "outbound_proxy", "sip:proxy.example.com"),
        ("auto-jitterbuffer-msec", "60:200:20", "auto_jitterbuffer_msec", 60),
        ("3pcc-reinvite-bridged-on-ack", "true", "reinvite_bridged_on_ack_3pcc", True),
        ("supress-cng", "true", "cng_pt", 0),
        ("rfc8760-auth-algorithms", "MD5,SHA-256", "rfc8760_auth_algorithms", ("SHA-256", "MD5")),
        ("disable-auth-messages", "true", "auth_messages", False),
        ("alias", "sip:10.0.1.251:5555", "alias_urls", ("sip:10.0.1.251:5555",)),
    ],
)
def test_a_parameter_sets_its_value_without_a_word(
    name: str, value: str, attribute: str, expected: object
) -> None:
    settings, lines = parsed((name, value))
    assert getattr(settings, attribute) == expected
    assert lines == []


@pytest.mark.parametrize(
    ("name", "value", "text", "attribute"),
    [
        ("session-timeout", "-5", "Invalid option -5 for session-timeout", "session_timeout"),
        ("session-timeout", "soon", "Invalid option soon for session-timeout", "session_timeout"),
        ("sip-port", "99999", "Invalid option 99999 for sip-port", "sip_port"),
        ("rfc2833-pt", "300", "Invalid option 300 for rfc2833-pt", "rfc2833_pt"),
        ("auth-calls", "maybe", "Invalid option maybe for auth-calls", "auth_calls"),
        ("inbound-codec-negotiation", "lazy", "Invalid option lazy for inbound-codec-negotiation",
         "inbound_codec_negotiation"),
        ("vad", "some", "Invalid option some for VAD", "vad"),
        ("tls-version", "sslv3", "Invalid option sslv3 for tls-version", "tls_versions"),
        ("tls-verify-policy", "some", "Invalid tls-verify-policy value: some", "tls_verify_policy"),
        ("ws-binding", "nowhere", "Invalid option nowhere for ws-binding", "ws_binding"),
        ("media-option", "bypass-media-after-hold",
         "bypass-media-after-hold can be set only with resume-media-on-hold media-option", "media_option"),
        ("nonce-ttl", "5", "Setting nonce TTL to 60 seconds", "nonce_ttl"),
    ],
)  # fmt: skip
def test_a_wrong_value_has_a_line_and_leaves_the_default(
    name: str, value: str, text: str, attribute: str
) -> None:
    settings, lines = parsed((name, value))
    assert [line for _, line in lines] == [text]
    assert getattr(settings, attribute) == getattr(parsed()[0], attribute)


def test_what_nobody_knows_is_told_and_kept() -> None:
    settings, lines = parsed(("sip_port", "5080"), ("no-such", "1"), ("gateways", "x"), ("name", "x"))
    assert settings.unknown == ("sip_port", "no-such", "gateways", "name")
    assert [level for level, _ in lines] == [LogLevel.WARNING] * 4
    assert lines[1][1] == "Unknown param no-such in profile internal"
    assert settings.name == "internal"


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_what_is_not_supported_is_told_where_it_is_asked_for(name: str) -> None:
    assert [text for _, text in parsed((name, "true"))[1]] == [
        f"{name} is not supported: {UNSUPPORTED[name]}"
    ]
    assert parsed((name, "false"))[1] == []


def test_access_lists_grow_have_contexts_and_end_with_none() -> None:
    settings, _ = parsed(("apply-inbound-acl", "domains"), ("apply-inbound-acl", "lan:trusted:public"))
    assert settings.apply_inbound_acl == (InboundAcl("domains"), InboundAcl("lan", "trusted", "public"))
    assert parsed(("apply-register-acl", "a"), ("apply-register-acl", "none"))[0].apply_register_acl == ()
    many, lines = parsed(*[("apply-proxy-acl", f"acl{number}") for number in range(MAX_ACL + 1)])
    assert len(many.apply_proxy_acl) == MAX_ACL
    assert lines == [(LogLevel.ERR, f"Max acl records of {MAX_ACL} reached")]


def test_digits_have_bounds() -> None:
    assert parsed(("dtmf-duration", "1600"))[0].dtmf_duration == 1600
    assert parsed(("dtmf-duration", "7"))[0].dtmf_duration == 2000


def test_an_update_that_is_not_allowed_is_not_sent() -> None:
    settings, lines = parsed(("allow-update", "false"))
    assert not settings.send_display_update
    assert lines[0][1] == "send-display-update=true is set, but we can't comply because allow-update=false"


def test_the_external_address_stands_in_the_urls() -> None:
    settings, _ = parsed(("ext-sip-ip", "203.0.113.1"), ("ext-rtp-ip", "203.0.113.2"), ("tls", "true"))
    assert settings.url == "sip:mod_sofia@203.0.113.1:5060"
    assert settings.bind_url == "sip:mod_sofia@203.0.113.1:5060;maddr=10.0.0.5;transport=udp,tcp"
    assert settings.tls_bind_url == "sips:mod_sofia@203.0.113.1:5061;maddr=10.0.0.5;transport=tls"
    behind, _ = parsed(("ext-rtp-ip", "autonat:203.0.113.1"), ("bind-params", "transport=udp"))
    assert (behind.ext_sip_ip, behind.ext_rtp_ip, behind.auto_nat) == ("203.0.113.1", "203.0.113.1", True)
    assert behind.url == "sip:mod_sofia@10.0.0.5:5060"
    assert behind.public_url == "sip:mod_sofia@203.0.113.1:5060"
    assert behind.transports == ("udp",)


def test_an_ipv6_profile_has_brackets() -> None:
    settings, _ = parsed(("sip-ip", "2001:db8::1"), ("rtp-ip", "2001:db8::1"))
    assert settings.url == "sip:mod_sofia@[2001:db8::1]:5060"
    assert (settings.rtp_ips, settings.rtp_ips6, settings.rtp_ip) == ((), ("2001:db8::1",), "2001:db8::1")


def test_domains_and_aliases_are_read() -> None:
    element = etree.fromstring(
        '<profile name="x" domain="d.example"><aliases><alias name="y"/></aliases><domains>'
        '<domain name="all" alias="true" parse="false"/></domains><settings/></profile>'
    )
    settings = parse_profile(element, lambda level, text: None, DEFAULTS)
    assert settings is not None
    assert settings.aliases == ("y",)
    assert settings.domain == "d.example"
    assert settings.domains == (ProfileDomain("all", True, False),)


def test_a_profile_without_settings_is_none() -> None:
    lines: list[str] = []
    element = etree.Element("profile", {"name": "x"})
    assert parse_profile(element, lambda level, text: lines.append(text), DEFAULTS) is None
    assert lines == ["No Settings, check the new config!"]


@pytest.mark.parametrize(
    ("text", "expected", "line"),
    [
        ("", "10.0.0.5", None),
        ("auto", "10.0.0.5", None),
        ("0.0.0.0", "10.0.0.5", "Invalid IP 0.0.0.0 replaced with 10.0.0.5"),
        ("interface:eth0", "10.9.9.9", None),
        ("interface:ipv6/eth0", "2001:db8::9", None),
        ("interface:eth7", "10.0.0.5", "Unknown IP for interface eth7 for sip-ip"),
        ("nonsense", "10.0.0.5", "Invalid IP nonsense for sip-ip replaced with 10.0.0.5"),
        ("[2001:db8::1]", "2001:db8::1", None),
    ],
)
def test_own_addresses(text: str, expected: str, line: str | None) -> None:
    lines: list[str] = []

    def log(level: LogLevel, text: str) -> None:
        lines.extend([text] if level < LogLevel.DEBUG else [])

    assert own_address(text, "sip-ip", LOOKUP, log) == expected
    assert lines == ([line] if line else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto-nat", ("", False)),
        ("auto", ("10.0.0.5", False)),
        ("203.0.113.1", ("203.0.113.1", False)),
        ("host:pbx.example.com", ("198.51.100.7", False)),
        ("autonat:203.0.113.1", ("203.0.113.1", True)),
        ("host:nowhere.example.com", ("10.0.0.5", False)),
        ("stun:stun.example.com", ("10.0.0.5", False)),
    ],
)
def test_external_addresses(text: str, expected: tuple[str, bool]) -> None:
    assert external_address(text, "ext-sip-ip", LOOKUP, lambda level, text: None) == expected


def test_the_loopback_interface_has_its_address() -> None:
    assert interface_address("lo", "4") == "127.0.0.1"
    assert interface_address("no-such-interface", "") is None
    assert interface_address("x" * 99, "4") is None


NAMES = st.sampled_from(
    [
        *(field.name.replace("_", "-") for field in dataclasses.fields(ProfileSettings)),
        *("codec-prefs", "rtp-ip", "tls-version", "alias", "disable-auth-messages", "zrtp", ""),
    ]
)
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿"), max_size=20
)


@given(st.lists(st.tuples(NAMES, PLAIN | st.integers().map(str)), max_size=6))
def test_no_configuration_raises(params: list[tuple[str, str]]) -> None:
    settings, _ = parsed(*params)
    kinds: dict[str, Any] = {"bool": bool, "int": int, "str": str}
    for field in dataclasses.fields(settings):
        kind = kinds.get(str(field.type))
        assert kind is None or type(getattr(settings, field.name)) is kind
    assert settings.url and settings.bind_url and settings.tls_bind_url and settings.rtp_ip
