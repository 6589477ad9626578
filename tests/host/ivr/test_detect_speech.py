"""Speech recognition beside a call: the engine's protocol, the events, and the applications."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from host.asr import AsrError, AsrHandle, AsrRequest, AsrResult, Heard
from host.event import Event
from host.inbox import Digit
from host.interfaces import AsrInterface
from host.ivr import detect_speech as speech
from host.ivr.input_args import InputArgs
from host.ivr.play_and_detect_speech import play_and_detect_speech
from host.ivr.sleep import sleep
from host.media_bug import media_bugs
from host.session import Session
from host.status import Status
from host.switch import Switch
from media.source import Samples, Sequence, Silence
from tests.host.one_call import in_call, took


class Recorded(AsrHandle):
    """An engine that writes down what it is told, and finds what a grammar `results:…` says, one at each frame."""

    made: list[Recorded]

    def __init__(self, request: AsrRequest) -> None:
        if request.parameter == "broken":
            raise AsrError("out of order")
        self.request = request
        self.told: list[str] = []
        self.frames = 0
        self.lengths: set[int] = set()
        self.waiting: list[AsrResult] = []
        self.listening = True
        self.fails_at = 0

    def load_grammar(self, grammar: str, name: str) -> bool:
        self.told.append(f"load {grammar} {name}")
        if grammar == "bad":
            return False
        if grammar == "breaks":
            self.fails_at = self.frames + 3
        if grammar.startswith("results:"):
            kinds = {heard.name: heard for heard in Heard}
            for word in grammar.removeprefix("results:").split(";"):
                kind, _, text = word.partition("=")
                self.waiting.append(
                    AsrResult(kinds[kind], text, [("ASR-Completion-Cause", "0")] if text else [])
                )
        return True

    def unload_grammar(self, name: str) -> bool:
        self.told.append(f"unload {name}")
        return name != "bad"

    def enable_grammar(self, name: str) -> bool:
        self.told.append(f"enable {name}")
        return True

    def feed(self, samples: NDArray[np.int16]) -> None:
        self.frames += 1
        self.lengths.add(len(samples))
        if self.frames == self.fails_at:
            raise AsrError("the far end is gone")

    def feed_dtmf(self, digit: Digit) -> None:
        self.told.append(f"dtmf {digit.digit}")

    def pause(self) -> bool:
        self.told.append("pause")
        self.listening = False
        return True

    def resume(self) -> bool:
        self.told.append("resume")
        self.listening = True
        return True

    def check_results(self) -> bool:
        return bool(self.waiting)

    def get_results(self) -> AsrResult:
        return self.waiting.pop(0)

    def start_input_timers(self) -> None:
        self.told.append("start input timers")

    def text_param(self, name: str, value: str) -> None:
        self.told.append(f"{name}={value}")

    @property
    def idle(self) -> bool:
        return not self.listening and not self.waiting

    def close(self) -> None:
        self.told.append("close")


@pytest.fixture
def engines(virtual_switch: Switch) -> list[Recorded]:
    """The switch has the engine `recorded`; what was opened of it is in the list."""
    made: list[Recorded] = []

    def open_engine(request: AsrRequest) -> Recorded:
        made.append(Recorded(request))
        return made[-1]

    virtual_switch.asrs.add(AsrInterface("recorded", "mod_recorded", open_engine))
    virtual_switch.modules.load("mod_test")
    return made


def collect(into: list[Event], until: int = 0) -> InputArgs:
    """Put events into a list; the operation ends with event number `until`."""

    def take(session: Session, item: Digit | Event) -> Status:
        if isinstance(item, Event):
            into.append(item)
        return Status.BREAK if len(into) == until else Status.SUCCESS

    return InputArgs(on_input=take)


def types(events: list[Event]) -> list[str | None]:
    return [event.get_header("Speech-Type") for event in events]


def speaker() -> Sequence:
    """Half a second of silence, 300 ms of a loud tone, silence."""
    loud = (8000 * np.sin(np.arange(2400) * 0.5)).astype(np.int16)
    return Sequence([Silence(8000, 4000), Samples(loud, 8000), Silence(8000, 80_000)])


def test_what_an_engine_is_told(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> None:
        session.channel.set_variable("asr_json_param_Color", "red")
        run = session.execute
        run("detect_speech", "recorded:profile '{a=1,b=two words}the grammar' name addr")
        assert [bug.target for bug in media_bugs(session, "detect_speech")] == ["recorded:profile///addr"]
        sleep(session, 100)
        run("detect_speech", "param speed 5")
        run("detect_speech", "grammar second other")
        run("detect_speech", "grammaron second")
        run("detect_speech", "nogrammar second")
        run("detect_speech", "pause")
        sleep(session, 100)
        run("detect_speech", "resume")
        run("detect_speech", "start-input-timers")
        run("detect_speech", "start_input_timers")
        run("detect_speech", "recorded again name2")
        run("detect_speech", "init recorded")
        sleep(session, 100)
        run("detect_speech", "stop")
        run("detect_speech", "stop")
        assert not media_bugs(session)

    outcome = in_call(virtual_switch, do)
    (engine,) = engines
    assert engine.told == [
        "Color=red",
        "a=1",
        "b=two words",
        "load the grammar name",
        "speed=5",
        "load second other",
        "enable second",
        "unload second",
        "pause",
        "resume",
        "start input timers",
        "start input timers",
        "Color=red",
        "load again name2",
        "resume",
        "close",
    ]
    assert (engine.request.rate, engine.request.parameter, engine.request.destination) == (
        8000,
        "profile",
        "addr",
    )
    assert engine.frames == 9 and engine.lengths == {160}  # the last one had not been heard whole
    assert "start_input_timers is deprecated, please use start-input-timers instead!" in outcome.logs


@pytest.mark.parametrize(
    ("command", "log"),
    [
        ("grammar bad", "Error loading Grammar"),
        ("nogrammar bad", "Error unloading Grammar"),
        ("grammaroff one", "Error disabling Grammar"),
        ("grammarsalloff", "Error disabling all Grammars"),
        ("grammar", "Error loading Grammar"),
    ],
)
def test_what_an_engine_refuses_ends_it(
    virtual_switch: Switch, engines: list[Recorded], command: str, log: str
) -> None:
    def do(session: Session) -> object:
        session.execute("detect_speech", "recorded fine name")
        session.execute("detect_speech", command)
        return speech.speech_detection(session)

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [None]
    assert engines[0].told[-1] == "close" and log in outcome.logs


def test_commands_without_an_engine_do_nothing(virtual_switch: Switch) -> None:
    def do(session: Session) -> object:
        for words in ("pause", "resume", "stop", "param a b", "grammar a b", "nogrammar a", "grammarsalloff"):
            session.execute("detect_speech", words)
        session.execute("detect_speech", "none grammar name")
        session.execute("detect_speech", "two words")
        session.execute("detect_speech", "")
        return session.channel.ready

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [True]
    assert "Invalid ASR module [none]!" in outcome.logs
    usage = "Usage: <mod_name> <gram_name> <gram_path> [<addr>] OR grammar <gram_name> [<path>] OR nogrammar"
    assert [text for text in outcome.logs if text.startswith(usage)]


def test_events_are_queued_and_only_fired_where_wanted(
    virtual_switch: Switch, engines: list[Recorded]
) -> None:
    fired: list[Event] = []
    virtual_switch.bus.subscribe(fired.append, ["DETECTED_SPEECH"])
    results = "results:BEGIN;PARTIAL=ye;FINAL=yes"

    def do(session: Session) -> object:
        queued: list[Event] = []
        session.execute("detect_speech", f"recorded {results} name")
        sleep(session, 500, collect(queued, 3))
        assert not fired
        session.channel.set_variable("fire_asr_events", "true")
        session.execute("detect_speech", f"recorded {results} name")
        sleep(session, 500, collect(queued, 6))
        session.execute("detect_speech", "stop")
        sleep(session, 20, collect(queued))
        return queued

    outcome = in_call(virtual_switch, do)
    (queued,) = outcome.values
    assert isinstance(queued, list)
    three = ["begin-speaking", "detected-partial-speech", "detected-speech"]
    assert types(queued) == [*three, *three, "closed"] and types(fired) == [*three, "closed"]
    assert [event.body for event in fired] == [None, "ye", "yes", None]
    assert queued[2].body == "yes" and queued[2].get_header("Unique-ID") is None
    assert fired[2].get_header("Unique-ID") == outcome.session.uuid
    assert fired[2].get_header("ASR-Completion-Cause") == "0"


def test_results_come_at_the_frames_of_the_sound(virtual_switch: Switch, engines: list[Recorded]) -> None:
    """The engine `test` needs more than 60 ms of sound, and 700 ms of silence."""

    def do(session: Session) -> object:
        queued: list[Event] = []
        began = session.clock.now()
        session.execute("detect_speech", "test {result=hello} name")
        at = []
        for number in (1, 2):
            sleep(session, 5000, collect(queued, number))
            at.append((session.clock.now() - began) // 1000)
        return queued[-1].body, at

    outcome = in_call(virtual_switch, do, say=speaker())
    assert outcome.values == [('{"grammar": "", "text": "hello", "confidence": 87.300000}', [580, 1520])]


def test_an_engine_that_fails_is_closed(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        queued: list[Event] = []
        session.execute("detect_speech", "recorded breaks name")
        sleep(session, 500, collect(queued, 1))
        return types(queued), speech.speech_detection(session)

    outcome = in_call(virtual_switch, do)
    assert outcome.values == [(["closed"], None)]
    assert "ASR [recorded] failed: the far end is gone" in outcome.logs


def test_recognition_ends_with_the_call(virtual_switch: Switch, engines: list[Recorded]) -> None:
    in_call(virtual_switch, lambda session: session.execute("detect_speech", "recorded fine name"))
    assert engines[0].told[-1] == "close"


def test_an_engine_that_cannot_be_opened(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        session.execute("play_and_detect_speech", "silence_stream://100 detect:recorded:broken yes")
        return session.channel.get_variable("current_application_response")

    outcome = in_call(virtual_switch, do)
    assert outcome.values == ["ASR INIT ERROR"]
    assert "ASR [recorded] cannot be opened: out of order" in outcome.logs


def test_keys_go_to_the_engine_too(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        session.execute("detect_speech", "recorded fine name")
        sleep(session, 500)
        digit = session.inbox.take(Digit)
        return digit and digit.digit

    assert in_call(virtual_switch, do, press=((100, "5"),)).values == ["5"]
    assert "dtmf 5" in engines[0].told


def test_spoken_keys_are_pressed_where_that_is_wanted(
    virtual_switch: Switch, engines: list[Recorded]
) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("asr_intercept_dtmf", "true")
        session.execute("detect_speech", "recorded 'results:FINAL=<input>12poundStar7</input>' name")
        sleep(session, 200)
        keys = ""
        while (digit := session.inbox.take(Digit)) is not None:
            keys += digit.digit
        return keys

    assert in_call(virtual_switch, do).values == ["12#*7"]
    assert "resume" in engines[0].told
    assert speech.keys_said("<result>no input</result>") == ""


def played(session: Session, data: str) -> tuple[str | None, str | None]:
    session.execute("play_and_detect_speech", data)
    get = session.channel.get_variable
    return get("current_application_response"), get("detect_speech_result")


def test_play_and_detect_speech(virtual_switch: Switch, engines: list[Recorded]) -> None:
    """The voice ends the prompt, the result comes when it is over, and the engine stays open for the next one."""

    def do(session: Session) -> object:
        took_ms = took(session, lambda: played(session, "silence_stream://9000 detect:test {result=yes}g"))
        return took_ms, session.channel.get_variable("detect_speech_result")

    outcome = in_call(virtual_switch, do, say=speaker())
    assert outcome.values == [(1520, '{"grammar": "g", "text": "yes", "confidence": 87.300000}')]
    assert outcome.kinds("played")[0]["ended"] == "input" and outcome.kinds("played")[0]["ms"] == 580


@pytest.mark.parametrize(
    ("data", "response"),
    [
        ("", "USAGE ERROR"),
        ("silence_stream://100 recorded yes", "USAGE ERROR"),
        ("silence_stream://100 detect:", "USAGE ERROR"),
        ("silence_stream://100 detect:recorded", "USAGE ERROR"),
        ("silence_stream://100 detect:none yes", "ASR INIT ERROR"),
        ("silence_stream://100 detect:recorded bad", "GRAMMAR ERROR"),
        ("/no/such/file.wav detect:recorded fine", "ERROR"),
    ],
)
def test_play_and_detect_speech_that_fails(
    virtual_switch: Switch, engines: list[Recorded], data: str, response: str
) -> None:
    assert in_call(virtual_switch, lambda session: played(session, data)).values == [(response, None)]


def test_a_terminator_ends_it(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("playback_terminators", "#")
        what = played(session, "silence_stream://9000 detect:recorded fine")
        return what, session.channel.get_variable("playback_terminator_used")

    outcome = in_call(virtual_switch, do, press=((300, "1#"),))
    assert outcome.values == [(("DONE", "DIGIT: #"), "#")]
    assert engines[0].told == ["load fine ", "dtmf 1", "dtmf #", "pause", "close"]


def test_the_engine_is_closed_where_that_is_wanted(virtual_switch: Switch, engines: list[Recorded]) -> None:
    """And what it told when it closed is not taken for the next one's end."""

    def do(session: Session) -> object:
        session.channel.set_variable("play_and_detect_speech_close_asr", "true")
        grammar = "results:BEGIN;FINAL=yes"
        return [played(session, f"silence_stream://900 detect:recorded {grammar}") for _ in range(2)]

    assert in_call(virtual_switch, do).values == [[("DONE", "yes"), ("DONE", "yes")]]
    assert len(engines) == 2 and all(engine.told[-1] == "close" for engine in engines)


