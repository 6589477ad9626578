from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.log import LogLevel
from host.missing_names import _endpoint, missing_applications, missing_endpoints, report_missing
from host.switch import Switch

TREE = """<document type="freeswitch/xml">
<section name="dialplan"><context name="default"><extension name="a"><condition field="destination_number">
<action application="answer"/><action application="teleport" data="x"/><action application="${chosen}"/>
<action application="bridge" data="{a=1}[b=2]carrier/gw/1,loopback/1"/>
<action application="bridge" data="${dialed}"/>
<condition field="x"><anti-action application="beam" data="x"/><action application="teleport"/></condition>
</condition></extension></context></section>
<section name="directory"><domain name="d"><params><param name="dial-string" value="{a=${b}}pigeon/${dialed_user}"/>
<param name="password" value="other/thing"/></params></domain></section>
</document>"""


def test_what_is_missing_is_told_once_and_by_name(virtual_switch: Switch) -> None:
    virtual_switch.xml.load_text(TREE)
    assert missing_applications(virtual_switch) == ["beam", "teleport"]
    assert missing_endpoints(virtual_switch) == ["carrier", "pigeon"]
    lines: list[str] = []
    virtual_switch.logs.add_sink(lambda entry: lines.append(entry.text), LogLevel.WARNING)
    report_missing(virtual_switch)
    assert lines == [
        "In the configuration the dialplan runs applications that are not there: beam, teleport",
        "In the configuration dial strings begin with endpoints that are not there: carrier, pigeon",
    ]


def test_where_nothing_is_missing_nothing_is_told(virtual_switch: Switch) -> None:
    virtual_switch.xml.load_text('<document type="freeswitch/xml"><section name="dialplan"/></document>')
    lines: list[str] = []
    virtual_switch.logs.add_sink(lambda entry: lines.append(entry.text))
    report_missing(virtual_switch)
    assert lines == []


@pytest.mark.parametrize(
    ("dial_string", "endpoint"),
    [
        ("sofia/internal/1@d", "sofia"),
        (" {a={b}} [c] user/1", "user"),
        ("<x>{y}loopback/1|error/busy", "loopback"),
        ("{unclosed sofia/x", ""),
        ("${sofia_contact(1)}", ""),
        ("1000", ""),
        ("{", ""),
        ("", ""),
    ],
)
def test_the_endpoint_of_a_dial_string(dial_string: str, endpoint: str) -> None:
    assert _endpoint(dial_string) == endpoint


@given(st.text(st.sampled_from("{}[]<>ab/$ "), max_size=30))
def test_any_dial_string_has_an_endpoint_or_none(dial_string: str) -> None:
    assert "/" not in _endpoint(dial_string)
