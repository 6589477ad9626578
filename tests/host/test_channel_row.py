"""What `show` lists of a channel: what its events told, not what became of it since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import SECOND, VirtualClock
from host.switch import Switch
from tests.host.xml_document import context, extension

MODULES = ("mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_loopback", "mod_tone_stream")


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(VirtualClock(), tmp_path, seed=1, media_process=False)
    made.xml.load_text(
        context(
            "legs", extension("rings", "ring_ready", "sleep 20000"), extension("early", "pre_answer", "park")
        )
    )
    for module in MODULES:
        made.modules.load(module)
    with made.clock.participating():
        yield made
        made.close()


def told(switch: Switch, *commands: str) -> dict[str, dict[str, str]]:
    """Run `commands`, a second apart, and return the rows of `show channels`, by UUID."""
    for command in commands:
        name, _, argument = command.partition(" ")
        switch.api(name, argument)
        switch.clock.sleep(SECOND)
    rows = json.loads(switch.api("show", "channels as json")).get("rows", [])
    return {row["uuid"]: row for row in rows}


def test_a_call_sent_to_inline_applications_is_listed_under_these(switch: Switch) -> None:
    row = told(
        switch, "originate {origination_uuid=a}null/one 'set:x=1,bridge:{origination_uuid=b}null/two' inline"
    )
    assert row["a"]["dest"] == "set:x=1,bridge:{origination_uuid=b}null/two"
    assert (row["a"]["callee_name"], row["a"]["callee_num"]) == ("", "0000000000")
    assert (row["a"]["application"], row["a"]["application_data"]) == (
        "bridge",
        "{origination_uuid=b}null/two",
    )
    assert row["a"]["initial_dest"] == "one" and row["b"]["dest"] == "two"


def test_legs_that_are_bridged_by_a_command_execute_that(switch: Switch) -> None:
    rows = told(
        switch,
        "originate {origination_uuid=a}null/one &park()",
        "originate {origination_uuid=b}null/two &park()",
        "uuid_bridge a b",
    )
    assert [(rows[leg]["application"], rows[leg]["application_data"]) for leg in "ab"] == [
        ("uuid_bridge", "b"),
        ("uuid_bridge", "a"),
    ]
    assert [rows[leg]["cid_num"] for leg in "ab"] == ["one", "two"]
    assert [rows[leg]["call_uuid"] for leg in "ab"] == ["a", "a"]
    rows = told(switch, "uuid_transfer a -both park inline")
    assert [rows[leg]["call_uuid"] for leg in "ab"] == ["a", "b"]
    assert [rows[leg]["dest"] for leg in "ab"] == ["park", "park"]


def test_a_call_on_hold_executes_nothing_that_is_told(switch: Switch) -> None:
    rows = told(switch, "originate {origination_uuid=a}null/one bridge:null/two inline", "uuid_hold a")
    assert (rows["a"]["application"], rows["a"]["dest"]) == ("", "bridge:null/two")


@pytest.mark.parametrize(("number", "codec"), [("rings", ""), ("early", "L16")])
def test_the_codec_of_a_leg_is_told_once_it_has_sound(switch: Switch, number: str, codec: str) -> None:
    dial = f"{{origination_uuid=a,return_ring_ready=true}}loopback/{number}/legs &park()"
    rows = told(switch, f"bgapi originate {dial}")
    called = next(row for uuid, row in rows.items() if uuid != "a")
    near = [
        rows["a"][f"{side}_{what}"] for side in ("read", "write") for what in ("codec", "rate", "bit_rate")
    ]
    assert near == ([codec, "8000", "128000"] * 2 if codec else [""] * 6)
    assert called["read_codec"] == "L16" and called["call_uuid"] == ""


def test_a_callers_copy_of_the_called_leg_tells_its_times_and_that_of_the_caller_none(switch: Switch) -> None:
    told(switch, "originate {origination_uuid=a}null/one bridge:{origination_uuid=b}null/two inline")
    caller, called = (json.loads(switch.api("uuid_dump", f"{leg} json")) for leg in "ab")
    assert caller["Other-Leg-Channel-Created-Time"] == called["Caller-Channel-Created-Time"]
    assert caller["Other-Leg-Channel-Bridged-Time"] == "0"
    assert called["Other-Leg-Channel-Created-Time"] == called["Other-Leg-Channel-Answered-Time"] == "0"


def test_it_is_the_profile_that_was_left_that_tells_when_a_call_was_transferred(switch: Switch) -> None:
    told(switch, "originate {origination_uuid=a}null/one &park()", "uuid_transfer a park inline")
    session = switch.find_session("a")
    assert session is not None
    now, former = session.channel.profile, session.channel.previous_profiles[0]
    assert now.times.transferred == 0 and former.times.transferred == now.times.profile_created


def test_calls_are_listed_as_they_were_bridged_after_the_legs_that_are_not(switch: Switch) -> None:
    told(
        switch,
        *(f"originate {{origination_uuid={leg}}}null/{leg} &park()" for leg in "abcde"),
        "uuid_bridge c d",
        "uuid_bridge a b",
    )

    def listed(what: str) -> list[str]:
        return [row["uuid"] for row in json.loads(switch.api("show", f"{what} as json"))["rows"]]

    assert listed("calls") == ["e", "c", "a"]
    assert listed("detailed_calls") == ["a", "c", "e"] and listed("bridged_calls") == ["a", "c"]


def test_a_leg_that_another_one_was_given_to_is_of_that_ones_call(switch: Switch) -> None:
    told(
        switch,
        "originate {origination_uuid=a}null/one &park()",
        "originate {origination_uuid=b}null/two &park()",
        "uuid_bridge a b",
        "uuid_broadcast a att_xfer::{origination_uuid=c}null/three aleg",
        "uuid_kill a",
    )
    assert [switch.api("uuid_getvar", f"{leg} call_uuid") for leg in "bc"] == ["c", "c"]
