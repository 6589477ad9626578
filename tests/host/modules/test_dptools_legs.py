"""Applications about legs, variables and bound keys, and the dialplans, in virtual time."""

from __future__ import annotations

import pytest

from host.channel_state import ChannelState
from host.event import Event
from host.inbox import Digit
from host.ivr.input_args import InputArgs
from host.ivr.sleep import sleep
from host.ivr.uuid_bridge import uuid_bridge
from host.media_bug import media_bugs
from host.modules.mod_dptools.inline_dialplan import parse_inline
from host.session import Session
from host.status import Status
from tests.host.ivr.legs import Legs, gone

CONTEXT = """
<document><section name="dialplan">
  <context name="legs">
    <extension name="first" continue="true">
      <condition><action application="note" data="first"/></condition>
    </extension>
    <extension name="number">
      <condition field="destination_number" expression="^n(\\d+)$">
        <action application="note" data="$1 ${destination_number} ${mark}"/>
        <action application="export" data="mark=inline" inline="true"/>
      </condition>
    </extension>
    <extension name="loop">
      <condition field="destination_number" expression="^loop$">
        <action application="execute_extension" data="loop"/>
      </condition>
    </extension>
    <extension name="refused">
      <condition field="destination_number" expression="^refused$">
        <action application="park" inline="true"/>
        <action application="note" data="went on"/>
      </condition>
    </extension>
    <extension name="round">
      <condition field="destination_number" expression="^round$">
        <action application="transfer" data="round XML legs"/>
      </condition>
    </extension>
  </context>
</section></document>
"""


@pytest.mark.parametrize(
    ("text", "applications"),
    [
        ("park", [("park", "")]),
        ("set:a=1,park", [("set", "a=1"), ("park", "")]),
        ("m:^:set:a=x,y^park", [("set", "a=x,y"), ("park", "")]),
        ("read:'1 4 x 5 #', park:", [("read", "1 4 x 5 #"), ("park", "")]),
        ("play:a:b", [("play", "a:b")]),
    ],
)
def test_the_inline_dialplan(text: str, applications: list[tuple[str, str]]) -> None:
    assert parse_inline(text) == applications


def test_an_inline_transfer_keeps_the_former_destination(legs: Legs) -> None:
    leg = legs.call("loopback/answer/legs")
    leg.transfer("note:${destination_number},park", "inline")
    legs.wait(0.1)
    assert legs.notes == ["answer"]


def test_execute_extension_comes_back(legs: Legs) -> None:
    legs.switch.xml.load_text(CONTEXT)
    legs.caller(("execute_extension", "n42 XML legs"), ("note", "back ${mark} ${destination_number}"))
    legs.wait(0.1)
    assert legs.notes == ["first", "42 n42 inline", "back inline near"]


def test_extensions_that_call_themselves_end(legs: Legs) -> None:
    legs.switch.xml.load_text(CONTEXT)
    legs.caller(("execute_extension", "loop XML legs"), ("note", "back"))
    legs.wait(0.1)
    assert legs.notes[-1] == "back"


def test_a_call_that_is_transferred_in_circles_is_hung_up(legs: Legs) -> None:
    legs.switch.xml.load_text(CONTEXT)
    leg = legs.call("null/x")
    leg.transfer("round", "XML", "legs")
    legs.wait(0.1)
    assert gone(leg)
    assert leg.channel.hangup_cause.name == "EXCHANGE_ROUTING_ERROR"


def test_what_may_not_run_inline_is_left_out(legs: Legs) -> None:
    legs.switch.xml.load_text(CONTEXT)
    legs.caller(("execute_extension", "refused XML legs"))
    legs.wait(0.1)
    assert legs.notes == ["first", "went on"]


def test_a_context_that_is_not_there_ends_the_call(legs: Legs) -> None:
    leg = legs.call("null/x")
    leg.transfer("1", "XML", "no_such_context")
    legs.wait(0.1)
    assert leg.channel.hangup_cause.name == "NO_ROUTE_DESTINATION"


def test_an_unknown_dialplan_ends_the_call(legs: Legs) -> None:
    leg = legs.call("null/x")
    leg.transfer("1", "nosuch", "x")
    legs.wait(0.1)
    assert leg.channel.hangup_cause.name == "NO_ROUTE_DESTINATION"


