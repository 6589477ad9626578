from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from host.xml_directory import flat_dial_string, setting
from host.xml_registry import XmlRegistry
from host.xml_text import xml_text

CONFIGURATION = """
<document type="freeswitch/xml"><section name="directory">
  <domain name="Example.test">
    <params>
      <param name="dial-string" value="{a=1}loopback/user_${dialed_user}/x"/>
      <param name="p" value="domain"/>
      <param name="q" value="domain"/>
    </params>
    <variables><variable name="level" value="domain"/><variable name="only_domain" value="yes"/></variables>
    <groups>
      <group name="sales"><users><user id="1000" type="pointer"/><user id="9" type="pointer"/></users></group>
      <group name="desk">
        <params><param name="q" value="group"/></params>
        <variables><variable name="LEVEL" value="group"/></variables>
        <users>
          <user id="1000" number-alias="2000" ip="10.0.0.1">
            <params><param name="P" value="user"/></params>
            <variables><variable name="accountcode" value="acct"/></variables>
            <profile-variables><variable name="caller_id_name" value="Ada"/></profile-variables>
          </user>
          <user id="1001"><params><param name="group-dial-string" value="error/USER_BUSY"/></params></user>
          <user id="1002" cacheable="1000"/>
        </users>
      </group>
      <group name="nobody"/>
    </groups>
    <users><user id="3000" mailbox="3"/></users>
  </domain>
  <domain name="flat.test"><user id="1"/></domain>
</section></document>
"""


class Globals(dict[str, str]):
    def set(self, name: str, value: str, /) -> None:
        self[name] = value


def registry(now: list[int] | None = None) -> XmlRegistry:
    made = XmlRegistry(Globals(), now_ms=lambda: now[0] if now else 0)
    made.load_text(CONFIGURATION)
    return made


def test_a_user_inherits_from_its_group_and_its_domain() -> None:
    user = registry().directory.user("1000", "example.TEST")
    assert user is not None
    assert user.group == "desk"
    assert user.attribute("domain-name") == "Example.test"
    assert (user.param("p"), user.param("q")) == ("user", "group")
    assert (user.variable("level"), user.variable("only_domain"), user.variable("AccountCode")) == (
        "group",
        "yes",
        "acct",
    )
    assert user.variable("none") is None
    assert user.variables() == [("LEVEL", "group"), ("only_domain", "yes"), ("accountcode", "acct")]
    assert user.profile_variables() == [("caller_id_name", "Ada")]
    assert xml_text(user.element).startswith(
        '<user id="1000" number-alias="2000" ip="10.0.0.1" domain-name="Example.test">'
    )


def test_the_tree_stays_as_it_was() -> None:
    made = registry()
    before = xml_text(made.root)
    user = made.directory.user("1000", "example.test")
    assert user is not None
    user.element.clear()
    assert xml_text(made.root) == before


@pytest.mark.parametrize(
    ("key", "user", "domain", "found"),
    [
        ("id", "2000", "example.test", "1000"),
        ("number-alias", "2000", "example.test", "1000"),
        ("number-alias", "1000", "example.test", None),
        ("id", "3000", "example.test", "3000"),
        ("mailbox", "3", "example.test", "3000"),
        ("id", "1", "flat.test", "1"),
        ("id", "9", "example.test", None),
        ("id", "1000", "none.test", None),
    ],
)
def test_keys_and_places(key: str, user: str, domain: str, found: str | None) -> None:
    looked_up = registry().directory.user(user, domain, key=key)
    assert (looked_up.attribute("id") if looked_up else None) == found


def test_pointers_are_found_when_asked_for() -> None:
    directory = registry().directory
    pointer = directory.user("9", "example.test", params={"user_type": "any"})
    assert pointer is not None and pointer.group == "sales"
    assert directory.user("x", "example.test", ip="10.0.0.1") is not None


def test_groups() -> None:
    directory = registry().directory
    assert directory.group("DESK", "example.test") is not None
    assert directory.group("none", "example.test") is None
    assert directory.in_group("1000", "example.test", "sales")
    assert not directory.in_group("3000", "example.test", "desk")
    domain = directory.domain("example.test")
    assert domain is not None
    assert [(group, user.get("id")) for group, user in directory.users(domain)] == [
        ("sales", "1000"), ("sales", "9"), ("desk", "1000"), ("desk", "1001"), ("desk", "1002"), ("", "3000")
    ]  # fmt: skip
    assert setting(domain, "params", "P") == "domain"


def fill(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], text)


def test_group_dial_strings() -> None:
    directory = registry().directory
    assert directory.group_dial_string("desk", "example.test", fill) == (
        "[a=1]loopback/user_1000/x,error/USER_BUSY,[a=1]loopback/user_1002/x"
    )
    assert directory.group_dial_string("sales", "example.test", fill, ":_:") == "[a=1]loopback/user_1000/x"
    assert directory.group_dial_string("none", "example.test", fill) is None
    assert directory.group_dial_string("nobody", "example.test", fill) is None


@pytest.mark.parametrize(
    ("given", "flat"),
    [
        ("user/1", "user/1"),
        ("{a=1}user/1,user/2|user/3", "[a=1]user/1,[a=1]user/2|[a=1]user/3"),
        ("{a=1}[b=2]user/1", "[a=1][b=2]user/1"),
        ("{a=1,local_var_clobber=true}[b=2]user/1", "[b=2][a=1,local_var_clobber=true]user/1"),
        ("<c=3>{a=1}user/1:_:{a=2}user/2", "[a=1][c=3]user/1:_:[a=2][c=3]user/2"),
        ("{a=1}{b=${x}} user/1,", "[a=1][b=${x}]user/1"),
        ("{a=1", "{a=1"),
        ("", ""),
    ],
)
def test_flat_dial_strings(given: str, flat: str) -> None:
    assert flat_dial_string(given) == flat


def test_cacheable_users_are_remembered() -> None:
    now = [5000]
    made = registry(now)
    assert made.directory.user("1002", "example.test") is not None
    made.load_text('<document><section name="directory"/></document>')
    assert made.directory.user("1002", "example.test") is not None
    assert made.directory.user("1000", "example.test") is None
    now[0] = 6001
    assert made.directory.user("1002", "example.test") is None
    assert made.directory.flush_cache("id", "1002", "example.test") == 1
    assert made.directory.flush_cache() == 0
