"""What needs sound of the host while a call's sound passes from far end to far end, and how such calls end."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from host.channel import Flag
from host.channel_state import CallState, ChannelState
from host.media_bug import media_bugs
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    BOB,
    BYPASS,
    PLAY,
    api_later,
    bypassed,
    connect,
    connect_bypassed,
    connect_through_host,
    gets_sound,
    late_configuration,
    sdp,
    sound_passes,
    take,
    through_host,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, extension

CONFIGURATION = late_configuration(
    extension("carol", BYPASS, ("bridge", "sofia/near/carol@127.0.0.1:${carol_port}")),
    extension(
        "then",
        BYPASS,
        ("bridge", BOB),
        PLAY,
    ),
    extension("play", ("answer", ""), PLAY),
    extension(
        "hold",
        BYPASS,
        ("set", "bypass_media_resume_on_hold=true"),
        ("set", "bypass_media_after_hold=true"),
        ("set", "hold_music=tone_stream://%(60000,0,500)"),
        ("bridge", BOB),
    ),
)
pytestmark = pytest.mark.usefixtures("clean")


def test_a_transfer_brings_sound_back_and_ends_the_other_call(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect_bypassed(rig, alice, bob)
    rig.api(f"uuid_transfer {call.a.uuid} play")
    bob.respond(bob.wait("BYE"), 200)
    take(alice, call.near, sdp(alice, "0", version=2))
    assert gets_sound(alice)
    assert call.b.channel.hangup_cause.name == "BLIND_TRANSFER"


def test_an_application_that_needs_sound_brings_it_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "then", "0")
    rig.wait(lambda: bypassed(call))
    call.far.request("BYE")
    take(alice, call.near, sdp(alice, "0", version=2))
    assert gets_sound(alice)


def test_one_who_listens_in_brings_sound_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
    rig.api(f"originate null/ear &eavesdrop({call.a.uuid})")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    rig.wait(lambda: through_host(rig, call))
    rig.wait(lambda: [bug.function for bug in media_bugs(call.a)] == ["eavesdrop"])


def test_a_broadcast_brings_sound_back_for_its_time(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
    reply = api_later(rig, f"uuid_broadcast {call.a.uuid} tone_stream://%(300,0,500) aleg")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    reply()
    assert gets_sound(alice)
    take(bob, call.far, sdp(bob, "0", version=3))
    take(alice, call.near, sdp(alice, "0", version=2))
    rig.wait(lambda: bypassed(call) and rig.ports == 0)


def test_a_hold_brings_sound_back_for_its_time(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "hold", "0")
    rig.wait(lambda: bypassed(call))
    held = alice.sdp("sendonly", 2)
    call.near.request("INVITE", body=held)
    answer = alice.wait(200)
    assert "a=recvonly" in answer.body and "a=of:" not in answer.body
    call.near.ack(answer)
    take(bob, call.far, sdp(bob, "0", version=2))
    assert gets_sound(bob)
    rig.wait(lambda: call.a.channel.call_state is CallState.HELD)
    call.near.request("INVITE", body=alice.sdp("sendrecv", 3))
    call.near.ack(alice.wait(200))
    asked = alice.wait("INVITE")
    assert not asked.body
    alice.respond(asked, 200, body=alice.sdp("sendrecv", 4))
    take(bob, call.far, sdp(bob, "0", version=3))
    alice.wait("ACK")
    rig.wait(lambda: bypassed(call) and rig.ports == 0)


def test_a_phone_that_refers_its_call_leaves_it(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
    call.near.request("REFER", f"Refer-To: <sip:play@127.0.0.1:{rig.far.settings.sip_port}>")
    alice.wait(202)
    for _ in range(2):
        alice.respond(alice.wait("NOTIFY"), 200)
        if not alice.nothing("BYE", 0.3):
            break
    take(bob, call.far, sdp(bob, "0", version=2))
    assert gets_sound(bob)
    rig.wait(lambda: call.a.channel.down)
    assert rig.ports == 1


def test_a_bypassed_call_is_bridged_with_another_one(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
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
    call = connect_bypassed(rig, alice, bob)
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
        assert rig.ports == 2
        Dialog.of(carol, invite).request("BYE")
        bob.respond(bob.wait("BYE"), 200)


def test_both_of_a_bypassed_bridge_are_sent_elsewhere(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
    rig.api(f"uuid_transfer {call.a.uuid} -both play")
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    for phone in (alice, bob):
        assert gets_sound(phone)
    assert call.a.channel.up and call.b.channel.up


def test_the_bridge_is_told_and_its_end_as_well(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    told: list[tuple[str, str | None]] = []
    wanted = ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")
    binding = rig.switch.bus.subscribe(
        lambda event: told.append((event.name, event.get_header("Bridge-B-Unique-ID"))), wanted
    )
    try:
        call = connect_bypassed(rig, alice, bob)
        reply = api_later(rig, f"uuid_media {call.a.uuid}")
        take(alice, call.near, sdp(alice, "0", version=2))
        take(bob, call.far, sdp(bob, "0", version=2))
        reply()
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
    call = connect_bypassed(rig, alice, bob)
    reply = api_later(rig, f"uuid_media {call.a.uuid}")
    alice.wait("INVITE")
    call.near.request("BYE")
    bob.respond(bob.wait("BYE"), 200)
    assert reply() == "-ERR Operation failed\n"


def test_a_hold_that_is_refused_is_turned_back(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_through_host(rig, alice, bob)
    rig.api(f"uuid_hold {call.a.uuid}")
    assert Flag.PROTO_HOLD in call.a.channel.flags
    take(alice, call.near, code=488)
    rig.wait(lambda: Flag.PROTO_HOLD not in call.a.channel.flags)
    rig.wait(lambda: call.a.channel.call_state is CallState.ACTIVE)
