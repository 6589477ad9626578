"""Bridges in virtual time: sound, keys, what ends them, and what both legs do afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from host.channel import Flag
from host.channel_state import CallState, ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.bridge import bridge
from host.ivr.input_args import InputArgs
from host.ivr.originate import take_over
from host.ivr.record import record_session, session_recordings
from host.ivr.transfer_recordings import follow_transfer
from host.ivr.uuid_bridge import intercept, uuid_bridge
from host.media_bug import media_bugs
from host.session import Session
from host.status import Status
from media.source import Samples
from tests.host.ivr.legs import Legs, gone


class Ear:
    """Keeps what a line's far end hears."""

    def __init__(self) -> None:
        self.heard: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self.heard.append(samples)

    @property
    def energy(self) -> float:
        return float(np.abs(np.concatenate(self.heard).astype(np.int32)).mean()) if self.heard else 0.0


def other_leg(legs: Legs, session: Session) -> Session:
    other = legs.switch.find_session(session.channel.variables.get("other_loopback_leg_uuid") or "")
    assert other is not None
    return other


def bridged(
    legs: Legs, *after: tuple[str, str], to: str = "loopback/answer/legs", **variables: str
) -> Session:
    """Return a leg in a bridge."""
    near = legs.caller(("bridge", to), *after, **variables)
    legs.wait(1)
    assert Flag.BRIDGED in near.channel.flags
    return near


