"""What play_file heeds: the delimiter, its pauses, timeouts, offsets, missing files, and prompts that are spoken."""

from __future__ import annotations

import numpy as np

from host.ivr.play import play_file
from host.session import Session
from host.status import Status
from host.switch import Switch
from media.source import Samples, Source
from tests.host.one_call import in_call, took
from tests.media.ear import Ear


def play(switch: Switch, path: str, **variables: str) -> tuple[object, int]:
    """Return the status and how many ms it took."""

    def do(session: Session) -> object:
        for name, value in variables.items():
            session.channel.set_variable(name, value)
        statuses: list[Status] = []
        ms = took(session, lambda: statuses.append(play_file(session, path)))
        return statuses[0], ms

    value = in_call(switch, do).values[0]
    assert isinstance(value, tuple)
    return value


def test_several_files_with_pauses(switch: Switch) -> None:
    assert play(switch, "tone.wav!tone.wav", playback_delimiter="!") == (Status.SUCCESS, 1250)
    assert play(switch, "tone.wav!tone.wav", playback_delimiter="!", playback_sleep_val="600") == (
        Status.SUCCESS,
        1600,
    )
    without = play(switch, "tone.wav!none.wav!tone.wav", playback_delimiter="!", playback_sleep_val="0")
    assert without == (Status.SUCCESS, 1000)
    assert play(switch, "none.wav!none.wav", playback_delimiter="!") == (Status.NOT_FOUND, 250)


def test_a_break_skips_a_part_and_all_the_rest(switch: Switch) -> None:
    def broken(every: bool) -> tuple[object, int]:
        def do(session: Session) -> object:
            session.channel.set_variable("playback_delimiter", "!")
            session.clock.call_later(100_000, lambda: session.break_off(every))
            statuses: list[Status] = []
            ms = took(session, lambda: statuses.append(play_file(session, "tone.wav!tone.wav")))
            return statuses[0], ms

        value = in_call(switch, do).values[0]
        assert isinstance(value, tuple)
        return value

    assert broken(False) == (Status.SUCCESS, 100 + 250 + 500)
    assert broken(True) == (Status.BREAK, 100)


def test_a_timeout_counts_over_all_parts(switch: Switch) -> None:
    parts = "!".join(["silence_stream://1500"] * 3)
    limited = play(switch, parts, playback_delimiter="!", playback_timeout_sec="2", playback_sleep_val="0")
    assert limited == (Status.TIMEOUT, 2000)


def test_a_timeout_for_several_playbacks(switch: Switch) -> None:
    left: list[str | None] = []

    def do(session: Session) -> object:
        session.channel.set_variable("playback_timeout_sec_cumulative", "4")
        for _ in range(2):
            play_file(session, "silence_stream://1500")
            left.append(session.channel.variables.get("playback_timeout_sec_cumulative"))
        return took(session, lambda: play_file(session, "silence_stream://4000"))

    assert in_call(switch, do).values[0] == 4000  # one second is no limit
    assert left == ["2", "0"]


def test_a_timeout(switch: Switch) -> None:
    endless = "silence_stream://-1"
    assert play(switch, endless, playback_timeout_sec="2") == (Status.TIMEOUT, 2000)
    limited = play(switch, endless, playback_timeout_sec="2", playback_timeout_as_success="true")
    assert limited == (Status.SUCCESS, 2000)
    assert play(switch, "tone.wav", playback_timeout_sec="2") == (Status.SUCCESS, 500)


def test_offsets_and_endings(switch: Switch) -> None:
    assert play(switch, "tone.wav@@2000") == (
        Status.NOT_FOUND,
        0,
    )  # only the application `playback` knows that
    assert play(switch, "tone") == (Status.SUCCESS, 500)
    assert play(switch, "none") == (Status.NOT_FOUND, 0)
    assert play(switch, "") == (Status.FALSE, 0)
    assert play(switch, "tone.unknown") == (Status.NOT_FOUND, 0)


def test_a_volume_is_in_decibels(switch: Switch) -> None:
    ear = Ear()

    def do(session: Session) -> object:
        session.line.tap(ear, read=False)
        play_file(session, "tone.wav", volume=-50)
        quiet = ear.loudest
        play_file(session, "tone.wav", volume=-6)
        return quiet, ear.loudest

    assert in_call(switch, do).values == [(0, 501)]


def test_a_prompt_that_is_missing_is_spoken(switch: Switch) -> None:
    told: list[str] = []

    def speak(text: str, rate: int) -> Source:
        told.append(text)
        return Samples(np.zeros(rate // 10, np.int16), rate)

    switch.speak_missing = speak
    assert play(switch, "ivr/ivr-welcome.wav") == (Status.SUCCESS, 100)
    assert play(switch, "file_string://digits/7.wav!none.wav!digits/8.wav") == (Status.SUCCESS, 460)
    assert play(switch, "none.wav") == (Status.NOT_FOUND, 0)
    assert told == ["welcome", "7", "8"]
