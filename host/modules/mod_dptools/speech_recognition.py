"""Applications that recognise speech: `detect_speech`, `play_and_detect_speech`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.ivr import detect_speech as speech
from host.ivr.play_and_detect_speech import play_and_detect_speech
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_DETECT_SYNTAX: Final = (
    "<mod_name> <gram_name> <gram_path> [<addr>] OR grammar <gram_name> [<path>] OR nogrammar <gram_name> OR "
    "grammaron/grammaroff <gram_name> OR grammarsalloff OR pause OR resume OR start_input_timers OR stop OR "
    "param <name> <value>"
)
_PLAY_SYNTAX: Final = "<file> detect:<engine> {param1=val1,param2=val2}<grammar>"
_MARK: Final = "detect:"
_DEPRECATED: Final = "start_input_timers is deprecated, please use start-input-timers instead!"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("detect_speech", _DETECT_SYNTAX, "Detect speech on a channel.", media=True)
def detect_speech(session: Session, data: str) -> None:
    """Begin to recognise speech beside the call, or command what recognises it."""
    words = separate(data, " ", 4)
    if not words:
        session.channel.log(LogLevel.ERR, f"Usage: {_DETECT_SYNTAX}")
        return
    what, first, second, third = words + [""] * (4 - len(words))
    if not command(session, what, first, second) and len(words) >= 3:
        begin(session, what, first, second, third)


def begin(session: Session, engine: str, grammar: str, name: str, destination: str) -> None:
    """Recognise by a grammar; what keeps it from that has been logged."""
    try:
        speech.detect_speech(session, engine, grammar, name, destination)
    except (speech.AsrInitError, speech.GrammarError):
        return


def command(session: Session, what: str, first: str, second: str) -> bool:
    """Do what one of the application's words says; False when `what` is none of them."""
    match what.lower():
        case "grammar":
            speech.load_speech_grammar(session, first, second)
        case "nogrammar":
            speech.unload_speech_grammar(session, first)
        case "grammaron":
            speech.enable_speech_grammar(session, first)
        case "grammaroff":
            speech.disable_speech_grammar(session, first)
        case "grammarsalloff":
            speech.disable_all_speech_grammars(session)
        case "init":
            try:
                speech.detect_speech_init(session, first, second)
            except speech.AsrInitError:
                return True
        case "pause":
            speech.pause_detect_speech(session)
        case "resume":
            speech.resume_detect_speech(session)
        case "stop":
            speech.stop_detect_speech(session)
        case "param":
            if second:
                speech.set_param(session, first, second)
        case "start-input-timers":
            speech.start_input_timers(session)
        case "start_input_timers":
            session.channel.log(LogLevel.WARNING, _DEPRECATED)
            speech.start_input_timers(session)
        case _:
            return False
    return True


@_application("play_and_detect_speech", _PLAY_SYNTAX, "Play and do speech recognition", media=True)
def play_and_detect(session: Session, data: str) -> None:
    """Play a file while an engine listens; `detect_speech_result` is what it recognised."""
    channel = session.channel
    channel.set_variable("detect_speech_result", "")
    channel.set_variable("current_application_response", _play_and_detect(session, data))


def _play_and_detect(session: Session, data: str) -> str:
    """Do it and return what `current_application_response` says of it."""
    channel = session.channel
    path, mark, rest = data.partition(_MARK)
    words = separate(rest, " ", 2)
    if not mark or len(words) != 2:
        channel.log(LogLevel.ERR, f"Usage: {_PLAY_SYNTAX}")
        return "USAGE ERROR"
    engine, grammar = words
    try:
        status, result = play_and_detect_speech(session, path.rstrip(), engine, grammar)
    except speech.GrammarError:
        return "GRAMMAR ERROR"
    except speech.AsrInitError:
        return "ASR INIT ERROR"
    if status is not Status.SUCCESS:
        return "ERROR"
    if result:
        channel.set_variable("detect_speech_result", result)
    return "DONE"
