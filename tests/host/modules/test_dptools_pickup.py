"""Call pickup: who takes a call that others ring for, and what becomes of the leg that waited."""

from __future__ import annotations

import pytest

from host.event import Event
from host.ivr.originate import originate
from host.session import Session
from host.switch import Switch
from tests.host.ivr.legs import Legs, gone


@pytest.fixture
def legs(virtual_switch: Switch) -> Legs:
    virtual_switch.global_variables.set("domain", "test.lan")
    return Legs(virtual_switch)


def get(session: Session, name: str) -> str | None:
    return session.channel.variables.get(name)


@pytest.mark.parametrize("key", ["desk", "desk@test.lan"])
def test_a_call_that_rings_elsewhere_is_picked_up(legs: Legs, key: str) -> None:
    near = legs.caller(("bridge", "{from=bridge}loopback/rings/legs,pickup/desk"), dial_string="null/near")
    near.channel.profile.caller_id_number = "1000"
    legs.wait(2)
    ringing = next(one for one in legs.switch.sessions.values() if one.channel.name == "loopback/rings-a")
    picker = legs.caller(("pickup", key), ("note", "never"), dial_string="null/picker")
    legs.wait(1)
    assert near.partner == picker.uuid and picker.partner == near.uuid
    assert gone(ringing)
    assert get(picker, "from") == "bridge" and get(picker, "picked_up_uuid")
    assert not [
        name for name in (one.channel.name for one in legs.switch.sessions.values()) if "pickup" in name
    ]
    near.channel.hangup()
    legs.wait(1)
    assert gone(picker) and legs.notes == []


def test_the_oldest_call_is_taken_first(legs: Legs) -> None:
    first, second = (
        legs.caller(("bridge", "loopback/rings/legs,pickup/desk"), dial_string=f"null/{name}")
        for name in ("first", "second")
    )
    legs.wait(1)
    one = legs.caller(("pickup", "desk"), dial_string="null/one")
    legs.wait(1)
    two = legs.caller(("pickup", "desk"), dial_string="null/two")
    legs.wait(1)
    assert (first.partner, second.partner) == (one.uuid, two.uuid)
    legs.hang_up_all()


def test_the_call_that_is_picked_up_shows_who_calls(legs: Legs) -> None:
    legs.caller(("bridge", "{origination_caller_id_number=4711}loopback/rings/legs,pickup/desk"))
    legs.wait(1)
    picker = legs.caller(("pickup", "desk"), dial_string="{origination_caller_id_number=23}null/picker")
    legs.wait(1)
    assert picker.channel.profile.caller_id_number == "4711"
    legs.hang_up_all()


def test_without_a_call_the_extension_goes_on(legs: Legs) -> None:
    legs.caller(("pickup", "desk"), ("note", "nothing"), ("pickup", ""), ("note", "no key"), ("park", ""))
    legs.wait(1)
    assert legs.notes == ["nothing", "no key"]
    legs.hang_up_all()


def test_nobody_waits_to_be_picked_up_alone(legs: Legs) -> None:
    began = legs.now_ms()
    leg, cause = originate(legs.switch, "error/USER_BUSY,pickup/desk")
    assert leg is None and cause.name == "NO_PICKUP"
    assert legs.now_ms() == began
    originate(legs.switch, "loopback/cause_USER_BUSY/legs,pickup/desk", timeout_s=9)
    assert legs.now_ms() - began < 1000
    originate(legs.switch, "error/USER_BUSY,[leg_timeout=3]pickup/desk", timeout_s=9)
    assert legs.now_ms() - began >= 3000
    legs.wait(1)
    assert legs.switch.sessions == {}


def test_a_pickup_alone_waits(legs: Legs) -> None:
    near = legs.caller(("bridge", "pickup/desk"))
    legs.wait(5)
    picker = legs.caller(("pickup", "desk"), dial_string="null/picker")
    legs.wait(1)
    assert near.partner == picker.uuid
    legs.hang_up_all()


def test_who_gave_up_cannot_be_picked_up(legs: Legs) -> None:
    near = legs.caller(("bridge", "loopback/rings/legs,pickup/desk"))
    legs.wait(1)
    near.channel.hangup()
    legs.wait(1)
    legs.caller(("pickup", "desk"), ("note", "nothing"), ("park", ""))
    legs.wait(1)
    assert legs.notes == ["nothing"]
    legs.hang_up_all()


def test_lamps_are_told(legs: Legs) -> None:
    told: list[tuple[str | None, str | None, str | None]] = []

    def hear(event: Event) -> None:
        if event.get_header("proto") == "pickup":
            told.append(tuple(event.get_header(name) for name in ("from", "force-status", "answer-state")))  # type: ignore[arg-type]

    legs.switch.bus.subscribe(hear, ["PRESENCE_IN"])
    near = legs.caller(("bridge", "loopback/rings/legs,pickup/desk"))
    legs.wait(1)
    probe = legs.switch.new_event("PRESENCE_PROBE")
    probe.add_headers((("proto", "pickup"), ("to", "pickup+desk@test.lan")))
    legs.switch.fire(probe)
    near.channel.hangup()
    legs.wait(1)
    assert told == [
        ("desk@test.lan", "Active (1 call)", "confirmed"),
        ("desk@test.lan", "Active (1 call)", "confirmed"),
        ("desk@test.lan", "Idle", "terminated"),
    ]


def test_the_leg_that_waits_leaves_no_call_detail_record(legs: Legs) -> None:
    reported: list[str] = []
    legs.switch.cdr_reporters.append(lambda session: reported.append(session.channel.name))
    near = legs.caller(("set", "process_cdr=a_only"), ("bridge", "loopback/rings/legs,pickup/desk"))
    legs.wait(1)
    near.channel.hangup()
    legs.wait(1)
    assert sorted(reported) == ["loopback/rings-a", "loopback/rings-b", "null/near"]
