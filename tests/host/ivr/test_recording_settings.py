"""What the settings of a recording make of it: its file's tags, channels and rate, when it hears and when it ends."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from host.event import Event
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.record import record_file, record_session, session_recordings, stop_record_session
from host.ivr.sleep import sleep
from host.session import Session
from host.status import Status
from host.switch import Switch
from media.sndfile import Sndfile
from media.source import Samples
from tests.host.ivr.legs import Legs
from tests.host.one_call import in_call

TAGS = {
    "RECORD_TITLE": "A Title",
    "RECORD_COPYRIGHT": "c",
    "RECORD_ARTIST": "Grüße",
    "RECORD_COMMENT": "m",
    "RECORD_DATE": "2026-11-24",
}
IN_FILE = {name.removeprefix("RECORD_").lower(): text for name, text in TAGS.items()}


def tags(path: Path) -> dict[str, str]:
    file = Sndfile(str(path))
    found = file.tags()
    file.close()
    return found


def sound(path: Path) -> NDArray[np.int16]:
    """Return what a WAV holds, shape (frames, channels)."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())


def said(*parts: tuple[int, int]) -> Samples:
    """Return sound of so many ms of each sample value."""
    return Samples(np.concatenate([np.full(8 * ms, value, np.int16) for ms, value in parts]), 8000)


def recorded(
    switch: Switch, path: str, variables: dict[str, str], ms: int = 500, say: Samples | None = None
) -> Session:
    """Return the session of an ended call that recorded itself for `ms` under these variables, then went on."""

    def do(session: Session) -> None:
        for name, value in variables.items():
            session.channel.set_variable(name, value)
        assert record_session(session, path) is Status.SUCCESS
        sleep(session, ms)
        stop_record_session(session, path)

    return in_call(switch, do, say=say).session