@pytest.mark.parametrize(("which", "expected"), [("", "a"), ("-bleg ", "b"), ("-both ", "ab")])
def test_transfer_of_either_leg(legs: Legs, which: str, expected: str) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    for leg in (a, b):
        leg.channel.variables.set("park_after_bridge", "true")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.run_in_session(lambda session: session.execute("transfer", f"{which}note:x,park inline"))
    legs.wait(0.5)
    noted = [
        event.get_header("Channel-Name")
        for event in legs.events
        if event.name == "CHANNEL_EXECUTE" and event.get_header("Application") == "note"
    ]
    assert sorted(noted, key=str) == [f"null/{name}" for name in expected]
    assert a.channel.up and b.channel.up


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        ("caller_id_number=4242", "caller_id_number", "4242"),
        ("caller_id_name=New Name", "caller_id_name", "New Name"),
        ("destination_number=", "destination_number", ""),
        ("no_such_field=1", "no_such_field", None),
    ],
)
def test_set_profile_var(legs: Legs, data: str, name: str, value: str | None) -> None:
    leg = legs.parked()
    leg.execute("set_profile_var", data)
    assert leg.channel.get_variable(name) == value


def test_export_and_transfer_vars(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    a.execute("export", "one=1")
    a.execute("export", "nolocal:two=2")
    assert a.channel.variables.get("export_vars") == "one,nolocal:two"
    assert (a.channel.variables.get("one"), a.channel.variables.get("two")) == ("1", None)
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.execute("transfer_vars", "one")
    assert b.channel.variables.get("one") == "1"


def test_wait_for_answer(legs: Legs) -> None:
    leg = legs.call("{ignore_early_media=false}loopback/early/legs")
    legs.run(leg, ("wait_for_answer", ""), ("note", "answered"))
    legs.wait(0.5)
    assert legs.notes == []
    legs.wait(0.5)
    assert legs.notes == ["answered"]


def test_hangup_takes_names_and_numbers(legs: Legs) -> None:
    for data, cause in (("CALL_REJECTED", "CALL_REJECTED"), ("17", "USER_BUSY"), ("", "NORMAL_CLEARING")):
        leg = legs.caller(("hangup", data))
        legs.wait(0.001)
        assert leg.channel.hangup_cause.name == cause


def test_bound_keys_run_applications_and_the_others_stay(legs: Legs) -> None:
    leg = legs.call("null/x")
    legs.run(
        leg,
        ("bind_digit_action", "one,12,exec:note,twelve"),
        ("bind_digit_action", "two,~^3\\d$,exec[i]:note,pattern"),
        ("digit_action_set_realm", "one"),
        ("pause", "60000"),
    )
    for digit in "12":
        leg.receive_digit(Digit(digit))
    legs.wait(0.1)
    assert legs.notes == ["twelve"]
    assert leg.channel.variables.get("last_matching_digits") == "12"
    leg.receive_digit(Digit("9"))
    legs.wait(2)
    assert leg.channel.variables.get("last_non_matching_digits") == "9"
    assert [digit.digit for digit in leg.inbox.flush(Digit)] == ["9"]
    leg.run_in_session(lambda session: session.execute("digit_action_set_realm", "two"))
    legs.wait(0.1)
    for digit in "34":
        leg.receive_digit(Digit(digit))
    legs.wait(0.1)
    assert legs.notes == ["twelve", "pattern"]
    leg.receive_digit(Digit("3"))
    legs.wait(1)
    assert leg.inbox.count(Digit) == 0
    legs.wait(1)
    assert leg.inbox.count(Digit) == 1  # given back after the pause
    leg.inbox.flush(Digit)
    leg.run_in_session(lambda session: session.execute("clear_digit_action", "all"))
    legs.wait(0.1)
    leg.receive_digit(Digit("3"))
    assert leg.inbox.count(Digit) == 1


def test_a_bound_name_of_the_scripts_own_becomes_an_event(legs: Legs) -> None:
    leg = legs.call("null/x")
    legs.run(leg, ("bind_digit_action", "one,12,my_key,my value"), ("pause", "60000"))
    for digit in "12":
        leg.receive_digit(Digit(digit))
    legs.wait(0.1)
    event = leg.inbox.take(Event)
    assert event is not None
    assert (event.name, event.get_header("my_key"), event.get_header("digits")) == (
        "CHANNEL_DATA",
        "my value",
        "12",
    )


def test_digits_put_there_by_an_operator_bypass_bindings(legs: Legs) -> None:
    leg = legs.call("null/x")
    legs.run(leg, ("bind_digit_action", "one,1,exec:note,one"), ("pause", "60000"))
    leg.receive_digit(Digit("1", processed=False))
    legs.wait(0.1)
    assert legs.notes == []
    assert leg.inbox.count(Digit) == 1


def test_a_digit_that_no_binding_of_the_partners_takes_passes_once(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    a.execute("bind_digit_action", "one,*1,exec:note,never,peer")
    uuid_bridge(a, b)
    legs.wait(0.5)
    b.receive_digit(Digit("7"))
    legs.wait(5)
    assert a.channel.variables.get("null_channel_dtmf_queued") == "7"
    assert legs.notes == []


def test_a_digit_given_back_is_told_before_its_event_and_both_at_once(legs: Legs) -> None:
    leg = legs.call("null/x")
    heard: list[str] = []

    def hear(session: Session, item: Digit | Event) -> Status:
        heard.append("digit" if isinstance(item, Digit) else "event")
        return Status.BREAK

    leg.execute("bind_digit_action", "one,*1,exec:note,never")
    leg.run_in_session(lambda session: sleep(session, 20_000, InputArgs(on_input=hear)))
    legs.wait(0.1)
    leg.receive_digit(Digit("7"))
    legs.wait(1)
    assert heard == ["digit", "event"]


def test_the_presence_id_that_events_tell_is_the_variable(legs: Legs) -> None:
    leg = legs.call("null/x")
    leg.channel.variables.set("presence_id", "1004@test.lan")
    assert leg.event("CHANNEL_DATA").get_header("Channel-Presence-ID") == "1004@test.lan"


def test_a_meta_key_of_either_leg(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    a.execute("bind_meta_app", "1 a s note::from_a")
    a.execute("bind_meta_app", "2 b s note::from_b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    for digit in "*1":
        a.receive_digit(Digit(digit))
    legs.wait(0.2)
    for digit in "*2":
        b.receive_digit(Digit(digit))
    legs.wait(0.2)
    assert legs.notes == ["from_a", "from_b"]
    assert b.channel.variables.get("null_channel_dtmf_queued") is None


def test_parked_calls_and_soft_hold(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    a.run_in_session(lambda session: session.execute("soft_hold", "#"))
    legs.wait(0.5)
    assert a.channel.variables.get("current_application") == "soft_hold"
    a.receive_digit(Digit("#"))
    legs.wait(0.5)
    assert a.partner == b.uuid
    a.receive_digit(Digit("7"))
    legs.wait(0.1)
    assert b.channel.variables.get("null_channel_dtmf_queued") == "7"
    assert b.channel.running_state is ChannelState.CS_EXCHANGE_MEDIA


def test_a_third_listens_and_speaks(legs: Legs) -> None:
    a, b = legs.parked("null/a"), legs.parked("null/b")
    uuid_bridge(a, b)
    legs.wait(0.5)
    ear = legs.caller(("eavesdrop", a.uuid), ("note", "after"), dial_string="null/c")
    legs.wait(0.1)
    assert [bug.function for bug in media_bugs(a)] == ["eavesdrop"]
    ear.receive_digit(Digit("3"))
    ear.receive_digit(Digit("*"))
    legs.wait(0.1)
    assert legs.notes == ["after"]
    assert media_bugs(a) == []
    third = legs.caller(("three_way", a.uuid), dial_string="null/d")
    legs.wait(0.1)
    assert third.channel.variables.get("current_application") == "three_way"
    a.channel.hangup()
    legs.wait(0.1)
    assert gone(third) and gone(b)


@pytest.mark.parametrize("application", ["eavesdrop", "three_way", "intercept"])
def test_nobody_to_listen_to(legs: Legs, application: str) -> None:
    legs.caller((application, "99999999-1111-4111-8111-111111111111"), ("note", "after"))
    legs.wait(0.1)
    assert legs.notes == ["after"]
