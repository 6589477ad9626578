"""verto.conf."""

from __future__ import annotations

import pytest

from host.log import LogLevel
from host.modules.mod_verto.settings import (
    MOST_BINDINGS,
    Binding,
    VertoSettings,
    parse_address,
    read_settings,
)
from host.variables import Variables
from host.xml_registry import XmlRegistry


def read(profiles: str, settings: str = "") -> tuple[VertoSettings, list[tuple[LogLevel, str]]]:
    """Return the settings of a configuration, and what was logged."""
    xml = XmlRegistry(Variables())
    xml.load_text(
        f"""<document type="freeswitch/xml"><section name="configuration"><configuration name="verto.conf">
        <settings>{settings}</settings><profiles>{profiles}</profiles></configuration></section></document>"""
    )
    lines: list[tuple[LogLevel, str]] = []
    found = read_settings(xml, lambda level, text: lines.append((level, text)))
    assert found is not None
    return found, lines


def param(name: str, value: str, more: str = "") -> str:
    return f'<param name="{name}" value="{value}" {more}/>'


def profile(*params: str, name: str = "p") -> str:
    return f'<profile name="{name}">{param("bind-local", "127.0.0.1:8081")}{"".join(params)}</profile>'


def test_no_configuration() -> None:
    assert read_settings(XmlRegistry(Variables()), lambda level, text: None) is None


def test_defaults_are_those_of_freeswitch() -> None:
    found, _ = read(profile())
    one = found.profiles[0]
    assert (one.context, one.dialplan, one.chop_domain, one.blind_reg) == ("default", "XML", True, False)
    assert (one.inbound_codecs, one.outbound_codecs, one.jitter_buffer) == ("opus,vp8", "opus,vp8", "1p:20p")
    assert one.local_network == "localnet.auto" and not one.wants_login
    assert (found.detach_timeout, found.enable_presence, found.enable_fs_events) == (120, True, False)


def test_the_usual_configuration() -> None:
    found, lines = read(
        profile(
            param("bind-local", "[::1]:8082", 'secure="true"'),
            param("force-register-domain", "example.org"),
            param("secure-combined", "/certs/wss.pem"),
            param("secure-chain", "/certs/wss.pem"),
            param("userauth", "true"),
            param("mcast-ip", "224.1.1.1"),
            param("rtp-ip", "10.0.0.1"),
            param("rtp-ip", "fd00::1"),
            param("ext-rtp-ip", "192.0.2.9"),
            param("outbound-codec-string", "opus,h264,vp8"),
            param("apply-candidate-acl", "wan_v4.auto"),
            param("timer-name", "soft"),
        ),
        param("detach-timeout-sec", "7") + param("enable-presence", "false"),
    )
    one = found.profiles[0]
    assert one.bindings == (Binding("127.0.0.1", 8081), Binding("::1", 8082, True))
    assert [binding.url for binding in one.bindings] == ["ws:127.0.0.1:8081", "wss:[::1]:8082"]
    assert (one.certificate, one.key, one.chain) == ("/certs/wss.pem",) * 3
    assert one.register_domain == "example.org" and one.wants_login
    assert one.rtp_ips == ("10.0.0.1", "fd00::1") and one.ext_rtp_ip == "192.0.2.9"
    assert one.inbound_codecs == "opus,h264,vp8"
    assert (found.detach_timeout, found.enable_presence) == (7, False)
    told = {text for level, text in lines if level <= LogLevel.WARNING}
    assert any("mcast-ip is not supported" in text for text in told) and len(told) == 1
    assert any("timer-name" in text for _, text in lines)


def test_certificates_of_their_own() -> None:
    found, _ = read(profile(param("secure-cert", "a"), param("secure-key", "b")))
    assert (found.profiles[0].certificate, found.profiles[0].key) == ("a", "b")


def test_profiles_that_cannot_be() -> None:
    found, lines = read(
        '<profile/><profile name="x"/>'
        + f'<profile name="y">{param("bind-local", "[]:8081")}</profile>'
        + profile(name="z")
        + profile(name="z")
    )
    assert [one.name for one in found.profiles] == ["z"]
    told = [text for _, text in lines]
    assert told == [
        "Required field name missing",
        "x: local_ip bad",
        "x: local_port bad",
        "y: local_ip bad",
        "Profile z already exists",
    ]


def test_the_last_profile_comes_first() -> None:
    found, _ = read(profile(name="a") + profile(name="b"))
    assert [one.name for one in found.profiles] == ["b", "a"]


def test_too_many_bindings() -> None:
    found, lines = read(profile(*[param("bind-local", "127.0.0.1:1")] * MOST_BINDINGS))
    assert len(found.profiles[0].bindings) == MOST_BINDINGS
    assert (LogLevel.ERR, "Max Bindings Reached!") in lines


def test_stun_is_not_asked() -> None:
    found, lines = read(profile(param("ext-rtp-ip", "stun:stun.example.org")))
    assert found.profiles[0].ext_rtp_ip == ""
    assert any("STUN is not supported" in text for _, text in lines)


@pytest.mark.parametrize(
    ("text", "address"),
    (
        ("127.0.0.1:8081", ("127.0.0.1", 8081)),
        ("127.0.0.1", ("127.0.0.1", 0)),
        ("[::1]:8082", ("::1", 8082)),
        ("[::1]", ("::1", 0)),
        ("[::1", ("", 0)),
        ("", ("", 0)),
        ("x:y", ("x", 0)),
    ),
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
