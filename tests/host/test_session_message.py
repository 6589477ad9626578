"""Messages that steer a call, and lines of several API commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.channel import Flag
from host.clock import MILLISECOND, SECOND, VirtualClock
from host.console_line import run_line
from host.event import Event
from host.interfaces import ApiCommand, Application
from host.session import Session
from host.session_message import queue_message
from host.switch import Switch
from tests.host.handset import start_call


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    clock = VirtualClock()
    with clock.participating():
        made = Switch(clock, tmp_path, seed=1)
        yield made
        made.close()


@pytest.fixture
def noted(switch: Switch) -> list[tuple[int, str]]:
    """What the application `note` was given, and when in ms; `wait` waits so many ms."""
    notes: list[tuple[int, str]] = []

    def note(session: Session, data: str) -> None:
        notes.append((session.clock.now() // MILLISECOND, data))

    def wait(session: Session, data: str) -> None:
        session.receive(session.clock.now() + int(data) * MILLISECOND, ())

    switch.applications.add(Application("note", "mod_test", note))
    switch.applications.add(Application("wait", "mod_test", wait))
    return notes


def message(command: str, *headers: tuple[str, str]) -> Event:
    return Event.of("COMMAND", (("call-command", command), *headers))


def execute(application: str, argument: str, *headers: tuple[str, str]) -> Event:
    return message("execute", ("execute-app-name", application), ("execute-app-arg", argument), *headers)


def test_loops_repeat_what_takes_its_time(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "5000"))
    turns: list[tuple[str | None, str | None]] = []
    switch.bus.subscribe(
        lambda event: turns.append(
            (event.get_header("variable_current_loop"), event.get_header("Application"))
        ),
        ("CHANNEL_EXECUTE_COMPLETE",),
    )
    queue_message(session, execute("wait", "600", ("loops", "3")))
    session.ended.wait()
    assert turns == [("1", "wait"), ("2", "wait"), ("3", "wait"), (None, "wait")]
    assert session.channel.variables.get("total_loops") is None


def test_a_short_turn_ends_a_loop(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "5000"))
    queue_message(session, execute("note", "once", ("loops", "-1")))
    session.ended.wait()
    assert noted == [(0, "once")]


def test_event_lock_keeps_others_out(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "3000"))
    queue_message(session, execute("wait", "1000", ("event-lock", "true")))
    queue_message(session, execute("note", "behind"))
    session.ended.wait()
    assert noted == [(1000, "behind")]
    assert Flag.EVENT_LOCK not in session.channel.flags


def test_lead_frames_are_waited_for_only_with_sound(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "3000"))
    queue_message(session, execute("note", "silent", ("lead-frames", "50")))
    switch.clock.sleep(100 * MILLISECOND)
    session.run_in_session(lambda call: call.answer())
    queue_message(session, execute("note", "sounding", ("lead-frames", "50")))
    session.ended.wait()
    assert noted == [(0, "silent"), (1100, "sounding")]


def test_a_new_extension_takes_the_place_of_the_old_one(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "3000"), ("note", "old"))
    switch.clock.sleep(SECOND)
    queue_message(session, message("xferext", ("application", "note new one"), ("application", "note")))
    session.ended.wait()
    assert noted == [(1000, "new one"), (1000, "")]
    assert session.handlers == []


def test_a_hangup_with_its_cause(switch: Switch, noted: list[tuple[int, str]]) -> None:
    session = start_call(switch, ("wait", "3000"), ("note", "old"))
    queue_message(session, message("hangup", ("hangup-cause", "USER_BUSY")))
    session.ended.wait()
    assert session.channel.hangup_cause.name == "USER_BUSY"
    assert noted == []


def test_a_message_is_told_with_its_headers_and_the_channels(
    switch: Switch, noted: list[tuple[int, str]]
) -> None:
    session = start_call(switch, ("wait", "1000"))
    told: list[Event] = []
    switch.bus.subscribe(told.append, ("PRIVATE_COMMAND",))
    queue_message(session, execute("note", "x"))
    session.ended.wait()
    names = [name for name, _ in told[0].headers]
    assert names[:4] == ["call-command", "execute-app-name", "execute-app-arg", "Event-Name"]
    assert "Unique-ID" in names and not any(name.startswith("variable_") for name in names)


def test_the_last_command_of_a_line_decides(switch: Switch) -> None:
    switch.api_commands.add(ApiCommand("echo", "mod_test", lambda request: request.argument))
    assert run_line(switch, "  echo a b;; echo c") == "a bc"
    assert run_line(switch, "nonsense;;echo c") == "INVALID COMMAND!\nc"
    assert run_line(switch, "echo c;;nonsense") == "-ERR echo c;;nonsense Command not found!\n"
    switch.words.set_alias("both words", "echo hit")
    assert run_line(switch, "both words").endswith("hit")


@given(st.text(max_size=60))
def test_any_line_has_an_answer(text: str) -> None:
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, Path("/nonexistent"), seed=1)
        switch.words.set_alias("a", "a;;a b;;a")
        assert isinstance(run_line(switch, text), str)
        switch.close()
