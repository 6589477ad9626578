"""`session:detectSpeech` and `session:playAndDetectSpeech`: a yes/no IVR with the real engine, and every word."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.testing.plugin import Caller

YES_NO = """
session:answer()
function on_input(s, kind, data, arg)
  if kind == "event" then
    s:consoleLog("info", "event " .. data:getType() .. " " .. data:getHeader("Speech-Type"))
  end
end
session:setInputCallback("on_input", "")
for _, question in ipairs({ "delete", "sure" }) do
  local answer = session:playAndDetectSpeech("ivr/ivr-" .. question .. ".wav", "pocketsphinx", grammar)
  session:setVariable(question, answer:match('<input mode="speech">([^<]*)</input>') or answer)
end
session:detectSpeech("stop")
session:streamFile("voicemail/vm-goodbye.wav")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "ivr.lua"


def test_yes_and_no(caller: Caller, script: Path) -> None:
    script.write_text('grammar = "builtin:boolean"' + YES_NO)
    call = caller(str(script))
    call.hears("delete")
    call.waits("2s")
    call.speaks("yes")
    call.hears("sure", within="5s")
    call.waits("1s")
    call.speaks("no")
    call.hears("goodbye", within="5s")
    assert (call.variable("delete"), call.variable("sure")) == ("yes", "no")
    assert "event DETECTED_SPEECH begin-speaking" in call.transcript
    assert "event DETECTED_SPEECH detected-speech" in call.transcript
    call.ends()


def test_the_same_call_gives_the_same_transcript(caller: Caller, script: Path) -> None:
    script.write_text('grammar = "builtin:boolean"' + YES_NO)
    transcripts = []
    for _ in range(2):
        call = caller(str(script), speak_when=["delete=yes+500ms", "sure=no"], voice="en-us+f3")
        call.ends()
        transcripts.append(call.transcript)
    assert transcripts[0] == transcripts[1] and "heard" in transcripts[0]


def test_an_inline_grammar(caller: Caller, script: Path) -> None:
    script.write_text(
        "grammar = '#JSGF V1.0; grammar rooms; public <r> = kitchen | bathroom | cellar;'" + YES_NO
    )
    call = caller(str(script), speak_when=["delete=kitchen", "sure=bathroom"])
    call.hears("goodbye")
    assert (call.variable("delete"), call.variable("sure")) == ("kitchen", "bathroom")


WORDS = """
session:answer()
local heard = {}
function on_input(s, kind, data)
  if kind == "event" then
    heard[#heard + 1] = data:getHeader("Speech-Type") .. ":" .. (data:getBody() or "")
    if data:getHeader("Speech-Type") == "detected-speech" then return "break" end
  end
end
session:setInputCallback("on_input", "")
session:detectSpeech("test", "{result=one}g")            -- too few: nothing happens
session:detectSpeech("test", "{result=one,no-input-timeout=60000}g", "name", "")
session:sleep(20000)
session:detectSpeech("pause")
session:detectSpeech("resume")
session:detectSpeech("param", "result", "two")
session:detectSpeech("start_input_timers")
session:detectSpeech("start-input-timers")
session:sleep(20000)
session:detectSpeech("grammar", "other")                  -- needs a name, too: nothing happens
session:detectSpeech("grammar", "{no-input-timeout=1000}other", "name")
session:detectSpeech("RESUME")
session:sleep(20000)
session:detectSpeech("nogrammar", "name")
session:detectSpeech("grammaron", "name")                 -- which this engine cannot: that ends it
session:detectSpeech("stop")
session:sleep(100)
session:setVariable("heard", table.concat(heard, " "))
"""


def test_every_word(caller: Caller, script: Path) -> None:
    script.write_text(WORDS)
    call = caller(str(script), speak=["hello there@1s", "hello again@8s"])
    call.waits("70s")
    heard = call.variable("heard")
    one, two = (f'{{"grammar": "g", "text": "{text}", "confidence": 87.300000}}' for text in ("one", "two"))
    none = '{"grammar": "other", "text": "", "confidence": 0, "error": "no_input"}'
    assert heard == (
        f"begin-speaking: detected-speech:{one} begin-speaking: detected-speech:{two} detected-speech:{none} closed:"
    )


def test_failures(caller: Caller, script: Path) -> None:
    script.write_text(
        """
        session:answer()
        session:detectSpeech(nil)
        session:detectSpeech("stop")
        session:detectSpeech("nobody", "g", "name", "")
        session:setVariable("grammar_answer", "<" .. tostring(session:playAndDetectSpeech(
          "silence_stream://100", "pocketsphinx", "no_such_grammar")) .. ">")
        session:setVariable("file_answer", "<" .. tostring(session:playAndDetectSpeech(
          "/no/such.gsm", "test", "g")) .. ">")
        """
    )
    call = caller(str(script))
    call.ends()
    assert call.variable("grammar_answer") == "<>" and call.variable("file_answer") == "<>"
    for text in ("Invalid ASR module [nobody]!", "GRAMMAR ERROR", "ERROR status = 1"):
        assert text in call.transcript


def test_the_example(caller: Caller) -> None:
    folder = Path(__file__).parents[2] / "scripts"
    call = caller(str(folder / "drinks.lua"))
    call.hears("What would you like")
    call.waits("5500ms")
    call.speaks("mineral water please")
    call.hears("One mineral water")
    assert call.variable("drink") == "mineral water"
    call = caller(str(folder / "drinks.lua"), press="1@3s")
    call.hears("One coffee")
    assert call.ends().cause == "NORMAL_CLEARING"
