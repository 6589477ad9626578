"""Run a phrase macro of the configuration (FreeSWITCH: switch_ivr_phrase_macro)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.say import DEFAULT_LANGUAGE, language_of, say_in
from host.ivr.sleep import sleep
from host.ivr.speak import speak_text
from host.leading_number import leading_int
from host.log import LogLevel
from host.phrase_macro import PhraseAction, PhraseMacro, PhraseMacroError
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def phrase_macro(
    session: Session, name: str, data: str | None, language: str | None = None, args: InputArgs | None = None
) -> Status:
    """Run the macro `name` (`macro@group`) on `data` in `language`, else in the channel's `default_language`.

    SUCCESS when every action was done, also when no pattern fitted; GENERR when there is no such language or macro;
    else what the first action that failed returned, BREAK when input ended it.
    """
    channel = session.channel
    data = data or ""
    language = language or channel.get_variable("default_language") or DEFAULT_LANGUAGE
    try:
        macro = PhraseMacro(language_of(session.switch, language, name, data), name)
    except PhraseMacroError as error:
        channel.log(LogLevel.ERR, str(error))
        return Status.GENERR
    session.switch.observe("phrase", channel, macro=name, data=data, language=language)
    enforced = channel.is_true("sound_prefix_enforced")
    former = None
    if not enforced:
        if macro.sound_prefix_enforced:
            channel.set_variable("sound_prefix_enforced", "true")
        if macro.sound_prefix:
            former = channel.get_variable("sound_prefix") or ""
            channel.set_variable("sound_prefix", macro.sound_prefix)
    try:
        return _run(session, macro, data, args)
    finally:
        if former is not None:
            channel.set_variable("sound_prefix", former)
        if not enforced and macro.sound_prefix_enforced:
            channel.set_variable("sound_prefix_enforced", None)


def _run(session: Session, macro: PhraseMacro, data: str, args: InputArgs | None) -> Status:
    channel = session.channel
    if not session.pre_answer():
        return Status.FALSE
    status = Status.SUCCESS
    for action in macro.actions(data, session.expand, lambda text: channel.log(LogLevel.ERR, text)):
        language = macro.language
        channel.log(
            LogLevel.DEBUG,
            f"Handle {action.function}:[{action.data}] ({language.name}:{language.say_module})",
        )
        status = _do(session, macro, action, status, args)
        # FreeSWITCH pauses after every action, also after one that was broken off, and heeds no key meanwhile.
        sleep(session, action.pause)
        if not status:
            break
    if not macro.matched:
        channel.log(LogLevel.WARNING, f"Macro [{macro.name}]: '{data}' did not match any patterns")
    return status


def _do(
    session: Session, macro: PhraseMacro, action: PhraseAction, status: Status, args: InputArgs | None
) -> Status:
    """Do one action; what leaves nothing to tell returns `status`, the one of the action before."""
    channel = session.channel
    attributes = action.attributes
    if action.function == "play-file":
        return play_file(session, action.data, args=args, volume=_volume(attributes.get("volume", "")))
    if action.function == "phrase":
        return phrase_macro(session, attributes.get("phrase", ""), action.data, macro.language.name, args)
    if action.function == "execute":
        application, argument = action.application()
        if session.switch.applications.get(application) is None:
            channel.log(LogLevel.ERR, f"Invalid Application {application}")
            return Status.FALSE
        return session.execute(application, argument)
    if action.function == "say":
        module = macro.language.say_module
        if session.switch.says.get(module) is None:
            channel.log(LogLevel.ERR, f"Invalid SAY Interface [{module}]!")
            return status
        kind, method = attributes.get("type", ""), attributes.get("method", "")
        return say_in(session, module, action.data, kind, method, attributes.get("gender", ""), args)
    if action.function == "speak-text":
        if not (macro.language.tts_engine and macro.language.tts_voice):
            channel.log(LogLevel.ERR, "TTS is not configured")
            return status
        engine = attributes.get("tts-engine", macro.language.tts_engine)
        voice = attributes.get("tts-voice", macro.language.tts_voice)
        return speak_text(session, engine, voice, action.data, args)
    return status  # `break`, and names that mean nothing


def _volume(text: str) -> int:
    digits = text.removeprefix("-").removeprefix("+")
    return leading_int(text) if digits.replace(".", "", 1).isdigit() else 0