def test_a_callback_sees_the_events(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        seen: list[Event] = []
        answer = play_and_detect_speech(
            session, "silence_stream://900", "recorded", "results:BEGIN;PARTIAL=y;FINAL=yes", collect(seen)
        )
        return answer, types(seen)

    three = ["begin-speaking", "detected-partial-speech", "detected-speech"]
    assert in_call(virtual_switch, do).values == [((Status.SUCCESS, "yes"), three)]


def test_a_hangup_ends_the_wait(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        return played(session, "silence_stream://100 detect:recorded fine")

    outcome = in_call(virtual_switch, do, hangup_ms=700)
    assert outcome.values == [("ERROR", None)]


@pytest.mark.parametrize(
    ("grammar", "text", "confidence"),
    [("{result=yes,confidence=12.5,partial=true}g", "yes", "12.500000"), ("g", "agent", "87.300000")],
)
def test_the_engine_of_mod_test(
    virtual_switch: Switch, engines: list[Recorded], grammar: str, text: str, confidence: str
) -> None:
    def do(session: Session) -> object:
        seen: list[Event] = []
        play_and_detect_speech(session, "silence_stream://100", "test", grammar, collect(seen))
        return types(seen), seen[-1].body

    partial = ["detected-partial-speech"] * 3 if "partial" in grammar else []
    expected = f'{{"grammar": "g", "text": "{text}", "confidence": {confidence}}}'
    outcome = in_call(virtual_switch, do, say=speaker())
    assert outcome.values == [(["begin-speaking", *partial, "detected-speech"], expected)]


def test_nobody_speaks_to_the_engine_of_mod_test(virtual_switch: Switch, engines: list[Recorded]) -> None:
    def do(session: Session) -> object:
        def wait(grammar: str) -> Callable[[], object]:
            return lambda: played(session, f"silence_stream://1000 detect:test {grammar}")

        session.channel.set_variable("play_and_detect_speech_close_asr", "true")
        from_the_start = took(session, wait("{start-input-timers=true,no-input-timeout=3000}g"))
        after_prompt = took(session, wait("{start-input-timers=false,no-input-timeout=3000}g"))
        return from_the_start, after_prompt, session.channel.get_variable("detect_speech_result")

    text = '{"grammar": "g", "text": "", "confidence": 0, "error": "no_input"}'
    assert in_call(virtual_switch, do).values == [(3000, 3980, text)]


def test_the_registry_is_shown(virtual_switch: Switch, engines: list[Recorded]) -> None:
    virtual_switch.modules.load("mod_commands")
    assert "asr,test,mod_test\n" in virtual_switch.api("show", "interfaces")
    virtual_switch.modules.unload("mod_test")
    assert "asr,test,mod_test\n" not in virtual_switch.api("show", "interfaces")
