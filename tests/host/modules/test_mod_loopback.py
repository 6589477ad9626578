"""The two legs of a loopback call, and the null leg, in virtual time."""

from __future__ import annotations

import numpy as np
import pytest

from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.originate import originate
from host.ivr.park import park_session
from host.ivr.send_dtmf import send_dtmf_string
from host.log import LogLevel
from host.session import Session
from media.source import Samples
from tests.host.ivr.legs import Legs, gone
from tests.media.ear import Ear


def pair(legs: Legs, dial_string: str) -> tuple[Session, Session]:
    a = legs.call(dial_string)
    b = legs.switch.find_session(a.channel.variables.get("other_loopback_leg_uuid") or "")
    assert b is not None
    return a, b


def test_names_and_variables_of_both_legs(legs: Legs) -> None:
    a, b = pair(
        legs, "{x=1,origination_caller_id_name=Ada,origination_caller_id_number=7}loopback/answer/legs"
    )
    assert (a.channel.name, b.channel.name) == ("loopback/answer-a", "loopback/answer-b")
    assert (a.channel.direction, b.channel.direction) == ("outbound", "inbound")
    assert b.channel.variables.get("other_loopback_leg_uuid") == a.uuid
    assert [leg.channel.variables.get("loopback_leg") for leg in (a, b)] == ["A", "B"]
    assert [leg.channel.variables.get("x") for leg in (a, b)] == ["1", "1"]
    profile = b.channel.profile
    assert (profile.caller_id_name, profile.caller_id_number, profile.ani) == ("Ada", "7", "7")
    assert (profile.destination_number, profile.context, profile.dialplan) == ("answer", "legs", "xml")
    assert profile.source == "mod_loopback"


def test_names_are_cut_to_127_bytes(legs: Legs) -> None:
    originate(legs.switch, "loopback/" + "7" * 117 + "/legs")
    originate(legs.switch, "null/" + "7" * 150)
    names = {event.get_header("Channel-Name") for event in legs.events if event.name == "CHANNEL_CREATE"}
    assert names == {"loopback/" + "7" * 117 + "-", "null/" + "7" * 122}


def test_an_application_instead_of_an_extension(legs: Legs) -> None:
    a, b = pair(legs, "loopback/app=pause:1000")
    assert a.channel.name == "loopback/pause-a"
    assert a.channel.answer_state == "early"
    assert a.channel.variables.get("loopback_app_arg") == "1000"
    assert b.channel.variables.get("current_application") == "pause"
    legs.wait(1.001)
    assert gone(a) and gone(b)


def test_an_application_that_ends_at_once_makes_the_call_fail(legs: Legs) -> None:
    leg, cause = originate(legs.switch, "loopback/app=note:some words")
    assert (leg, cause, legs.notes) == (None, HangupCause.NORMAL_CLEARING, ["some words"])


def test_a_leg_takes_its_callers_dialplan_and_context(legs: Legs) -> None:
    near = legs.call("loopback/answer/legs")
    near.channel.variables.set("continue_on_fail", "true")
    near.transfer("bridge:loopback/short/legs,note:${originate_disposition},park", "inline")
    legs.wait(0.1)
    assert legs.notes == ["DESTINATION_OUT_OF_ORDER"]  # no application is called "short"
    near.transfer("bridge:loopback/answer/legs/XML", "inline")
    legs.wait(0.1)
    assert near.partner is not None


def test_sound_and_keys_cross(legs: Legs) -> None:
    a, b = pair(legs, "loopback/answer/legs")
    legs.run(a, ("park", ""))
    ear = Ear()
    a.line.tap(ear, write=False)
    b.line.play(Samples(np.full(800, 500, np.int16), 8000))
    b.io.send_dtmf(b, "9", 1600)
    legs.wait(0.2)
    assert ear.loudest == 500
    digit = next(e for e in legs.events if e.name == "DTMF")
    assert (digit.get_header("DTMF-Digit"), digit.get_header("Unique-ID")) == ("9", a.uuid)


def test_answering_the_called_leg_changes_nothing(legs: Legs) -> None:
    a, b = pair(legs, "loopback/app=park")
    a.answer()
    assert a.channel.answer_state == "early"
    b.answer()
    assert (a.channel.answer_state, a.channel.variables.get("endpoint_disposition")) == ("answered", "ANSWER")


@pytest.mark.parametrize(
    ("kill", "cause_a", "cause_b"),
    [("a", "USER_BUSY", "NORMAL_CLEARING"), ("b", "NORMAL_CLEARING", "USER_BUSY")],
)
def test_a_leg_in_an_application_notices_by_itself_that_the_other_was_killed(
    legs: Legs, kill: str, cause_a: str, cause_b: str
) -> None:
    a, b = pair(legs, "loopback/answer/legs")
    legs.run(a, ("park", ""))
    (a if kill == "a" else b).channel.hangup(HangupCause.USER_BUSY)
    legs.wait(0.001)
    assert gone(a) and gone(b)
    assert (a.channel.hangup_cause.name, b.channel.hangup_cause.name) == (cause_a, cause_b)


