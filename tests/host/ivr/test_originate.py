"""Outgoing calls in virtual time: forks, alternatives, limits, causes, what the new leg and the caller are told."""

from __future__ import annotations

import pytest

from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.originate import originate, take_over
from tests.host.ivr.legs import Legs, gone


@pytest.mark.parametrize(
    ("dial_string", "cause"),
    [
        ("error/USER_BUSY", "USER_BUSY"),
        ("error/17", "USER_BUSY"),
        ("error/no_such_cause", "NORMAL_CLEARING"),
        ("error/607", "UNKNOWN"),
        ("error/USER_BUSY|error/NO_ANSWER", "NO_ANSWER"),
        ("error/USER_BUSY,error/CALL_REJECTED", "CALL_REJECTED"),
        ("error/USER_BUSY:_:error/NO_ANSWER", "NO_ANSWER"),
        (":_:", "DESTINATION_OUT_OF_ORDER"),
        ("{a=1}:_:error/USER_BUSY", "USER_BUSY"),
        ("nosuch/x", "CHAN_NOT_IMPLEMENTED"),
        ("nosuch", "CHAN_NOT_IMPLEMENTED"),
        ("", "DESTINATION_OUT_OF_ORDER"),
        ("{a=1", "DESTINATION_OUT_OF_ORDER"),
        ("loopback/cause_CALL_REJECTED/legs", "CALL_REJECTED"),
        ("loopback/nobody/legs", "NO_ROUTE_DESTINATION"),
        ("loopback/nobody/no_such_context", "NO_ROUTE_DESTINATION"),
        ("user/busy@test.lan", "USER_BUSY"),
        ("user/nobody@test.lan", "SUBSCRIBER_ABSENT"),
        ("group/nobody@test.lan", "NO_ROUTE_DESTINATION"),
        ("{ignore_early_media=true}loopback/app=hangup:NORMAL_TEMPORARY_FAILURE", "NORMAL_TEMPORARY_FAILURE"),
    ],
)
def test_the_cause_of_a_failure(legs: Legs, dial_string: str, cause: str) -> None:
    leg, why = originate(legs.switch, dial_string)
    assert leg is None
    assert why.name == cause


def test_an_answered_leg_waits_for_what_it_is_to_do(legs: Legs) -> None:
    leg, cause = originate(legs.switch, "{origination_uuid=mine,a=1}[b=2]loopback/answer/legs")
    assert leg is not None and cause is HangupCause.SUCCESS
    channel = leg.channel
    assert leg.uuid == "mine"
    assert channel.running_state is ChannelState.CS_CONSUME_MEDIA
    assert channel.answered
    assert channel.variables.get("originate_endpoint") == "loopback"
    other = legs.switch.find_session(channel.variables.get("other_loopback_leg_uuid") or "")
    assert other is not None
    assert [(s.channel.variables.get("a"), s.channel.variables.get("b")) for s in (leg, other)] == [
        ("1", "2")
    ] * 2
    assert other.channel.name == "loopback/answer-b"
    assert Flag.ORIGINATING not in channel.flags


def test_a_uuid_that_is_taken_becomes_another(legs: Legs) -> None:
    first = legs.call("{origination_uuid=mine}null/one")
    second = legs.call("{origination_uuid=mine}null/two")
    assert first.uuid == "mine" != second.uuid


@pytest.mark.parametrize(
    ("dial_string", "ms", "answered"),
    [
        ("loopback/late/legs", 800, True),
        ("loopback/early/legs", 0, False),
        ("{ignore_early_media=true}loopback/early/legs", 800, True),
        ("{return_ring_ready=true}loopback/rings/legs", 0, False),
        ("{null_auto_answer_delay=300}null/x", 300, True),
    ],
)
def test_what_counts_as_an_answer_and_when(legs: Legs, dial_string: str, ms: int, answered: bool) -> None:
    leg = legs.call(dial_string)
    assert legs.now_ms() == ms
    assert leg.channel.answered is answered


