"""Applications that speak: numbers and letters, phrase macros, texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.hangup_cause import HangupCause
from host.ivr.phrase import phrase_macro
from host.ivr.say import say as say_text
from host.ivr.speak import speak_text
from host.log import LogLevel
from host.modules.mod_dptools.terminators import terminator_args
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_SAY_SYNTAX: Final = "<module_name>[:<lang>] <say_type> <say_method> [<say_gender>] <text>"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("say", _SAY_SYNTAX, "say", media=True)
def say(session: Session, data: str) -> None:
    """Say a text with prompts until a terminator is pressed."""
    words = separate(data, " ", 5)
    if len(words) not in (4, 5):
        session.channel.log(LogLevel.ERR, f"Usage: {_SAY_SYNTAX}")
        return
    module, say_type, method = words[:3]
    gender = words[3] if len(words) == 5 else None
    if ":" not in module:
        module = f"{module}:{module}"  # FreeSWITCH: the module's own language, not the channel's
    say_text(session, words[-1], module, say_type, method, gender, terminator_args(session))


@_application("phrase", "<macro_name>,<data>", "Say a Phrase", media=True)
def phrase(session: Session, data: str) -> None:
    """Run a phrase macro until a terminator is pressed."""
    channel = session.channel
    response = "NOTHING"
    if data:
        macro, _, argument = data.partition(",")
        args = terminator_args(session)
        status = phrase_macro(session, macro, argument, channel.get_variable("language"), args)
        response = "PHRASE PLAYED" if status in (Status.SUCCESS, Status.BREAK) else "UNKNOWN ERROR"
    channel.variables.set("current_application_response", response)


@_application("speak", "<engine>|<voice>|<text>", "Speak text", media=True)
def speak(session: Session, data: str) -> None:
    """Speak a text until a terminator is pressed; engine and voice are `tts_engine` and `tts_voice` if not given.

    FreeSWITCH: when one of them is missing, the call is hung up.
    """
    channel = session.channel
    parts = data.split("|", 2)
    if not data or not any(parts):
        channel.log(LogLevel.ERR, "Invalid Params!")
        return
    text = parts.pop()
    voice = parts.pop().strip() if parts else channel.get_variable("tts_voice")
    engine = parts.pop().strip() if parts else channel.get_variable("tts_engine")
    if not engine or voice is None:
        channel.log(LogLevel.ERR, f"Invalid Params! [{engine or 'NULL'}][{voice or 'NULL'}][{text}]")
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return
    speak_text(session, engine, voice, text, terminator_args(session))


@_application("clear_speech_cache", "", "Clear Speech Handle Cache", media=True)
def clear_speech_cache(session: Session, data: str) -> None:
    """Forget the channel's speech engine: there is nothing to forget, since no call keeps one."""