def test_a_bridge_from_its_beginning_to_its_end(legs: Legs) -> None:
    near = legs.caller(
        ("bridge", "[origination_uuid=far]loopback/short/legs"), ("note", "${bridge_hangup_cause}")
    )
    legs.wait(2)
    assert legs.notes == ["NORMAL_CLEARING"]
    assert gone(near)
    of_bridge = [e for e in legs.events if e.name in ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")]
    assert [
        (e.name, e.get_header("Bridge-A-Unique-ID"), e.get_header("Bridge-B-Unique-ID")) for e in of_bridge
    ] == [
        ("CHANNEL_BRIDGE", near.uuid, "far"),
        ("CHANNEL_UNBRIDGE", near.uuid, "far"),
    ]
    assert of_bridge[0].get_header("Other-Leg-Unique-ID") == "far"
    variables = near.channel.variables
    assert variables.get("last_bridge_to") == variables.get("bridge_uuid") == "far"
    assert variables.get("bridge_channel") == "loopback/short-a"
    assert variables.get("last_bridge_hangup_cause") == "NORMAL_CLEARING"
    assert variables.get("bridge_to") is None


def test_sound_goes_both_ways(legs: Legs) -> None:
    near = bridged(legs, to="null/far", dial_string="loopback/answer/legs")
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    ear = Ear()
    other_leg(legs, near).line.tap(ear, write=False)
    far_ear = Ear()
    far.line.tap(far_ear, read=False)
    caller = other_leg(legs, near)
    caller.line.play(Samples(np.full(8000, 1000, np.int16), 8000))
    legs.wait(0.5)
    assert far_ear.energy == pytest.approx(1000)
    assert ear.energy == 0
    near.channel.hangup()
    legs.wait(0.5)


def test_keys_go_to_the_other_leg(legs: Legs) -> None:
    near = bridged(legs, to="null/far", dial_string="loopback/answer/legs")
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    caller = other_leg(legs, near)
    caller.io.send_dtmf(caller, "5", 1600)
    legs.wait(0.1)
    assert far.channel.variables.get("null_channel_dtmf_queued") == "5"
    near.channel.variables.set("bridge_filter_dtmf", "true")
    keys = [e.get_header("DTMF-Digit") for e in legs.events if e.name == "DTMF"]
    assert keys == ["5"]


@pytest.mark.parametrize(
    ("variables", "ends", "state"),
    [
        ({}, False, ChannelState.CS_EXECUTE),
        ({"hangup_after_bridge": "true"}, True, None),
        ({"park_after_bridge": "true"}, False, ChannelState.CS_PARK),
        ({"transfer_after_bridge": "answer:XML:legs"}, False, ChannelState.CS_EXECUTE),
        ({"exec_after_bridge_app": "park"}, False, ChannelState.CS_EXECUTE),
    ],
)
def test_what_the_caller_does_when_the_other_hangs_up(
    legs: Legs, variables: dict[str, str], ends: bool, state: ChannelState | None
) -> None:
    near = bridged(legs, ("note", "after"), ("park", ""), **variables)
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    far.channel.hangup(HangupCause.CALL_REJECTED)
    legs.wait(0.1)
    assert near.channel.variables.get("bridge_hangup_cause") == "CALL_REJECTED"
    assert gone(near) is ends
    if state is not None:
        assert near.channel.running_state is state
    assert legs.notes == (["after"] if not variables else [])
    if ends:
        assert near.channel.hangup_cause is HangupCause.CALL_REJECTED


def test_when_the_caller_hangs_up_the_other_leg_ends(legs: Legs) -> None:
    near = bridged(legs)
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    near.channel.hangup(HangupCause.USER_BUSY)
    legs.wait(0.001)
    assert gone(near) and gone(far)
    assert far.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert far.channel.variables.get("bridge_hangup_cause") == "USER_BUSY"


@pytest.mark.parametrize(
    ("variables", "cause", "goes_on"),
    [
        ({}, "USER_BUSY", False),
        ({}, "NO_ANSWER", True),
        ({}, "ORIGINATOR_CANCEL", True),
        ({"continue_on_fail": "true"}, "USER_BUSY", True),
        ({"continue_on_fail": "NO_ANSWER,USER_BUSY"}, "USER_BUSY", True),
        ({"continue_on_fail": "17"}, "USER_BUSY", True),
        ({"continue_on_fail": "NO_ANSWER"}, "USER_BUSY", False),
        ({"failure_causes": "NO_ANSWER"}, "USER_BUSY", True),
        ({"failure_causes": "USER_BUSY"}, "USER_BUSY", False),
        ({"continue_on_fail": "USER_BUSY", "failure_causes": "USER_BUSY"}, "USER_BUSY", True),
        ({"continue_on_fail": "true"}, "ATTENDED_TRANSFER", False),
    ],
)
def test_whether_a_call_goes_on_after_a_failure(
    legs: Legs, variables: dict[str, str], cause: str, goes_on: bool
) -> None:
    near = legs.caller(
        ("bridge", f"error/{cause}"), ("note", "${originate_disposition}"), ("park", ""), **variables
    )
    legs.wait(0.1)
    assert legs.notes == ([cause] if goes_on else [])
    assert gone(near) is not goes_on
    assert near.channel.variables.get("originate_failed_cause") == cause
    if not goes_on:
        assert near.channel.hangup_cause.name == cause


def test_a_failure_can_transfer(legs: Legs) -> None:
    near = legs.caller(("bridge", "error/USER_BUSY"), transfer_on_fail="USER_BUSY answer XML legs")
    legs.wait(0.1)
    assert near.channel.profile.destination_number == "answer"
    assert near.channel.running_state is ChannelState.CS_EXECUTE


def test_a_key_ends_the_bridge(legs: Legs) -> None:
    near = bridged(legs, ("note", "after"), ("park", ""), bridge_terminate_key="*")
    near.receive_digit(Digit("5"))
    legs.wait(0.1)
    assert legs.notes == []
    near.receive_digit(Digit("*"))
    legs.wait(0.1)
    assert legs.notes == ["after"]
    assert near.channel.variables.get("bridge_hangup_cause") == "NORMAL_CLEARING"


def test_an_input_callback_sees_the_keys_and_can_end_the_bridge(legs: Legs) -> None:
    seen: list[str] = []

    def on_input(session: Session, item: Digit | Event) -> Status:
        assert isinstance(item, Digit)
        seen.append(item.digit)
        return Status.BREAK if item.digit == "2" else Status.SUCCESS

    clock = legs.switch.clock
    a, b = legs.call("null/a"), legs.call("null/b")
    assert take_over(a) and take_over(b)
    clock.call_later(500_000, lambda: a.receive_digit(Digit("1")))
    clock.call_later(900_000, lambda: a.receive_digit(Digit("2")))
    began = clock.now()
    assert bridge(a, b, InputArgs(on_input)) is Status.SUCCESS
    assert clock.now() - began == 900_000
    assert seen == ["1", "2"]
    assert b.channel.variables.get("null_channel_dtmf_queued") == "1"
    legs.wait(0.001)
    assert a.channel.ready and gone(b)


def test_a_leg_that_was_busy_notices_that_the_other_one_is_in_another_bridge_by_now(legs: Legs) -> None:
    def on_input(session: Session, item: Digit | Event) -> Status:
        legs.wait(2)
        return Status.SUCCESS

    clock = legs.switch.clock
    a, b = legs.call("null/a"), legs.call("null/b")
    assert take_over(a) and take_over(b)
    clock.call_later(500_000, lambda: a.receive_digit(Digit("1")))
    clock.call_later(900_000, lambda: b.transfer("forward_answer", "XML", "legs"))
    clock.call_later(20_000_000, b.channel.hangup)
    began = clock.now()
    assert bridge(a, b, InputArgs(on_input)) is Status.SUCCESS
    assert clock.now() - began == 2_500_000
    assert a.channel.ready and a.partner is None
    assert b.channel.up and Flag.BRIDGED in b.channel.flags
    third = legs.switch.find_session(b.partner or "")
    assert third is not None and third.channel.name == "loopback/answer-a" and third.partner == b.uuid
    legs.hang_up_all()


def test_bridge_exports_go_both_ways(legs: Legs) -> None:
    near = bridged(
        legs, bridge_export_vars="from_a", from_a="1", to="{bridge_export_vars=from_b,from_b=2}null/far"
    )
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    assert far.channel.variables.get("from_a") == "1"
    assert near.channel.variables.get("from_b") == "2"


def test_two_calls_are_joined(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    assert uuid_bridge(a, b) is Status.SUCCESS
    legs.wait(0.5)
    assert a.channel.running_state is ChannelState.CS_SOFT_EXECUTE
    assert b.channel.running_state is ChannelState.CS_EXCHANGE_MEDIA
    for one, other in ((a, b), (b, a)):
        variables = one.channel.variables
        assert variables.get("bridge_uuid") == variables.get("signal_bond") == other.uuid
        assert variables.get("bridge_channel") == other.channel.name
        assert one.partner == other.uuid
    a.channel.hangup()
    legs.wait(0.001)
    assert gone(a) and gone(b)


def test_calls_that_cannot_be_joined(legs: Legs) -> None:
    a = legs.parked()
    silent = legs.call("{return_ring_ready=true}loopback/rings/legs")
    silent_too = legs.call("{return_ring_ready=true}loopback/rings/legs")
    assert uuid_bridge(silent, silent_too) is Status.FALSE
    a.channel.hangup()
    assert uuid_bridge(a, silent) is Status.FALSE


@pytest.mark.parametrize("stays", [True, False])
def test_a_leg_is_transferred_out_of_its_bridge(legs: Legs, stays: bool) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    if stays:
        b.channel.variables.set("park_after_bridge", "true")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.transfer("answer", "XML", "legs")
    legs.wait(0.1)
    assert a.channel.running_state is ChannelState.CS_EXECUTE
    assert gone(b) is not stays
    if stays:
        assert b.channel.running_state is ChannelState.CS_PARK
    else:
        assert b.channel.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_call_is_taken_over(legs: Legs) -> None:
    a, b, c = legs.parked("null/a"), legs.parked("null/b"), legs.parked("null/c")
    uuid_bridge(a, b)
    legs.wait(0.5)
    assert intercept(c, b.uuid) is Status.SUCCESS
    legs.wait(0.5)
    assert gone(a) and a.channel.hangup_cause is HangupCause.PICKED_OFF
    assert (b.partner, c.partner) == (c.uuid, b.uuid)
    assert intercept(c, "nobody") is Status.FALSE


def test_an_attended_transfer_joins_the_other_two(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.run_in_session(lambda session: session.execute("att_xfer", "[origination_uuid=third]null/third"))
    legs.wait(1)
    assert a.channel.variables.get("bridge_channel") == "null/third"
    assert b.channel.up
    a.channel.hangup()
    legs.wait(0.5)
    assert gone(a)
    assert b.partner == "third"


@pytest.mark.parametrize("how", ["nobody", "cancel key"])
def test_an_attended_transfer_that_comes_to_nothing(legs: Legs, how: str) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    target = "error/USER_BUSY" if how == "nobody" else "[origination_uuid=third]null/third"
    a.run_in_session(lambda session: session.execute("att_xfer", target))
    legs.wait(0.5)
    if how == "cancel key":
        a.receive_digit(Digit("#"))
        legs.wait(0.5)
        assert legs.switch.find_session("third") is None
    assert a.channel.up and b.channel.up
    a.channel.hangup()
    legs.wait(0.1)
    assert gone(b)


@pytest.mark.parametrize("transferor", ["called", "caller"])
def test_a_transferor_that_leaves_while_the_third_rings_hands_the_call_over(
    legs: Legs, transferor: str
) -> None:
    a = legs.caller(("bridge", "{origination_uuid=b}null/b"), ("note", "next"), dial_string="null/a")
    legs.wait(0.5)
    b = legs.switch.sessions["b"]
    leaving, waiting = (b, a) if transferor == "called" else (a, b)
    third = "[origination_uuid=third]loopback/late/legs"
    leaving.run_in_session(lambda session: session.execute("att_xfer", third))
    legs.wait(0.3)
    leaving.channel.hangup()
    legs.wait(0.3)
    assert gone(leaving)
    assert waiting.channel.variables.get("bridge_uuid") == "third"
    assert legs.switch.sessions["third"].channel.answer_state == "ringing"
    legs.wait(1)
    assert waiting.partner == "third"
    assert not legs.notes
    legs.switch.sessions["third"].channel.hangup()
    legs.wait(0.5)
    assert gone(waiting)


@pytest.mark.parametrize("how", ["busy", "gone as well"])
def test_a_third_that_does_not_come_ends_the_call_that_was_handed_over(legs: Legs, how: str) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    third = "[origination_uuid=third]loopback/rings/legs"
    a.run_in_session(lambda session: session.execute("att_xfer", third))
    legs.wait(0.3)
    a.channel.hangup()
    legs.wait(0.3)
    if how == "busy":
        legs.switch.sessions["third"].channel.hangup(HangupCause.USER_BUSY)
    else:
        b.channel.hangup()
    legs.wait(0.5)
    assert gone(a) and gone(b)
    assert b.channel.hangup_cause.name == ("ORIGINATOR_CANCEL" if how == "busy" else "NORMAL_CLEARING")
    assert legs.switch.find_session("third") is None


def test_the_waiting_leg_is_hung_up_when_nobody_is_left_to_speak_with(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.run_in_session(lambda session: session.execute("att_xfer", "error/USER_BUSY"))
    a.channel.hangup()
    legs.wait(0.5)
    assert gone(a) and gone(b)


def test_three_speak_and_whoever_leaves_leaves_two(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.run_in_session(lambda session: session.execute("att_xfer", "[origination_uuid=third]null/third"))
    legs.wait(1)
    a.receive_digit(Digit("0"))
    legs.wait(0.5)
    third = legs.switch.sessions["third"]
    assert third.channel.variables.get("current_application") == "three_way"
    assert (a.partner, b.partner) == (b.uuid, a.uuid)
    assert a.channel.variables.get("att_xfer_result") == "success"
    a.channel.hangup()
    legs.wait(0.5)
    assert gone(a)
    assert (b.partner, third.partner) == ("third", b.uuid)
    b.channel.hangup()
    legs.wait(0.5)
    assert gone(third)


def test_the_keys_of_an_attended_transfer_may_be_others(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.channel.variables.set("attxfer_cancel_key", "7")
    third = "[origination_uuid=third,attxfer_hangup_key=8]null/third"
    a.run_in_session(lambda session: session.execute("att_xfer", third))
    legs.wait(1)
    for key in "#*":
        a.receive_digit(Digit(key))
    legs.wait(0.5)
    assert a.channel.up and legs.switch.find_session("third") is not None
    a.receive_digit(Digit("7"))
    legs.wait(0.5)
    assert legs.switch.find_session("third") is None
    assert (a.partner, b.partner) == (b.uuid, a.uuid)
    a.run_in_session(lambda session: session.execute("att_xfer", third))
    legs.wait(1)
    a.receive_digit(Digit("8"))
    legs.wait(0.5)
    assert gone(a)
    assert b.partner == "third"
    assert legs.switch.sessions["third"].channel.variables.get("att_xfer_result") == "success"


def test_a_hundred_bridges_leave_nothing_behind(legs: Legs) -> None:
    for _ in range(100):
        near = legs.caller(("bridge", "loopback/short/legs"))
        legs.wait(1)
        assert gone(near)
    assert not legs.switch.sessions
    assert legs.switch.engine.line_count == 0


def test_a_recording_follows_a_transfer(legs: Legs, tmp_path: Path) -> None:
    legs.switch.modules.load("mod_sndfile")
    first, second = legs.parked("null/a"), legs.parked("null/b")
    path = str(tmp_path / "call.wav")
    assert record_session(first, path, 3) is Status.SUCCESS
    first.channel.variables.set("record_post_process_exec_app:1", "note done")
    follow_transfer(first, second)
    assert session_recordings(first)  # nobody asked for it
    first.channel.variables.set("recording_follow_transfer", "true")
    legs.wait(1)
    follow_transfer(first, second)
    first.channel.hangup()
    legs.wait(1)
    assert gone(first)
    assert list(session_recordings(second)) == [path]
    assert [bug.target for bug in media_bugs(second)] == [path]
    assert second.channel.variables.get("record_post_process_exec_app:1") == "note done"
    legs.wait(2)  # its limit is the same
    assert not session_recordings(second)
    assert second.channel.variables.get("record_completion_cause") == "success-maxtime"
    assert 2900 <= int(second.channel.variables.get("record_ms") or "") <= 3100


def of_leg(legs: Legs, session: Session, name: str) -> Event:
    [event] = [e for e in legs.events if e.name == name and e.get_header("Unique-ID") == session.uuid]
    return event


@pytest.mark.parametrize("caller_first", [True, False])
def test_what_the_end_of_a_bridge_tells_of_both(legs: Legs, caller_first: bool) -> None:
    near = bridged(legs, ("park", ""), to="[origination_uuid=far]null/far")
    far = legs.switch.sessions["far"]
    assert of_leg(legs, far, "CHANNEL_OUTGOING").get_header("Channel-Call-UUID") == "far"
    assert of_leg(legs, near, "CHANNEL_BRIDGE").get_header("variable_last_bridge_hangup_cause") is None
    (near if caller_first else far).channel.hangup(HangupCause.CALL_REJECTED)
    legs.wait(0.1)
    over = of_leg(legs, near, "CHANNEL_UNBRIDGE")
    complete, destroyed = (of_leg(legs, far, f"CHANNEL_{name}") for name in ("HANGUP_COMPLETE", "DESTROY"))
    assert destroyed.get_header("variable_call_uuid") == destroyed.get_header("Channel-Call-UUID") == "far"
    names = [e.name for e in legs.events if e in (over, complete, destroyed)]
    if caller_first:
        assert over.get_header("variable_last_bridge_hangup_cause") is None
        assert complete.get_header("Channel-Call-UUID") == near.uuid
        assert complete.get_header("variable_bridge_hangup_cause") is None
        assert destroyed.get_header("variable_bridge_hangup_cause") == "CALL_REJECTED"
        assert names == ["CHANNEL_HANGUP_COMPLETE", "CHANNEL_UNBRIDGE", "CHANNEL_DESTROY"]
    else:
        assert over.get_header("variable_last_bridge_hangup_cause") == "CALL_REJECTED"
        assert complete.get_header("Channel-Call-UUID") == "far"
        assert names == ["CHANNEL_UNBRIDGE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"]


def test_keys_that_nobody_took_end_with_the_bridge(legs: Legs) -> None:
    near = bridged(legs, ("park", ""), to="null/far")
    far = legs.switch.sessions[near.partner or ""]
    near.inbox.put(Digit("5"))
    far.channel.hangup()
    near.inbox.put(Digit("6"))
    legs.wait(0.1)
    assert near.inbox.take(Digit) is None


def test_a_call_bridged_with_itself_leaves_what_it_does(legs: Legs) -> None:
    near = legs.parked()
    assert uuid_bridge(near, near) is Status.SUCCESS
    legs.wait(0.1)
    assert near.channel.state is ChannelState.CS_SOFT_EXECUTE
    near.channel.hangup()
    legs.wait(0.001)
    assert gone(near)


def test_the_profile_behind_a_loopback_tells_whom_it_speaks_with(legs: Legs) -> None:
    near = bridged(legs)
    far = other_leg(legs, legs.switch.sessions[near.partner or ""])
    assert far.channel.profile.callee_id_number == near.channel.profile.caller_id_number == "near"


def test_the_caller_of_nobody_has_given_up(legs: Legs) -> None:
    near = legs.caller(("att_xfer", ""), ("park", ""))
    legs.wait(0.1)
    assert near.channel.variables.get("originate_disposition") == "ORIGINATOR_CANCEL"
    assert near.channel.variables.get("DIALSTATUS") == "CANCEL"
    assert near.channel.call_state is CallState.ACTIVE


def test_who_listens_reads_another_codec_and_is_told_whom_it_hears(legs: Legs) -> None:
    heard = legs.parked("null/heard")
    ear = legs.caller(("eavesdrop", heard.uuid), ("note", "over"), dial_string="null/ear")
    legs.wait(0.1)
    variables = ear.channel.variables
    assert variables.get("last_sent_callee_id_number") == heard.channel.profile.caller_id_number
    codecs = [
        e.get_header("Channel-State")
        for e in legs.events
        if e.name == "CODEC" and e.get_header("Unique-ID") == ear.uuid
    ]
    ear.receive_digit(Digit("*"))
    ear.receive_digit(Digit("7"))
    legs.wait(0.1)
    assert legs.notes == ["over"]
    after = [e for e in legs.events if e.name == "CODEC" and e.get_header("Unique-ID") == ear.uuid]
    assert codecs[-1] == "CS_EXECUTE" and len(after) == len(codecs) + 1
    assert ear.inbox.take(Digit) is None


def test_a_recording_goes_on_with_the_one_who_is_sent_on(legs: Legs, tmp_path: Path) -> None:
    legs.switch.modules.load("mod_sndfile")
    near = bridged(legs, to="null/far", recording_follow_transfer="true")
    far = legs.switch.sessions[near.partner or ""]
    path = str(tmp_path / "call.wav")
    assert record_session(near, path) is Status.SUCCESS
    legs.switch.modules.load("mod_commands")
    assert legs.switch.api("uuid_transfer", f"{near.uuid} -bleg park inline") == "+OK\n"
    legs.wait(0.1)
    assert [*session_recordings(near)] == [] and [*session_recordings(far)] == [path]


@pytest.mark.parametrize("rdnis", ["answer", ""])
def test_whom_the_other_one_was_sent_from_gets_a_call_that_cannot_be_joined(
    legs: Legs, monkeypatch: pytest.MonkeyPatch, rdnis: str
) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    b.channel.profile.rdnis = rdnis
    a.channel.profile.context = "legs"

    def leaves(session: Session, peer: Session) -> Status:
        peer.channel.set_flag(Flag.TRANSFER)
        return Status.SUCCESS

    monkeypatch.setattr("host.ivr.uuid_bridge.wait_for_answer", leaves)
    assert uuid_bridge(a, b) is Status.SUCCESS
    legs.wait(0.1)
    if rdnis:
        assert a.channel.profile.destination_number == rdnis and a.channel.up
    else:
        assert a.channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER


def test_a_call_that_does_not_come_to_be_joined_ends_both(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    assert uuid_bridge(a, b) is Status.SUCCESS
    b.transfer("early", "XML", "legs")
    legs.wait(19)
    assert a.channel.up
    legs.wait(2)
    assert gone(a) and gone(b)