def test_tags_of_a_recording_beside_the_call(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "tags.wav"
    get = recorded(switch, str(path), TAGS).channel.get_variable
    assert tags(path) == IN_FILE
    assert [get(name) for name in TAGS] == [None] * len(TAGS)


def test_tags_of_a_caller_who_is_recorded(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "tags.wav"

    def do(session: Session) -> None:
        for name, value in TAGS.items():
            session.channel.set_variable(name, value)
        session.channel.set_variable("record_title", "before")
        record_file(session, f"{{record_title=A Title}}{path}", 1)

    get = in_call(switch, do).session.channel.get_variable
    assert tags(path) == IN_FILE
    assert [get(name) for name in TAGS] == [None] * len(TAGS)


def test_tags_stay_when_there_is_no_file(switch: Switch) -> None:
    def do(session: Session) -> None:
        session.channel.set_variable("RECORD_TITLE", "later")
        assert record_session(session, "/tmp/x.nosuch") is Status.GENERR

    assert in_call(switch, do).session.channel.get_variable("RECORD_TITLE") == "later"


def test_a_tagged_file_is_continued(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "twice.wav"
    for number in (1, 2):
        recorded(switch, str(path), {"RECORD_APPEND": "true", "RECORD_TITLE": f"part {number}"})
    assert tags(path) == {"title": "part 2"}
    assert len(sound(path)) == 8000


@pytest.mark.parametrize(
    ("variables", "heard"),
    [
        ({"RECORD_STEREO": "true"}, [100, 0]),
        ({"RECORD_STEREO_SWAP": "true"}, [0, 100]),
        ({"RECORD_STEREO": "true", "RECORD_READ_ONLY": "true"}, [100, 0]),
        ({"RECORD_STEREO_SWAP": "true", "RECORD_READ_ONLY": "true"}, [0, 100]),
        ({"RECORD_STEREO": "true", "RECORD_WRITE_ONLY": "true"}, [0, 0]),
        ({"RECORD_WRITE_ONLY": "true"}, [0]),
        ({"RECORD_READ_ONLY": "true", "RECORD_WRITE_ONLY": "true"}, [100]),
    ],
)
def test_channels_and_directions(
    switch: Switch, tmp_path: Path, variables: dict[str, str], heard: list[int]
) -> None:
    path = tmp_path / "sides.wav"
    recorded(switch, str(path), variables, say=said((1000, 100)))
    samples = sound(path)
    assert len(samples) == 4000
    assert samples[2000].tolist() == heard


def test_directions_in_front_of_the_path(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "sides.wav"
    recorded(switch, f"{{record_write_only=true,record_title=x}}{path}", {}, say=said((1000, 100)))
    assert not sound(path).any()
    assert tags(path) == {}


@pytest.mark.parametrize(("asked", "rate"), [("16000", 16000), ("12345", 8000), ("-1", 8000)])
def test_the_rate_of_the_file(switch: Switch, tmp_path: Path, asked: str, rate: int) -> None:
    path = tmp_path / "rate.wav"
    get = recorded(switch, str(path), {"record_sample_rate": asked}).channel.get_variable
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnframes()) == (rate, rate // 2)
    assert (get("record_samples"), get("record_ms")) == ("4000", "500")


def test_a_file_is_written_over(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "over.wav"

    def do(session: Session) -> None:
        record_file(session, str(path), 2)
        session.channel.set_variable("RECORD_WRITE_OVER", "true")
        record_file(session, str(path), 1)

    in_call(switch, do, say=said((2000, 100), (1000, 50)))
    samples = sound(path)[:, 0]
    assert len(samples) == 16000
    assert (samples[4000], samples[12000]) == (50, 100)


def test_the_limit_counts_from_the_last_key(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> None:
        session.channel.set_variable("record_restart_limit_on_dtmf", "true")
        record_file(
            session, str(tmp_path / "keys.wav"), 2, args=InputArgs(on_input=lambda *_: Status.SUCCESS)
        )

    get = in_call(switch, do, press=((1500, "1"),)).session.channel.get_variable
    assert 3500 <= int(get("record_ms") or "") < 3700


def test_an_indication_is_heard_once(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "both.wav"

    def do(session: Session) -> None:
        session.channel.set_variable("RECORD_WRITE_ONLY", "true")
        record_session(session, str(path))
        session.channel.set_variable("record_waste_resources", "0")
        record_file(session, f"{{record_indication=tone.wav}}{tmp_path / 'one.wav'}", 1)
        record_file(session, f"{{record_indication=nosuch.wav}}{tmp_path / 'two.wav'}", 1)

    outcome = in_call(switch, do)
    assert "Indication file invalid" in outcome.logs
    loud = np.flatnonzero(np.abs(sound(path)[:, 0]) > 500)
    assert len(loud) == 4000 and loud[-1] < 8000


@pytest.mark.parametrize(
    ("say", "variables", "ms", "cause"),
    [
        ([(9000, 0)], {"INITIAL_TIMEOUT_MS": "1000"}, 1000, "no-input-timeout"),
        ([(9000, 1000)], {"INITIAL_TIMEOUT_MS": "1000"}, 4000, "success-maxtime"),
        ([(9000, 0)], {"FINAL_TIMEOUT_MS": "1000"}, 4000, "success-maxtime"),
        ([(500, 0), (500, 1000), (9000, 0)], {"FINAL_TIMEOUT_MS": "1000"}, 2000, "success-silence"),
        (
            [(500, 0), (500, 1000), (800, 0), (400, 1000), (9000, 0)],
            {"INITIAL_TIMEOUT_MS": "600", "FINAL_TIMEOUT_MS": "1000"},
            3200,
            "success-silence",
        ),
        (
            [(9000, 1000)],
            {"INITIAL_TIMEOUT_MS": "1000", "SILENCE_THRESHOLD": "3000"},
            1000,
            "no-input-timeout",
        ),
        ([(9000, 0)], {"INITIAL_TIMEOUT_MS": "1000", "SILENCE_THRESHOLD": "0"}, 4000, "success-maxtime"),
        ([(9000, 0)], {"INITIAL_TIMEOUT_MS": "-1"}, 4000, "success-maxtime"),
    ],
)
def test_silence_ends_a_recording(
    switch: Switch,
    tmp_path: Path,
    say: list[tuple[int, int]],
    variables: dict[str, str],
    ms: int,
    cause: str,
) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["RECORD_STOP"])
    named = {f"RECORD_{name}": value for name, value in variables.items()}
    get = recorded(switch, str(tmp_path / "a.wav"), named, 4000, said(*say)).channel.get_variable
    assert [event.get_header("Record-Completion-Cause") for event in told] == [cause]
    assert get("record_completion_cause") == cause
    assert 0 <= int(get("record_ms") or "") - ms <= 60


def test_a_call_that_ends_before_anything_was_said(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> None:
        record_session(session, str(tmp_path / "a.wav"), own_settings={"RECORD_SILENCE_THRESHOLD": "200"})
        sleep(session, 500)

    get = in_call(switch, do, say=said((900, 0))).session.channel.get_variable
    assert get("record_completion_cause") == "no-input-timeout"


def test_only_what_is_heard_after_the_answer_is_recorded(legs: Legs, tmp_path: Path) -> None:
    legs.switch.modules.load("mod_sndfile")
    leg = legs.call("loopback/early/legs")
    path = str(tmp_path / "answered.wav")
    assert record_session(leg, path, own_settings={"RECORD_ANSWER_REQ": "true"}) is Status.SUCCESS
    assert session_recordings(leg)[path].recording.samples == 0
    legs.wait(2)
    stop_record_session(leg, path)
    assert 1100 <= int(leg.channel.get_variable("record_ms") or "") <= 1200
    assert not leg.channel.watchers
    legs.hang_up_all()


def test_only_what_is_heard_in_a_bridge_is_recorded(legs: Legs, tmp_path: Path) -> None:
    legs.switch.modules.load("mod_sndfile")
    path = str(tmp_path / "bridged.wav")
    near = legs.caller(
        ("record_session", path),
        ("pause", "1000"),
        ("bridge", "loopback/short/legs"),
        ("pause", "1000"),
        ("stop_record_session", path),
        ("park", ""),
        RECORD_BRIDGE_REQ="true",
    )
    legs.wait(4)
    assert 560 <= int(near.channel.get_variable("record_ms") or "") <= 640
    legs.hang_up_all()


def test_a_recording_without_its_bridge_is_empty(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    get = recorded(switch, str(path), {"RECORD_BRIDGE_REQ": "true"}).channel.get_variable
    assert get("record_completion_cause") == "empty-file" and not path.exists()
    assert get("record_file_size") == "44"  # it was a WAV's header


@pytest.mark.parametrize("toggle", ["false", "true"])
def test_what_the_bridged_call_records_is_not_recorded_again(legs: Legs, tmp_path: Path, toggle: str) -> None:
    legs.switch.modules.load("mod_sndfile")
    path = str(tmp_path / "once.wav")
    near = legs.caller(("bridge", "null/far"))
    legs.wait(0.1)
    far = legs.switch.sessions[near.partner or ""]
    near.channel.set_variable("RECORD_TOGGLE_ON_REPEAT", toggle)
    assert record_session(near, path) is Status.SUCCESS
    legs.wait(0.1)
    assert record_session(far, path, own_settings={"RECORD_CHECK_BRIDGE": "true"}) is Status.SUCCESS
    assert not session_recordings(far)
    assert bool(session_recordings(near)) is (toggle == "false")
    legs.hang_up_all()


def test_settings_that_a_command_gives(legs: Legs, tmp_path: Path) -> None:
    for module in ("mod_sndfile", "mod_commands"):
        legs.switch.modules.load(module)
    path = tmp_path / "given.wav"
    leg = legs.parked()
    given = "%7Brecord_stereo=true,RECORD_TITLE='A Title'%7D"
    assert legs.switch.api("uuid_record", f"{leg.uuid} start {path} 1 {given}") == "+OK Success\n"
    legs.wait(2)
    assert sound(path).shape == (8000, 2)
    assert tags(path) == {"title": "A Title"}
    told = [event for event in legs.events if event.name == "RECORD_STOP"]
    assert [event.get_header("Recording-Variable-record_stereo") for event in told] == ["true"]
    legs.hang_up_all()


def test_a_file_that_is_played_tells_its_tags(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "tags.wav"
    recorded(switch, str(path), TAGS)
    heard: list[str | None] = []

    def do(session: Session) -> None:
        session.channel.set_variable("RECORD_DATE", "mine")
        for played in ("tone.wav", f"file_string://{path}!tone.wav"):
            assert play_file(session, played)
            heard.extend(session.channel.get_variable(name) for name in ("RECORD_TITLE", "RECORD_DATE"))

    in_call(switch, do)
    assert heard == [None, "mine", "A Title", "2026-11-24"]
