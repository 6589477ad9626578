from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.access_list import AccessLists
from host.variables import Variables
from host.xml_registry import XmlRegistry

CONFIGURATION = """<document type="freeswitch/xml">
<section name="configuration"><configuration name="acl.conf"><network-lists>
  <list name="narrow" default="deny">
    <node type="allow" cidr="192.0.2.0/24,198.51.100.0/24"/>
    <node type="deny" cidr="192.0.2.128/25"/>
    <node type="allow" cidr="192.0.2.130/32"/>
    <node type="allow" host="203.0.113.0" mask="255.255.255.248"/>
  </list>
  <list name="users" default="deny"><node type="allow" domain="example.test"/></list>
  <list name="open" default="allow"><node type="deny" cidr="2001:db8::/32"/></list>
</network-lists></configuration></section>
<section name="directory"><domain name="example.test">
  <user id="1" cidr="10.9.0.0/16,10.8.0.1/32"/>
</domain></section>
</document>"""


@pytest.fixture
def lists() -> AccessLists:
    xml = XmlRegistry(Variables())
    xml.load_text(CONFIGURATION)
    return AccessLists(xml, lambda: "172.20.0.5/24")


@pytest.mark.parametrize(
    ("address", "name", "allowed"),
    [
        ("192.0.2.1", "::/0", True),
        ("192.0.2.1", "x,::/0", True),
        ("192.0.2.1", "192.0.2.0/255.255.255.0", False),
        ("192.0.2.1", "192.0.2.0/24x", True),
        ("192.0.2.1", "192.0.2.0/0", False),
        ("192.0.2.0", "192.0.2.0/0", True),
        ("2001:db8::1", "0.0.0.0/0", False),
        ("192.0.2.1", "narrow", True),
        ("192.0.2.200", "narrow", False),
        ("192.0.2.130", "narrow", True),
        ("198.51.100.9", "narrow", True),
        ("203.0.113.7", "narrow", True),
        ("203.0.113.8", "narrow", False),
        ("10.9.1.1", "users", True),
        ("10.8.0.2", "users", False),
        ("2001:db8::1", "open", False),
        ("2001:db9::1", "open", True),
        ("172.20.0.9", "localnet.auto", True),
        ("172.20.0.9", "nat.auto", False),
        ("172.20.1.9", "nat.auto", True),
        ("8.8.8.8", "wan_v4.auto", True),
        ("::ffff:10.1.1.1", "rfc1918.auto", True),
        ("10.1.1.1", "10.0.0.0/8", True),
        ("10.1.1.1", "nosuch", False),
        ("10.1.1.1", "narrow,10.0.0.0/8", True),
        ("192.0.2.1", "narrow,10.0.0.0/8", False),
    ],
)
def test_the_narrowest_network_decides(lists: AccessLists, address: str, name: str, allowed: bool) -> None:
    assert lists.check(address, name) is allowed


def test_a_reload_reads_the_configuration_again(lists: AccessLists) -> None:
    assert lists.check("192.0.2.1", "narrow")
    lists._xml.load_text(CONFIGURATION.replace("192.0.2.0/24,", ""))
    assert lists.check("192.0.2.1", "narrow")
    lists.reload()
    assert not lists.check("192.0.2.1", "narrow")


@given(st.text(), st.text())
def test_any_text_is_an_answer(address: str, name: str) -> None:
    assert AccessLists(XmlRegistry(Variables()), lambda: None).check(address, name) in (True, False)
