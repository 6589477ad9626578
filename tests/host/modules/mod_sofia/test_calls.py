"""Whole calls between two profiles of one switch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from host.channel import Flag
from host.channel_state import CallState
from host.hangup_cause import HangupCause
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension, two_profiles

EXTENSIONS = "".join(
    (
        extension("answer", ("answer", ""), ("park", "")),
        extension("busy", ("hangup", "USER_BUSY")),
        extension("refuse", ("respond", "603 No Thanks")),
        extension("ring", ("ring_ready", ""), ("sleep", "60000")),
        extension("early", ("pre_answer", ""), ("sleep", "60000")),
        extension("moved", ("redirect", "sip:answer@127.0.0.1:$${far_port}")),
        extension("keys", ("answer", ""), ("read", "3 3 silence_stream://-1 pressed 8000 #"), ("park", "")),
    )
)
CONFIGURATION = configuration(EXTENSIONS)
pytestmark = pytest.mark.usefixtures("clean")


def test_a_call_is_answered_and_hung_up_by_us(rig: Rig) -> None:
    reply = rig.api(f"originate {rig.address('answer')} &park")
    assert reply.startswith("+OK")
    ours, theirs = rig.leg("outbound"), rig.leg("inbound")
    assert ours.channel.answered
    rig.wait(lambda: theirs.channel.answered)
    assert theirs.channel.profile.destination_number == "answer"
    assert theirs.channel.name.startswith("sofia/far/0000000000@127.0.0.1")
    assert theirs.channel.get_variable("read_codec") == "PCMU"
    ours.channel.hangup()
    rig.quiet()
    assert theirs.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert theirs.channel.variables.get("sip_hangup_disposition") == "recv_bye"
    assert ours.channel.variables.get("sip_hangup_disposition") == "send_bye"


def test_a_call_is_hung_up_by_them(rig: Rig) -> None:
    rig.api(f"originate {rig.address('answer')} &park")
    ours = rig.leg("outbound")
    theirs = rig.leg("inbound")
    rig.wait(lambda: theirs.channel.answered)
    theirs.channel.hangup()
    rig.quiet()
    assert ours.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert ours.channel.variables.get("sip_hangup_disposition") == "recv_bye"


@pytest.mark.parametrize(
    ("number", "cause"),
    [("busy", "USER_BUSY"), ("nowhere", "NO_ROUTE_DESTINATION"), ("refuse", "CALL_REJECTED")],
)
def test_refusals_come_back_as_causes(rig: Rig, number: str, cause: str) -> None:
    assert rig.api(f"originate {rig.address(number)} &park") == f"-ERR {cause}\n"


def test_a_call_that_is_not_answered_is_cancelled(rig: Rig) -> None:
    reply = rig.api(f"originate {rig.address('ring', '{originate_timeout=1}')} &park")
    assert reply == "-ERR NO_ANSWER\n"
    rig.quiet()


def test_the_called_leg_of_a_cancelled_call_knows_it(rig: Rig) -> None:
    rig.api(f"bgapi originate {rig.address('early', '{ignore_early_media=true}')} &park")
    theirs = rig.leg("inbound")
    rig.wait(lambda: Flag.EARLY_MEDIA in theirs.channel.flags)
    ours = rig.leg("outbound")
    rig.wait(lambda: Flag.EARLY_MEDIA in ours.channel.flags)
    ours.channel.hangup(HangupCause.ORIGINATOR_CANCEL)
    rig.quiet()
    assert theirs.channel.hangup_cause is HangupCause.ORIGINATOR_CANCEL
    assert theirs.channel.variables.get("sip_hangup_disposition") == "recv_cancel"


def test_a_redirection_is_followed(rig: Rig) -> None:
    assert rig.api(f"originate {rig.address('moved')} &park").startswith("+OK")
    assert (rig.leg("outbound").channel.variables.get("sip_redirected_to") or "").startswith("<sip:answer@")


def test_hold_and_resume_by_us_are_seen_by_them(rig: Rig) -> None:
    rig.api(f"originate {rig.address('answer')} &park")
    ours, theirs = rig.leg("outbound"), rig.leg("inbound")
    rig.wait(lambda: theirs.channel.answered)
    assert rig.api(f"uuid_hold {ours.uuid}").startswith("+OK")
    rig.wait(lambda: theirs.channel.call_state is CallState.HELD)
    rig.api(f"uuid_hold off {ours.uuid}")
    rig.wait(lambda: theirs.channel.call_state is CallState.ACTIVE)


@pytest.mark.parametrize("kind", ["rfc2833", "info"])
def test_keys_arrive(rig: Rig, kind: str) -> None:
    rig.api(f"originate {rig.address('keys', f'{{dtmf_type={kind}}}')} &park")
    ours, theirs = rig.leg("outbound"), rig.leg("inbound")
    rig.wait(lambda: theirs.channel.variables.get("current_application") == "read")
    rig.api(f"uuid_send_dtmf {ours.uuid} 4#1")
    rig.api(f"uuid_send_dtmf {ours.uuid} 4711@100")
    rig.wait(lambda: theirs.channel.variables.get("pressed"))
    assert theirs.channel.variables.get("pressed") in ("4", "471")


def test_custom_headers_arrive_as_variables(rig: Rig) -> None:
    rig.api(
        f"originate {rig.address('answer', '{sip_h_X-Account=k-77,origination_caller_id_name=Jürg}')} &park"
    )
    theirs = rig.leg("inbound")
    assert theirs.channel.variables.get("sip_h_X-Account") == "k-77"
    assert theirs.channel.profile.caller_id_name == "Jürg"


def test_a_profile_that_is_not_there(rig: Rig) -> None:
    assert rig.api("originate sofia/nosuch/1@127.0.0.1 &park") == "-ERR INVALID_PROFILE\n"
    assert rig.api("originate sofia/gateway/nosuch/1 &park") == "-ERR INVALID_GATEWAY\n"
    assert rig.api("originate sofia/near &park") == "-ERR INVALID_URL\n"
    assert rig.api("originate sofia/near/ghost%there &park") == "-ERR USER_NOT_REGISTERED\n"


def test_info_within_a_call_is_an_event(rig: Rig) -> None:
    seen: list[str] = []
    subscription = rig.switch.bus.subscribe(lambda event: seen.append(event.body or ""), ["RECV_INFO"])
    try:
        rig.api(f"originate {rig.address('answer')} &park")
        ours = rig.leg("outbound")
        rig.api(f"uuid_send_info {ours.uuid} hello")
        rig.wait(lambda: seen)
        assert seen == ["hello"]
    finally:
        rig.switch.bus.unsubscribe(subscription)


def test_a_call_without_media_is_given_up(tmp_path: Path) -> None:
    silent = configuration(EXTENSIONS, far='<param name="rtp-timeout-sec" value="1"/>')
    with two_profiles(tmp_path, silent) as rig:
        rig.api(f"originate {rig.address('answer')} &park")
        theirs = rig.leg("inbound")
        rig.wait(lambda: theirs.channel.answered)
        # the near end falls silent without a word
        near = rig.leg("outbound")
        near.line.set_transport(  # type: ignore[attr-defined]
            dataclasses.replace(near.line.transport, sending=False)  # type: ignore[attr-defined]
        )
        rig.wait(lambda: theirs.channel.down)
        assert theirs.channel.hangup_cause is HangupCause.MEDIA_TIMEOUT
        rig.quiet()
