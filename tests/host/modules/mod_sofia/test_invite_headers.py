"""From, identity headers and what scripts add to an INVITE."""

from __future__ import annotations

import pytest

from host.caller_profile import CallerProfile
from host.modules.mod_sofia.call.invite_headers import extra_headers, identity, invite_headers, user_text


def _profile(**fields: object) -> CallerProfile:
    return CallerProfile(**{"caller_id_name": "Alice", "caller_id_number": "1000", **fields})  # type: ignore[arg-type]


def test_remote_party_id_is_the_default() -> None:
    who = identity(_profile(), {}, domain="10.0.0.1")
    assert who.from_address == '"Alice" <sip:1000@10.0.0.1>'
    assert who.headers == (
        ("Remote-Party-ID", '"Alice" <sip:1000@10.0.0.1>;party=calling;screen=yes;privacy=off'),
    )


@pytest.mark.parametrize(
    ("hidden", "privacy"),
    [
        ({"privacy_hide_name": True}, "name"),
        ({"privacy_hide_number": True}, "full"),
        ({"privacy_hide_name": True, "privacy_hide_number": True}, "full"),
    ],
)
def test_privacy_of_remote_party_id(hidden: dict[str, bool], privacy: str) -> None:
    (header,) = identity(_profile(**hidden), {}, domain="h").headers
    assert header[1].endswith(f"privacy={privacy}")


def test_asserted_identity_and_privacy() -> None:
    who = identity(_profile(privacy_hide_number=True), {"sip_cid_type": "pid"}, domain="h")
    assert who.headers == (("P-Asserted-Identity", '"Alice" <sip:1000@h>'), ("Privacy", "id"))
    preferred = identity(_profile(screen=False), {"sip_cid_type": "pid"}, domain="h")
    assert preferred.headers[0][0] == "P-Preferred-Identity"
    quiet = {"sip_cid_type": "pid", "sip_cid_suppress_privacy_none": "true"}
    assert len(identity(_profile(), quiet, domain="h").headers) == 1
    assert identity(_profile(), {"sip_cid_type": "none"}, domain="h").headers == ()


def test_who_decides_over_from() -> None:
    domain = "10.0.0.1"
    gateway = "sip:account@carrier"
    assert (
        identity(_profile(), {}, domain=domain, gateway_from=gateway).from_address == f'"Alice" <{gateway}>'
    )
    variables = {"sip_from_uri": "sip:x@y"}
    chosen = identity(_profile(), variables, domain=domain, gateway_from=gateway)
    assert chosen.from_address == '"Alice" <sip:x@y>'
    forced = {**variables, "sip_force_full_from": "<sip:z@z>"}
    assert identity(_profile(), forced, domain=domain).from_address == "<sip:z@z>"
    assert identity(_profile(caller_id_name="_undef_"), {}, domain="h").from_address == "<sip:1000@h>"
    assert identity(_profile(), {"sip_from_display": 'A "B"'}, domain="h").from_address.startswith(
        r'"A \"B\""'
    )
    assert identity(_profile(), {"sip_invite_domain": "own"}, domain="h").from_address.endswith("@own>")


def test_what_scripts_add() -> None:
    variables = {
        "sip_h_X-One": "1",
        "SIP_H_X-Two": "2",
        "sip_h_": "no name",
        "sip_h_Bad Name": "x",
        "sip_rh_X-Three": "3",
        "alert_info": "<http://x/ring>",
    }
    headers = dict(invite_headers(variables))
    assert headers["X-One"] == "1" and headers["X-Two"] == "2"
    assert headers["Alert-Info"] == "<http://x/ring>"
    assert "X-Three" not in headers and "Bad Name" not in headers
    assert extra_headers(variables, "sip_rh_") == [("X-Three", "3")]


def test_numbers_are_escaped() -> None:
    assert user_text("+49 30#1") == "+49%2030%231"
    assert user_text("bob") == "bob"
