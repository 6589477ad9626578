"""The applications that have something happen to a call later, that limit calls, and that let them take turns."""

from __future__ import annotations

import pytest

from host.channel_state import ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.session import Session
from host.switch import Switch
from tests.host.ivr.legs import Legs
from tests.host.one_call import in_call, took


@pytest.fixture
def legs(virtual_switch: Switch) -> Legs:
    virtual_switch.modules.load("mod_hash")
    return Legs(virtual_switch)


def get(session: Session, name: str) -> str | None:
    return session.channel.variables.get(name)


def usage(switch: Switch) -> int:
    backend = switch.limits.get("hash")
    assert backend is not None
    return backend.usage("realm", "desk")[0]


def beats(switch: Switch) -> list[int]:
    """Return a list that is filled with the times (ms) of heartbeats."""
    times: list[int] = []

    def hear(event: Event) -> None:
        times.append(switch.clock.now() // 1000)

    switch.bus.subscribe(hear, ["SESSION_HEARTBEAT"])
    return times


@pytest.mark.parametrize(
    ("data", "ms", "cause"),
    [
        ("+2 USER_BUSY", 2000, "USER_BUSY"),
        ("+1", 1000, "ALLOTTED_TIMEOUT"),
        ("+0 CALL_REJECTED", 0, "CALL_REJECTED"),
        ("7", 0, "ALLOTTED_TIMEOUT"),
        ("+1 no_such_cause", 1000, "NORMAL_CLEARING"),
    ],
)
def test_sched_hangup(virtual_switch: Switch, data: str, ms: int, cause: str) -> None:
    def do(session: Session) -> object:
        session.execute("sched_hangup", data)
        return took(session, lambda: session.execute("park"))

    outcome = in_call(virtual_switch, do, hangup_ms=9000)
    assert outcome.values == [ms]
    assert outcome.session.channel.hangup_cause is HangupCause[cause]


def test_sched_hangup_of_the_other_leg(legs: Legs) -> None:
    near = legs.caller(
        ("answer", ""), ("set", "park_after_bridge=true"), ("sched_hangup", "+2 USER_BUSY bleg"),
        ("bridge", "loopback/answer/legs"),
    )  # fmt: skip
    legs.wait(1)
    far = near.partner
    legs.wait(2)
    assert far is not None and far not in legs.switch.sessions
    assert near.channel.up
    legs.hang_up_all()


def test_sched_transfer_and_broadcast_and_their_numbers(legs: Legs) -> None:
    near = legs.caller(
        ("sched_broadcast", "+1 note::first"),
        ("set", "first_id=${last_sched_id}"),
        ("sched_broadcast", "@1 note::past"),
        ("sched_transfer", "+3 note:moved,park inline"),
        ("park", ""),
    )
    legs.wait(0.5)
    assert get(near, "first_id") and get(near, "last_sched_id")
    assert legs.notes == ["past"]
    legs.wait(3)
    assert legs.notes == ["past", "first", "moved"]
    legs.hang_up_all()


def test_sched_cancel_by_number_group_and_call(legs: Legs) -> None:
    near = legs.caller(
        ("sched_broadcast", "+1 note::number"),
        ("sched_cancel", "${last_sched_id}"),
        ("sched_broadcast", "+1 note::call"),
        ("sched_hangup", "+1"),
        ("sched_cancel", ""),
        ("sched_broadcast", "+1 note::kept"),
        ("sched_cancel", "no_such_group"),
        ("park", ""),
    )
    legs.wait(2)
    assert legs.notes == ["kept"]
    assert near.channel.up
    legs.hang_up_all()


def test_tasks_end_with_the_call(legs: Legs) -> None:
    legs.caller(
        ("sched_hangup", "+100"), ("sched_transfer", "+100 x"), ("enable_heartbeat", "5"), ("hangup", "")
    )
    legs.wait(1)
    assert legs.switch.scheduler.tasks() == []


def test_heartbeats(virtual_switch: Switch) -> None:
    told = beats(virtual_switch)

    def do(session: Session) -> object:
        began = session.clock.now() // 1000

        def beats_within(ms: int) -> list[int]:
            told.clear()
            start = session.clock.now() // 1000
            session.execute("sleep", str(ms))
            return [at - start for at in told]

        session.execute("enable_heartbeat", "2")
        first = beats_within(4500)
        session.execute("sched_heartbeat", "3")
        second = beats_within(3500)
        session.execute("sched_heartbeat", "0")
        none = beats_within(9000)
        session.channel.set_variable("heartbeat_fire_on_set", "true")
        session.execute("enable_heartbeat", "0")
        minute = beats_within(61_000)
        session.execute("enable_heartbeat", "-1")
        assert began == 0
        return first, second, none, minute

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [([2000, 4000], [3000], [], [0, 60_000])]
    assert "Usage: [0|<seconds>]" in outcome.logs


def test_limit_counts_transfers_and_hangs_up(legs: Legs) -> None:
    one = legs.caller(("limit", "hash realm desk 1"), ("park", ""))
    two = legs.caller(("limit", "hash realm desk 1 note:over,park inline"), ("park", ""))
    three = legs.caller(("limit", "hash realm desk 1 !USER_BUSY"), ("park", ""))
    four = legs.caller(("limit", "hash realm desk"), ("limit", "hash realm other -"), ("park", ""))
    legs.wait(1)
    assert get(one, "limit_usage") == "1"
    assert legs.notes == ["over"] and two.channel.up
    assert three.channel.hangup_cause is HangupCause.USER_BUSY
    assert get(four, "limit_usage_realm_desk") == "2" and get(four, "limit_usage_realm_other") == "1"
    one.channel.hangup()
    legs.wait(1)
    assert usage(legs.switch) == 1
    legs.hang_up_all()


def test_a_limit_without_its_back_end_is_exceeded(legs: Legs) -> None:
    call = legs.caller(("limit", "nosuch realm desk 5 !USER_BUSY"), ("park", ""))
    short = legs.caller(("limit", "hash realm"), ("note", "on"), ("park", ""))
    legs.wait(1)
    assert call.channel.hangup_cause is HangupCause.USER_BUSY
    assert legs.notes == ["on"] and short.channel.up
    legs.hang_up_all()


def test_limit_execute_holds_the_resource_while_it_executes(legs: Legs) -> None:
    one = legs.caller(
        ("limit_execute", "hash realm desk 1 pause 2000"), ("note", "one is through"), ("park", "")
    )
    legs.wait(1)
    legs.caller(("limit_execute", "hash realm desk 1 note no"), ("note", "two is through"), ("park", ""))
    legs.wait(1.5)
    assert legs.notes == ["two is through", "one is through"]
    assert usage(legs.switch) == 0
    assert one.channel.up
    legs.hang_up_all()


def test_limit_hash_needs_the_compatibility(legs: Legs) -> None:
    near = legs.caller(
        ("limit_hash", "realm desk 1"),
        ("set", "before=${limit_usage}"),
        ("set", "switch_limit_backwards_compat_flag=true"),
        ("limit_hash", "realm desk 1"),
        ("limit_hash_execute", "realm other 1 note done"),
        ("park", ""),
    )
    legs.wait(1)
    assert not get(near, "before")
    assert get(near, "limit_usage_realm_desk") == "1"
    assert legs.notes == ["done"]
    legs.hang_up_all()


def test_a_mutex_lets_calls_through_one_after_another(legs: Legs) -> None:
    first = legs.caller(
        ("mutex", "door"), ("note", "1 in"), ("pause", "1000"), ("mutex", "door off"), ("park", "")
    )
    second = legs.caller(("mutex", "door"), ("note", "2 in"), ("park", ""), mutex_feedback="silence")
    third = legs.caller(("mutex", "door"), ("note", "3 in"), ("park", ""))
    legs.wait(0.9)
    assert legs.notes == ["1 in"]
    assert [call.playing is not None for call in (first, second, third)] == [False, True, False]
    legs.wait(0.5)
    assert legs.notes == ["1 in", "2 in"]
    assert not any(call.playing for call in (first, second, third))
    second.channel.hangup()
    legs.wait(0.5)
    assert legs.notes == ["1 in", "2 in", "3 in"]
    assert first.channel.up and third.channel.up
    legs.hang_up_all()


def test_a_call_that_leaves_the_queue_is_passed_over(legs: Legs) -> None:
    first = legs.caller(("mutex", "door"), ("park", ""))
    second = legs.caller(("mutex", "door"), ("note", "2"), ("park", ""))
    third = legs.caller(("mutex", "door"), ("note", "3"), ("park", ""))
    legs.wait(1)
    second.channel.hangup()
    legs.wait(1)
    first.channel.hangup()
    legs.wait(1)
    assert legs.notes == ["3"] and third.channel.up
    legs.hang_up_all()


def test_a_mutex_is_not_waited_for_beyond_its_timeout(legs: Legs) -> None:
    legs.caller(("mutex", "door"), ("park", ""))
    legs.caller(("mutex", "door"), ("note", "without"), ("park", ""), mutex_timeout="2")
    legs.caller(
        ("mutex", "door"), ("note", "never"), ("park", ""),
        mutex_timeout="3", mutex_orbit_exten="note:orbit,park", mutex_orbit_dialplan="inline",
    )  # fmt: skip
    legs.wait(1.9)
    assert legs.notes == []
    legs.wait(2)
    assert legs.notes == ["without", "orbit"]
    legs.hang_up_all()


def test_a_mutex_twice_or_given_back_without_having_it(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("mutex", "door off")
        session.execute("mutex", "door")
        session.execute("mutex", "door")
        session.execute("mutex", "")
        return took(session, lambda: session.execute("mutex", "door off"))

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [0]
    assert outcome.logs.count("INVALID STATE") == 2
    assert "Missing keyname" in outcome.logs


def test_broadcast_reaches_both_legs(legs: Legs) -> None:
    near = legs.caller(("answer", ""), ("broadcast", "set::heard=yes"), ("bridge", "loopback/answer/legs"))
    legs.wait(1)
    far = legs.switch.find_session(near.partner or "")
    assert far is not None
    assert get(near, "heard") == "yes" and get(far, "heard") is None
    near.run_in_session(lambda session: session.execute("broadcast", "set::again=yes aleg"))
    near.run_in_session(lambda session: session.execute("broadcast", "set::mine=yes holdb"))
    legs.wait(1)
    assert get(near, "again") == get(far, "again") == "yes"
    assert get(near, "mine") == "yes" and get(far, "mine") is None
    legs.hang_up_all()


def test_broadcast_with_too_many_words(virtual_switch: Switch) -> None:
    outcome = in_call(virtual_switch, lambda session: session.execute("broadcast", "a b c"))
    assert "invalid args for broadcast app [a b c]" in outcome.logs


def test_early_hangup_tells_the_far_end_at_once(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        told: list[int] = []
        session.io.hangup = lambda session: told.append(session.clock.now())  # type: ignore[method-assign]
        session.execute("early_hangup")
        session.execute("early_hangup")
        session.execute("hangup", "USER_BUSY")
        return len(told), session.channel.get_variable("hangup_cause"), session.channel.state

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [(1, "USER_BUSY", ChannelState.CS_REPORTING)]


def test_a_reused_caller_profile_is_changed_in_place(legs: Legs) -> None:
    near = legs.caller(("reuse_caller_profile", ""), ("transfer", "note:there,park inline"))
    profile = near.channel.profile
    before = len(near.channel.previous_profiles)
    legs.wait(1)
    assert legs.notes == ["there"]
    assert near.channel.profile is profile and len(near.channel.previous_profiles) == before
    assert profile.destination_number == "note:there,park"
    legs.hang_up_all()


def test_park_state_leaves_the_rest_of_the_extension(legs: Legs) -> None:
    near = legs.caller(("park_state", ""), ("note", "never"))
    legs.wait(1)
    assert near.channel.running_state is ChannelState.CS_PARK
    assert legs.notes == []
    legs.hang_up_all()


@pytest.mark.parametrize("only", ["", "only_rtp"])
def test_after_an_event_sounds_do_not_count(virtual_switch: Switch, only: str) -> None:
    keys = [("1", "APP"), ("2", "RTP"), ("2", "INBAND_AUDIO"), ("3", "INBAND_AUDIO"), ("4", "RTP")]

    def do(session: Session) -> object:
        session.execute("deduplicate_dtmf", only)
        session.execute("deduplicate_dtmf", only)
        for digit, source in keys:
            session.receive_digit(Digit(digit, source=source))
        got = [digit.digit for digit in session.inbox.flush(Digit)]
        return got, session.channel.get_variable("deduplicate_dtmf_seen_inband")

    assert in_call(virtual_switch, do).values == [(["1", "2", "4"], "true")]


def test_before_an_event_came_sounds_count(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("deduplicate_dtmf")
        for digit, source in (
            ("1", "INBAND_AUDIO"),
            ("1", "ENDPOINT"),
            ("1", "ENDPOINT"),
            ("5", "INBAND_AUDIO"),
        ):
            session.receive_digit(Digit(digit, source=source))
        return [digit.source for digit in session.inbox.flush(Digit)]

    assert in_call(virtual_switch, do).values == [["INBAND_AUDIO", "ENDPOINT", "INBAND_AUDIO"]]
