"""What a recording beside a call leaves, tells and runs."""

from __future__ import annotations

import os
from pathlib import Path

from host.event import Event
from host.ivr.record import record_file, record_session, stop_record_session
from host.ivr.sleep import sleep
from host.session import Session
from host.status import Status
from host.switch import Switch
from tests.host.one_call import in_call


def recorded(switch: Switch, path: Path, ms: int = 500, **variables: str) -> Session:
    """Return the session of an ended call that recorded itself for `ms` under these variables."""

    def do(session: Session) -> None:
        for name, value in variables.items():
            session.channel.set_variable(name, value)
        assert record_session(session, str(path)) is Status.SUCCESS
        sleep(session, ms)
        stop_record_session(session, str(path))

    return in_call(switch, do).session


def test_a_recording_shorter_than_wanted_is_removed(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    get = recorded(switch, path, RECORD_MIN_SEC="2").channel.get_variable
    assert not path.exists()
    assert get("RECORD_DISCARDED") == "true"
    assert get("record_completion_cause") == "input-too-short"


def test_a_recording_long_enough_is_kept(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    get = recorded(switch, path, 2500, RECORD_MIN_SEC="2").channel.get_variable
    assert path.exists()
    assert get("RECORD_DISCARDED") is None
    assert get("record_completion_cause") == "success-maxtime"


def test_what_runs_when_a_recording_begins_and_ends(switch: Switch, tmp_path: Path) -> None:
    switch.modules.load("mod_commands")
    get = recorded(
        switch,
        tmp_path / "run.wav",
        execute_on_record_start="set began=1",
        execute_on_record_stop="set:ended=${record_completion_cause}",
        record_post_process_exec_app="set after=1",
        record_post_process_exec_api="global_setvar:record_test=done",
    ).channel.get_variable
    assert (get("began"), get("ended"), get("after")) == ("1", "success-maxtime", "1")
    assert switch.global_variables.get("record_test") == "done"


def test_settings_of_its_own_go_first(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "own.wav"
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["RECORD_STOP"])

    def do(session: Session) -> None:
        record_session(session, str(path), own_settings={"RECORD_MIN_SEC": "3"})
        sleep(session, 500)
        stop_record_session(session, str(path))

    in_call(switch, do)
    assert not path.exists()
    assert told[0].get_header("Recording-Variable-record_min_sec") == "3"


def test_the_same_file_again(switch: Switch, tmp_path: Path) -> None:
    path = str(tmp_path / "twice.wav")
    running: list[bool] = []

    def do(session: Session) -> None:
        for toggle in ("false", "false", "true"):
            session.channel.set_variable("RECORD_TOGGLE_ON_REPEAT", toggle)
            assert record_session(session, path) is Status.SUCCESS
            sleep(session, 200)
        running.append(bool(stop_record_session(session, path)))

    in_call(switch, do)
    assert running == [False] and os.path.exists(path)


def test_a_file_that_cannot_be_written_may_end_the_call(switch: Switch) -> None:
    ready: list[bool] = []

    def do(session: Session) -> None:
        for wanted in ("false", "true"):
            session.channel.set_variable("RECORD_HANGUP_ON_ERROR", wanted)
            assert record_session(session, "/tmp/x.nosuch") is Status.GENERR
            ready.append(session.channel.ready)

    in_call(switch, do)
    assert ready == [True, False]


def test_record_file_has_no_completion_cause(switch: Switch, tmp_path: Path) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["RECORD_STOP"])
    outcome = in_call(switch, lambda session: record_file(session, str(tmp_path / "one.wav"), 1))
    assert outcome.session.channel.get_variable("record_completion_cause") is None
    size = str((tmp_path / "one.wav").stat().st_size)
    assert outcome.session.channel.get_variable("record_record_file_size") == size
    assert told[0].get_header("Record-Completion-Cause") is None


def test_hanging_up_ends_a_recording_like_silence(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> None:
        record_session(session, str(tmp_path / "end.wav"))
        sleep(session, 300)

    session = in_call(switch, do).session
    assert session.channel.get_variable("record_completion_cause") == "success-silence"
