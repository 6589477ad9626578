"""A session's life in virtual time: states, applications, waiting, hangup, transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.caller_profile import CallerExtension, CallerProfile
from host.channel_state import ChannelState
from host.clock import SECOND, VirtualClock
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import DIGIT_LIMIT, Break, Digit
from host.interfaces import Application, Dialplan
from host.session import Session
from host.status import Status
from host.switch import Switch
from tests.host.handset import Handset, start_call


class NotingHandset(Handset):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def answer(self, session: Session) -> None:
        self.told.append("answer")

    def pre_answer(self, session: Session) -> None:
        self.told.append("pre_answer")

    def ring_ready(self, session: Session) -> None:
        self.told.append("ring_ready")

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        self.told.append(f"digit {digit}")

    def hangup(self, session: Session) -> None:
        self.told.append("hangup")


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, tmp_path, seed=1)
        yield switch
        switch.close()
        assert switch.sessions == {}


class Call:
    """A session that runs one Python function as its application."""

    def __init__(self, switch: Switch, run: Callable[[Session, str], object], data: str = "") -> None:
        self.handset = NotingHandset()
        self.events: list[Event] = []
        switch.bus.subscribe(self.events.append)
        switch.applications.add(Application("work", "mod_test", run))
        self.session = start_call(switch, ("work", data), handset=self.handset)

    def end(self) -> list[str]:
        self.session.ended.wait()
        return [event.name for event in self.events]


def test_a_call_runs_through_its_states(switch: Switch) -> None:
    call = Call(switch, lambda session, data: session.answer())
    names = call.end()
    assert call.handset.told == ["answer", "hangup"]
    assert names == [
        "CODEC", "CODEC", "CHANNEL_STATE", "CHANNEL_EXECUTE", "CHANNEL_ANSWER", "CHANNEL_CALLSTATE",
        "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_STATE",
        "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY", "CHANNEL_STATE",
    ]  # fmt: skip
    complete = next(event for event in call.events if event.name == "CHANNEL_HANGUP_COMPLETE")
    assert complete.get_header("Hangup-Cause") == "NORMAL_CLEARING"
    assert complete.get_header("variable_hangup_cause_q850") == "16"


def test_data_is_expanded_and_told(switch: Switch) -> None:
    seen: list[str] = []
    call = Call(switch, lambda session, data: seen.append(data), "a ${uuid}")
    call.end()
    assert seen == [f"a {call.session.uuid}"]
    execute = next(event for event in call.events if event.name == "CHANNEL_EXECUTE")
    assert execute.get_header("Application-Data") == seen[0]


def test_waiting_ends_at_the_deadline_or_with_the_call(switch: Switch) -> None:
    times: list[tuple[object, int]] = []

    def work(session: Session, data: str) -> None:
        times.append((session.receive(2 * SECOND, (Digit,)), session.clock.now()))
        times.append((session.receive(10 * SECOND, (Digit,)), session.clock.now()))

    call = Call(switch, work)
    switch.clock.call_at(3 * SECOND, lambda: call.session.channel.hangup(HangupCause.USER_BUSY))
    call.end()
    assert times == [(None, 2 * SECOND), (None, 3 * SECOND)]
    assert call.session.channel.hangup_cause is HangupCause.USER_BUSY


def test_what_an_operation_does_not_take_stays_queued(switch: Switch) -> None:
    taken: list[object] = []

    def work(session: Session, data: str) -> None:
        taken.append(session.receive(SECOND, (Break,)))
        taken.append(session.receive(SECOND, (Digit,)))

    call = Call(switch, work)
    call.session.inbox.put(Digit("1"))
    switch.clock.call_at(SECOND // 2, call.session.break_off)
    call.end()
    assert taken == [Break(False), Digit("1")]


def test_commands_run_in_the_session_and_wait_goes_on(switch: Switch) -> None:
    seen: list[object] = []

    def work(session: Session, data: str) -> None:
        seen.append(session.receive(2 * SECOND, (Digit,)))

    call = Call(switch, work)
    switch.clock.call_at(
        SECOND, lambda: call.session.run_in_session(lambda s: seen.append((s.in_own_thread, s.clock.now())))
    )
    call.end()
    assert seen == [(True, SECOND), None]


def test_digits_beyond_the_limit_are_refused(switch: Switch) -> None:
    call = Call(switch, lambda session, data: None)
    accepted = sum(call.session.inbox.put(Digit("1")) for _ in range(DIGIT_LIMIT + 5))
    call.end()
    assert accepted == DIGIT_LIMIT


def test_a_transfer_hunts_again(switch: Switch) -> None:
    hunted: list[tuple[str, str]] = []

    def hunt(session: Session, argument: str, profile: CallerProfile) -> CallerExtension:
        hunted.append((profile.destination_number, profile.context))
        return CallerExtension("y", "y", [("second", "")])

    ready: list[tuple[bool, ChannelState]] = []

    def work(session: Session, data: str) -> None:
        session.transfer("4000", "XML", "elsewhere")
        ready.append((session.channel.ready, session.channel.state))

    switch.dialplans.add(Dialplan("XML", "mod_test", hunt))
    switch.applications.add(
        Application("second", "mod_test", lambda s, d: ready.append((s.channel.ready, s.channel.state)))
    )
    Call(switch, work).end()
    assert hunted == [("4000", "elsewhere")]
    assert ready == [(False, ChannelState.CS_ROUTING), (True, ChannelState.CS_EXECUTE)]


def test_no_route_hangs_up(switch: Switch) -> None:
    call = Call(switch, lambda session, data: session.transfer("nowhere"))
    call.end()
    assert call.session.channel.hangup_cause is HangupCause.NO_ROUTE_DESTINATION


def test_an_unknown_application_hangs_up(switch: Switch) -> None:
    statuses: list[Status] = []
    call = Call(switch, lambda session, data: statuses.append(session.execute("no_such")))
    call.end()
    assert statuses == [Status.FALSE]
    assert call.session.channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER


def test_a_fault_of_ours_ends_its_call_only(switch: Switch) -> None:
    def broken(session: Session, data: str) -> None:
        raise ZeroDivisionError

    bugs: list[str] = []
    switch.observers.append(lambda kind, channel, facts: bugs.append(kind) if kind == "bug" else None)
    call = Call(switch, broken)
    names = call.end()
    assert bugs == ["bug"]
    assert names[-2:] == ["CHANNEL_DESTROY", "CHANNEL_STATE"]
    assert call.handset.told == ["hangup"]


def test_endless_execution_in_execution_is_stopped(switch: Switch) -> None:
    depths: list[int] = []

    def deeper(session: Session, data: str) -> None:
        depths.append(session.depth)
        session.execute("work")

    Call(switch, deeper).end()
    assert max(depths) == 50


def test_a_hangup_hook_runs_an_api_command(switch: Switch) -> None:
    from host.interfaces import ApiCommand, ApiRequest

    asked: list[str] = []

    def note(request: ApiRequest) -> str:
        asked.append(request.argument)
        return "noted"

    switch.api_commands.add(ApiCommand("note", "mod_test", note))
    call = Call(
        switch, lambda session, data: session.channel.set_variable("api_hangup_hook", "note ${uuid} x")
    )
    call.end()
    assert asked == [f"{call.session.uuid} x"]


def test_events_queued_for_a_call_go_to_who_diverts_them(switch: Switch) -> None:
    taken: list[object] = []
    call = Call(switch, lambda session, data: taken.append(session.receive(SECOND, (Event,))))
    diverted: list[Event] = []
    call.session.channel.private["divert_events"] = diverted.append
    call.session.queue_event(Event("CUSTOM", "a::b"))
    del call.session.channel.private["divert_events"]
    call.session.queue_event(Event("CUSTOM", "a::c"))
    call.end()
    assert [event.subclass for event in diverted] == ["a::b"]
    assert isinstance(taken[0], Event) and taken[0].subclass == "a::c"


def test_a_uuid_given_for_an_application_is_used_once(switch: Switch) -> None:
    call = Call(switch, lambda session, data: run_two(session))
    call.end()
    executed = [
        event.get_header("Application-UUID") for event in call.events if event.name == "CHANNEL_EXECUTE"
    ]
    assert executed[1] == "mine"
    assert executed[2] not in ("mine", None)


def run_two(session: Session) -> None:
    session.switch.applications.add(Application("idle", "mod_test", lambda session, data: None))
    session.channel.variables.set("app_uuid", "mine")
    session.execute("idle")
    session.execute("idle")
