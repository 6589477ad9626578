"""say, phrase macros and speech in virtual time: what is played, for how long, and what input does to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.event import Event
from host.inbox import Digit
from host.interfaces import Application, SpeechInterface
from host.ivr.input_args import InputArgs
from host.ivr.phrase import phrase_macro
from host.ivr.play import play_file
from host.ivr.say import say, say_string
from host.ivr.sleep import sleep
from host.ivr.speak import say_text, speak_text
from host.session import Session
from host.status import Status
from host.switch import Switch
from media.recording import Recording
from media.source import Samples, Source
from tests.host.one_call import in_call, took
from tests.host.recorded_transcript import is_as_expected, steps, transcripts

CONFIGURATION = """<document type="freeswitch/xml">
<section name="languages">
  <language name="en" say-module="en" sound-prefix="{prefix}" tts-engine="test" tts-voice="calm">
    <phrases><macros>
      <macro name="tone"><input pattern="(.*)"><match>
        <action function="play-file" data="tone.wav"/>
        <action function="execute" data="mark([$1])"/>
      </match></input></macro>
      <macro name="quick" pause="0"><input pattern="^(\\d)(\\d)$">
        <match><action function="say" data="$2$1" method="iterated" type="number"/></match>
        <nomatch><action function="speak-text" data="no $${{none}}number"/></nomatch>
      </input></macro>
      <macro name="outer"><input pattern=".*"><match>
        <action function="phrase" phrase="tone" data="x"/>
        <action function="break"/>
        <action function="execute" data="mark(never)"/>
      </match></input></macro>
      <macro name="bad"><input pattern=".*"><match>
        <action function="execute" data="no_such_application(x)"/>
        <action function="execute" data="mark(never)"/>
      </match></input></macro>
      <macro name="loud"><input pattern=".*"><match>
        <action function="play-file" data="tone.wav" volume="-50"/>
      </match></input></macro>
    </macros></phrases>
  </language>
  <language name="de" say-module="de" sound-prefix="{prefix}"><phrases><macros/></phrases></language>
