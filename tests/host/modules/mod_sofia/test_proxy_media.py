"""Streams that go through the host as they come: two phones whose every message is written here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.channel import Flag
from host.channel_state import ChannelState
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    BOB,
    PLAY,
    Call,
    api_later,
    gets_sound,
    leg,
    sdp,
    take,
    through_host,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension, two_profiles

PROXY = ("set", "proxy_media=true")
EXTENSIONS = "".join(
    (
        extension("proxy", PROXY, ("bridge", BOB)),
        extension("plain", ("bridge", BOB)),
        extension("answered", ("answer", ""), PROXY, ("bridge", BOB)),
        extension("then", PROXY, ("bridge", BOB), PLAY),
        extension("fork", PROXY, ("bridge", f"{BOB},sofia/near/carol@127.0.0.1:${{carol_port}}")),
    )
)
IMAGE = "m=image 5006 udptl t38\r\nc=IN IP4 127.0.0.1\r\na=T38FaxVersion:0\r\n"
pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module", params=["proxy_media", "inbound-proxy-media"])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    late = '<param name="inbound-late-negotiation" value="true"/>'
    text = configuration(EXTENSIONS, far=late)
    if request.param == "inbound-proxy-media":
        always = '<param name="inbound-proxy-media" value="true"/>'
        text = configuration(EXTENSIONS.replace("proxy_media=true", "unused=true"), far=always)
    with two_profiles(Path(tmp_path_factory.mktemp("proxy")), text) as rig:
        rig.switch.engine.start()
        yield rig


def port_of(described: str, kind: str = "audio") -> int:
    found = re.search(rf"^m={kind} (\d+)", described, re.MULTILINE)
    assert found
    return int(found[1])


def but_ports(described: str) -> str:
    """Return a description without its ports and origin."""
    return re.sub(
        r"^(m=\w+) \d+", r"\1", re.sub(r"^o=.*$", "", described, flags=re.MULTILINE), flags=re.MULTILINE
    )


def connect(rig: Rig, alice: SipPhone, bob: SipPhone, number: str = "proxy", more: str = "") -> Call:
    near = alice.invite(number, body=sdp(alice, "96", more))
    invite = bob.wait("INVITE")
    bob.respond(invite, 200, "OK", body=sdp(bob, "96", more))
    bob.wait("ACK")
    answer = alice.wait(200)
    near.ack(answer)
    a, b = rig.leg("inbound"), rig.leg("outbound")
    rig.wait(lambda: a.partner == b.uuid and Flag.BRIDGED in a.channel.flags & b.channel.flags)
    return Call(near, Dialog.of(bob, invite), a, b, invite, answer)


def passes(sender: SipPhone, described: str, receiver: SipPhone, data: bytes) -> bool:
    """Return whether what goes to a described port comes to the other phone as it is."""
    receiver.media.settimeout(20)
    sender.media.sendto(data, ("127.0.0.1", port_of(described)))
    return receiver.media.recv(70_000) == data


def both_pass(alice: SipPhone, bob: SipPhone, to_alice: SipMessage, to_bob: SipMessage) -> bool:
    return passes(alice, to_alice.body, bob, b"anything") and passes(bob, to_bob.body, alice, bytes(1400))


def test_descriptions_pass_with_ports_of_the_host_and_datagrams_as_they_come(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    call = connect(rig, alice, bob)
    assert but_ports(call.invite.body) == but_ports(sdp(alice, "96"))
    assert but_ports(call.answer.body) == but_ports(sdp(bob, "96"))
    low, high = rig.switch.control.rtp_ports
    for described in (call.invite.body, call.answer.body):
        assert low <= port_of(described) <= high
    assert both_pass(alice, bob, call.answer, call.invite)
    assert rig.relays == 1 and rig.ports == 0
    assert call.a.channel.state is ChannelState.CS_EXECUTE
    call.far.request("BYE")
    alice.respond(alice.wait("BYE"), 200)
    rig.wait(lambda: rig.relays == 0)


def test_other_streams_and_later_ones_pass_as_well(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob)
    rig.wait(lambda: leg(call.a).answering is None)
    call.near.request("INVITE", body=sdp(alice, "96", IMAGE, 2))
    passed = bob.wait("INVITE")
    assert but_ports(passed.body) == but_ports(sdp(alice, "96", IMAGE, 2))
    assert port_of(passed.body) == port_of(call.invite.body)
    assert port_of(passed.body, "image") not in (5006, port_of(passed.body))
    bob.respond(passed, 200, body=sdp(bob, "96", IMAGE.replace("5006", "0"), 2))
    bob.wait("ACK")
    answer = alice.wait(200)
    assert port_of(answer.body, "image") == 0
    call.near.ack(answer)
    assert both_pass(alice, bob, answer, passed)


def test_a_call_that_has_media_here_is_not_proxied(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("answered", body=sdp(alice, "0"))
    near.ack(alice.wait(200))
    invite = bob.wait("INVITE")
    assert "a=of:" not in invite.body
    bob.respond(invite, 200, body=sdp(bob, "0"))
    bob.wait("ACK")
    rig.wait(lambda: rig.ports == 2)
    assert rig.relays == 0


def test_what_needs_sound_gets_it(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("then", body=sdp(alice, "0"))
    invite = bob.wait("INVITE")
    bob.respond(invite, 200, body=sdp(bob, "0"))
    bob.wait("ACK")
    near.ack(alice.wait(200))
    b = rig.leg("outbound")
    rig.wait(lambda: Flag.BRIDGED in b.channel.flags)
    Dialog.of(bob, invite).request("BYE")
    take(alice, near, sdp(alice, "0", version=2))
    assert gets_sound(alice)
    assert rig.relays == 0 and rig.ports == 1


def test_media_passes_here_when_it_is_asked_for(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("proxy", body=sdp(alice, "0"))
    invite = bob.wait("INVITE")
    bob.respond(invite, 200, body=sdp(bob, "0"))
    bob.wait("ACK")
    near.ack(alice.wait(200))
    a, b = rig.leg("inbound"), rig.leg("outbound")
    rig.wait(lambda: Flag.BRIDGED in a.channel.flags & b.channel.flags)
    reply = api_later(rig, f"uuid_media {a.uuid}")
    take(alice, near, sdp(alice, "0", version=2))
    take(bob, near, sdp(bob, "0", version=2))
    assert reply() == "+OK Success\n"
    assert through_host(rig, Call(near, near, a, b, invite, invite))
    assert rig.relays == 0


def test_of_several_who_are_called_the_one_that_answers_is_relayed(
    rig: Rig, alice: SipPhone, bob: SipPhone
) -> None:
    with SipPhone(rig.near.settings.sip_port) as carol:
        rig.switch.global_variables.set("carol_port", str(carol.port))
        near = alice.invite("fork", body=sdp(alice, "96"))
        first, second = bob.wait("INVITE"), carol.wait("INVITE")
        assert port_of(first.body) != port_of(second.body)
        rig.wait(lambda: rig.relays == 2)
        bob.respond(first, 180)
        carol.respond(second, 200, body=sdp(carol, "96"))
        carol.wait("ACK")
        answer = alice.wait(200)
        near.ack(answer)
        bob.respond(bob.wait("CANCEL"), 200)
        bob.respond(first, 487)
        rig.wait(lambda: rig.relays == 1)
        assert both_pass(alice, carol, answer, second)
        near.request("BYE")
        carol.respond(carol.wait("BYE"), 200)
