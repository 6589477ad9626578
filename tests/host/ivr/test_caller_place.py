"""A caller's place that another call takes while the one called still rings."""

from __future__ import annotations

import pytest

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.caller_place import place_of
from host.ivr.uuid_bridge import partner_of, uuid_bridge
from host.session import Session
from host.status import Status
from tests.host.ivr.legs import Legs, gone


def calling(legs: Legs, dial_string: str, **variables: str) -> Session:
    """Return a caller that places a call and would note what it did next."""
    caller = legs.caller(("bridge", dial_string), ("note", "next"), ("park", ""), **variables)
    legs.wait(0.3)
    assert Flag.ORIGINATOR in caller.channel.flags
    return caller


def take(caller: Session, taker: Session) -> bool:
    place = place_of(caller)
    return place is not None and place.take(taker)


@pytest.mark.parametrize(
    "dial_string",
    [
        "loopback/late/legs",
        "loopback/rings/legs,loopback/late/legs",
        "error/USER_BUSY|loopback/late/legs",
        "loopback/rings/legs:_:loopback/late/legs",
    ],
)
@pytest.mark.parametrize("caller_stays", [True, False])
def test_the_taker_gets_the_leg(legs: Legs, dial_string: str, caller_stays: bool) -> None:
    taker = legs.parked("null/taker")
    caller = legs.caller(("bridge", dial_string), ("note", "next"))
    legs.wait(0.3)
    assert take(caller, taker)
    assert caller.channel.variables.get("holding_uuid") == taker.uuid
    if not caller_stays:
        caller.channel.hangup()
    legs.wait(1)
    assert gone(caller)
    if caller_stays:
        assert caller.channel.hangup_cause is HangupCause.ATTENDED_TRANSFER
    found = partner_of(taker)
    assert found is not None and found.channel.answered
    assert taker.partner == found.uuid
    assert not legs.notes
    found.channel.hangup()
    legs.wait(0.5)
    assert gone(taker)  # it is hung up after the bridge


def test_a_place_is_taken_once_and_only_while_the_call_is_placed(legs: Legs) -> None:
    first, second = legs.parked("null/a"), legs.parked("null/b")
    caller = calling(legs, "loopback/late/legs")
    place = place_of(caller)
    assert place is not None
    assert place.take(first)
    assert not place.take(second)
    legs.wait(1)
    assert place_of(caller) is None
    assert not place.take(second)
    gone_one = legs.parked("null/c")
    gone_one.channel.hangup()
    caller = calling(legs, "loopback/late/legs")
    assert not take(caller, gone_one)
    legs.wait(1)
    assert caller.partner is not None


def test_without_an_answer_the_taker_goes_on_as_the_caller(legs: Legs) -> None:
    taker = legs.parked("null/taker")
    caller = calling(legs, "loopback/rings/legs", call_timeout="2", theirs="yes", uuid_kept="x")
    leg = partner_of(caller)
    assert take(caller, taker)
    legs.wait(3)
    assert legs.notes == ["next"]
    assert gone(caller)
    assert leg is not None and leg.channel.hangup_cause is HangupCause.ATTENDED_TRANSFER
    assert taker.channel.variables.get("current_application") == "park"
    assert taker.channel.variables.get("theirs") == "yes"
    assert taker.channel.variables.get("uuid") == taker.uuid


def test_the_end_of_the_taker_ends_the_calling(legs: Legs) -> None:
    taker = legs.parked("null/taker")
    caller = calling(legs, "loopback/rings/legs")
    leg = partner_of(caller)
    assert take(caller, taker)
    taker.channel.hangup()
    legs.wait(0.3)
    assert gone(caller)
    assert caller.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert leg is not None and leg.channel.down


@pytest.mark.parametrize("saved", [True, False])
def test_a_zombie_goes_on_calling_when_its_caller_is_gone(legs: Legs, saved: bool) -> None:
    caller = legs.caller(
        (
            "bridge",
            f"{{execute_on_orphaned_bleg={'transfer answer XML legs' if saved else ''}}}loopback/late/legs",
        ),
        originate_xfer_zombie="true",
    )
    legs.wait(0.3)
    caller.channel.hangup()
    legs.wait(0.3)
    leg = next(one for one in legs.switch.sessions.values() if one.channel.name == "loopback/late-a")
    legs.wait(1)
    assert gone(caller)
    assert leg.channel.up is saved
    if not saved:
        assert leg.channel.hangup_cause is HangupCause.ATTENDED_TRANSFER


@pytest.mark.parametrize("extension", ["", "answer:XML:legs"])
def test_who_was_on_hold_when_the_other_left(legs: Legs, extension: str) -> None:
    near = legs.caller(("bridge", "{origination_uuid=far}null/far"), ("note", "next"), ("park", ""))
    legs.wait(0.5)
    far = legs.switch.sessions["far"]
    far.channel.variables.set("hold_hangup_xfer_exten", extension)
    far.channel.flags.add(Flag.LEG_HOLDING)
    far.channel.hangup()
    legs.wait(0.5)
    assert not legs.notes
    if extension:
        assert near.channel.profile.destination_number == "answer"
    else:
        assert gone(near)


def test_a_leg_that_still_rings_may_be_bridged_with_another(legs: Legs) -> None:
    taker = legs.parked("null/taker")
    caller = calling(legs, "loopback/late/legs")
    leg = partner_of(caller)
    assert leg is not None
    assert uuid_bridge(taker, leg) is Status.SUCCESS
    legs.wait(0.2)
    assert caller.channel.variables.get("originate_disposition") == "ORIGINATOR_CANCEL"
    assert legs.notes == ["next"]  # as when nobody answers
    assert not taker.partner
    legs.wait(1)
    assert taker.partner == leg.uuid