</section>
</document>"""


def write(path: Path, ms: int, level: int = 1000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Recording(str(path), 8000) as recording:
        recording.write(np.full(8 * ms, level, np.int16))


class Speaker:
    """A speech engine that takes 10 ms for each letter, and notes what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def speak(self, text: str, voice: str, rate: int) -> Source:
        self.told.append((text, voice))
        if voice == "none":
            raise OSError("no such voice")
        return Samples(np.full(len(text) * rate // 100, 500, np.int16), rate)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def switch(virtual_switch: Switch, tmp_path: Path, speaker: Speaker) -> Switch:
    sounds = tmp_path / "sounds"
    for name in ("0", "1", "2", "3", "20", "hundred"):
        write(sounds / "digits" / f"{name}.wav", 100)
    write(sounds / "tone.wav", 500)
    virtual_switch.xml.load_text(CONFIGURATION.format(prefix=sounds))
    for module in ("mod_sndfile", "mod_say_en", "mod_say_de"):
        virtual_switch.modules.load(module)
    mark = Application("mark", "mod_test", lambda session, data: session.channel.set_variable("mark", data))
    virtual_switch.applications.add(mark)
    virtual_switch.speeches.add(SpeechInterface("test", "mod_test", speaker.speak))
    return virtual_switch


def test_say_plays_one_file_string_below_the_languages_sounds(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> object:
        return took(session, lambda: say(session, "123", "en", "NUMBER", "pronounced"))

    outcome = in_call(switch, do)
    string = "file_string://digits/1.wav!digits/hundred.wav!digits/20.wav!digits/3.wav"
    assert outcome.played == [string]
    assert outcome.values == [260 + 400]  # FreeSWITCH: 250 ms of silence first, in whole frames


def test_say_in_a_language_of_single_files_stops_at_the_first_that_is_missing(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: say(session, "21", "de", "number", "iterated"))
    sounds = outcome.session.channel.get_variable("sounds_dir")
    assert outcome.played == [f"{sounds}/digits/2.wav", f"{sounds}/digits/1.wav"]
    assert outcome.values == [Status.SUCCESS]
    outcome = in_call(switch, lambda session: say(session, "243", "de", "number", "iterated"))
    assert len(outcome.played) == 1
    assert outcome.values == [Status.NOT_FOUND]


@pytest.mark.parametrize(
    ("module", "kind"), [("no_such_module", "number"), ("en", "no_such_type"), ("en:xx", "number")]
)
def test_what_cannot_be_said_is_false(switch: Switch, module: str, kind: str) -> None:
    outcome = in_call(switch, lambda session: say(session, "7", module, kind, "pronounced"))
    assert outcome.values == [Status.FALSE]
    assert outcome.played == []


def test_say_leaves_the_prefix_that_was_set_and_an_enforced_one_alone(switch: Switch, tmp_path: Path) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("sound_prefix", "/somewhere")
        say(session, "1", "en", "number", "iterated")
        after = session.channel.get_variable("sound_prefix")
        session.channel.set_variable("sound_prefix_enforced", "true")
        return after, say(session, "1", "en", "number", "iterated")

    assert in_call(switch, do).values == [("/somewhere", Status.NOT_FOUND)]


def test_a_key_ends_what_is_said(switch: Switch) -> None:
    def do(session: Session) -> object:
        args = InputArgs(buffer_size=1)
        return took(
            session, lambda: say(session, "1231231", "en", "number", "iterated", args=args)
        ), args.digits

    assert in_call(switch, do, press=((400, "5"),)).values == [(400, "5")]


@pytest.mark.parametrize(
    "path", transcripts("cmd_say_string_numbers", "cmd_say_string_others", "cmd_say_string_dates")
)
def test_strings_are_those_of_freeswitch(switch: Switch, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    for command, expected in steps(path):
        words = command.split()[1:]
        if len(words) != 5:
            continue
        ending = (words[0].partition(".")[2] or words[1].partition(".")[2]) or "wav"
        text = words[4].removeprefix("~")
        string = say_string(switch, text, words[1].partition(".")[0], words[2], words[3], ending=ending)
        if string is None:
            assert expected.startswith("-ERR Usage"), command
        else:
            bare = string.removeprefix("file_string://") if text != words[4] else string
            assert is_as_expected(expected, bare), command


def test_a_macro_plays_and_pauses_after_each_action(switch: Switch) -> None:
    def do(session: Session) -> object:
        return took(
            session, lambda: phrase_macro(session, "tone", "data", "en")
        ), session.channel.get_variable("mark")

    assert in_call(switch, do).values == [(700, "[data]")]


def test_a_path_may_be_a_macro(switch: Switch) -> None:
    def do(session: Session) -> object:
        status = play_file(session, "phrase:tone:a:b")
        return status, session.channel.get_variable("mark")

    assert in_call(switch, do).values == [(Status.SUCCESS, "[a:b]")]


def test_a_macro_says_and_speaks(switch: Switch, speaker: Speaker) -> None:
    def do(session: Session) -> object:
        return phrase_macro(session, "quick", "12"), phrase_macro(session, "quick", "none")

    outcome = in_call(switch, do)
    assert outcome.values == [(Status.SUCCESS, Status.SUCCESS)]
    assert outcome.played == ["file_string://digits/2.wav!digits/1.wav"]
    assert speaker.told == [("no number", "calm")]


def test_break_ends_a_macro_and_a_failing_action_does(switch: Switch) -> None:
    def do(session: Session) -> object:
        first = phrase_macro(session, "outer", "")
        mark = session.channel.get_variable("mark")
        return first, mark, phrase_macro(session, "bad", ""), session.channel.get_variable("mark")

    assert in_call(switch, do).values == [(Status.SUCCESS, "[x]", Status.FALSE, "[x]")]


def test_unknown_macros_and_languages_are_errors(switch: Switch) -> None:
    def do(session: Session) -> object:
        return phrase_macro(session, "nothing", ""), phrase_macro(session, "tone", "", "xx")

    outcome = in_call(switch, do)
    assert outcome.values == [(Status.GENERR, Status.GENERR)]
    assert "Can't find macro nothing." in outcome.logs


def test_a_callback_breaks_a_macro_off(switch: Switch) -> None:
    keys: list[str] = []

    def on_input(session: Session, item: Digit | Event) -> Status:
        assert isinstance(item, Digit)
        keys.append(item.digit)
        return Status.BREAK

    def do(session: Session) -> object:
        args = InputArgs(on_input=on_input)
        status = phrase_macro(session, "tone", "x", "en", args)
        return status, session.channel.get_variable("mark")

    assert in_call(switch, do, press=((200, "7"),)).values == [(Status.BREAK, None)]
    assert keys == ["7"]


def test_the_prefix_of_a_macro_goes_with_it(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("sound_prefix", "/before")
        phrase_macro(session, "tone", "x")
        return session.channel.get_variable("sound_prefix")

    outcome = in_call(switch, do)
    assert outcome.values == ["/before"]
    assert outcome.kinds("play_failed") == []


def test_speech_lasts_and_stops(switch: Switch, speaker: Speaker) -> None:
    def do(session: Session) -> object:
        whole = took(session, lambda: speak_text(session, "test:profile", "calm", "a" * 50))
        args = InputArgs(buffer_size=1)
        broken = took(session, lambda: speak_text(session, "test", "calm", "b" * 100, args))
        return whole, broken

    assert in_call(switch, do, press=((800, "1"),)).values == [(500, 300)]


def test_keys_are_spoken_as_words(switch: Switch, speaker: Speaker) -> None:
    def do(session: Session) -> object:
        speak_text(session, "test", "calm", "press * or #")
        session.channel.set_variable("star_replace", "asterisk")
        speak_text(session, "test", "calm", "*")
        return None

    in_call(switch, do)
    assert [text for text, _ in speaker.told] == ["press star or pound", "asterisk"]


def test_speech_without_an_engine_or_a_voice_fails_at_once(switch: Switch) -> None:
    def do(session: Session) -> object:
        return (
            took(session, lambda: speak_text(session, "no_such_engine", "voice", "hello")),
            speak_text(session, "no_such_engine", "voice", "hello"),
            speak_text(session, "test", "none", "hello"),
        )

    assert in_call(switch, do).values == [(0, Status.GENERR, Status.GENERR)]


@pytest.mark.parametrize("voice", ["calm", "none"])
@pytest.mark.parametrize("engine", ["no_such_engine", "test"])
def test_speech_that_fails_forgets_the_keys_that_wait(switch: Switch, engine: str, voice: str) -> None:
    def do(session: Session) -> object:
        sleep(session, 1000)
        status = speak_text(session, engine, voice, "hello")
        return status, [digit.digit for digit in session.inbox.flush(Digit)]

    outcome = in_call(switch, do, press=((200, "12"),))
    failed = (engine, voice) != ("test", "calm")
    assert outcome.values == [(Status.GENERR, []) if failed else (Status.SUCCESS, ["1", "2"])]


def test_an_engine_that_is_missing_is_told_twice(switch: Switch) -> None:
    logs = in_call(switch, lambda session: speak_text(session, "no_such:engine", "voice", "hello")).logs
    assert [text for text in logs if text.startswith("Invalid")] == [
        "Invalid speech module [no_such]!",
        "Invalid TTS module no_such:engine[voice]!",
    ]


def test_a_path_may_be_a_text(switch: Switch, speaker: Speaker) -> None:
    def do(session: Session) -> object:
        nothing = say_text(session, "hello")
        session.channel.set_variable("tts_engine", "test")
        session.channel.set_variable("tts_voice", "loud")
        return nothing, play_file(session, "say:hello there")

    assert in_call(switch, do).values == [(Status.SUCCESS, Status.SUCCESS)]
    assert speaker.told == [("hello there", "loud")]


def test_hangup_ends_speech(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: speak_text(session, "test", "calm", "x" * 500), hangup_ms=100)
    assert outcome.values == [Status.FALSE]
