"""mod_avmd: the beep's event, variables and hooks, and what the command answers."""

from __future__ import annotations

import numpy as np
import pytest

from host.event import Event
from host.hangup_cause import HangupCause
from host.media_bug import media_bugs
from host.modules.mod_avmd.settings import AvmdSettingError, AvmdSettings, with_entries
from host.session import Session
from host.switch import Switch
from media.source import Samples, Sequence, Silence
from tests.host.one_call import in_call

INBOUND = "inbound_channel=1,outbound_channel=0"


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    virtual_switch.modules.load("mod_avmd")
    return virtual_switch


def events_of(switch: Switch) -> list[Event]:
    events: list[Event] = []
    switch.bus.subscribe(events.append, ["CUSTOM", "MEDIA_BUG_START", "MEDIA_BUG_STOP"])
    return events


def told(events: list[Event]) -> list[str]:
    return [event.subclass or event.name for event in events]


def test_a_beep_is_told_and_noted(switch: Switch) -> None:
    events = events_of(switch)

    def do(session: Session) -> object:
        session.channel.set_variable("execute_on_avmd_beep", "set seen_detect=${avmd_detect}x")
        session.execute("avmd_start", INBOUND)
        session.execute("playback", "silence_stream://1000")
        session.execute("playback", "tone_stream://%(400,0,1000)")
        session.execute("avmd_stop")
        session.execute("avmd_stop")
        get = session.channel.get_variable
        return get("avmd_detect"), get("avmd_total_time"), get("seen_detect")

    outcome = in_call(switch, do)
    assert outcome.values == [("TRUE", "[1080]", "x")]
    assert told(events) == ["MEDIA_BUG_START", "avmd::start", "avmd::beep", "avmd::stop", "MEDIA_BUG_STOP"]
    bug, start, beep, stop, _ = events
    assert bug.get_header("Media-Bug-Function") == "avmd" and bug.get_header("Media-Bug-Target") == "N/A"
    assert start.get_header("Unique-ID") == outcome.session.uuid
    assert start.get_header("Call-command") == "avmd"
    assert int(start.get_header("Start-time") or "0") > 0
    assert beep.get_header("Beep-Status") == "DETECTED"
    assert abs(float(beep.get_header("Frequency") or "0") - 1000) < 1
    assert float(beep.get_header("Amplitude") or "0") > 1000
    assert beep.get_header("Detection-time") == "1080000"
    names = [name for name, _ in beep.headers]
    assert names[names.index("Unique-ID") :] == [
        "Unique-ID",
        "Call-command",
        "Beep-Status",
        "Frequency",
        "Frequency-variance",
        "Amplitude",
        "Amplitude-variance",
        "Detection-time",
        "Detector-resolution",
        "Detector-offset",
        "Detector-index",
    ]
    assert stop.get_header("Beep-Status") == "DETECTED"
    assert stop.get_header("Total-time") == "1400000"
    assert any(text.startswith("Stop failed - no avmd session running") for text in outcome.logs)


def test_the_calls_own_script_gets_the_events(switch: Switch) -> None:
    got: list[Event] = []

    def do(session: Session) -> object:
        session.channel.private["divert_events"] = got.append
        session.execute("avmd_start", INBOUND)
        session.execute("playback", "tone_stream://%(400,0,800)")
        return None

    in_call(switch, do)
    assert told(got) == ["avmd::start", "avmd::beep"]


def test_an_outbound_channel_is_listened_to_and_an_inbound_one_is_not(switch: Switch) -> None:
    rate = 8000
    beep = Samples((4000 * np.sin(np.arange(3200) * 2 * np.pi * 900 / rate)).astype(np.int16), rate)
    said = Sequence([Silence(rate, 1600), beep])

    def do(session: Session) -> object:
        session.execute("avmd_start")
        session.channel.outbound = True
        session.execute("avmd_start")
        session.execute("avmd_start")
        session.execute("playback", "silence_stream://1000")
        session.execute("avmd", "again")
        session.execute("avmd", "stop")
        return session.channel.get_variable("avmd_detect")

    outcome = in_call(switch, do, say=said)
    assert outcome.values == ["TRUE"]
    assert "Avmd on channel [test/1] NOT started" in outcome.logs
    assert "Avmd on channel [test/1] started! direction=READ_REPLACE" in outcome.logs
    assert "Avmd already started!" in outcome.logs
    assert "Cannot run 2 at once on the same channel!" in outcome.logs


