"""The engine pocketsphinx on calls in virtual time, and one by the real clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.event import Event
from host.inbox import Digit
from host.ivr.input_args import InputArgs
from host.ivr.play_and_detect_speech import play_and_detect_speech
from host.ivr.sleep import sleep
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.modules import mod_pocketsphinx
from host.modules.mod_pocketsphinx.settings import ModelMissing, PocketSphinxSettings, read_settings
from host.session import Session
from host.status import Status
from host.switch import Switch
from host.testing.scenario import Scenario, Speak
from host.testing.simulation import CallOptions, run_call
from media.espeak import synthesize
from media.source import Samples, Sequence, Silence
from tests.host.one_call import in_call, took

CONFIGURATION = """<document type="freeswitch/xml"><section name="configuration">
  <configuration name="pocketsphinx.conf"><settings>{}</settings></configuration>
</section></document>"""


def param(name: str, value: str) -> str:
    return f'<param name="{name}" value="{value}"/>'


@pytest.fixture
def switch(virtual_switch: Switch, tmp_path: Path) -> Switch:
    folder = tmp_path / "grammar"
    folder.mkdir()
    (folder / "yes_no.gram").write_text("#JSGF V1.0;\ngrammar yes_no;\npublic <answer> = yes | no;\n")
    virtual_switch.modules.load("mod_pocketsphinx")
    return virtual_switch


def speaker(*texts: str, rate: int = 8000, first_ms: int = 1000, gap_ms: int = 2500) -> Sequence:
    parts: list[Silence | Samples] = [Silence(rate, first_ms * rate // 1000)]
    for text in texts:
        parts += [Samples(synthesize(text, "en-us", rate), rate), Silence(rate, gap_ms * rate // 1000)]
    return Sequence(parts)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_yes(switch: Switch, rate: int) -> None:
    def do(session: Session) -> object:
        return play_and_detect_speech(session, "silence_stream://9000", "pocketsphinx", "yes_no")

    (answer,) = in_call(switch, do, say=speaker("yes", rate=rate), rate=rate).values
    assert isinstance(answer, tuple) and answer[0] is Status.SUCCESS
    text = answer[1]
    before, _, rest = text.partition('confidence="')
    confidence, _, after = rest.partition('"')
    assert before == '<?xml version="1.0"?>\n<result grammar="yes_no">\n  <interpretation grammar="yes_no" '
    assert 0 <= int(confidence) <= 100
    assert after == '>\n    <input mode="speech">yes</input>\n  </interpretation>\n</result>\n'


def test_when_it_is_told(switch: Switch) -> None:
    """The voice at its first frame, the result 47 frames after the last one; again after `resume` only."""

    def do(session: Session) -> object:
        told: list[tuple[int, str | None]] = []

        def take(call: Session, item: Digit | Event) -> Status:
            if isinstance(item, Event):
                told.append((call.clock.now() // 1000, item.get_header("Speech-Type")))
            return Status.SUCCESS

        session.execute("detect_speech", "pocketsphinx yes_no name")
        sleep(session, 6000, InputArgs(on_input=take))
        session.execute("detect_speech", "resume")
        sleep(session, 6000, InputArgs(on_input=take))
        return told

    runs = [in_call(switch, do, say=speaker("yes", "no", "no", gap_ms=2500)).values for _ in range(2)]
    told = runs[0][0]
    assert isinstance(told, list)
    kinds = [kind for _, kind in told]
    assert kinds == ["begin-speaking", "detected-speech", "begin-speaking", "detected-speech"]
    assert 1000 < told[0][0] < 1100 and told[1][0] - told[0][0] > 940
    again = runs[1][0]
    assert isinstance(again, list)
    since = again[0][0] - told[0][0]
    assert [(at - since, kind) for at, kind in again] == told


def test_nobody_speaks_and_nothing_fits(switch: Switch) -> None:
    def do(session: Session) -> object:
        answers: list[str] = []

        def ask(grammar: str) -> None:
            told = play_and_detect_speech(session, "silence_stream://1000", "pocketsphinx", grammar)
            answers.append(told[1])

        times = took(session, lambda: ask("{no-input-timeout=2000}yes_no"))
        ask("{confidence-threshold=101}yes_no")
        return times, answers

    outcome = in_call(switch, do, say=speaker("yes", first_ms=4000))
    (told,) = outcome.values
    assert isinstance(told, tuple)
    times, answers = told
    assert times == 2980
    interpretation = '<result grammar="yes_no">\n  <interpretation>\n    <input mode="speech">{}</input>\n'
    assert interpretation.format("<noinput/>") in answers[0]
    assert interpretation.format("<nomatch/>") in answers[1]


@pytest.mark.parametrize(
    ("grammar", "log"),
    [
        ("nothing", "Can't open grammar file"),
        ("'#JSGF V1.0; grammar g; public <g> = frumious;'", "'frumious' is missing in the dictionary"),
    ],
)
def test_grammars_that_cannot_be_used(switch: Switch, grammar: str, log: str) -> None:
    def do(session: Session) -> object:
        session.execute("play_and_detect_speech", f"silence_stream://100 detect:pocketsphinx {grammar}")
        return session.channel.get_variable("current_application_response")

    outcome = in_call(switch, do)
    assert outcome.values == ["GRAMMAR ERROR"]
    assert [text for text in outcome.logs if log in text]


def test_settings(virtual_switch: Switch, tmp_path: Path) -> None:
    logs: list[str] = []
    assert read_settings(virtual_switch.xml, logs.append) == PocketSphinxSettings()
    params = [
        param("threshold", "300"),
        param("silence-hits", "25"),
        param("auto-reload", "false"),
        param("start-input-timers", "true"),
        param("confidence_threshold", "40"),
        param("language-weight", "heavy"),
        param("narrowband-model", "mine"),
    ]
    virtual_switch.xml.load_text(CONFIGURATION.format("".join(params)))
    settings = read_settings(virtual_switch.xml, logs.append)
    assert settings == PocketSphinxSettings(
        threshold=300,
        silence_hits=25,
        auto_reload=False,
        start_input_timers=True,
        confidence_threshold=40,
        narrowband_model="mine",
    )
    assert logs == ["pocketsphinx.conf: 'heavy' is no language weight"]
    folders = virtual_switch.global_variables
    with pytest.raises(ModelMissing, match=r"Can't open speech model .*/grammar/model/mine\."):
        settings.model(8000, folders)
    assert settings.model(16000, folders).acoustic == ""
    (tmp_path / "grammar" / "model" / "mine").mkdir(parents=True)
    narrow = settings.model(8000, folders)
    assert narrow.acoustic == str(tmp_path / "grammar" / "model" / "mine") and narrow.rate == 8000
    with pytest.raises(ModelMissing, match=r"Can't open dictionary .*/grammar/mine\.dic\."):
        PocketSphinxSettings(dictionary="mine.dic").model(8000, folders)


def test_settings_are_read_again(switch: Switch) -> None:
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text), LogLevel.INFO)
    switch.fire(switch.new_event("RELOADXML"))
    assert "PocketSphinx Reloaded" in logs
    switch.modules.unload("mod_pocketsphinx")
    logs.clear()
    switch.fire(switch.new_event("RELOADXML"))
    assert not logs and switch.asrs.get("pocketsphinx") is None


def test_a_model_that_is_configured_but_not_there(virtual_switch: Switch) -> None:
    virtual_switch.xml.load_text(CONFIGURATION.format(param("narrowband-model", "mine")))
    virtual_switch.modules.load("mod_pocketsphinx")

    def do(session: Session) -> object:
        session.execute("play_and_detect_speech", "silence_stream://100 detect:pocketsphinx builtin:boolean")
        return session.channel.get_variable("current_application_response")

    assert in_call(virtual_switch, do).values == ["ASR INIT ERROR"]


def test_without_the_package(virtual_switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mod_pocketsphinx, "find_spec", lambda name: None)
    with pytest.raises(ModuleUnavailable, match=r"moonline\[asr\]"):
        virtual_switch.modules.load("mod_pocketsphinx")


def test_by_the_real_clock(tmp_path: Path) -> None:
    """The sound comes from the media engine's process, and another process recognises it."""
    script = tmp_path / "ask.lua"
    script.write_text(
        'session:answer() heard = session:playAndDetectSpeech("silence_stream://100", "pocketsphinx", '
        '"builtin:boolean") session:consoleLog("info", "heard " .. heard)'
    )
    scenario, options = Scenario(speak=[Speak("yes", 300_000)]), CallOptions(realtime=True, base=tmp_path)

    def texts() -> list[str]:
        result = run_call(str(script), (), scenario, options)
        assert result.ok
        return [str(entry.facts["text"]) for entry in result.transcript.of_kind("log")]

    # On a busy machine the engine's ticks stall, and a word with holes is none that it knows.
    attempts = [texts()]
    while len(attempts) < 5 and not any('<input mode="speech">yes</input>' in text for text in attempts[-1]):
        attempts.append(texts())
    assert any('<input mode="speech">yes</input>' in text for text in attempts[-1]), attempts


def test_a_long_noise_is_bounded(switch: Switch) -> None:
    noise = np.random.default_rng(2).integers(-4000, 4000, 8000 * 90).astype(np.int16)

    def do(session: Session) -> object:
        return play_and_detect_speech(session, "silence_stream://100", "pocketsphinx", "yes_no")[0]

    assert in_call(switch, do, say=Samples(noise, 8000)).values == [Status.SUCCESS]
