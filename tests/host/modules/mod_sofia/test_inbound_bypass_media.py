"""A profile with inbound-bypass-media: sound passes here only for what needs it."""

from __future__ import annotations

import pytest

from host.channel_state import ChannelState
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    BOB,
    PLAY,
    bypassed,
    connect,
    gets_sound,
    sdp,
    without_origin,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("plain", ("bridge", BOB)),
        extension("refused", ("set", "bypass_media=false"), ("bridge", BOB)),
        extension("play", ("answer", ""), PLAY),
        extension("early", PLAY),
        extension("ring", ("ring_ready", ""), ("park", "")),
    )
)
CONFIGURATION = configuration(EXTENSIONS, far='<param name="inbound-bypass-media" value="true"/>')
pytestmark = pytest.mark.usefixtures("clean")


def test_the_profile_negotiates_late_and_says_so(rig: Rig) -> None:
    assert rig.far.settings.inbound_late_negotiation
    assert "NOMEDIA          \ttrue" in rig.api("sofia status profile far")
    assert "NOMEDIA          \tfalse" in rig.api("sofia status profile near")


def test_bridged_calls_bypass(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "plain")
    assert call.invite.body == sdp(alice) and call.answer.body == sdp(bob)
    rig.wait(lambda: bypassed(call))
    assert rig.ports == 0


def test_a_call_that_rings_takes_no_port(rig: Rig, alice: SipPhone) -> None:
    near = alice.invite("ring", body=sdp(alice))
    alice.wait(180)
    assert rig.ports == 0
    near.cancel()
    alice.wait(487)


@pytest.mark.parametrize(("number", "status"), [("play", 200), ("early", 183)])
def test_what_is_played_passes_here(rig: Rig, alice: SipPhone, number: str, status: int) -> None:
    near = alice.invite(number, body=sdp(alice, "0"))
    answer = alice.wait(status)
    if status == 200:
        near.ack(answer)
    assert "a=of:" not in answer.body
    assert gets_sound(alice)


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
    assert rig.ports == 2
    assert without_origin(invite.body) != without_origin(sdp(alice, "0"))
