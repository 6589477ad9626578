"""The API commands that a call runs at its end, and what they are told."""

from __future__ import annotations

import pytest

from host.event import Event
from host.hangup_cause import HangupCause
from host.interfaces import ApiCommand, ApiRequest
from host.session import Session
from host.switch import Switch
from tests.host.one_call import in_call


def hooked(switch: Switch, **variables: str) -> tuple[Session, list[ApiRequest]]:
    """Return the session of an ended call with these variables, and what its command `note` was asked."""
    asked: list[ApiRequest] = []

    def note(request: ApiRequest) -> str:
        asked.append(request)
        return "noted"

    def set_them(session: Session) -> None:
        for name, value in variables.items():
            session.channel.set_variable(name, value)
        session.channel.hangup(HangupCause.USER_BUSY)

    switch.api_commands.add(ApiCommand("note", "mod_test", note))
    return in_call(switch, set_them).session, asked


def test_the_event_of_a_hangup_hook_is_the_call(virtual_switch: Switch) -> None:
    session, asked = hooked(virtual_switch, api_hangup_hook="note x", colour="red")
    event = asked[0].event
    assert event is not None and event.name == "CHANNEL_DATA"
    assert event.get_header("Event-Name") is None
    assert event.get_header("colour") == event.get_header("variable_colour") == "red"
    assert event.get_header("Unique-ID") == session.uuid
    assert event.get_header("Hangup-Cause") == "USER_BUSY"
    assert event.get_header("API-Command") == "note"
    assert event.get_header("API-Command-Argument") == "x"
    assert asked[0].session is None


def test_a_hook_sees_the_session_where_that_is_wanted(virtual_switch: Switch) -> None:
    session, asked = hooked(virtual_switch, api_hangup_hook="note", session_in_hangup_hook="true")
    assert asked[0].session is session


@pytest.mark.parametrize(
    ("hook", "argument"),
    [
        ("note ${colour}-${variable_colour}-${hangup_cause}", "red-red-USER_BUSY"),
        ("note::${Channel-State} a b", "CS_HANGUP a b"),
        ("note ${unknown}.", "."),
        ("note", ""),
    ],
)
def test_the_argument_is_expanded_with_the_events_headers(
    virtual_switch: Switch, hook: str, argument: str
) -> None:
    _, asked = hooked(virtual_switch, api_hangup_hook=hook, colour="red")
    assert [request.argument for request in asked] == [argument]


def test_the_commands_name_is_not_expanded(virtual_switch: Switch) -> None:
    _, asked = hooked(virtual_switch, api_hangup_hook="${command} x", command="note")
    assert asked == []


def test_the_reporting_hook_runs_after_the_records_were_handed_on(virtual_switch: Switch) -> None:
    order: list[str] = []
    virtual_switch.cdr_reporters.append(lambda session: order.append("record"))
    virtual_switch.bus.subscribe(lambda event: order.append("complete"), ["CHANNEL_HANGUP_COMPLETE"])
    _, asked = hooked(virtual_switch, api_reporting_hook="note ${Channel-State}")
    assert [request.argument for request in asked] == ["CS_REPORTING"]
    assert order == ["record", "complete"]


def test_a_cause_to_be_skipped_leaves_no_record(virtual_switch: Switch) -> None:
    reported: list[Session] = []
    virtual_switch.cdr_reporters.append(reported.append)
    hooked(virtual_switch, skip_cdr_causes="NO_ANSWER|user_busy")
    assert reported == []
    hooked(virtual_switch, skip_cdr_causes="NO_ANSWER|16")
    assert len(reported) == 1


def test_the_record_comes_with_the_event_that_ends_the_call(virtual_switch: Switch) -> None:
    told: list[Event] = []
    virtual_switch.bus.subscribe(told.append, ["CHANNEL_HANGUP_COMPLETE"])
    hooked(virtual_switch)
    hooked(virtual_switch, hangup_complete_with_xml="true")
    assert told[0].body is None and told[0].get_header("CDR-Attached") is None
    assert told[1].get_header("CDR-Attached") == "xml"
    assert told[1].body is not None and told[1].body.startswith("<cdr ")
