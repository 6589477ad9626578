from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.gateway.gateway_registration import (
    Action,
    Registration,
    Removed,
    SendOptions,
    SendRegister,
    State,
    TellLog,
    TellState,
)
from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings


def made(**settings: object) -> Registration:
    whole = {"name": "gw", "profile": "external", "proxy": "p.example", "register": True, **settings}
    return Registration(GatewaySettings(**whole), 0.0)  # type: ignore[arg-type]


def states(actions: list[Action]) -> list[str]:
    return [action.state.value for action in actions if isinstance(action, TellState)]


def sent(actions: list[Action]) -> list[int]:
    return [action.expires for action in actions if isinstance(action, SendRegister)]


def logged(actions: list[Action]) -> list[str]:
    return [action.text for action in actions if isinstance(action, TellLog)]


def registered(registration: Registration, now: float = 0.0, granted: int | None = None) -> None:
    registration.check(now)
    registration.answered(registration.attempt, 200, "OK", now, granted=granted)
    assert registration.state is State.REGED


def test_it_registers_and_renews_before_the_end() -> None:
    one = made(expire_seconds=600)
    first = one.check(0.0)
    assert (sent(first), states(first), one.state) == ([600], ["TRYING"], State.TRYING)
    assert logged(first) == ["Registering gw"]
    assert one.deadline() == 60.0
    answer = one.answered(one.attempt, 200, "OK", 1.0)
    assert states(answer) == ["REGISTER", "REGED"]
    assert [(a.status, a.phrase) for a in answer if isinstance(a, TellState)] == [(200, "OK"), (0, "")]
    assert one.up
    assert one.deadline() == 1.0 + 600 - 15
    again = one.check(586.0)
    assert (states(again), sent(again)) == (["UNREGED", "TRYING"], [600])


@pytest.mark.parametrize(
    ("granted", "due"), [(None, 3585.0), (120, 105.0), (20, 10.0), (1, 1.0), (0, 3585.0)]
)
def test_what_the_registrar_grants_counts(granted: int | None, due: float) -> None:
    one = made()
    registered(one, granted=granted)
    assert one.deadline() == due


def test_a_refusal_waits_longer_each_time() -> None:
    one = made(retry_seconds=30)
    now = 0.0
    for failure, wait in enumerate((30, 60, 90), 1):
        one.check(now)
        actions = one.answered(one.attempt, 403, "Forbidden", now)
        assert states(actions) == ["FAILED", "FAIL_WAIT"]
        assert logged(actions) == [
            f"gw Failed Registration with status Forbidden [403]. failure #{failure}",
            f"gw Failed Registration [403], setting retry to {wait} seconds.",
        ]
        assert not one.up
        now += wait
        assert one.deadline() == now
        assert one.check(now - 1) == []
    registered(one, now)
    assert one.failures == 0


def test_one_that_is_not_there_is_tried_at_the_same_pace() -> None:
    one = made(retry_seconds=30, fail_908_retry_seconds=7)
    one.check(0.0)
    actions = one.check(60.0)
    assert states(actions) == ["TIMEOUT", "FAILED", "FAIL_WAIT"]
    assert logged(actions)[-1] == "gw Failed Registration [908], setting retry to 7 seconds."
    one.check(67.0)
    one.answered(one.attempt, 503, "DNS Error", 67.0)
    assert one.deadline() == 97.0


def test_an_answer_that_comes_too_late_means_nothing() -> None:
    one = made()
    one.check(0.0)
    late = one.attempt
    one.check(60.0)
    assert one.answered(late, 200, "OK", 61.0) == []
    assert one.state is State.FAIL_WAIT
    assert one.answered(one.attempt, 100, "Trying", 61.0) == []


def test_an_interval_too_brief_is_asked_again_as_it_says() -> None:
    one = made(expire_seconds=60)
    one.check(0.0)
    assert sent(one.answered(one.attempt, 423, "Interval Too Brief", 0.0, min_expires=300)) == [300]
    assert one.state is State.TRYING
    refused = one.answered(one.attempt, 423, "Interval Too Brief", 0.0, min_expires=300)
    assert states(refused) == ["FAILED", "FAIL_WAIT"]


def test_unregister_and_register_by_hand() -> None:
    one = made()
    registered(one)
    assert one.unregister()
    actions = one.check(5.0)
    assert (sent(actions), states(actions)) == ([0], ["DOWN"])
    assert one.state is State.DOWN
    assert one.register()
    assert states(one.check(6.0)) == ["TRYING"]


