"""Scenarios: the small languages of the caller's options and the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.testing.scenario import (
    Press,
    PressWhen,
    Say,
    ScenarioError,
    Speak,
    SpeakWhen,
    load_scenario,
    parse_press,
    parse_press_when,
    parse_rate,
    parse_say,
    parse_speak,
    parse_speak_when,
    parse_time,
    parse_variable,
)

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("2s", 2 * SECOND), ("5.5s", 5_500_000), ("300ms", 300_000), ("1m", 60 * SECOND), ("2", 2 * SECOND),
     ("1:30", 90 * SECOND), ("1h", 3600 * SECOND), ("0", 0)],
)  # fmt: skip
def test_times(text: str, microseconds: int) -> None:
    assert parse_time(text) == microseconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1:30s", "1 day", "s"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ScenarioError, match="is no time"):
        parse_time(text)


def test_press() -> None:
    assert parse_press("1@2s 4711#@5.5s") == [Press("1", 2 * SECOND), Press("4711#", 5_500_000)]


@pytest.mark.parametrize(
    ("text", "why"), [("1", "does not say when"), ("x@1s", "no keys"), ("@1s", "no keys")]
)
def test_what_is_no_press(text: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        parse_press(text)


def test_press_when() -> None:
    assert parse_press_when("2=1") == PressWhen("1", prompt=2)
    assert parse_press_when("welcome=1#+500ms") == PressWhen("1#", pattern="welcome", delay=500_000)
    assert parse_press_when("welcome=1").matches(7, "ivr/ivr-welcome.wav")
    assert not parse_press_when("welcome=1").matches(7, "ivr/other.wav")
    assert parse_press_when("2=1").matches(2, "anything")


@pytest.mark.parametrize("text", ["1", "=1", "a=", "(=1", "a=1+soon"])
def test_what_is_no_press_when(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse_press_when(text)


def test_say_variable_and_rate() -> None:
    assert parse_say("tone_stream://%(100,0,440)@3s") == Say("tone_stream://%(100,0,440)", 3 * SECOND)
    assert parse_variable("a=b=c") == ("a", "b=c")
    assert parse_rate("16000") == 16000
    for wrong, parse in (("x.wav", parse_say), ("=1", parse_variable), ("11025", parse_rate)):
        with pytest.raises(ScenarioError):
            parse(wrong)


def test_files(tmp_path: Path) -> None:
    yaml = tmp_path / "a.yaml"
    yaml.write_text(
        'press: "1@2s 2@3s"\npress_when: ["2=1", "bad=2#+1s"]\nfrom: 555\nvar: {a: 1}\nrate: 16000\nhangup_at: 20s\n'
    )
    toml = tmp_path / "a.toml"
    toml.write_text(
        'press = ["1@2s", "2@3s"]\npress-when = ["2=1", "bad=2#+1s"]\nfrom = "555"\nvar = "a=1"\n'
        'rate = 16000\nhangup_at = "20s"\n'
    )
    first, second = load_scenario(yaml), load_scenario(toml)
    assert first == second
    assert first.hangup_at == 20 * SECOND
    assert first.variables == {"a": "1"}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [("a.yaml", "pres: 1@1s", "no 'pres'"), ("a.yaml", "- 1", "a table of"), ("a.yaml", "a: [", "a.yaml"),
     ("a.toml", "a = ", "a.toml"), ("a.yaml", "press: 1", "does not say when")],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ScenarioError, match=why):
        load_scenario(path)
    with pytest.raises(ScenarioError, match="No such file"):
        load_scenario(tmp_path / "none.yaml")


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    for parse in (parse_time, parse_press, parse_press_when, parse_say, parse_variable):
        try:
            parse(text)
        except ScenarioError:
            pass


def test_words() -> None:
    assert parse_speak("yes please@3s") == Speak("yes please", 3 * SECOND)
    assert parse_speak("me@example.org@500ms") == Speak("me@example.org", 500_000)
    assert parse_speak_when("2=yes") == SpeakWhen("yes", prompt=2)
    assert parse_speak_when("welcome=yes please +500ms") == SpeakWhen(
        "yes please", pattern="welcome", delay=500_000
    )
    assert parse_speak_when("sum=one + one=two") == SpeakWhen("one + one=two", pattern="sum")


@pytest.mark.parametrize("text", ["yes", "@2s", " @2s", "yes@soon"])
def test_what_are_no_words(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse_speak(text)


@pytest.mark.parametrize("text", ["yes", "=yes", "2=", "(=yes"])
def test_words_after_no_prompt(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse_speak_when(text)


def test_words_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "caller.yaml"
    path.write_text('speak: "yes@3s"\nspeak_when: ["welcome=no", "2=maybe+1s"]\nvoice: en-us+f3\n')
    scenario = load_scenario(path)
    assert scenario.speak == [Speak("yes", 3 * SECOND)] and scenario.voice == "en-us+f3"
    assert [when.text for when in scenario.speak_when] == ["no", "maybe"]
