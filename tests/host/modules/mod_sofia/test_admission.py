"""Who may place a call: access lists, users by address, proxies, blind authentication, credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.modules.mod_sofia.one_phone import talking
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension, two_profiles

EXTENSIONS = extension("answer", ("answer", ""), ("park", ""))
DIRECTORY = """<domain name="home"><users>
  <user id="joe" cidr="127.0.0.0/8"><params><param name="password" value="secret"/></params>
    <variables><variable name="colour" value="blue"/><variable name="user_context" value="default"/></variables></user>
</users></domain>"""
LISTS = """<configuration name="acl.conf"><network-lists>
  <list name="nobody" default="deny"/>
  <list name="all" default="allow"/>
  <list name="ten" default="deny"><node type="allow" cidr="10.0.0.0/8"/></list>
  <list name="homes" default="deny"><node type="allow" domain="home"/></list>
</network-lists></configuration>"""


def params(**values: str) -> str:
    return "".join(
        f'<param name="{name.replace("_", "-")}" value="{value}"/>' for name, value in values.items()
    )


@contextmanager
def running(folder: Path, far: str) -> Iterator[tuple[Rig, SipPhone]]:
    """Run a profile `far` with these parameters, and a phone that calls it."""
    text = configuration(EXTENSIONS, far=far, directory=DIRECTORY)
    text = text.replace('<section name="configuration">', f'<section name="configuration">{LISTS}', 1)
    with two_profiles(folder, text) as rig, SipPhone(rig.far.settings.sip_port) as phone:
        yield rig, phone
        rig.api("hupall")
        rig.quiet()


def test_an_address_of_no_list_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, params(apply_inbound_acl="nobody")) as (rig, phone):
        phone.invite("answer")
        assert phone.wait(403)
        rig.wait(lambda: rig.far.counters.failed_calls_in == 1)


def test_with_auth_calls_an_address_of_no_list_is_challenged(tmp_path: Path) -> None:
    with running(tmp_path, params(apply_inbound_acl="nobody", auth_calls="true")) as (_, phone):
        phone.invite("answer")
        assert "Digest" in phone.wait(407).header("Proxy-Authenticate")


def test_auth_calls_by_lists_only(tmp_path: Path) -> None:
    far = params(apply_inbound_acl="nobody", auth_calls="true", auth_calls_acl_only="true")
    with running(tmp_path, far) as (_, phone):
        phone.invite("answer")
        assert phone.wait(403)


def test_a_list_lets_calls_in(tmp_path: Path) -> None:
    with running(tmp_path, params(apply_inbound_acl="all", auth_calls="true")) as (rig, phone):
        variables = talking(rig, phone)[0].channel.variables
        assert variables.get("sip_authorized") == "true"
        assert variables.get("sip_acl_authed_by") == "all"


def test_a_user_is_known_by_its_address(tmp_path: Path) -> None:
    with running(tmp_path, params(apply_inbound_acl="homes", auth_calls="true")) as (rig, phone):
        variables = talking(rig, phone)[0].channel.variables
        assert variables.get("acl_token") == variables.get("sip_acl_token") == "joe@home"
        assert variables.get("colour") == "blue"
        assert (variables.get("user_name"), variables.get("domain_name")) == ("joe", "home")


def test_a_list_names_the_context_of_those_it_refuses(tmp_path: Path) -> None:
    with running(tmp_path, params(apply_inbound_acl="nobody:default:elsewhere")) as (_rig, phone):
        phone.invite("answer")
        assert phone.wait(404)


@pytest.mark.parametrize(
    ("header", "status"), [("X-AUTH-IP: 10.1.2.3", 200), ("X-AUTH-IP: 11.1.2.3", 403), ("X-Other: 1", 403)]
)
def test_a_proxy_speaks_for_others(tmp_path: Path, header: str, status: int) -> None:
    with running(tmp_path, params(apply_inbound_acl="ten", apply_proxy_acl="all")) as (_, phone):
        call = phone.invite("answer", header)
        answer = phone.wait(status)
        if status == 200:
            call.ack(answer)


def test_blind_authentication(tmp_path: Path) -> None:
    with running(tmp_path, params(auth_calls="true", accept_blind_auth="true")) as (rig, phone):
        assert talking(rig, phone)[0].channel.variables.get("sip_authorized") == "true"


def test_blind_authentication_of_those_the_directory_knows(tmp_path: Path) -> None:
    far = params(
        auth_calls="true",
        accept_blind_auth="true",
        enforce_blind_auth_result="true",
        blind_auth_reply_403="true",
    )
    with running(tmp_path, far) as (_, phone):
        phone.invite("answer")
        assert phone.wait(403)


def test_what_nobody_asks_for_is_checked_all_the_same(tmp_path: Path) -> None:
    with running(tmp_path, "") as (_, phone):
        wrong = (
            'Proxy-Authorization: Digest username="joe", realm="home", nonce="x", uri="sip:a", response="0"'
        )
        phone.invite("answer", wrong)
        assert phone.wait(407)


def test_more_requests_in_a_second_than_the_profile_takes(tmp_path: Path) -> None:
    with running(tmp_path, params(max_recv_requests_per_second="3")) as (_, phone):
        for _ in range(9):
            phone.invite("nobody-here")
        assert phone.wait(503).header("Retry-After")
        assert phone.wait(404)


def test_a_profile_is_full(tmp_path: Path) -> None:
    with running(tmp_path, "") as (rig, phone):
        rig.api("fsctl max_sessions 0")
        rig.api("fsctl pause inbound")
        phone.invite("answer")
        refused = phone.wait(503)
        assert refused.start.endswith("Maximum Calls In Progress")
        assert refused.header("Retry-After") == "300"