def test_one_that_was_not_registered_has_nothing_to_end() -> None:
    one = made()
    one.check(0.0)
    former = one.attempt
    one.unregister()
    assert sent(one.check(1.0)) == []
    assert one.answered(former, 200, "OK", 2.0) == []
    assert one.state is State.DOWN


def test_one_that_does_not_register_is_up() -> None:
    one = made(register=False)
    assert (one.state, one.up, one.check(0.0), one.deadline()) == (State.NOREG, True, [], None)
    assert not one.register()
    assert not one.unregister()


def test_a_deleted_one_ends_its_registration_first() -> None:
    one = made()
    registered(one)
    one.delete()
    actions = one.check(1.0)
    assert (sent(actions), states(actions)) == ([0], ["DOWN"])
    assert isinstance(actions[-1], Removed)
    assert one.check(2.0) == []
    idle = made(register=False)
    idle.delete()
    assert idle.check(0.0) == [Removed()]


def ping(one: Registration, now: float, status: int) -> list[Action]:
    due = one.check(now)
    assert SendOptions(one.attempt_of_ping) in due
    return one.ping_answered(one.attempt_of_ping, status, "x", now + 0.25)


def test_pings_are_counted_up_and_down() -> None:
    one = made(register=False, ping=10, ping_min=2, ping_max=3)
    assert one.deadline() == 10.0
    assert states(ping(one, 10.0, 408)) == ["NOREG"]
    assert not one.up
    assert one.deadline() == 20.25
    first = ping(one, 21.0, 200)
    assert logged(first) == ["Ping succeeded gw with code 200 - count 2/1/3, state DOWN"]
    assert states(first) == []
    second = ping(one, 32.0, 404)
    assert [action.up for action in second if isinstance(action, TellState)] == [True]
    assert [action.status for action in second if isinstance(action, TellState)] == [404]
    assert one.ping_time == 250.0
    ping(one, 43.0, 200)
    assert logged(ping(one, 54.0, 200)) == []
    assert one.ping_count == 3
    ping(one, 65.0, 503)
    assert (one.up, one.ping_count) == (True, 2)
    ping(one, 76.0, 503)
    assert (one.up, one.ping_count) == (False, 1)


def test_no_ping_goes_out_before_the_former_is_answered_and_none_counts_twice() -> None:
    one = made(register=False, ping=10)
    one.check(10.0)
    assert one.deadline() is None
    assert one.check(30.0) == []
    assert one.ping_answered(one.attempt_of_ping + 1, 200, "OK", 30.0) == []
    one.ping_answered(one.attempt_of_ping, 200, "OK", 30.0)
    assert one.ping_answered(one.attempt_of_ping, 408, "", 31.0) == []


def test_a_ping_that_fails_ends_a_registration() -> None:
    one = made(ping=10)
    registered(one)
    actions = ping(one, 10.0, 408)
    assert logged(actions)[0] == "Unregister gw"
    assert one.state is State.FAIL_WAIT
    assert not one.up
    assert states(one.check(60.0)) == ["UNREGED", "TRYING"]


def test_monitoring_tells_of_every_ping() -> None:
    one = made(register=False, ping=10, ping_monitoring=True)
    assert states(ping(one, 10.0, 200)) == ["NOREG"]
    assert states(ping(one, 30.0, 200)) == ["NOREG"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["check", "answer", "ping", "register", "unregister", "delete"]),
        st.floats(0, 100),
        st.sampled_from([100, 200, 401, 403, 408, 423, 503]),
    ),
    max_size=30,
)


@given(STEPS, st.booleans(), st.sampled_from([0, 10]))
def test_it_never_stalls(steps: list[tuple[str, float, int]], register: bool, ping_every: int) -> None:
    """Whatever happens, it comes to rest at once, and is due again unless it is down, removed or needs nothing."""
    one = made(register=register, ping=ping_every)
    now = 0.0
    one.check(now)
    for what, wait, status in steps:
        now += wait
        match what:
            case "answer":
                one.answered(one.attempt, status, "", now, granted=int(wait), min_expires=90)
            case "ping":
                one.ping_answered(one.attempt_of_ping, status, "", now)
            case "register":
                one.register()
            case "unregister":
                one.unregister()
            case "delete":
                one.delete()
        one.check(now)
        assert one.check(now) == []
        due = one.deadline()
        assert due is None or due > now
        if due is None:
            assert one.state in (State.DOWN, State.NOREG) or one.removed
