"""Applications that change or judge what a call hears, that are messages to its endpoint, and that page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from host.channel import Flag
from host.event import Event
from host.inbox import Digit
from host.media_bug import media_bugs
from host.session import Session
from host.switch import Switch
from media.dtmf_detector import DtmfDetector
from media.level_meter import LevelMeter
from media.recording import Recording
from media.source import Samples, Sequence, Silence
from tests.host.ivr.legs import Legs
from tests.host.one_call import Outcome, in_call, took
from tests.media.ear import Ear


def hear(session: Session, *, read: bool = False) -> Ear:
    ear = Ear()
    session.line.tap(ear, read=read, write=not read)
    return ear


def speech(ms: int) -> Samples:
    """Something that webrtcvad takes for voice: a buzz with formants."""
    places = np.arange(8 * ms) / 8000
    wave = sum(np.sin(2 * np.pi * 120 * n * places) / n for n in range(1, 20))
    return Samples((4000 * np.asarray(wave)).astype(np.int16), 8000)


@pytest.fixture
def legs(virtual_switch: Switch) -> Legs:
    virtual_switch.modules.load("mod_sndfile")
    return Legs(virtual_switch)


@pytest.mark.parametrize(("data", "delay"), [("300", 300), ("", 1000), ("5", 40)])
def test_delay_echo(virtual_switch: Switch, data: str, delay: int) -> None:
    ears: list[Ear] = []

    def do(session: Session) -> object:
        ears.append(hear(session))
        session.clock.call_later(2_000_000, session.break_off)
        return took(session, lambda: session.execute("delay_echo", data))

    said = np.arange(1, 2001, dtype=np.int16)
    outcome = in_call(virtual_switch, do, say=Samples(said, 8000))
    assert outcome.values == [2000]
    heard = ears[0].heard
    assert np.flatnonzero(heard)[0] == 8 * delay
    assert np.array_equal(heard[8 * delay : 8 * delay + 2000], said)


@pytest.mark.parametrize("data", ["0", "10001", "-4", "x"])
def test_delay_echo_of_no_delay(virtual_switch: Switch, data: str) -> None:
    outcome = in_call(
        virtual_switch, lambda session: took(session, lambda: session.execute("delay_echo", data))
    )
    assert outcome.values == [0]
    assert any(text.startswith("Invalid delay [") for text in outcome.logs)


@pytest.mark.parametrize("data", ["", "0", "9"])
def test_vad_test_echoes_the_voice_alone(virtual_switch: Switch, data: str) -> None:
    ears: list[Ear] = []

    def do(session: Session) -> object:
        ears.append(hear(session))
        return session.execute("vad_test", data)

    say = Sequence([Silence(8000, 8000), speech(1000), Silence(8000, 8000), speech(1000), Silence(8000)])
    in_call(virtual_switch, do, say=say, hangup_ms=6000)
    loud = np.abs(ears[0].heard.reshape(-1, 4000)).max(axis=1) > 0
    assert loud.tolist() == [False, False, True, True, False, False, True, True, False, False, False, False]


def test_sound_test_tells_levels(virtual_switch: Switch) -> None:
    say = Sequence(
        [
            Samples(np.full(8000, 100, np.int16), 8000),
            Samples(np.full(160, -300, np.int16), 8000),
            Silence(8000),
        ]
    )

    def do(session: Session) -> object:
        return took(session, lambda: session.execute("sound_test"))

    outcome = in_call(virtual_switch, do, say=say, hangup_ms=1060)
    lines = [text for text in outcome.logs if text.startswith("packet_avg")]
    assert lines[0] == lines[49] == "packet_avg=100 packet_peak=100 period_avg=100 global_avg=0"
    assert lines[50] == "packet_avg=300 packet_peak=300 period_avg=300 global_avg=100"
    assert lines[51] == "packet_avg=0 packet_peak=0 period_avg=150 global_avg=100"


@given(st.lists(st.integers(0, 700), max_size=12))
def test_a_level_meter_does_not_depend_on_its_blocks(sizes: list[int]) -> None:
    sound = (np.arange(sum(sizes)) * 37 % 65536 - 32768).astype(np.int16)
    whole = LevelMeter(8000).feed(sound)
    meter, found, at = LevelMeter(8000), [], 0
    for size in sizes:
        found += [(at + offset, detail) for offset, detail in meter.copy().feed(sound[at : at + size])]
        meter.feed(sound[at : at + size])
        at += size
    assert found == whole


def keys_in(samples: NDArray[np.int16]) -> str:
    return "".join(key for _, key in DtmfDetector(8000).feed(samples))


@pytest.mark.parametrize("direction", ["", "write"])
def test_keys_become_sound(virtual_switch: Switch, direction: str) -> None:
    ears: list[Ear] = []
    told: list[Event] = []
    virtual_switch.bus.subscribe(told.append, ["DTMF"])

    def do(session: Session) -> object:
        ears.append(hear(session, read=not direction))
        session.execute("start_dtmf_generate", direction)
        session.execute("start_dtmf_generate", direction)
        press = session.send_digit if direction else session.receive_digit
        for key in "17#":
            press(Digit(key, 800))
        session.execute("sleep", "1000")
        press(Digit("F"))  # a flash has no sound
        left = [digit.digit for digit in session.inbox.flush(Digit)]
        bugs = [bug.function for bug in media_bugs(session)]
        session.execute("stop_dtmf_generate")
        press(Digit("5"))
        after = [digit.digit for digit in session.inbox.flush(Digit)]
        return left, bugs, after, media_bugs(session)

    outcome = in_call(virtual_switch, do)
    stays = [] if direction else ["F"]
    after = [] if direction else ["5"]
    assert outcome.values == [(stays, ["inband_dtmf_generate"], after, [])]
    assert outcome.far.sent == (["F", "5"] if direction else [])
    assert keys_in(ears[0].heard) == "17#"
    assert [event.get_header("DTMF-Conversion") for event in told][:3] == ["native:inband"] * 3


def test_ending_the_generation_ends_the_sound(virtual_switch: Switch) -> None:
    ears: list[Ear] = []

    def do(session: Session) -> object:
        ears.append(hear(session, read=True))
        session.execute("start_dtmf_generate")
        for key in "12":
            session.receive_digit(Digit(key, 8000))
        session.execute("sleep", "500")
        session.execute("stop_dtmf_generate")
        return session.execute("sleep", "3000")

    in_call(virtual_switch, do)
    assert keys_in(ears[0].heard) == "1"
    assert not ears[0].heard[4000:].any()


def tell(
    virtual_switch: Switch, application: str, data: str, *, takes: bool = True
) -> tuple[Outcome, list[object]]:
    sent: list[object] = []

    def do(session: Session) -> object:
        def message(session: Session, kind: str, argument: str) -> bool:
            sent.append((kind, argument))
            return takes

        session.io.message = message  # type: ignore[method-assign]
        return session.execute(application, data)

    return in_call(virtual_switch, do), sent


@pytest.mark.parametrize(
    ("application", "data", "message"),
    [
        ("acknowledge_call", "", ("acknowledge_call", "")),
        ("send_info", "a text", ("info", "a text")),
        ("jitterbuffer", "60:200:20", ("jitter_buffer", "60:200:20")),
        ("debug_media", "both on", ("debug_media", "both on")),
        ("capture_text", "on", ("capture_text", "on")),
        ("capture_text", "", ("capture_text", "off")),
        ("set_media_stats", "", ("media_stats", "")),
        ("enable_keepalive", "30", ("keepalive", "30")),
    ],
)
def test_messages_to_the_endpoint(
    virtual_switch: Switch, application: str, data: str, message: tuple[str, str]
) -> None:
    outcome, sent = tell(virtual_switch, application, data)
    assert sent == [message]
    assert not [text for text in outcome.logs if "no transport" in text]


def test_a_jitter_buffer_without_a_transport_is_an_error(virtual_switch: Switch) -> None:
    outcome, _ = tell(virtual_switch, "jitterbuffer", "60", takes=False)
    assert "test/1 has no transport that takes jitter_buffer [60]" in outcome.logs


def test_debug_media_needs_both_words(virtual_switch: Switch) -> None:
    outcome, sent = tell(virtual_switch, "debug_media", "both")
    assert not sent
    assert any(text.startswith("USAGE: <read|") for text in outcome.logs)


def test_a_blind_transfer_is_confirmed_once_to_who_asked(legs: Legs) -> None:
    asker = legs.parked()
    sent: list[object] = []

    def message(session: Session, kind: str, argument: str) -> bool:
        sent.append((kind, argument))
        return True

    asker.io.message = message  # type: ignore[method-assign]
    near = legs.call("null/near")
    near.channel.variables.set("blind_transfer_uuid", asker.uuid)
    legs.run(near, ("blind_transfer_ack", "true"), ("park", ""))
    legs.wait(1)
    assert not sent
    near.channel.flags.add(Flag.CONFIRM_BLIND_TRANSFER)
    for data in ("false", "true"):
        near.run_in_session(lambda session, data=data: session.execute("blind_transfer_ack", data))  # type: ignore[misc]
    legs.wait(1)
    assert sent == [("blind_transfer_response", "false")]
    legs.hang_up_all()


def test_media_reset_before_there_is_media(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        channel = session.channel
        seen = []
        for answered in (True, False):
            if not answered:
                channel.flags.discard(Flag.ANSWERED)
            channel.set_variable("bypass_media", "true")
            session.execute("media_reset")
            seen.append(channel.variables.get("bypass_media"))
        return seen

    assert in_call(virtual_switch, do).values == [["true", None]]


def test_native_eavesdrop_hears_the_far_end_alone(legs: Legs) -> None:
    near = legs.caller(("answer", ""), ("bridge", "loopback/answer/legs"))
    legs.wait(0.5)
    spy = legs.caller(("native_eavesdrop", near.uuid), ("note", "over"), ("park", ""))
    legs.wait(0.5)
    assert [bug.function for bug in media_bugs(near)] == ["eavesdrop"]
    near.channel.hangup()
    legs.wait(0.5)
    assert legs.notes == ["over"] and spy.channel.up
    legs.caller(("native_eavesdrop", "nobody"), ("note", "none"), ("park", ""))
    legs.wait(0.5)
    assert legs.notes == ["over", "none"]
    legs.hang_up_all()


def test_a_page_of_a_file_goes_to_all_a_few_at_a_time(legs: Legs, tmp_path: Path) -> None:
    path = tmp_path / "page.wav"
    with Recording(str(path), 8000) as recording:
        recording.write(np.full(8000, 1000, np.int16))
    legs.caller(
        ("page", "<heard=${page_path}>null/a:_:error/USER_BUSY:_:null/b:_:null/c"), ("park", ""),
        page_path=str(path), page_chunk_size="2", page_exten="note:${heard} ${page_file},pause:1000,hangup",
    )  # fmt: skip
    legs.wait(0.5)
    assert legs.notes == [f"{path} {path}"] * 2
    legs.wait(1.5)
    assert legs.notes == [f"{path} {path}"] * 3
    legs.wait(1)
    assert path.exists()
    legs.hang_up_all()


def test_a_page_is_recorded_and_deleted_afterwards(legs: Legs, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    near = legs.caller(
        ("page", "null/a"), ("note", "sent"), ("park", ""),
        page_record_limit="2", page_beep="silence_stream://100",
    )  # fmt: skip
    path = tmp_path / "tmp" / f"{near.uuid}.wav"
    legs.wait(2.5)
    assert legs.notes == ["sent"]
    assert path.exists()
    legs.wait(3)
    assert not path.exists() and near.channel.up
    legs.hang_up_all()


def test_a_page_without_a_file_or_channels(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("page", "")
        session.channel.set_variable("page_path", "/no/such/file.wav")
        return session.execute("page", "null/a")

    outcome = in_call(virtual_switch, do)
    assert "No channels specified." in outcome.logs
    assert "File /no/such/file.wav does not exist" in outcome.logs
