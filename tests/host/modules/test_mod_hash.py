from __future__ import annotations

import pytest

from host import limit
from host.clock import SECOND
from host.switch import Switch
from tests.host.placed_call import parked


def test_realm_and_key_are_joined(switch: Switch) -> None:
    assert switch.api("hash", "insert/a_b/c/1") == "+OK\n"
    assert switch.api("hash", "select/a/b_c") == "1"


@pytest.mark.parametrize(("name", "counted"), [("hash", "1"), ("db", "2")])
def test_a_session_is_given_back_at_its_end(switch: Switch, name: str, counted: str) -> None:
    """The back end `hash` counts a session once, `db` as often as it asks."""
    first, second = parked(switch), parked(switch)
    backend = switch.limits.get(name)
    assert backend is not None
    most = int(counted)
    assert limit.take(first, backend, "r", "x", most, 0)
    assert limit.take(first, backend, "r", "x", most, 0)
    assert not limit.take(second, backend, "r", "x", most, 0)
    assert backend.usage("r", "x")[0] == most
    assert first.channel.get_variable("limit_usage_r_x") == counted
    first.channel.hangup()
    switch.clock.sleep(SECOND)
    assert backend.usage("r", "x")[0] == 0
    assert limit.take(second, backend, "r", "x", 1, 0)


def test_a_transfer_gives_back_unless_it_is_ignored(switch: Switch) -> None:
    backend = switch.limits.get("hash")
    assert backend is not None
    for ignored, left in (("false", 0), ("true", 1)):
        session = parked(switch)
        session.channel.set_variable("limit_ignore_transfer", ignored)
        limit.take(session, backend, "r", ignored, 5, 0)
        session.transfer("park", "inline")
        switch.clock.sleep(SECOND)
        assert backend.usage("r", ignored)[0] == left


def test_an_interval_limits_the_rate(switch: Switch) -> None:
    backend = switch.limits.get("hash")
    assert backend is not None
    legs = [parked(switch) for _ in range(4)]
    assert [limit.take(one, backend, "r", "x", 2, 60) for one in legs[:3]] == [True, True, False]
    switch.clock.sleep(61 * SECOND)
    assert limit.take(legs[3], backend, "r", "x", 2, 60)
    assert switch.api("hash_dump", "limit").startswith("L/r_x/3/1/60/")
    switch.api("limit_interval_reset", "hash r x")
    assert switch.api("limit_usage", "hash r x rate") == "3/0"


@pytest.mark.parametrize(
    ("text", "parsed"), [("5", (5, 0)), ("5/60", (5, 60)), ("", (-1, 0)), ("-7", (-1, 0)), ("x/-1", (0, 0))]
)
def test_a_maximum_may_have_an_interval(text: str, parsed: tuple[int, int]) -> None:
    assert limit.parse_maximum(text) == parsed