@pytest.mark.parametrize(
    ("dial_string", "cause", "seconds"),
    [
        ("{originate_timeout=2}loopback/rings/legs", "NO_ANSWER", 2),
        ("[leg_timeout=3]loopback/rings/legs", "ALLOTTED_TIMEOUT", 3),
        ("{originate_timeout=1}loopback/rings/legs|loopback/answer/legs", "NO_ANSWER", 1),
        ("[leg_timeout=1]loopback/rings/legs|error/USER_BUSY", "USER_BUSY", 1),
        ("{originate_timeout=2}loopback/rings/legs,loopback/rings/legs", "NO_ANSWER", 2),
        ("{progress_timeout=2,null_enable_auto_answer=false}null/x", "PROGRESS_TIMEOUT", 3),
        # nobody hears it ring, so that is no progress
        ("{progress_timeout=1}loopback/rings/legs", "PROGRESS_TIMEOUT", 2),
        ("{progress_timeout=1}loopback/rings/legs|error/USER_BUSY", "PROGRESS_TIMEOUT", 2),
        # where one of some causes ends it all, the limit for the whole call is that for progress
        (
            "{fail_on_single_reject=CALL_REJECTED,originate_timeout=2}loopback/rings/legs,error/USER_BUSY",
            "PROGRESS_TIMEOUT",
            3,
        ),
        (
            "{fail_on_single_reject=USER_BUSY}loopback/rings/legs,loopback/cause_USER_BUSY/legs|loopback/answer/legs",
            "NO_ANSWER",
            0,
        ),
        (
            "{fail_on_single_reject=USER_BUSY}loopback/cause_USER_BUSY/legs|loopback/answer/legs",
            "USER_BUSY",
            0,
        ),
        ("{originate_retries=3,originate_retry_sleep_ms=500}error/USER_BUSY", "USER_BUSY", 1),
    ],
)
def test_limits(legs: Legs, dial_string: str, cause: str, seconds: int) -> None:
    leg, why = originate(legs.switch, dial_string)
    assert (leg, why.name, legs.now_ms()) == (None, cause, seconds * 1000)
    legs.wait(0.001)
    assert not legs.switch.sessions


def test_after_a_limit_the_next_is_tried_when_that_is_wished(legs: Legs) -> None:
    leg = legs.call(
        "{originate_timeout=1,originate_continue_on_timeout=true}loopback/rings/legs|loopback/answer/legs"
    )
    assert leg.channel.answered
    assert legs.now_ms() == 1000


def test_the_first_to_answer_wins_and_the_other_loses_the_race(legs: Legs) -> None:
    winner = legs.call("[origination_uuid=slow]loopback/rings/legs,[origination_uuid=fast]loopback/late/legs")
    assert winner.uuid == "fast"
    legs.wait(0.001)
    ended = [
        e for e in legs.events if e.name == "CHANNEL_HANGUP_COMPLETE" and e.get_header("Unique-ID") == "slow"
    ]
    assert [event.get_header("Hangup-Cause") for event in ended] == ["LOSE_RACE"]
    assert ended[0].get_header("variable_group_dial_status") == "loser"


def test_a_leg_that_begins_later(legs: Legs) -> None:
    winner = legs.call("loopback/rings/legs,[leg_delay_start=2]loopback/answer/legs")
    assert winner.channel.answered
    assert legs.now_ms() == 2000


def test_a_later_leg_begins_at_once_when_it_is_the_only_one_left(legs: Legs) -> None:
    legs.call("loopback/cause_USER_BUSY/legs,[leg_delay_start=20]loopback/answer/legs")
    assert legs.now_ms() < 1000


def test_a_later_leg_that_is_not_needed_leaves_nothing_behind(legs: Legs) -> None:
    winner = legs.call("loopback/answer/legs,[leg_delay_start=20]loopback/answer/legs")
    legs.wait(0.001)
    assert len(legs.switch.sessions) == 2
    assert winner.channel.up


def test_independent_dial_strings_wait_for_a_real_answer(legs: Legs) -> None:
    leg = legs.call("<all=yes>loopback/early/legs:_:error/USER_BUSY:_:loopback/rings/legs")
    assert leg.channel.answered
    assert leg.channel.variables.get("all") == "yes"
    assert legs.now_ms() == 800
    legs.wait(0.001)
    assert len(legs.switch.sessions) == 2


@pytest.mark.parametrize(
    ("dial_string", "value"),
    [
        ("{a=curly}[a=square]null/x", "curly"),
        ("{local_var_clobber=true,a=curly}[a=square]null/x", "square"),
        ("<a=angle>{a=curly}null/x", "curly"),
        ("{a=x${b}}null/x", None),
        ("{origination_nested_vars=true,a=x${b}}null/x", "x${b}"),
    ],
)
def test_which_variables_a_leg_gets(legs: Legs, dial_string: str, value: str | None) -> None:
    assert legs.call(dial_string).channel.variables.get("a") == value


