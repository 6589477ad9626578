"""A profile with inbound-bypass-media: sound passes here only for what needs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.channel_state import ChannelState
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_phones import bypassed, connect, ports, sdp, without_origin
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension, two_profiles

TONE = ("playback", "tone_stream://%(60000,0,600)")
BOB = ("bridge", "sofia/near/bob@127.0.0.1:${bob_port}")
EXTENSIONS = "".join(
    (
        extension("plain", BOB),
        extension("refused", ("set", "bypass_media=false"), BOB),
        extension("play", ("answer", ""), TONE),
        extension("early", TONE),
        extension("ring", ("ring_ready", ""), ("park", "")),
    )
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    bypassing = '<param name="inbound-bypass-media" value="true"/>'
    text = configuration(EXTENSIONS, far=bypassing)
    with two_profiles(Path(tmp_path_factory.mktemp("inbound-bypass")), text) as rig:
        rig.switch.engine.start()
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


def test_the_profile_negotiates_late_and_says_so(rig: Rig) -> None:
    assert rig.far.settings.inbound_late_negotiation
    assert "NOMEDIA          \ttrue" in rig.api("sofia status profile far")
    assert "NOMEDIA          \tfalse" in rig.api("sofia status profile near")


def test_bridged_calls_bypass(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain")
    assert call.invite.body == sdp(alice) and call.answer.body == sdp(bob)
    rig.wait(lambda: bypassed(call))
    assert ports(rig) == 0


def test_a_call_that_rings_takes_no_port(rig: Rig, alice: SipPhone) -> None:
    near = alice.invite("ring", body=sdp(alice))
    alice.wait(180)
    assert ports(rig) == 0
    near.cancel()
    alice.wait(487)


@pytest.mark.parametrize(("number", "status"), [("play", 200), ("early", 183)])
def test_what_is_played_passes_here(rig: Rig, alice: SipPhone, number: str, status: int) -> None:
    near = alice.invite(number, body=sdp(alice, "0"))
    answer = alice.wait(status)
    if status == 200:
        near.ack(answer)
    assert "a=of:" not in answer.body
    alice.media.settimeout(5)
    assert len(alice.media.recv(2048)) == 172


def test_a_caller_who_is_not_to_bypass_does_not(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    near = alice.invite("refused", body=sdp(alice, "0"))
    invite = bob.wait("INVITE")
    assert "a=of:" not in invite.body
    bob.respond(invite, 200, body=sdp(bob, "0"))
    bob.wait("ACK")
    near.ack(alice.wait(200))
    caller = rig.leg("inbound")
    rig.wait(lambda: caller.partner)
    assert caller.channel.state is ChannelState.CS_EXECUTE
    assert ports(rig) == 2
    assert without_origin(invite.body) != without_origin(sdp(alice, "0"))
