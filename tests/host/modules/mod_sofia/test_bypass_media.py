"""Calls whose sound passes from far end to far end: two phones whose every message is written here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from host.channel import Flag
from host.channel_state import CallState, ChannelState
from host.media_bug import media_bugs
from host.session_message import queue_message
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    api_later,
    bypassed,
    connect,
    leg,
    ports,
    sdp,
    sound_passes,
    take,
    through_host,
    without_origin,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension, two_profiles

BOB = "sofia/near/bob@127.0.0.1:${bob_port}"
BYPASS = ("set", "bypass_media=true")
EXTENSIONS = "".join(
    (
        extension("bypass", BYPASS, ("bridge", BOB)),
        extension("plain", ("bridge", BOB)),
        extension("filtered", BYPASS, ("set", "bypass_media_sdp_filter=remove(PCMA)"), ("bridge", BOB)),
        extension("carol", BYPASS, ("bridge", "sofia/near/carol@127.0.0.1:${carol_port}")),
        extension("after", ("set", "bypass_media_after_bridge=true"), ("bridge", BOB)),
        extension("answered", ("answer", ""), BYPASS, ("bridge", BOB)),
        extension(
            "go-on", BYPASS, ("set", "continue_on_fail=true"), ("bridge", BOB), ("answer", ""),
            ("playback", "tone_stream://%(60000,0,600)"),
        ),
        extension(
            "then", BYPASS, ("bridge", BOB), ("playback", "tone_stream://%(60000,0,600)"),
        ),
        extension("loopback", BYPASS, ("bridge", "loopback/play")),
        extension("play", ("answer", ""), ("playback", "tone_stream://%(60000,0,600)")),
        extension("hold", BYPASS, ("set", "bypass_media_resume_on_hold=true"),
                  ("set", "bypass_media_after_hold=true"), ("set", "hold_music=tone_stream://%(60000,0,500)"),
                  ("bridge", BOB)),
        extension("info", BYPASS, ("export", "dtmf_type=info"), ("bridge", BOB)),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    late = '<param name="inbound-late-negotiation" value="true"/><param name="enable-timer" value="false"/>'
    with two_profiles(
        Path(tmp_path_factory.mktemp("bypass")), configuration(EXTENSIONS, near=late, far=late)
    ) as rig:
        rig.api("originate loopback/play &hangup()")
        yield rig


@pytest.fixture(autouse=True)
def clean(rig: Rig) -> Iterator[None]:
    yield
    rig.api("hupall")
    rig.quiet()
    rig.wait(lambda: ports(rig) == 0)


@pytest.fixture
def alice(rig: Rig) -> Iterator[SipPhone]:
    with SipPhone(rig.far.settings.sip_port) as phone:
        yield phone


@pytest.fixture
def bob(rig: Rig) -> Iterator[SipPhone]:
    with SipPhone(rig.near.settings.sip_port) as phone:
        rig.switch.global_variables.set("bob_port", str(phone.port))
        yield phone


# -- before the answer -------------------------------------------------------------------------------------------


def test_descriptions_pass_from_end_to_end_and_no_port_is_taken(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect(rig, alice, bob, "bypass")
    assert call.invite.body == sdp(alice)
    assert call.answer.body == sdp(bob)
    rig.wait(lambda: bypassed(call))
    rig.wait(lambda: ports(rig) == 0)
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
    assert ports(rig) == 0


def test_a_refused_call_goes_on_with_media_of_the_host(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("go-on", body=sdp(alice, "0"))
    bob.respond(bob.wait("INVITE"), 486)
    answer = alice.wait(200)
    near.ack(answer)
    assert "a=of:" not in answer.body and "RTP/AVP 0 101" in answer.body
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172
    assert ports(rig) == 1


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
    rig.wait(lambda: ports(rig) == 0)
    assert a.channel.variables.get("bypass_media") is None


def test_a_leg_that_is_none_by_sip_keeps_media_here(rig: Rig, alice: SipPhone) -> None:
    near = alice.invite("loopback", body=sdp(alice, "0"))
    answer = alice.wait(200)
    near.ack(answer)
    assert "a=of:" not in answer.body
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172


# -- offers within the call --------------------------------------------------------------------------------------


def test_offers_within_a_call_and_their_answers_pass(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass")
    rig.wait(lambda: bypassed(call))
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
    call = connect(rig, alice, bob, "bypass")
    rig.wait(lambda: bypassed(call))
    call.near.request("INVITE", body=sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    call.far.request("INVITE", body=sdp(bob, "9", version=2))
    assert bob.wait(491)
    bob.respond(passed, 200, body=sdp(bob, "9", version=2))
    call.near.ack(alice.wait(200))


def test_an_offer_that_is_taken_back_is_taken_back_there_as_well(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect(rig, alice, bob, "bypass")
    rig.wait(lambda: bypassed(call))
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
    call = connect(rig, alice, bob, "bypass")
    rig.wait(lambda: bypassed(call))
    call.near.request("INVITE")
    offer = alice.wait(200)
    assert offer.body == sdp(bob)
    call.near.ack(offer, sdp(alice, "9", version=2))
    passed = bob.wait("INVITE")
    assert passed.body == sdp(alice, "9", version=2)
    bob.respond(passed, 200, body=sdp(bob, version=2))
    bob.wait("ACK")


def test_a_refresh_is_answered_here(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass")
    rig.wait(lambda: bypassed(call))
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


# -- out and in --------------------------------------------------------------------------------------------------


def test_out_of_the_path_and_into_it(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    replies = api_later(rig, f"uuid_media off {call.a.uuid}")
    first = take(bob, call.far, sdp(bob, "0", version=2))
    assert without_origin(first.body) == without_origin(sdp(alice, "0"))
    second = take(alice, call.near, sdp(alice, "0", version=2))
    assert without_origin(second.body) == without_origin(sdp(bob, "0"))
    rig.wait(lambda: replies)
    assert replies == ["+OK Success\n"]
    rig.wait(lambda: bypassed(call) and ports(rig) == 0)
    replies = api_later(rig, f"uuid_media {call.b.uuid}")
    back = take(bob, call.far, sdp(bob, "0", version=3))
    assert "a=of:" not in back.body and "m=audio" in back.body
    take(alice, call.near, sdp(alice, "0", version=3))
    rig.wait(lambda: replies)
    assert replies == ["+OK Success\n"]
    rig.wait(lambda: through_host(rig, call))
    assert rig.api(f"uuid_media {call.b.uuid}") == "-ERR Operation failed\n"
    assert sound_passes(alice, bob, back.body)


def test_a_message_takes_the_host_out_of_the_path(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    message = rig.switch.new_event("COMMAND")
    message.add_header("call-command", "nomedia")
    message.add_header("nomedia-uuid", call.a.uuid)
    queue_message(call.b, message)
    take(bob, call.far, sdp(bob, "0", version=2))
    take(alice, call.near, sdp(alice, "0", version=2))
    rig.wait(lambda: bypassed(call) and ports(rig) == 0)


@pytest.mark.parametrize("code", [488, 503])
@pytest.mark.parametrize("who", ["second", "first"])
def test_who_refuses_to_leave_keeps_the_call_as_it_was(
    rig: Rig, alice: SipPhone, bob: SipPhone, who: str, code: int
) -> None:
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    replies = api_later(rig, f"uuid_media off {call.a.uuid}")
    described = call.invite.body
    if who == "second":
        take(bob, call.far, code=code)
    else:
        take(bob, call.far, sdp(bob, "0", version=2))
        take(alice, call.near, code=code)
        described = take(bob, call.far, sdp(bob, "0", version=3)).body
    rig.wait(lambda: replies)
    assert replies == ["-ERR Operation failed\n"]
    rig.wait(lambda: through_host(rig, call))
    assert sound_passes(alice, bob, described)


@pytest.mark.parametrize("who", ["first", "second"])
def test_who_refuses_to_come_back_keeps_the_call_as_it_was(
    rig: Rig, alice: SipPhone, bob: SipPhone, who: str
) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    replies = api_later(rig, f"uuid_media {call.a.uuid}")
    if who == "first":
        take(alice, call.near, code=488)
    else:
        take(alice, call.near, sdp(alice, "0", version=2))
        take(bob, call.far, code=488)
        again = take(alice, call.near, sdp(alice, "0", version=3))
        assert without_origin(again.body) == without_origin(sdp(bob, "0"))
    rig.wait(lambda: replies)
    assert replies == ["-ERR Operation failed\n"]
    assert bypassed(call)
    rig.wait(lambda: ports(rig) == 0)


def test_glare_is_waited_for(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    replies = api_later(rig, f"uuid_media {call.a.uuid}")
    take(alice, call.near, code=491)
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    rig.wait(lambda: replies)
    assert replies == ["+OK Success\n"]
    rig.wait(lambda: through_host(rig, call))


def test_a_third_party_s_offer(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    replies = api_later(rig, f"uuid_media_3p off {call.a.uuid}")
    asked = alice.wait("INVITE")
    alice.respond(asked, 200, body=sdp(alice, "0", version=2))
    take(bob, call.far, code=488)
    kept = alice.wait("ACK")
    assert "a=of:" not in kept.body and "m=audio" in kept.body
    rig.wait(lambda: replies)
    assert replies == ["-ERR Operation failed\n"]
    rig.wait(lambda: through_host(rig, call))
    assert sound_passes(alice, bob, call.invite.body)


def test_sound_is_bypassed_once_both_are_answered(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "after", "0")
    asked = alice.wait("INVITE")
    alice.respond(asked, 200, body=sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    assert without_origin(alice.wait("ACK").body) == without_origin(sdp(bob, "0"))
    rig.wait(lambda: bypassed(call) and ports(rig) == 0)


# -- what needs sound --------------------------------------------------------------------------------------------


def test_a_transfer_brings_sound_back_and_ends_the_other_call(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    rig.api(f"uuid_transfer {call.a.uuid} play")
    bob.respond(bob.wait("BYE"), 200)
    take(alice, call.near, sdp(alice, "0", version=2))
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172
    assert call.b.channel.hangup_cause.name == "BLIND_TRANSFER"


def test_an_application_that_needs_sound_brings_it_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "then", "0")
    rig.wait(lambda: bypassed(call))
    call.far.request("BYE")
    take(alice, call.near, sdp(alice, "0", version=2))
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172


def test_one_who_listens_in_brings_sound_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    rig.api(f"originate null/ear &eavesdrop({call.a.uuid})")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    rig.wait(lambda: through_host(rig, call))
    rig.wait(lambda: [bug.function for bug in media_bugs(call.a)] == ["eavesdrop"])


def test_a_broadcast_brings_sound_back_for_its_time(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    replies = api_later(rig, f"uuid_broadcast {call.a.uuid} tone_stream://%(300,0,500) aleg")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    rig.wait(lambda: replies)
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172
    take(bob, call.far, sdp(bob, "0", version=3))
    take(alice, call.near, sdp(alice, "0", version=2))
    rig.wait(lambda: bypassed(call) and ports(rig) == 0)


def test_a_hold_brings_sound_back_for_its_time(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "hold", "0")
    rig.wait(lambda: bypassed(call))
    held = alice.sdp("sendonly", 2)
    call.near.request("INVITE", body=held)
    answer = alice.wait(200)
    assert "a=recvonly" in answer.body and "a=of:" not in answer.body
    call.near.ack(answer)
    take(bob, call.far, sdp(bob, "0", version=2))
    bob.media.settimeout(5)
    assert len(bob.media.recv(2048)) == 172
    rig.wait(lambda: call.a.channel.call_state is CallState.HELD)
    call.near.request("INVITE", body=alice.sdp("sendrecv", 3))
    call.near.ack(alice.wait(200))
    asked = alice.wait("INVITE")
    assert not asked.body
    alice.respond(asked, 200, body=alice.sdp("sendrecv", 4))
    take(bob, call.far, sdp(bob, "0", version=3))
    alice.wait("ACK")
    rig.wait(lambda: bypassed(call) and ports(rig) == 0)


def test_a_phone_that_refers_its_call_leaves_it(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    call.near.request("REFER", f"Refer-To: <sip:play@127.0.0.1:{rig.far.settings.sip_port}>")
    alice.wait(202)
    for _ in range(2):
        alice.respond(alice.wait("NOTIFY"), 200)
        if not alice.nothing("BYE", 0.3):
            break
    take(bob, call.far, sdp(bob, "0", version=2))
    bob.media.settimeout(5)
    assert len(bob.media.recv(2048)) == 172
    rig.wait(lambda: call.a.channel.down)
    assert ports(rig) == 1


def test_a_bypassed_call_is_bridged_with_another_one(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    with SipPhone(rig.far.settings.sip_port) as carol:
        third = carol.invite("play", body=sdp(carol, "0"))
        third.ack(carol.wait(200))
        legs = rig.wait(lambda: [one for one in rig.legs("inbound") if one is not call.a])
        rig.wait(lambda: legs[0].channel.running_state is ChannelState.CS_EXECUTE)
        rig.api(f"uuid_bridge {call.b.uuid} {legs[0].uuid}")
        alice.respond(alice.wait("BYE"), 200)
        back = take(bob, call.far, sdp(bob, "0", version=2))
        rig.wait(lambda: Flag.BRIDGED in legs[0].channel.flags & call.b.channel.flags)
        assert call.a.channel.hangup_cause.name == "ATTENDED_TRANSFER"
        assert sound_passes(carol, bob, back.body)
        third.request("BYE")
        bob.respond(bob.wait("BYE"), 200)


def test_a_phone_joins_those_whom_it_speaks_with(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    with SipPhone(rig.near.settings.sip_port) as carol:
        rig.switch.global_variables.set("carol_port", str(carol.port))
        second = alice.invite("carol", body=sdp(alice, "0"))
        invite = carol.wait("INVITE")
        carol.respond(invite, 200, body=sdp(carol, "0"))
        carol.wait("ACK")
        second.ack(alice.wait(200))
        theirs = rig.wait(lambda: [one for one in rig.legs("outbound") if one is not call.b])[0]
        rig.wait(lambda: theirs.channel.running_state is ChannelState.CS_HIBERNATE)
        tags = [re.search(r";tag=([^;>]+)", text)[1] for text in (second.far, second.near)]  # type: ignore[index]
        replaces = quote(f"{second.call_id};to-tag={tags[0]};from-tag={tags[1]}", safe="")
        call.near.request("REFER", f"Refer-To: <sip:carol@127.0.0.1?Replaces={replaces}>")
        alice.wait(202)
        back = take(bob, call.far, sdp(bob, "0", version=2))
        take(carol, Dialog.of(carol, invite), sdp(carol, "0", version=2))
        rig.wait(lambda: Flag.BRIDGED in call.b.channel.flags & theirs.channel.flags)
        assert sound_passes(carol, bob, back.body)
        rig.wait(lambda: call.a.channel.down)
        assert ports(rig) == 2
        Dialog.of(carol, invite).request("BYE")
        bob.respond(bob.wait("BYE"), 200)


def test_both_of_a_bypassed_bridge_are_sent_elsewhere(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    rig.api(f"uuid_transfer {call.a.uuid} -both play")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    for phone in (alice, bob):
        phone.media.settimeout(5)
        assert len(phone.media.recv(2048)) == 172
    assert call.a.channel.up and call.b.channel.up


def test_the_bridge_is_told_and_its_end_as_well(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    told: list[tuple[str, str | None]] = []
    wanted = ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")
    binding = rig.switch.bus.subscribe(
        lambda event: told.append((event.name, event.get_header("Bridge-B-Unique-ID"))), wanted
    )
    try:
        call = connect(rig, alice, bob, "bypass", "0")
        rig.wait(lambda: bypassed(call))
        replies = api_later(rig, f"uuid_media {call.a.uuid}")
        take(alice, call.near, sdp(alice, "0", version=2))
        take(bob, call.far, sdp(bob, "0", version=2))
        rig.wait(lambda: replies)
        call.near.request("BYE")
        bob.respond(bob.wait("BYE"), 200)
        rig.wait(lambda: len(told) == 4)
        assert told == [(name, call.b.uuid) for name in (*wanted, *wanted)]
    finally:
        rig.switch.bus.unsubscribe(binding)


@pytest.mark.parametrize("uuid", ["a", "b"])
def test_who_hangs_up_at_once_leaves_nobody(rig: Rig, alice: SipPhone, bob: SipPhone, uuid: str) -> None:
    near = alice.invite("bypass", body=sdp(alice))
    invite = bob.wait("INVITE")
    a, b = rig.leg("inbound"), rig.leg("outbound")
    bob.respond(invite, 200, "OK", body=sdp(bob))
    bob.wait("ACK")
    near.ack(alice.wait(200))
    rig.api(f"uuid_kill {(a if uuid == 'a' else b).uuid}")
    for phone in (alice, bob):
        phone.respond(phone.wait("BYE"), 200)


def test_one_who_dies_while_sound_comes_back_ends_the_call(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "bypass", "0")
    rig.wait(lambda: bypassed(call))
    replies = api_later(rig, f"uuid_media {call.a.uuid}")
    alice.wait("INVITE")
    call.near.request("BYE")
    bob.respond(bob.wait("BYE"), 200)
    rig.wait(lambda: replies)
    assert replies == ["-ERR Operation failed\n"]


def test_a_hold_that_is_refused_is_turned_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    rig.api(f"uuid_hold {call.a.uuid}")
    assert Flag.PROTO_HOLD in call.a.channel.flags
    take(alice, call.near, code=488)
    rig.wait(lambda: Flag.PROTO_HOLD not in call.a.channel.flags)
    rig.wait(lambda: call.a.channel.call_state is CallState.ACTIVE)