@pytest.mark.parametrize(("key", "answered"), [("1", True), ("5", False)])
def test_the_called_one_has_to_confirm(legs: Legs, key: str, answered: bool) -> None:
    leg, cause = originate(
        legs.switch,
        f"{{group_confirm_key=1,group_confirm_file=silence_stream://1000,originate_timeout=3}}loopback/press_{key}/legs",
    )
    assert (leg is not None) is answered
    assert cause is (HangupCause.SUCCESS if answered else HangupCause.NO_ANSWER)
    if leg is not None:
        assert leg.channel.variables.get("group_dial_status") == "winner"
        assert leg.channel.variables.get("group_confirm_key") is None


def test_who_confirms_first_wins(legs: Legs) -> None:
    winner = legs.call(
        "{group_confirm_key=2,group_confirm_file=silence_stream://5000}"
        "[origination_uuid=one]loopback/press_1/legs,[origination_uuid=two]loopback/press_2/legs"
    )
    assert winner.uuid == "two"
    legs.wait(0.001)
    assert legs.switch.find_session("one") is None


def test_the_caller_hands_on_what_it_exports_and_learns_how_it_went(legs: Legs) -> None:
    near = legs.caller(
        ("bridge", "loopback/answer/legs"),
        export_vars="kept,nolocal:given",
        kept="k",
        **{"nolocal:given": "g"},
        effective_caller_id_number="4444",
    )
    legs.wait(0.1)
    variables = near.channel.variables
    far = legs.switch.find_session(variables.get("bridge_uuid") or "")
    assert far is not None
    assert far.channel.variables.get("kept") == "k"
    assert far.channel.variables.get("given") == "g"
    assert far.channel.profile.caller_id_number == "4444"
    assert variables.get("originate_disposition") == "SUCCESS"
    assert variables.get("DIALSTATUS") == "SUCCESS"
    assert (variables.get("originated_legs") or "").startswith(f"{far.uuid};Outbound Call;")
    assert near.channel.profile.originatee is not None
    assert far.channel.profile.originator is not None


def test_ringing_is_passed_on_to_a_caller_that_was_not_answered(legs: Legs) -> None:
    originate(legs.switch, "{originate_timeout=2,loopback_no_pre_answer=true}loopback/forward_rings/legs")
    rang = [e.get_header("Channel-Name") for e in legs.events if e.name == "CHANNEL_PROGRESS"]
    assert rang == [
        "loopback/rings-a",
        "loopback/rings-b",
        "loopback/forward_rings-a",
        "loopback/forward_rings-b",
    ]


def test_a_caller_that_hangs_up_gives_the_call_up(legs: Legs) -> None:
    near = legs.caller(("bridge", "[origination_uuid=far]loopback/rings/legs"))
    legs.wait(1)
    near.channel.hangup()
    legs.wait(0.001)
    assert gone(near)
    ended = [
        e for e in legs.events if e.name == "CHANNEL_HANGUP_COMPLETE" and e.get_header("Unique-ID") == "far"
    ]
    assert [event.get_header("Hangup-Cause") for event in ended] == ["ORIGINATOR_CANCEL"]
    assert near.channel.variables.get("DIALSTATUS") == "CANCEL"


def test_the_caller_hears_ringback_meanwhile(legs: Legs) -> None:
    heard: list[object] = []
    legs.switch.observers.append(
        lambda kind, channel, facts: heard.append(facts.get("path")) if kind == "ringback" else None
    )
    legs.caller(
        ("bridge", "loopback/late/legs"), transfer_ringback="%(2000,4000,440,480)", ringback="%(1,1,1)"
    )
    legs.wait(2)
    assert heard == ["tone_stream://%(2000,4000,440,480);loops=-1"]


def test_users_and_groups_of_the_directory(legs: Legs) -> None:
    leg = legs.call("user/answer@test.lan")
    variables = leg.channel.variables
    assert leg.channel.name == "loopback/answer-a"
    assert [variables.get(n) for n in ("dialed_user", "dialed_domain", "presence_id", "from_user")] == [
        "answer",
        "test.lan",
        "answer@test.lan",
        "yes",
    ]
    assert legs.call("group/desk@test.lan").channel.name == "loopback/answer-a"
    assert legs.call("user/busy@test.lan|user/answer@test.lan").channel.answered


def test_after_the_call_caller_and_callee_change_places(legs: Legs) -> None:
    leg = legs.call("{origination_caller_id_name=Ada,origination_caller_id_number=100}loopback/answer/legs")
    profile = leg.channel.profile
    assert (profile.caller_id_name, profile.callee_id_name) == ("Ada", "Outbound Call")
    legs.run(leg, ("park", ""))
    assert (profile.caller_id_name, profile.callee_id_name) == ("Outbound Call", "Ada")
    assert profile.callee_id_number == "100"