def test_a_leg_that_hangs_up_itself_tells_its_cause(legs: Legs) -> None:
    a, b = pair(legs, "loopback/early/legs")
    legs.run(a, ("park", ""))
    b.transfer("cause_CALL_REJECTED", "XML", "legs")
    legs.wait(0.001)
    assert a.channel.hangup_cause is HangupCause.CALL_REJECTED
    assert a.channel.variables.get("is_loopback") == "1"


def test_variables_for_the_far_leg_alone_and_for_it_too(legs: Legs) -> None:
    a, b = pair(legs, "{loopback_export=origination_uuid,origination_uuid=mine}loopback/answer/legs")
    assert a.uuid == b.channel.variables.get("origination_uuid") == "mine"
    assert b.uuid != "mine"


def test_a_null_leg_answers_and_keeps_keys(legs: Legs) -> None:
    leg = legs.call("null/x")
    assert (leg.channel.name, leg.channel.answered, legs.now_ms()) == ("null/x", True, 0)
    leg.send_digit(Digit("4"))
    leg.send_digit(Digit("2"))
    assert leg.channel.variables.get("null_channel_dtmf_queued") == "42"
    early = legs.call("{null_pre_answer=true,null_enable_auto_answer=false}null/y")
    assert early.channel.answer_state == "early"


def test_a_called_leg_that_is_hung_up_before_its_other_half_exists(legs: Legs) -> None:
    endpoint = legs.switch.endpoints.get("loopback")
    assert endpoint is not None
    a = legs.call("loopback/app=park")
    a.channel.hangup()
    legs.wait(0.001)
    assert gone(a)
    assert not legs.switch.sessions


def test_park_ends_by_its_timeout(legs: Legs) -> None:
    a = legs.caller(("park", ""), park_timeout="2:CALL_REJECTED")
    legs.wait(1)
    assert a.channel.running_state is ChannelState.CS_EXECUTE
    legs.wait(1.1)
    assert gone(a)
    assert a.channel.hangup_cause is HangupCause.CALL_REJECTED


def test_the_timeout_of_a_park_that_is_cut_short_by_the_next_holds_for_that(legs: Legs) -> None:
    a = legs.caller(("park", ""), park_timeout="2:CALL_REJECTED")
    legs.wait(1)
    park_session(a)
    legs.wait(1.9)
    assert a.channel.running_state is ChannelState.CS_PARK
    legs.wait(0.2)
    assert gone(a)
    assert a.channel.hangup_cause is HangupCause.CALL_REJECTED


def test_a_pause_and_a_limit_refuse_both_endpoints(legs: Legs) -> None:
    control = legs.switch.control
    lines: list[str] = []
    legs.switch.logs.add_sink(lambda entry: lines.append(entry.text), LogLevel.CRIT)
    control.outbound_paused = True
    for dial_string in ("null/x", "loopback/answer/legs"):
        assert originate(legs.switch, dial_string) == (None, HangupCause.DESTINATION_OUT_OF_ORDER)
    control.outbound_paused = False
    control.max_sessions = 1
    legs.parked()
    assert originate(legs.switch, "null/x")[0] is None
    assert lines == [
        *["The system cannot create any outbound sessions at this time."] * 2,
        "Over Session Limit! 1",
    ]


def test_a_far_leg_that_is_refused_ends_the_near_one(legs: Legs) -> None:
    legs.switch.control.inbound_paused = True
    leg, cause = originate(legs.switch, "loopback/answer/legs")
    assert (leg, cause) == (None, HangupCause.DESTINATION_OUT_OF_ORDER)
    legs.wait(0.1)
    assert not legs.switch.sessions


def test_sent_keys_pass_over_the_other_legs_bindings_unless_they_are_to_be_processed(legs: Legs) -> None:
    a, b = pair(legs, "loopback/answer/legs")
    legs.run(a, ("park", ""))
    seen: list[str] = []

    def swallow(digit: Digit) -> bool:
        seen.append(digit.digit)
        return True

    a.digit_interceptors.append(swallow)
    assert send_dtmf_string(b, "1") and send_dtmf_string(b, "~2")
    legs.wait(0.2)
    assert seen == ["2"]
    assert [e.get_header("DTMF-Digit") for e in legs.events if e.name == "DTMF"] == ["1"]


def test_a_bridge_on_the_far_leg_ends_with_the_cause_of_the_caller(legs: Legs) -> None:
    a, b = pair(legs, "loopback/app=bridge:null/x")
    legs.run(a, ("park", ""))
    legs.wait(0.1)
    called = legs.switch.find_session(b.partner or "")
    assert called is not None
    a.channel.hangup(HangupCause.USER_BUSY)
    legs.wait(0.1)
    assert gone(a) and gone(b)
    assert b.channel.hangup_cause is HangupCause.USER_BUSY
    assert called.channel.variables.get("bridge_hangup_cause") == "USER_BUSY"
