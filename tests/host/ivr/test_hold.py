"""Hold of legs whose endpoint has no hold: it is told all the same, and no state changes."""

from __future__ import annotations

import pytest

from host.channel_state import CallState
from host.ivr.hold import hold, toggle_hold, unhold
from tests.host.ivr.legs import Legs, gone

_EVENTS = ("CHANNEL_HOLD", "CHANNEL_UNHOLD")


@pytest.mark.parametrize("dial_string", ["null/near", "loopback/answer/legs"])
def test_a_hold_is_told_also_where_nobody_holds(legs: Legs, dial_string: str) -> None:
    leg = legs.parked(dial_string)
    legs.wait(0.001)
    assert hold(leg) and hold(leg)
    assert not unhold(leg)
    assert toggle_hold(leg)
    assert legs.names(*_EVENTS) == ["CHANNEL_HOLD"] * 3
    assert [event.get_header("Channel-State") for event in legs.events if event.name == "CHANNEL_HOLD"] == [
        "CS_EXECUTE"
    ] * 3
    assert leg.channel.call_state is CallState.ACTIVE


def test_a_held_call_is_not_held_again(legs: Legs) -> None:
    leg = legs.parked()
    leg.channel.set_call_state(CallState.HELD)
    assert not hold(leg)
    assert legs.names(*_EVENTS) == []


def test_a_call_that_rings_is_neither_held_nor_taken_off(legs: Legs) -> None:
    leg = legs.call("{return_ring_ready=true}loopback/rings/legs")
    assert toggle_hold(leg)
    assert legs.names(*_EVENTS) == []


def test_music_that_was_asked_for_twice_ends_with_the_bridge(legs: Legs) -> None:
    near = legs.caller(("bridge", "null/far"), hold_music="silence_stream://-1")
    legs.wait(0.1)
    far = legs.switch.sessions[near.partner or ""]
    for _ in range(2):
        assert hold(near)
        legs.wait(0.5)
    near.channel.hangup()
    legs.wait(0.1)
    assert gone(near) and gone(far)
