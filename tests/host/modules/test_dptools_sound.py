"""The applications of mod_dptools that play, speak, listen, record and log, in virtual time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from host.channel_state import ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.interfaces import ApiCommand
from host.log import LogLevel
from host.media_bug import media_bugs
from host.modules.mod_dptools.system import shell_command
from host.session import Session
from host.switch import Switch
from media import speexdsp
from media.dtmf import tones
from media.recording import Recording
from media.source import Samples, Sequence, Silence, Source
from media.speexdsp import SpeexDspUnavailable
from tests.host.one_call import in_call, took
from tests.media.ear import Ear


@pytest.fixture
def switch(virtual_switch: Switch, tmp_path: Path) -> Switch:
    with Recording(str(tmp_path / "tone_500.wav"), 8000) as recording:
        recording.write(np.full(4000, 1000, np.int16))
    virtual_switch.global_variables.set("sound_prefix", str(tmp_path))
    virtual_switch.modules.load("mod_sndfile")
    return virtual_switch


def run(session: Session, application: str, data: str = "") -> tuple[int, str | None]:
    """Return how many ms an application took, and its response."""
    ms = took(session, lambda: session.execute(application, data))
    return ms, session.channel.get_variable("current_application_response")


def loud(ms: int) -> NDArray[np.int16]:
    return np.full(8 * ms, 3000, np.int16)


def quiet(ms: int) -> NDArray[np.int16]:
    return np.zeros(8 * ms, np.int16)


@pytest.mark.parametrize(
    ("application", "data", "ms", "response"),
    [
        ("playback", "tone_500.wav", 500, "FILE PLAYED"),
        ("playback", "tone_500.wav@@2000", 260, "FILE PLAYED"),
        ("playback", "tone_stream://%(200,50,440);loops=2", 500, "FILE PLAYED"),
        ("playback", "none.wav", 0, "FILE NOT FOUND"),
        ("playback", "", 0, "PLAYBACK ERROR"),
        ("sleep", "400", 400, None),
        ("sleep", "x", 0, None),
        ("gentones", "%(300,0,440)|2", 600, None),
        ("gentones", "%(300,0,440)", 300, None),
        ("loop_playback", "+2 tone_500.wav", 1000, "FILE PLAYED"),
        ("loop_playback", "tone_500.wav", 500, "FILE PLAYED"),
        ("loop_playback", "+3 none.wav", 0, "FILE NOT FOUND"),
    ],
)
def test_how_long_it_takes_and_what_it_answers(
    switch: Switch, application: str, data: str, ms: int, response: str | None
) -> None:
    outcome = in_call(switch, lambda session: run(session, application, data))
    assert outcome.values == [(ms, response)]


def test_a_terminator_ends_a_playback_and_other_keys_are_eaten(switch: Switch) -> None:
    def do(session: Session) -> object:
        ms, response = run(session, "playback", "silence_stream://5000")
        used = session.channel.get_variable("playback_terminator_used")
        return ms, response, used, session.inbox.take(Digit)

    assert in_call(switch, do, press=((500, "12*3"),)).values == [(700, "FILE PLAYED", "*", None)]


@pytest.mark.parametrize(
    ("terminators", "ms", "used"), [("any", 500, "1"), ("none", 2000, None), ("#3", 700, "3")]
)
def test_terminators_are_chosen(switch: Switch, terminators: str, ms: int, used: str | None) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("playback_terminators", terminators)
        ms, _ = run(session, "playback", "silence_stream://2000")
        return ms, session.channel.get_variable("playback_terminator_used")

    assert in_call(switch, do, press=((500, "1*3"),)).values == [(ms, used)]


def test_endless_playback_heeds_no_keys(switch: Switch) -> None:
    outcome = in_call(
        switch,
        lambda session: run(session, "endless_playback", "tone_500.wav")[0],
        press=((700, "*#"),),
        hangup_ms=1700,
    )
    assert outcome.values == [1700]


def test_endless_playback_of_nothing_still_lets_time_pass(switch: Switch, tmp_path: Path) -> None:
    Recording(str(tmp_path / "empty.wav"), 8000).close()
    outcome = in_call(switch, lambda session: run(session, "endless_playback", "empty.wav")[0], hangup_ms=50)
    assert outcome.values == [50]


def test_loop_playback_without_a_path_hangs_up(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: run(session, "loop_playback", "+2"))
    assert outcome.session.channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER


def test_a_key_ends_sleep_and_stays_queued(switch: Switch) -> None:
    def do(session: Session) -> object:
        ms, _ = run(session, "sleep", "2000")
        again, _ = run(session, "sleep", "2000")
        digits = [session.inbox.take(Digit), session.inbox.take(Digit)]
        return ms, again, [digit.digit for digit in digits if digit is not None]

    assert in_call(switch, do, press=((300, "5"),)).values == [(300, 0, ["5"])]


def test_sleep_may_eat_digits(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("sleep_eat_digits", "true")
        return run(session, "sleep", "2000")[0], session.inbox.take(Digit)

    assert in_call(switch, do, press=((300, "5"),)).values == [(2000, None)]
    assert in_call(switch, do, press=((300, "5*"),)).values == [(400, None)]


def test_read_collects_keys(switch: Switch) -> None:
    def do(session: Session) -> object:
        get = session.channel.get_variable
        session.execute("read", "1 4 silence_stream://50 c_read 3000 #")
        first = get("c_read"), get("read_result"), get("read_terminator_used")
        session.execute("read", "2 2 silence_stream://50 c_read 3000 #")
        second = get("c_read"), get("read_result")
        ms = took(session, lambda: session.execute("read", "1 4 silence_stream://50 c_read 300 #"))
        return first, second, ms, get("read_result")

    values = in_call(switch, do, press=((400, "12#"), (1000, "34"))).values
    assert values == [(("12", "success", "#"), ("34", "success"), 1060, "failure")]


def test_play_and_get_digits_tries_again(switch: Switch) -> None:
    def do(session: Session) -> object:
        data = "1 4 3 3000 # silence_stream://50 silence_stream://50 c_pagd ^[1-5]+$"
        session.execute("play_and_get_digits", data)
        return session.channel.get_variable("c_pagd")

    assert in_call(switch, do, press=((400, "9#"), (900, "5#"))).values == ["5"]


def test_keys_are_flushed_queued_sent_and_blocked(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("queue_dtmf", "12")
        session.execute("flush_dtmf")
        nothing = session.inbox.take(Digit)
        session.execute("queue_dtmf", "3@200")
        three = session.inbox.take(Digit)
        session.execute("send_dtmf", "4w5")
        session.execute("sleep", "2000")
        session.execute("block_dtmf")
        blocked = session.channel.flags
        return nothing, three.digit if three else None, three.duration if three else None, len(blocked) > 0

    outcome = in_call(switch, do)
    assert outcome.values == [(None, "3", 1600, True)]
    assert outcome.far.sent == ["4", "5"]


def test_keys_in_the_sound_are_heard_when_asked_for(switch: Switch) -> None:
    key = Samples(tones("7", 200, 8000), 8000)
    caller: Source = Sequence([Silence(8000, 2400), key, Silence(8000, 4000), key, Silence(8000)])

    def do(session: Session) -> object:
        session.execute("start_dtmf")
        session.execute("start_dtmf")
        first = run(session, "sleep", "900")[0]
        digit = session.inbox.take(Digit)
        session.execute("stop_dtmf")
        second = run(session, "sleep", "2000")[0]
        return 300 < first < 400, digit.digit if digit else None, digit.source if digit else None, second

    assert in_call(switch, do, say=caller).values == [(True, "7", "INBAND_AUDIO", 2000)]


def test_record_until_a_terminator(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"

    def do(session: Session) -> object:
        ms, _ = run(session, "record", f"{path} 20")
        return ms, session.channel.get_variable("playback_terminator_used")

    assert in_call(switch, do, press=((600, "*"),), say=Samples(loud(3000), 8000)).values == [(600, "*")]
    assert os.path.getsize(path) == pytest.approx(44 + 2 * 8 * 600, abs=400)


def test_record_until_silence_or_its_limit(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    caller = Samples(np.concatenate((loud(1000), quiet(9000))), 8000)
    outcome = in_call(switch, lambda session: run(session, "record", f"{path} 20 200 2")[0], say=caller)
    assert outcome.values == [pytest.approx(3000, abs=60)]
    assert in_call(switch, lambda session: run(session, "record", f"{path} +2")[0]).values == [2000]
    outcome = in_call(switch, lambda session: run(session, "record", f"{path} 20 200")[0])
    assert outcome.values == [pytest.approx(3000, abs=60)]  # without silence hits


def test_record_into_a_missing_folder_hangs_up(switch: Switch, tmp_path: Path) -> None:
    outcome = in_call(switch, lambda session: run(session, "record", f"{tmp_path}/none/out.wav"))
    assert outcome.session.channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER


def test_record_session_runs_beside_the_call(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"

    def do(session: Session) -> object:
        session.execute("record_session", str(path))
        session.execute("playback", "tone_500.wav")
        session.execute("record_session_pause", str(path))
        session.execute("playback", "tone_500.wav")
        session.execute("record_session_resume", str(path))
        session.execute("record_session_mask", str(path))
        session.execute("sleep", "100")
        session.execute("record_session_unmask", str(path))
        session.execute("stop_record_session", str(path))
        size = os.path.getsize(path)
        session.execute("sleep", "500")
        return size == os.path.getsize(path)

    assert in_call(switch, do).values == [True]
    assert os.path.getsize(path) == pytest.approx(44 + 2 * 8 * 600, abs=700)


def test_wait_for_silence(switch: Switch) -> None:
    caller = Samples(np.concatenate((quiet(400), loud(400), quiet(5000))), 8000)

    def do(session: Session) -> object:
        ms, _ = run(session, "wait_for_silence", "200 15 10 5000")
        get = session.channel.get_variable
        return ms, get("wait_for_silence_timeout"), get("wait_for_silence_listenhits")

    assert in_call(switch, do, say=caller).values == [(pytest.approx(800 + 300 + 480, abs=40), "false", "20")]


def test_waiting_for_silence_gives_up(switch: Switch) -> None:
    def do(session: Session) -> object:
        ms, _ = run(session, "wait_for_silence", "200 15 10 1000")
        return ms, session.channel.get_variable("wait_for_silence_timeout")

    assert in_call(switch, do, say=Samples(loud(5000), 8000)).values == [(1000, "true")]
    # The file that is played meanwhile ends it, too.
    outcome = in_call(
        switch, lambda session: run(session, "wait_for_silence", "200 15 10 5000 silence_stream://300")[0]
    )
    assert outcome.values == [300]


@pytest.mark.parametrize("data", ["", "1 2 3", "0 5 5 1000", "x 5 5 1000"])
def test_wait_for_silence_shows_its_usage(switch: Switch, data: str) -> None:
    outcome = in_call(switch, lambda session: run(session, "wait_for_silence", data)[0])
    assert outcome.values == [0]
    assert any(line.startswith("Usage: <silence_thresh>") for line in outcome.logs)


def test_detect_audio_and_silence(switch: Switch) -> None:
    caller = Samples(np.concatenate((quiet(400), loud(400), quiet(5000))), 8000)

    def do(session: Session) -> object:
        get = session.channel.get_variable
        sound = run(session, "detect_audio", "200 4 3000")[0], get("detect_audio_timeout")
        silence = run(session, "detect_silence", "200 4 3000")[0], get("detect_silence_timeout")
        nothing = (
            run(session, "detect_audio", "200 4 500")[0],
            get("detect_audio_timeout"),
            get("detect_audio_hits"),
        )
        return sound, silence, nothing

    sound = (pytest.approx(500, abs=20), "false")
    silence = (pytest.approx(400, abs=40), "false")
    assert in_call(switch, do, say=caller).values == [(sound, silence, (500, "true", "0"))]


def test_echo_sends_back_until_hangup(switch: Switch) -> None:
    ear = Ear()

    def do(session: Session) -> object:
        session.line.tap(ear, read=False)
        return run(session, "echo")[0]

    assert in_call(switch, do, say=Samples(loud(2000), 8000), hangup_ms=1000).values == [1000]
    assert ear.loudest == 3000


def test_log_lines(switch: Switch) -> None:
    levels: list[tuple[LogLevel, str]] = []
    switch.logs.add_sink(lambda entry: levels.append((entry.level, entry.text)))

    def do(session: Session) -> object:
        session.execute("log", "notice one two")
        session.execute("log", "alone")
        session.execute("log", "nonsense level")
        switch.logs.set_limit(LogLevel.ERR)
        session.execute("log", "info hidden")
        session.execute("session_loglevel", "info")
        session.execute("log", "info shown")
        return None

    in_call(switch, do)
    assert (LogLevel.NOTICE, "one two") in levels
    assert (LogLevel.DEBUG, "alone") in levels
    assert (LogLevel.DEBUG, "level") in levels
    assert (LogLevel.INFO, "shown") in levels
    assert (LogLevel.INFO, "hidden") not in levels


def test_info_logs_the_channels_data(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: session.execute("info"))
    assert any(line.startswith("CHANNEL_DATA:\n") and "variable_uuid" in line for line in outcome.logs)


def test_event_fires_with_the_channels_data(switch: Switch) -> None:
    events: list[Event] = []
    switch.bus.subscribe(events.append, ["CUSTOM"], "conformance::calls")
    data = "Event-Subclass=conformance::calls,Event-Name=CUSTOM, c_key = some value,c_other=2"
    outcome = in_call(switch, lambda session: session.execute("event", data))
    assert [event.get_header("Event-Subclass") for event in events] == ["conformance::calls"]
    assert events[0].get_header("c_key") == "some value"
    assert events[0].get_header("Unique-ID") == outcome.session.uuid


def test_check_acl(switch: Switch) -> None:
    switch.api_commands.add(
        ApiCommand("acl", "mod_test", lambda request: str(request.argument == "192.0.2.5 good").lower())
    )

    def do(session: Session) -> object:
        session.execute("check_acl", "192.0.2.5 good")
        still = session.channel.ready
        session.execute("check_acl", "192.0.2.5 bad user_busy")
        return still

    outcome = in_call(switch, do)
    assert outcome.values == [True]
    assert outcome.session.channel.hangup_cause is HangupCause.USER_BUSY


def test_privacy(switch: Switch) -> None:
    def do(session: Session) -> object:
        profile = session.channel.profile
        seen = []
        for mode in ("name", "off", "number", "no", "full", "false", "yes", "odd"):
            session.execute("privacy", mode)
            seen.append((profile.privacy_hide_name, profile.privacy_hide_number))
        return seen

    shown, hidden = (False, False), (True, True)
    expected = [(True, False), shown, (False, True), shown, hidden, shown, hidden, hidden]
    assert in_call(switch, do).values == [expected]


def test_displace_and_volume(switch: Switch) -> None:
    ear = Ear()

    def do(session: Session) -> object:
        session.line.tap(ear, read=False)
        session.execute("displace_session", "tone_500.wav")
        session.execute("sleep", "100")
        displaced = ear.loudest
        session.execute("stop_displace_session", "tone_500.wav")
        session.execute("set_mute", "write true")
        ear.forget()
        session.execute("playback", "tone_500.wav")
        muted = ear.loudest
        session.execute("remove_bugs")
        ear.forget()
        session.execute("playback", "tone_500.wav")
        return displaced, muted, ear.loudest

    assert in_call(switch, do).values == [(1000, 0, 1000)]


def test_folders_files_and_dates(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> object:
        session.execute("mkdir", f"{tmp_path}/a/b")
        (tmp_path / "a" / "b" / "x").write_text("x")
        session.execute("rename", f"{tmp_path}/a/b/x {tmp_path}/a/y")
        session.execute("strftime", "c_year=%Y")
        return (tmp_path / "a" / "y").exists(), session.channel.get_variable("c_year")

    assert in_call(switch, do).values == [(True, "2026")]


def test_system_runs_a_command_with_values_that_are_never_executed(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> object:
        put = session.channel.set_variable
        put("c_word", "written")
        put("c_bad", f"; touch {tmp_path}/owned #'\"`touch {tmp_path}/owned`")
        session.execute("system", f"echo ${{c_word}} > {tmp_path}/one")
        session.execute("system", f'printf %s "${{c_bad}}" > {tmp_path}/two')
        session.execute("system", f"printf %s '${{c_bad}}' > {tmp_path}/three")
        session.execute("system", f"echo ${{c_bad}} > {tmp_path}/four")
        return session.channel.get_variable("c_bad")

    value = in_call(switch, do).values[0]
    assert (tmp_path / "one").read_text() == "written\n"
    assert (tmp_path / "two").read_text() == value
    assert (tmp_path / "three").read_text() == value
    assert (tmp_path / "four").read_text().startswith("; touch")
    assert not (tmp_path / "owned").exists()


def test_the_parts_of_a_shell_command(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("a", "1")
        session.channel.set_variable("b", "a")
        return [
            shell_command(session, text)
            for text in ("x", "${a}", "'${a}' ${a}", "${${b}}$${a}", "$a ${unclosed", "\"it's ${a}\" '${a}'")
        ]

    value = "MOONLINE_VALUE_"
    assert in_call(switch, do).values == [
        [
            ("x", []),
            (f"${{{value}0}}", ["1"]),
            (f"''\"${{{value}0}}\"'' ${{{value}1}}", ["1", "1"]),
            (f"${{{value}0}}${{{value}1}}", ["1", "1"]),
            ("$a ${unclosed", []),
            (f"\"it's ${{{value}0}}\" ''\"${{{value}1}}\"''", ["1", "1"]),
        ]
    ]


def test_speak_without_engine_or_voice_hangs_up(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: session.execute("speak", "hello"))
    assert outcome.session.channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER
    outcome = in_call(
        switch, lambda session: (session.execute("speak", "none|voice|hello"), session.channel.ready)[1]
    )
    assert outcome.values == [True]


def test_applications_are_those_of_freeswitch(switch: Switch) -> None:
    for name, syntax in (
        ("playback", "<path>"),
        ("record", "<path> [<time_limit_secs>] [<silence_thresh>] [<silence_hits>]"),
    ):
        application = switch.applications.get(name)
        assert application is not None and application.syntax == syntax and application.needs_media
    assert in_call(switch, lambda session: session.channel.running_state).values == [ChannelState.CS_EXECUTE]


def test_verbose_events_carry_variables(switch: Switch) -> None:
    events: list[Event] = []
    switch.bus.subscribe(events.append, ["DTMF"])

    def do(session: Session) -> object:
        def tell() -> None:
            digit = session.inbox.take(Digit)
            assert digit is not None
            session.tell_digit(digit)

        session.execute("queue_dtmf", "1")
        tell()
        session.execute("verbose_events")
        session.execute("queue_dtmf", "2")
        tell()
        return None

    in_call(switch, do)
    assert [event.get_header("variable_uuid") is not None for event in events] == [False, True]


def test_tones_are_detected(switch: Switch) -> None:
    events: list[Event] = []
    switch.bus.subscribe(events.append, ["DETECTED_TONE"])
    fax = Samples((np.sin(np.arange(16000) * 2 * np.pi * 1100 / 8000) * 8000).astype(np.int16), 8000)

    def do(session: Session) -> object:
        session.execute("fax_detect")
        session.execute("tone_detect", "other 440 r +1")
        session.execute("tone_detect", "wrong")
        session.execute("sleep", "1500")
        session.execute("stop_tone_detect")
        return None

    outcome = in_call(switch, do, say=fax)
    assert {event.get_header("Detected-Tone") for event in events} == {"fax"}
    assert "INVALID ARGS!" in outcome.logs


def test_presence(switch: Switch) -> None:
    events: list[Event] = []
    switch.bus.subscribe(events.append, ["PRESENCE_IN"])

    def do(session: Session) -> object:
        session.execute("presence", "unknown hold")
        session.channel.set_variable("presence_id", "1000@example.com")
        session.execute("presence", "unknown hold")
        session.execute("presence", "unknown Talking 1001@example.com")
        return None

    in_call(switch, do)
    told = [(event.get_header("from"), event.get_header("presence-call-info-state")) for event in events]
    assert told == [("1000@example.com", "held"), ("1001@example.com", "active")]


def test_preprocess(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        speexdsp.require()
    except SpeexDspUnavailable:
        pytest.skip("libspeexdsp is not installed")
    switch.modules.load("mod_commands")
    hiss = Samples(np.random.default_rng(1).normal(0, 400, 24000).astype(np.int16), 8000)

    def do(session: Session) -> object:
        api, uuid = session.switch.api, session.uuid
        session.execute("preprocess", "x.agc=1,r.echo_cancel=true,r.depth=1,w.noise_suppress=3")
        bugs = [bug.function for bug in media_bugs(session)]
        replies = [api("uuid_preprocess", f"{uuid} r.agc=4000,w.noise_suppress=-20")]
        session.execute("sleep", "100")
        session.execute("preprocess", "stop")
        monkeypatch.setattr("host.ivr.preprocess.require", unavailable)
        replies.append(api("uuid_preprocess", f"{uuid} r.agc=off"))
        session.execute("preprocess", "r.agc=on")
        replies.append(api("uuid_preprocess", uuid))
        return bugs, replies, [bug.function for bug in media_bugs(session)]

    def unavailable() -> None:
        raise SpeexDspUnavailable

    outcome = in_call(switch, do, say=hiss)
    missing = "libspeexdsp.so.1 is not installed (Debian: libspeexdsp1)"
    assert outcome.values == [(["preprocess"], ["+OK\n", f"-ERR {missing}\n", "-USAGE: <>\n"], [])]
    assert [
        text
        for text in outcome.logs
        if text.startswith(("Syntax error", "There is no echo", "Warning unknown"))
    ] == [
        "Syntax error parsing preprocessor commands",
        "There is no echo_cancel here: echoes are not cancelled",
        "Warning unknown parameter [depth] ",
        "Syntax error noise_suppress should be in -db",
    ]
    assert f"Cannot preprocess: {missing}" in outcome.logs
