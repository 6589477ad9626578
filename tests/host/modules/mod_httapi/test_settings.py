"""httapi.conf: profiles, permissions, and what is said of what is wrong in it."""

from __future__ import annotations

import pytest
from lxml import etree

from host.modules.mod_httapi.fields import LIMIT, Fields, query
from host.modules.mod_httapi.permissions import Permissions, read_permissions
from host.modules.mod_httapi.settings import Profile, Settings, read_settings
from host.switch import Switch
from tests.host.modules.mod_httapi.web import configuration, param, permission


def permissions(text: str) -> Permissions:
    return read_permissions(etree.fromstring(f"<permissions>{text}</permissions>"))


def settings(switch: Switch, text: str) -> tuple[Settings, list[str]]:
    lines: list[str] = []
    switch.xml.load_text(text)
    switch.logs.add_sink(lambda entry: lines.append(entry.text))
    return read_settings(switch), lines


def test_a_profile(virtual_switch: Switch) -> None:
    given = (
        ("user-agent", "me"),
        ("method", "post"),
        ("Timeout", "10"),
        ("connect-timeout", "-1"),
        ("disable-100-continue", "false"),
        ("enable-cacert-check", "true"),
        ("auth-scheme", "=digest"),
        ("enable-post-var", "a"),
        ("enable-post-var", "b"),
        ("cookie-file", "/c"),
        ("unknown", "x"),
    )
    text = configuration("http://x", params="".join(param(*one) for one in given))
    found, lines = settings(virtual_switch, text)
    profile = found.profiles["default"]
    assert profile == Profile(
        "default",
        "http://x/gate",
        "me",
        "post",
        auth_schemes=frozenset({"digest"}),
        timeout=10,
        expects_continue=True,
        checks_certificate=True,
        cookie_file="/c",
        only=frozenset({"a", "b"}),
        permissions=Permissions(),
    )
    assert lines == [
        "Can't set a negative connect-timeout!",
        "Profile [default] JSON Function [http://x/gate]",
    ]


@pytest.mark.parametrize(
    ("profiles", "line"),
    [
        ("", "Missing <profiles> tag!"),
        ("<profiles><profile/></profiles>", "profile tag missing name field!"),
        ("<profiles><profile name='a'/></profiles>", "Profile has no url!"),
    ],
)
def test_what_is_no_profile(virtual_switch: Switch, profiles: str, line: str) -> None:
    text = f"<configuration name='httapi.conf'>{profiles}</configuration>"
    text = f"<document><section name='configuration'>{text}</section></document>"
    found, lines = settings(virtual_switch, text)
    assert not found.profiles and lines == [line]


def test_no_configuration(virtual_switch: Switch) -> None:
    found, lines = settings(virtual_switch, "<document/>")
    assert not found.profiles and lines == ["open of httapi.conf failed"]


@pytest.mark.parametrize(
    ("text", "permitted"),
    [
        ("", "conference dial set-params"),
        (permission("none", "false"), ""),
        (permission("none"), ""),
        (permission("all", "false") + permission("dial-set-context"), "dial dial-set-context"),
        (
            permission("conference", "false") + permission("conference-set-profile", "false"),
            "dial set-params",
        ),
        (permission("expand-vars-in-tag-body"), "conference dial set-params"),
    ],
)
def test_permissions(text: str, permitted: str) -> None:
    assert sorted(permissions(text).permitted) == permitted.split()


def test_everything() -> None:
    found = permissions(permission("all"))
    assert found.may("expand-vars") and found.may_with("get-vars", "any")


def test_lists() -> None:
    names = '<application name="Info"/><application name="x" type="deny"/>'
    members = f'<application-list default="allow">{names}</application-list>'
    found = permissions(permission("execute-apps", inside=members))
    allowed = [found.may_with("execute-apps", name, "application-list") for name in ("info", "x", "other")]
    assert allowed == [True, False, False]
    found = permissions(permission("execute-apps", inside=members, default="allow"))
    allowed = [found.may_with("execute-apps", name, "application-list") for name in ("info", "X", "other")]
    assert allowed == [False, False, True]


def test_fields() -> None:
    fields = Fields([("a", "1"), ("b", "2"), ("A", "3"), ("c", "")])
    assert list(fields) == [("b", "2"), ("A", "3")]
    assert (fields.get("a"), fields.get("c")) == ("3", None)
    assert query(fields) == "b=2&A=3" and query(fields, {"b"}) == "b=2"
    assert query([("x", "a&b=c d%")]) == "x=a%26b%3Dc%20d%25"
    assert not fields.update([("big", "x" * LIMIT), ("d", "4")])
    assert fields.get("big") is None and fields.get("d") == "4"
    assert fields.set("b", "") and fields.set("big", "x" * (LIMIT - 100))
