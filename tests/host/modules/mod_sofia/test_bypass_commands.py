"""Commands that take the host out of a call's path and put it back, and what phones may refuse of that."""

from __future__ import annotations

import pytest

from host.session_message import queue_message
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_phones import (
    BOB,
    api_later,
    bypassed,
    connect,
    connect_bypassed,
    connect_through_host,
    late_configuration,
    sdp,
    sound_passes,
    take,
    through_host,
    without_origin,
)
from tests.host.modules.mod_sofia.two_profiles import Rig, extension

CONFIGURATION = late_configuration(
    extension("after", ("set", "bypass_media_after_bridge=true"), ("bridge", BOB)),
)
pytestmark = pytest.mark.usefixtures("clean")


def test_out_of_the_path_and_into_it(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_through_host(rig, alice, bob)
    reply = api_later(rig, f"uuid_media off {call.a.uuid}")
    first = take(bob, call.far, sdp(bob, "0", version=2))
    assert without_origin(first.body) == without_origin(sdp(alice, "0"))
    second = take(alice, call.near, sdp(alice, "0", version=2))
    assert without_origin(second.body) == without_origin(sdp(bob, "0"))
    assert reply() == "+OK Success\n"
    rig.wait(lambda: bypassed(call) and rig.ports == 0)
    reply = api_later(rig, f"uuid_media {call.b.uuid}")
    back = take(bob, call.far, sdp(bob, "0", version=3))
    assert "a=of:" not in back.body and "m=audio" in back.body
    take(alice, call.near, sdp(alice, "0", version=3))
    assert reply() == "+OK Success\n"
    rig.wait(lambda: through_host(rig, call))
    assert rig.api(f"uuid_media {call.b.uuid}") == "-ERR Operation failed\n"
    assert sound_passes(alice, bob, back.body)


def test_a_message_takes_the_host_out_of_the_path(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_through_host(rig, alice, bob)
    message = rig.switch.new_event("COMMAND")
    message.add_header("call-command", "nomedia")
    message.add_header("nomedia-uuid", call.a.uuid)
    queue_message(call.b, message)
    take(bob, call.far, sdp(bob, "0", version=2))
    take(alice, call.near, sdp(alice, "0", version=2))
    rig.wait(lambda: bypassed(call) and rig.ports == 0)


@pytest.mark.parametrize("code", [488, 503])
@pytest.mark.parametrize("who", ["second", "first"])
def test_who_refuses_to_leave_keeps_the_call_as_it_was(
    rig: Rig, alice: SipPhone, bob: SipPhone, who: str, code: int
) -> None:
    call = connect_through_host(rig, alice, bob)
    reply = api_later(rig, f"uuid_media off {call.a.uuid}")
    described = call.invite.body
    if who == "second":
        take(bob, call.far, code=code)
    else:
        take(bob, call.far, sdp(bob, "0", version=2))
        take(alice, call.near, code=code)
        described = take(bob, call.far, sdp(bob, "0", version=3)).body
    assert reply() == "-ERR Operation failed\n"
    rig.wait(lambda: through_host(rig, call))
    assert sound_passes(alice, bob, described)


@pytest.mark.parametrize("who", ["first", "second"])
def test_who_refuses_to_come_back_keeps_the_call_as_it_was(
    rig: Rig, alice: SipPhone, bob: SipPhone, who: str
) -> None:
    call = connect_bypassed(rig, alice, bob)
    reply = api_later(rig, f"uuid_media {call.a.uuid}")
    if who == "first":
        take(alice, call.near, code=488)
    else:
        take(alice, call.near, sdp(alice, "0", version=2))
        take(bob, call.far, code=488)
        again = take(alice, call.near, sdp(alice, "0", version=3))
        assert without_origin(again.body) == without_origin(sdp(bob, "0"))
    assert reply() == "-ERR Operation failed\n"
    assert bypassed(call)
    rig.wait(lambda: rig.ports == 0)


def test_glare_is_waited_for(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_bypassed(rig, alice, bob)
    reply = api_later(rig, f"uuid_media {call.a.uuid}")
    take(alice, call.near, code=491)
    take(alice, call.near, sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    assert reply() == "+OK Success\n"
    rig.wait(lambda: through_host(rig, call))


def test_a_third_party_s_offer(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect_through_host(rig, alice, bob)
    reply = api_later(rig, f"uuid_media_3p off {call.a.uuid}")
    asked = alice.wait("INVITE")
    alice.respond(asked, 200, body=sdp(alice, "0", version=2))
    take(bob, call.far, code=488)
    kept = alice.wait("ACK")
    assert "a=of:" not in kept.body and "m=audio" in kept.body
    assert reply() == "-ERR Operation failed\n"
    rig.wait(lambda: through_host(rig, call))
    assert sound_passes(alice, bob, call.invite.body)


def test_sound_is_bypassed_once_both_are_answered(rig: Rig, alice: SipPhone, bob: SipPhone) -> None:
    call = connect(rig, alice, bob, "after", "0")
    asked = alice.wait("INVITE")
    alice.respond(asked, 200, body=sdp(alice, "0", version=2))
    take(bob, call.far, sdp(bob, "0", version=2))
    assert without_origin(alice.wait("ACK").body) == without_origin(sdp(bob, "0"))
    rig.wait(lambda: bypassed(call) and rig.ports == 0)