def test_the_command(switch: Switch) -> None:
    def do(session: Session) -> object:
        uuid, name = session.uuid, session.channel.name
        api = session.switch.api
        assert api("avmd", "").startswith("-ERR, bad command!\n-USAGE: <uuid> < start |")
        assert api("avmd", "none start").startswith("-ERR, no FreeSWITCH session for uuid [none]!")
        assert (
            api("avmd", f"{uuid} stop") == f"+ERR, avmd has not yet been started on\n [{uuid}] [{name}]\n\n"
        )
        assert "can't set direction" in api("avmd", f"{uuid} start")
        assert api("avmd", "set inbound") == "+OK\n inbound XML configuration loaded\n\n"
        assert api("avmd", f"{uuid} begin").startswith(f"-ERR, did you mean\n api avmd {uuid} start ?")
        assert api("avmd", f"{uuid} start") == f"+OK\n [{uuid}] [{name}] started!\n\n"
        assert "already started" in api("avmd", f"{uuid} start")
        shown = api("avmd", "show")
        assert (
            "inbound channel				\t1\n" in shown
            and "sessions					   \t1\n" in shown
        )
        assert [bug.function for bug in media_bugs(session)] == ["avmd"]
        assert api("avmd", f"{uuid} stop") == f"+OK\n [{uuid}] [{name}] stopped\n\n"
        assert api("avmd", "set").startswith("-ERR, set command takes 1 parameter!")
        assert api("avmd", "load default").startswith("-ERR, load command: bad syntax!")
        assert api("avmd", "set default") == "+OK\n reset to factory settings\n\n"
        assert api("avmd", "reload") == "+OK\n XML reloaded\n\n"
        return True

    assert in_call(switch, do).values == [True]


def test_a_call_that_ends_while_it_listens(switch: Switch) -> None:
    events = events_of(switch)

    def do(session: Session) -> object:
        session.execute("avmd_start", INBOUND)
        session.channel.hangup(HangupCause.NORMAL_CLEARING)
        return None

    in_call(switch, do)
    assert "avmd::stop" not in told(events)


def test_unloading_ends_it(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("avmd_start", INBOUND)
        session.switch.modules.unload("mod_avmd")
        return "_avmd_" in session.channel.private

    assert in_call(switch, do).values == [False]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("=1", "Syntax error. No key specified"),
        ("debug", "Syntax error. No value for the key? Currently we accept only option=value syntax"),
        ("debug=", "Syntax error. No value for the key? Currently we accept only option=value syntax"),
        ("debug=1=2", "Syntax error. Currently we accept only option=value syntax"),
        ("speed=1", "Option not found. Please check option name is correct"),
        ("detection_mode=3", "Bad value for this option"),
        ("detectors_n=x", "Bad value for this option"),
        (",".join(["debug=1"] * 21), "Syntax Error, avmd_start APP takes [0] to [20] parameters"),
    ],
)
def test_settings_that_there_are_not(text: str, last: str) -> None:
    with pytest.raises(AvmdSettingError) as raised:
        with_entries(AvmdSettings(), text)
    assert raised.value.lines[-1] == last


def test_settings_of_a_call() -> None:
    made = with_entries(AvmdSettings(), "detection_mode=1,sample_n_continuous_streak=7,report_status=off")
    assert (made.detection_mode, made.streak, made.report_status) == (1, 7, 0)
    assert with_entries(made, "require_continuous_streak=0").streak == 0
    assert with_entries(made, "detection_mode=0").streak == 3