def test_privacy_and_names_from_variables(legs: Legs) -> None:
    leg = legs.call(
        "{origination_channel_name=my/own,origination_callee_id_name=C,origination_ani=400,"
        "origination_privacy=hide_name:hide_number}loopback/answer/legs"
    )
    profile = leg.channel.profile
    assert (leg.channel.name, profile.callee_id_name, profile.ani) == ("my/own", "C", "400")
    assert (profile.privacy_hide_name, profile.privacy_hide_number, profile.screen) == (True, True, False)


def test_moments_of_a_leg(legs: Legs) -> None:
    leg = legs.call(
        "{execute_on_originate='note created',execute_on_ring='note rings',execute_on_answer='note answered',"
        "execute_on_answer_2=note::again}loopback/late/legs"
    )
    legs.run(leg, ("park", ""))
    legs.wait(0.1)
    # Both legs have the variables; the far one, which does what they say as well, does so at its own moments.
    assert legs.notes.count("created") == 1
    assert set(legs.notes) == {"created", "rings", "answered", "again"}


def test_the_same_call_goes_the_same_way_each_time(legs: Legs) -> None:
    def trace() -> list[str]:
        del legs.events[:]
        winner = legs.call("loopback/rings/legs,loopback/late/legs,loopback/early/legs")
        legs.run(winner, ("park", ""))
        legs.wait(0.1)
        legs.hang_up_all()
        return [f"{event.name} {event.get_header('Channel-Name')}" for event in legs.events]

    first = trace()
    assert len(first) > 30
    assert trace() == first


def test_the_thread_that_placed_a_leg_can_run_it(legs: Legs) -> None:
    leg = legs.call("loopback/press_42/legs")
    assert take_over(leg)
    assert leg.in_own_thread and leg.channel.ready
    assert leg.channel.running_state is ChannelState.CS_SOFT_EXECUTE
    digits = [leg.receive(None, (Digit,)) for _ in range(2)]
    assert [digit.digit for digit in digits if isinstance(digit, Digit)] == ["4", "2"]
    legs.switch.clock.call_later(1_000_000, lambda: leg.channel.hangup(HangupCause.USER_BUSY))
    assert leg.receive(None, (Digit,)) is None
    legs.wait(0.001)
    assert gone(leg)
    assert not take_over(leg)


def test_a_leg_is_told_the_callers_codec(legs: Legs) -> None:
    caller = legs.call("null/caller")
    legs.run(caller, ("bridge", "loopback/rings/legs"))
    legs.wait(0.1)
    leg = next(s for s in legs.switch.sessions.values() if s.channel.name == "loopback/rings-a")
    assert leg.channel.variables.get("originator_codec") == "L16@8000h@20i"
    assert caller.channel.variables.get("originator_codec") is None


def test_it_rings_for_the_caller_too(legs: Legs) -> None:
    caller = legs.call("{null_enable_auto_answer=false,null_pre_answer=true}null/caller")
    legs.run(caller, ("bridge", "loopback/rings/legs"))
    legs.wait(0.1)
    leg = next(s for s in legs.switch.sessions.values() if s.channel.name == "loopback/rings-a")
    assert leg.channel.profile.times.progress
    assert caller.channel.profile.times.progress == leg.channel.profile.times.progress


def test_the_caller_of_independent_dial_strings_is_told_of_its_legs_alone(legs: Legs) -> None:
    caller = legs.call("null/caller")
    legs.run(caller, ("bridge", "loopback/rings/legs:_:loopback/rings/legs"))
    legs.wait(0.1)
    variables = caller.channel.variables
    assert variables.get("DIALSTATUS") is None
    assert caller.channel.call_state.name == "ACTIVE"
    assert (variables.get("originated_legs") or "").count(";Outbound Call;") == 2
    for leg in legs.switch.sessions.values():
        if leg.channel.name == "loopback/rings-a":
            assert leg.channel.variables.get("originating_leg_uuid") == caller.uuid


def test_the_ringback_of_independent_dial_strings_is_told_like_any_file(legs: Legs) -> None:
    caller = legs.call("{ringback=silence_stream://200}null/caller")
    legs.run(caller, ("bridge", "loopback/late/legs:_:loopback/rings/legs"))
    legs.wait(1)
    told = [e for e in legs.events if e.name.startswith("PLAYBACK_")]
    assert [e.name for e in told[:4]] == ["PLAYBACK_START", "PLAYBACK_STOP"] * 2
    assert told[0].get_header("Playback-File-Path") == "silence_stream://200"
    assert told[1].get_header("Playback-Status") == "done"
    assert told[-1].name == "PLAYBACK_STOP"
    assert caller.partner is not None
