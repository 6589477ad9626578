"""Commands on live calls, beyond what was recorded."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from host.caller_profile import CallerExtension
from host.channel import Flag
from host.clock import SECOND
from host.event import Event
from host.inbox import Digit
from host.ivr.tone_detect import stop_tone_detect, tone_detect_session
from host.log import LogEntry, LogLevel
from host.media_bug import media_bugs
from host.session import Session
from host.session_message import transfer_to_extension
from host.switch import Switch
from tests.host.placed_call import parked, placed


def events(switch: Switch, *names: str) -> list[Event]:
    told: list[Event] = []
    switch.bus.subscribe(told.append, names)
    return told


def test_a_dump_tells_the_variables_in_each_form(switch: Switch, leg: Session) -> None:
    leg.channel.set_variable("odd", "a b\nc")
    plain = switch.api("uuid_dump", f"{leg.uuid} plain")
    encoded = switch.api("uuid_dump", leg.uuid)
    assert f"Unique-ID: [{leg.uuid}]\n" in plain and "variable_odd: [a b\nc]\n" in plain
    assert "variable_odd: a%20b%0Ac\n" in encoded
    assert json.loads(switch.api("uuid_dump", f"{leg.uuid} json"))["variable_odd"] == "a b\nc"
    assert switch.api("uuid_dump", f"{leg.uuid} xml").startswith("<event>")


def test_received_digits_bypass_bindings_but_for_a_tilde(
    switch: Switch, leg: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[Digit] = []
    monkeypatch.setattr(leg, "receive_digit", put.append)
    switch.api("uuid_recv_dtmf", f"{leg.uuid} 1")
    switch.api("uuid_recv_dtmf", f"{leg.uuid} ~2@100")
    assert [(d.digit, d.duration, d.processed) for d in put] == [("1", 2000, False), ("2", 800, True)]


@pytest.mark.parametrize(
    ("keys", "taken"), [("@", True), ("~@100", True), ("+", True), ("z", False), ("zz@100", False)]
)
def test_no_keys_are_received_all_the_same_but_other_letters_are_not(
    switch: Switch, leg: Session, keys: str, taken: bool
) -> None:
    reply = switch.api("uuid_recv_dtmf", f"{leg.uuid} {keys}")
    assert reply.startswith(f"+OK {leg.uuid} received DTMF {keys}." if taken else "-USAGE: ")


def test_tones_share_a_media_bug(switch: Switch, leg: Session) -> None:
    for key, flags in (("first", "r"), ("second", "ro")):
        assert tone_detect_session(leg, key, "440", flags)
    [bug] = media_bugs(leg)
    assert (bug.function, bug.target) == ("tone_detect", "first")
    assert len(leg.background_detectors) == 2
    [*_, second] = leg.background_detectors.values()
    second("")  # for once, which ends all
    assert media_bugs(leg) == [] and not leg.background_detectors
    assert tone_detect_session(leg, "third", "440")
    assert [bug.target for bug in media_bugs(leg)] == ["third"]
    stop_tone_detect(leg)
    assert media_bugs(leg) == []


def test_a_w_among_sent_digits_waits(switch: Switch, leg: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(
        leg.io, "send_dtmf", lambda session, digit, *rest: sent.append((digit, switch.clock.now()))
    )
    began = switch.clock.now()
    switch.api("uuid_send_dtmf", f"{leg.uuid} 1w2W3")
    assert switch.clock.now() == began + SECOND * 3 // 2  # FreeSWITCH: the command waits meanwhile
    assert sent == [("1", began), ("2", began + SECOND // 2), ("3", began + SECOND * 3 // 2)]


def test_dropped_digits_do_not_arrive(switch: Switch, leg: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    switch.api("uuid_drop_dtmf", f"{leg.uuid} on mask_digits 0")
    assert Flag.DROP_DTMF in leg.channel.flags
    put: list[object] = []
    monkeypatch.setattr(leg.inbox, "put", put.append)
    leg.receive_digit(Digit("1"))
    switch.api("uuid_recv_dtmf", f"{leg.uuid} ~2")
    assert not put


def test_a_heartbeat_beats_until_it_is_ended(switch: Switch, leg: Session) -> None:
    told = events(switch, "SESSION_HEARTBEAT")
    switch.api("uuid_session_heartbeat", f"{leg.uuid} 10")
    assert not told
    switch.clock.sleep(25 * SECOND)
    assert len(told) == 2
    switch.api("uuid_session_heartbeat", f"{leg.uuid} sched 10")
    switch.clock.sleep(15 * SECOND)
    assert len(told) == 3
    switch.api("uuid_session_heartbeat", f"{leg.uuid} 0")
    switch.clock.sleep(30 * SECOND)
    assert len(told) == 3
    leg.channel.set_variable("heartbeat_fire_on_set", "true")
    switch.api("uuid_session_heartbeat", f"{leg.uuid} 10")
    switch.clock.sleep(1 * SECOND)
    assert len(told) == 4


def test_a_heartbeat_without_seconds_is_the_usage(switch: Switch, leg: Session) -> None:
    assert switch.api("uuid_session_heartbeat", f"{leg.uuid} sched").startswith("-USAGE: ")


def test_a_calls_log_level_lets_more_lines_through(switch: Switch, leg: Session) -> None:
    lines: list[LogEntry] = []
    switch.logs.add_sink(lines.append)
    switch.api("fsctl", "loglevel err")
    for level in ("alert", "info"):
        switch.api("uuid_loglevel", f"{leg.uuid} {level}")
        leg.channel.log(LogLevel.INFO, f"little {level}")
        leg.channel.log(LogLevel.ERR, f"much {level}")
    assert [entry.text for entry in lines] == ["much alert", "little info", "much info"]


def test_broadcasts_play_one_after_another_and_what_was_played_goes_on(switch: Switch) -> None:
    session = placed(switch, "null/x &playback(silence_stream://4000)")
    switch.clock.sleep(SECOND)
    for length in (1000, 2000):
        switch.api("uuid_broadcast", f"{session.uuid} silence_stream://{length} aleg")
    switch.clock.sleep(2 * SECOND)
    assert session.channel.get_variable("current_application_data") == "silence_stream://2000"
    switch.clock.sleep(3 * SECOND)  # 3 s of silence, and 3 of the tone are left
    assert session.channel.up
    switch.clock.sleep(2 * SECOND)
    assert session.channel.down


def test_the_file_that_plays_is_steered(switch: Switch, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file_of_silence:
        file_of_silence.setparams((1, 2, 8000, 0, "NONE", ""))
        file_of_silence.writeframes(bytes(2 * 4 * 8000))
    session = placed(switch, f"null/x &playback({path})")
    switch.clock.sleep(SECOND)
    file = session.playing
    assert file is not None
    for text, position in (
        ("seek:+500", 12_000),
        ("seek:-1000", 4_000),
        ("seek:2000", 16_000),
        ("restart", 0),
    ):
        switch.api("uuid_fileman", f"{session.uuid} {text}")
        assert file.position == position
    switch.api("uuid_fileman", f"{session.uuid} speed:2")
    switch.clock.sleep(SECOND)
    assert file.position == 16_000
    switch.api("uuid_fileman", f"{session.uuid} speed:-1")
    assert (file.speed_step, file.position) == (1, 16_000 * 3 // 4 * 4 // 3)
    switch.api("uuid_fileman", f"{session.uuid} volume:+9")
    assert file.volume_step == 4
    switch.api("uuid_fileman", f"{session.uuid} pause")
    switch.clock.sleep(60 * SECOND)
    assert file.paused
    assert session.channel.up
    assert switch.api("uuid_fileman", f"{session.uuid} stop") == "+OK\n"
    switch.clock.sleep(SECOND)
    assert session.playing is file  # only an input callback can end it
    switch.api("uuid_break", session.uuid)
    switch.clock.sleep(SECOND)
    assert session.channel.down


def test_a_recording_is_masked_and_limited(switch: Switch, tmp_path: Path, leg: Session) -> None:
    path = tmp_path / "made" / "x.wav"
    assert switch.api("uuid_record", f"{leg.uuid} start {path} 3") == "+OK Success\n"
    switch.clock.sleep(SECOND)
    assert switch.api("uuid_record", f"{leg.uuid} pause {path}") == "+OK Success\n"
    switch.clock.sleep(SECOND)
    assert switch.api("uuid_record", f"{leg.uuid} resume {path}") == "+OK Success\n"
    switch.clock.sleep(5 * SECOND)
    assert leg.channel.get_variable("record_ms") == "2000"
    assert switch.api("uuid_record", f"{leg.uuid} stop {path}") == "-ERR Cannot stop record session!\n"


def test_all_channels_or_those_with_a_variable_are_hung_up(switch: Switch) -> None:
    one, two = parked(switch, "group=a"), parked(switch, "group=b")
    assert switch.api("hupall", "USER_BUSY group b").startswith(
        "+OK hangup all channels matching [group]=[b]"
    )
    assert one.channel.up and two.channel.down
    assert switch.api("hupall") == "+OK hangup all channels with cause MANAGER_REQUEST\n"
    assert one.channel.down


def test_calls_are_listed_with_both_legs(switch: Switch) -> None:
    one, two = parked(switch), parked(switch)
    alone = parked(switch)
    switch.api("uuid_bridge", f"{one.uuid} {two.uuid}")
    switch.clock.sleep(SECOND)
    rows = json.loads(switch.api("show", "calls as json"))["rows"]
    assert [(row["uuid"], row["b_uuid"]) for row in rows] == [(alone.uuid, ""), (one.uuid, two.uuid)]
    bridged = json.loads(switch.api("show", "detailed_bridged_calls as json"))["rows"]
    assert [(row["uuid"], row["b_uuid"]) for row in bridged] == [(one.uuid, two.uuid)]
    assert switch.api("show", "calls count") == "\n2 total.\n"


def test_a_background_job_tells_its_reply(switch: Switch) -> None:
    told = events(switch, "BACKGROUND_JOB")
    reply = switch.api("bgapi", "expr 1+1")
    switch.clock.sleep(SECOND)
    job = reply.removeprefix("+OK Job-UUID: ").strip()
    assert [(e.get_header("Job-UUID"), e.get_header("Job-Command"), e.body) for e in told] == [
        (job, "expr", "2")
    ]


def test_programs_can_be_switched_off(tmp_path: Path) -> None:
    from host.clock import VirtualClock

    switch = Switch(VirtualClock(), tmp_path)
    switch.global_variables.set("disable_system_api_commands", "true")
    switch.modules.load("mod_commands")
    assert switch.api("system", "echo hi") == "-ERR system Command not found!\n"
    assert switch.api("echo", "hi") == "hi"


def test_what_is_reported_is_listed_from_the_registries(switch: Switch) -> None:
    listed = switch.api("show", "api").splitlines()
    assert listed[0] == "name,description,syntax,ikey"
    assert int(listed[-1].split()[0]) == sum(1 for known in switch.api_commands if known.description)
    switch.modules.unload("mod_expr")
    assert "\nexpr," not in switch.api("show", "api")


def test_a_page_plays_a_file_to_all(switch: Switch, tmp_path: Path) -> None:
    file = tmp_path / "page.wav"
    file.touch()
    told = events(switch, "CHANNEL_EXECUTE")
    switch.api(
        "page",
        f"(page_path={file},page_exten='playback:silence_stream://500')null/a:_:null/b:_:error/USER_BUSY",
    )
    switch.clock.sleep(5 * SECOND)
    assert [e.get_header("Channel-Name") for e in told] == ["null/a", "null/b"]
    assert {e.get_header("Application-Data") for e in told} == {"silence_stream://500"}
    assert not switch.sessions


def test_an_extension_that_a_called_leg_is_given_is_executed(switch: Switch, leg: Session) -> None:
    transfer_to_extension(leg, CallerExtension("given", "given", [("set", "sent=1"), ("park", "")]))
    switch.clock.sleep(SECOND)
    assert leg.channel.get_variable("sent") == "1"
    assert leg.channel.get_variable("current_application") == "park"
    assert leg.channel.profile.profile_index == 1


def test_a_loopback_leg_that_runs_an_application_passes_messages_on(switch: Switch) -> None:
    near = placed(switch, "loopback/app=park park inline", "")
    far = near.channel.variables.get("other_loopback_leg_uuid")
    assert switch.api("uuid_phone_event", f"{near.uuid} talk") == "+OK Success\n"
    assert switch.api("uuid_phone_event", f"{far} talk") == "-ERR Operation failed\n"
    assert switch.api("uuid_media_reneg", f"{far} PCMU") == "-ERR Operation Failed\n"
    other = placed(switch, "null/other park inline", "")
    switch.api("uuid_bridge", f"{near.uuid} {other.uuid}")
    switch.clock.sleep(SECOND)
    assert switch.api("uuid_phone_event", f"{far} talk") == "+OK Success\n"
    for session in (near, other):
        switch.api("uuid_kill", session.uuid)


def test_channels_are_shown_with_the_presence_that_their_variables_tell(switch: Switch, leg: Session) -> None:
    leg.channel.set_variable("presence_id", "1001@pbx.test")
    leg.channel.set_variable("presence_data", "hello")
    (row,) = json.loads(switch.api("show", "channels as json"))["rows"]
    assert (row["presence_id"], row["presence_data"]) == ("", "")  # no event has told them yet
    switch.api("uuid_broadcast", f"{leg.uuid} set::a=1")
    switch.clock.sleep(SECOND)
    (row,) = json.loads(switch.api("show", "channels as json"))["rows"]
    assert (row["presence_id"], row["presence_data"]) == ("1001@pbx.test", "hello")
