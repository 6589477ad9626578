"""`moonline call`: what a simulated call answers, shows and leaves behind."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from host.cli import main
from host.testing.scenario import Press, PressWhen, Say, Scenario
from host.testing.simulation import CallOptions, CallResult, run_call
from media.recording import Recording
from media.soundfile import load

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "scripts").glob("*.lua"))
SECOND = 1_000_000

Call = Callable[..., CallResult]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run Lua text as a script, in a folder of its own."""

    def run(text: str, scenario: Scenario | None = None, *arguments: str, **options: object) -> CallResult:
        script = tmp_path / "script.lua"
        script.write_text(text)
        options.setdefault("base", tmp_path / "base")
        return run_call(str(script), arguments, scenario, CallOptions(**options))  # type: ignore[arg-type]

    return run


def kinds(result: CallResult) -> list[str]:
    return [entry.kind for entry in result.transcript.entries]


def tone(path: Path, milliseconds: int, rate: int = 8000) -> Path:
    with Recording(str(path), rate) as file:
        file.write((np.sin(np.arange(rate * milliseconds // 1000) / 3) * 9000).astype(np.int16))
    return path


def test_a_call_from_answer_to_hangup(call: Call, tmp_path: Path) -> None:
    prompt = tone(tmp_path / "prompt.wav", 1500)
    result = call(
        f'session:answer() session:streamFile("{prompt}") session:setVariable("a", "b") session:hangup("USER_BUSY")'
    )
    assert result.ok
    assert (result.cause, result.hung_up_by) == ("USER_BUSY", "script")
    assert 1_500_000 <= result.duration < 1_501_000
    told = [entry for entry in result.transcript.entries if entry.kind not in ("log", "input")]
    assert [entry.kind for entry in told] == [
        "call", "execute", "answer", "play", "played", "variable", "hangup", "executed", "end",
    ]  # fmt: skip
    assert told[3].facts["length_ms"] == 1500
    assert told[4].facts["ended"] == "end"
    assert told[5].facts == {"name": "a", "value": "b"}


def test_keys_at_times_and_after_prompts(call: Call, tmp_path: Path) -> None:
    prompt = tone(tmp_path / "question.wav", 800)
    scenario = Scenario(
        press=[Press("12#", 2 * SECOND)],
        press_when=[PressWhen("34#", prompt=2, delay=300_000), PressWhen("5", pattern="nothing like it")],
    )
    result = call(
        f"""session:answer()
        local one = session:read(1, 5, "{prompt}", 5000, "#")
        local two = session:read(1, 5, "{prompt}", 5000, "#")
        session:setVariable("keys", one .. " " .. two)""",
        scenario,
    )
    assert result.transcript.of_kind("variable")[0].facts["value"] == "12 34"
    presses = [(e.time, e.facts["digit"]) for e in result.transcript.of_kind("press")]
    assert presses[:3] == [(2_000_000, "1"), (2_200_000, "2"), (2_400_000, "#")]
    assert presses[3][0] - result.transcript.of_kind("played")[1].time == 300_000
    assert [e.facts["result"] for e in result.transcript.of_kind("input")] == ["12", "34"]


def test_the_caller_hangs_up(call: Call) -> None:
    result = call("session:answer() session:sleep(60000)", Scenario(hangup_at=20 * SECOND))
    assert (result.hung_up_by, result.duration) == ("caller", 20 * SECOND)


def test_variables_and_people(call: Call) -> None:
    result = call(
        """for _, name in ipairs { "caller_id_number", "caller_id_name", "destination_number", "account" } do
             session:consoleLog("info", name .. "=" .. session:getVariable(name))
           end""",
        Scenario(from_number="77", from_name="Ada", to_number="4000", variables={"account": "7"}),
    )
    lines = [e.facts["text"] for e in result.transcript.of_kind("log") if e.facts["by"] == "script"]
    assert lines == ["caller_id_number=77", "caller_id_name=Ada", "destination_number=4000", "account=7"]


def test_what_the_caller_hears_and_says_is_recorded(call: Call, tmp_path: Path) -> None:
    prompt, speech = tone(tmp_path / "prompt.wav", 1000), tone(tmp_path / "speech.wav", 500)
    heard, both, message = tmp_path / "heard.wav", tmp_path / "both.wav", tmp_path / "message.wav"
    call(
        f'session:answer() session:sleep(1000) session:streamFile("{prompt}") session:recordFile("{message}", 3)',
        Scenario(say=[Say(str(speech), 3 * SECOND)], hangup_at=4 * SECOND),
        record=heard,
        record_stereo=both,
    )
    played = load(str(prompt), 8000).render(0, 8000)
    sound = load(str(heard), 8000)
    assert sound.length == 32_000
    assert np.array_equal(sound.render(8000, 8000), played)
    assert 0 < np.abs(sound.render(16_000, 16_000)).max() <= 23  # faint noise while the message is recorded
    said = load(str(message), 8000).render(0, 16_000)
    assert np.array_equal(said[8000:12_000], load(str(speech), 8000).render(0, 4000))
    stereo = np.frombuffer(both.read_bytes()[-32_000 * 4 :], np.int16).reshape(-1, 2)
    assert np.array_equal(stereo[8000:16_000, 0], played)
    assert np.array_equal(stereo[24_000:28_000, 1], said[8000:12_000])


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_any_rate(call: Call, tmp_path: Path, rate: int) -> None:
    heard = tmp_path / "heard.wav"
    result = call(
        'session:answer() session:streamFile("tone_stream://%(1000,0,440)")',
        Scenario(rate=rate),
        record=heard,
    )
    assert result.ok
    length = load(str(heard), rate).length
    assert length is not None
    assert rate <= length <= rate + 5  # calls of the host are charged some µs
    assert result.duration // 1000 == 1000


def test_missing_prompts_are_spoken_and_named(call: Call) -> None:
    result = call('session:streamFile("ivr/ivr-please_hold.wav") session:streamFile("/tmp/no_such_file.wav")')
    assert result.transcript.of_kind("play")[0].facts["spoken"] == "please hold"
    assert "no_such_file" in str(result.transcript.of_kind("play_failed")[0].facts["reason"])


def test_missing_prompts_stay_missing_when_told_so(call: Call) -> None:
    result = call('session:streamFile("ivr/ivr-please_hold.wav")', speak_missing=False)
    assert "play" not in kinds(result)
    assert result.ok


def test_a_missing_prompt_that_asks_is_spoken(call: Call) -> None:
    result = call('session:read(1, 4, "/tmp/enter_your-pin.wav", 3000, "#")')
    assert result.transcript.of_kind("play")[0].facts["spoken"] == "enter your pin"


def test_a_script_error_is_told_with_its_place(call: Call) -> None:
    result = call("session:answer()\nlocal function f()\n  local t = nil\n  return t.x\nend\nf()")
    assert not result.ok
    error = result.transcript.of_kind("script-error")[0]
    assert "script.lua:4: attempt to index" in str(error.facts["error"])
    assert "script.lua:6" in str(error.facts["traceback"])


def test_errors_in_callbacks_are_shown_and_forgiven(call: Call) -> None:
    result = call(
        """function key() error("no!") end
        session:answer() session:setInputCallback("key") session:streamFile("silence_stream://3000")""",
        Scenario(press=[Press("1", SECOND)]),
    )
    assert result.ok
    assert "no!" in str(result.transcript.of_kind("callback-error")[0].facts["error"])


def test_the_limit_ends_a_call_and_says_where_the_script_was(call: Call) -> None:
    result = call("session:answer()\nwhile true do\n  session:sleep(1000)\nend", limit=30 * SECOND)
    assert not result.ok
    assert result.duration == 30 * SECOND
    assert "reached its limit of 30 s" in result.errors[0] + result.errors[-1]
    assert any("script.lua:3" in error for error in result.errors)


def test_the_burst_ends_a_loop_that_never_waits(call: Call) -> None:
    result = call("session:answer()\nwhile true do end", burst=SECOND // 5)
    assert not result.ok
    assert "script.lua:2" in result.errors[0]
    result = call(
        "session:answer()\nwhile true do pcall(function() while true do end end) end", burst=SECOND // 5
    )
    assert not result.ok


def test_polling_makes_progress(call: Call) -> None:
    result = call("while session:ready() do end", Scenario(hangup_at=2 * SECOND))
    assert result.ok
    assert result.duration == 2 * SECOND
    result = call("local t = os.time() while os.time() < t + 2 do end")
    assert result.ok
    assert result.duration >= SECOND


def test_the_clock_is_virtual_everywhere(call: Call) -> None:
    result = call(
        """session:consoleLog("info", os.date("!%Y-%m-%d %H:%M:%S"))
        session:sleep(90000)
        session:consoleLog("info", os.date("!%H:%M:%S", os.time()))"""
    )
    lines = [e.facts["text"] for e in result.transcript.of_kind("log") if e.facts["by"] == "script"]
    assert lines == ["2026-01-05 10:00:00", "10:01:30"]


@pytest.mark.parametrize("version", ["luajit", "5.1", "5.2", "5.3", "5.4", "5.5"])
def test_every_lua_version(call: Call, version: str) -> None:
    result = call(
        'session:answer() session:setVariable("v", _VERSION) session:streamFile("silence_stream://100")',
        lua=version,
    )
    assert result.ok, result.errors
    assert str(result.transcript.of_kind("variable")[0].facts["value"]).startswith("Lua 5.")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_scripts_that_ship(script: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["call", str(script), "--caller", str(script.with_suffix(".caller.yaml")), "--json"]
    if script.stem in ("pin_check", "voicemail"):
        arguments[2:2] = [str(tmp_path / "pins.db" if script.stem == "pin_check" else tmp_path)]
    runs = []
    for _ in range(2):
        assert main(arguments) == 0
        runs.append(capsys.readouterr().out)
        (tmp_path / "pins.db").unlink(missing_ok=True)
    assert runs[0] == runs[1]
    end = json.loads(runs[0].splitlines()[-1])
    assert end["by"] == "script"


def test_the_reference_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT.parent / "shared" / "reference" / "scripts"
    if not folder.is_dir():
        pytest.skip("no reference scripts beside the project")
    failed = {}
    for script in sorted(folder.glob("*.lua")):
        if main(["call", str(script), "--press", "123456#@1s", "--hangup-at", "30s"]) != 0:
            failed[script.name] = capsys.readouterr().out
    assert list(failed) == ["08_redial.lua"]
    assert "attempt to concatenate" in failed["08_redial.lua"]


def test_a_hundred_calls_leave_nothing_behind(call: Call) -> None:
    text = """session:answer()
    session:setInputCallback("key") function key() return "break" end
    session:streamFile("tone_stream://%(300,0,440)")
    local leg = freeswitch.Session("null/1")
    local dbh = freeswitch.Dbh("sqlite://:memory:")
    session:recordFile("/tmp/moonline-leak.wav", 1)"""
    scenario = Scenario(press=[Press("1", 100_000)], hangup_at=5 * SECOND)
    call(text, scenario)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        assert call(text, scenario).ok
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none.lua"], "there is no such script"),
        (["SCRIPT", "--press", "1"], "does not say when"),
        (["SCRIPT", "--rate", "7"], "no rate"),
        (["SCRIPT", "--log-level", "loud"], "no log level"),
        (["SCRIPT", "--record", "/no/such/folder/a.wav"], "/no/such/folder"),
        (["SCRIPT", "--lua", "6"], "no Lua version"),
        (["SCRIPT", "--say", "/no/such.wav@1s"], "no/such.wav"),
    ],
)
def test_wrong_options_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    script = tmp_path / "script.lua"
    script.write_text("session:answer()")
    status = main(["call", *[str(script) if word == "SCRIPT" else word for word in arguments]])
    assert status == 2
    assert why in capsys.readouterr().err


def test_realtime_takes_real_time(call: Call) -> None:
    result = call(
        'session:answer() session:streamFile("tone_stream://%(300,0,440)") session:sleep(100)',
        Scenario(press=[Press("1", 100_000)]),
        realtime=True,
    )
    assert result.ok
    assert 380_000 < result.duration < 900_000
