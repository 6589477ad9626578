"""Calls whose descriptions and offers pass from far end to far end: two phones whose every message is written here."""

from __future__ import annotations

import re

import pytest

from host.channel_state import CallState, ChannelState
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    BOB,
    BYPASS,
    PLAY,
    bypassed,
    connect,
    connect_bypassed,
    gets_sound,
    late_configuration,
    leg,
    sdp,
    without_origin,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, extension

CONFIGURATION = late_configuration(
    extension("filtered", BYPASS, ("set", "bypass_media_sdp_filter=remove(PCMA)"), ("bridge", BOB)),
    extension("answered", ("answer", ""), BYPASS, ("bridge", BOB)),
    extension(
        "go-on",
        BYPASS,
        ("set", "continue_on_fail=true"),
        ("bridge", BOB),
        ("answer", ""),
        PLAY,
    ),
    extension("loopback", BYPASS, ("bridge", "loopback/play")),
    extension("info", BYPASS, ("export", "dtmf_type=info"), ("bridge", BOB)),
    extension("play", ("answer", ""), PLAY),
)
pytestmark = pytest.mark.usefixtures("clean")


# -- before the answer -------------------------------------------------------------------------------------------


def test_descriptions_pass_from_end_to_end_and_no_port_is_taken(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect(rig, alice, bob, "bypass")
    assert call.invite.body == sdp(alice)
    assert call.answer.body == sdp(bob)
    rig.wait(lambda: bypassed(call))
    rig.wait(lambda: rig.ports == 0)
    a, b = call.a.channel, call.b.channel
    assert a.variables.get("switch_m_sdp") == sdp(bob) and b.variables.get("switch_m_sdp") == sdp(alice)
    assert a.variables.get("signal_bridge_to") == call.b.uuid and a.variables.get("signal_bridge") == "true"
    assert a.call_state is b.call_state is CallState.ACTIVE
    call.near.request("BYE")
    alice.wait(200)
    bob.respond(bob.wait("BYE"), 200)
    rig.wait(lambda: b.down)
    assert b.hangup_cause.name == "NORMAL_CLEARING"


def test_a_codec_is_taken_out_of_what_passes(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "filtered", "0 8")
    assert "RTP/AVP 0 8" in sdp(alice, "0 8")
    assert call.invite.body == sdp(alice, "0 8").replace("RTP/AVP 0 8", "RTP/AVP 0")
    assert call.answer.body == sdp(bob, "0 8")  # the called leg has no filter


def test_early_media_passes_as_well_and_the_answer_may_be_another(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    near = alice.invite("bypass", body=sdp(alice))
    invite = bob.wait("INVITE")
    bob.respond(invite, 183, body=sdp(bob))
    assert alice.wait(183).body == sdp(bob)
    bob.respond(invite, 200, body=sdp(bob, more="a=now:answered\r\n", version=2))
    bob.wait("ACK")
    answer = alice.wait(200)
    near.ack(answer)
    assert without_origin(answer.body) == without_origin(sdp(bob, more="a=now:answered\r\n"))
    assert re.search(r"^o=phone 1 2 IN", answer.body, re.MULTILINE)
    rig.wait(lambda: rig.leg("inbound").channel.answered)
    assert rig.ports == 0


def test_a_refused_call_goes_on_with_media_of_the_host(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("go-on", body=sdp(alice, "0"))
    bob.respond(bob.wait("INVITE"), 486)
    answer = alice.wait(200)
    near.ack(answer)
    assert "a=of:" not in answer.body and "RTP/AVP 0 101" in answer.body
    assert gets_sound(alice)
    assert rig.ports == 1


def test_an_answer_before_anybody_is_called_has_media_pass_here_until_both_are(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    near = alice.invite("answered", body=sdp(alice, "0"))
    answer = alice.wait(200)
    near.ack(answer)
    assert "a=of:" not in answer.body
    invite = bob.wait("INVITE")
    assert "a=of:" not in invite.body
    bob.respond(invite, 200, body=sdp(bob, "0"))
    bob.wait("ACK")
    asked = alice.wait("INVITE")
    assert not asked.body
    alice.respond(asked, 200, body=sdp(alice, "0", version=2))
    offered = bob.wait("INVITE")
    assert without_origin(offered.body) == without_origin(sdp(alice, "0"))
    bob.respond(offered, 200, body=sdp(bob, "0", version=2))
    bob.wait("ACK")
    assert without_origin(alice.wait("ACK").body) == without_origin(sdp(bob, "0"))
    a, b = rig.leg("inbound"), rig.leg("outbound")
    rig.wait(lambda: a.channel.running_state is b.channel.running_state is ChannelState.CS_HIBERNATE)
    rig.wait(lambda: rig.ports == 0)
    assert a.channel.variables.get("bypass_media") is None


def test_a_leg_that_is_none_by_sip_keeps_media_here(rig: Rig, alice: SipPhone) -> None:
    near = alice.invite("loopback", body=sdp(alice, "0"))
    answer = alice.wait(200)
    near.ack(answer)
    assert "a=of:" not in answer.body
    assert gets_sound(alice)


# -- offers within the call --------------------------------------------------------------------------------------


def test_offers_within_a_call_and_their_answers_pass(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob, "18")
    offer = sdp(alice, "9", "a=sendonly\r\n", 2)
    call.near.request("INVITE", body=offer)
    passed = bob.wait("INVITE")
    assert passed.body == offer
    assert alice.wait(100)
    bob.respond(passed, 200, body=sdp(bob, "9", "a=recvonly\r\n", 2))
    bob.wait("ACK")
    answer = alice.wait(200)
    assert answer.body == sdp(bob, "9", "a=recvonly\r\n", 2)
    call.near.ack(answer)
    rig.wait(lambda: call.a.channel.call_state is CallState.HELD)
    rig.wait(lambda: leg(call.a).answering is None)  # the ACK has come
    image = sdp(bob, "9", "m=image 5000 udptl t38\r\n", 3)
    call.far.request("INVITE", body=image)
    passed = alice.wait("INVITE")
    assert passed.body == image
    alice.respond(passed, 488)
    alice.wait("ACK")
    assert bob.wait(488)
    assert bypassed(call)


def test_an_offer_is_refused_while_the_other_end_makes_one(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob, "18")
    call.near.request("INVITE", body=sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    call.far.request("INVITE", body=sdp(bob, "9", version=2))
    assert bob.wait(491)
    bob.respond(passed, 200, body=sdp(bob, "9", version=2))
    call.near.ack(alice.wait(200))


def test_an_offer_that_is_taken_back_is_taken_back_there_as_well(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect_bypassed(rig, alice, bob, "18")
    call.near.request("INVITE", body=sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    bob.respond(passed, 180)
    call.near.cancel()
    assert bob.wait("CANCEL")
    assert alice.wait(487)
    bob.respond(passed, 200, body=sdp(bob, "9", version=2))  # it was too late
    bob.wait("ACK")
    restored = bob.wait("INVITE")
    assert without_origin(restored.body) == without_origin(sdp(alice))
    bob.respond(restored, 200, body=sdp(bob, version=3))
    bob.wait("ACK")


def test_an_invite_without_an_offer_gets_the_other_ends(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob, "18")
    call.near.request("INVITE")
    offer = alice.wait(200)
    assert offer.body == sdp(bob)
    call.near.ack(offer, sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    assert passed.body == sdp(alice, "9", version=2)
    bob.respond(passed, 200, body=sdp(bob, version=2))
    bob.wait("ACK")


def test_a_refresh_is_answered_here(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob, "18")
    call.near.request("UPDATE", body=sdp(alice))
    assert alice.wait(200).body == sdp(bob)
    assert bob.nothing("INVITE", 0.2)
    call.near.request("UPDATE", body=sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    bob.respond(passed, 200, body=sdp(bob, "9", version=2))
    bob.wait("ACK")
    assert alice.wait(200).body == sdp(bob, "9", version=2)


def test_keys_by_info_pass(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "info")
    rig.wait(lambda: bypassed(call))
    call.near.request("INFO", "Content-Type: application/dtmf-relay", body="Signal=5\r\nDuration=160\r\n")
    alice.wait(200)
    info = bob.wait("INFO")
    assert info.body == "Signal=5\r\nDuration=160\r\n"
    bob.respond(info, 200)
