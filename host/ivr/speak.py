"""Speak a text with a speech engine (FreeSWITCH: switch_ivr_speak_text)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.input_args import NO_INPUT, InputArgs
from host.ivr.listen import play_source
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def speak_text(session: Session, engine: str, voice: str, text: str, args: InputArgs | None = None) -> Status:
    """Speak `text` with the speech engine `engine` (`name` or `name:profile`) in `voice`; return how it ended.

    `*` and `#` are spoken as words (`star_replace`, `pound_replace`). GENERR when there is no such engine or it
    fails, and the keys pressed until then are forgotten; BREAK when input ended it, FALSE when the call is not
    there (any more).
    """
    channel = session.channel
    if not channel.ready or not session.pre_answer():
        return Status.FALSE
    found = session.switch.speeches.get(engine.partition(":")[0])
    if found is None:
        session.switch.log(LogLevel.ERR, f"Invalid speech module [{engine.partition(':')[0]}]!")
        channel.log(LogLevel.ERR, f"Invalid TTS module {engine}[{voice}]!")
        session.forget_input(digits=True)
        return Status.GENERR
    spoken = text.replace("*", channel.get_variable("star_replace") or "star")
    spoken = spoken.replace("#", channel.get_variable("pound_replace") or "pound")
    try:
        source = found.speak(spoken, voice, session.line.rate)
    except OSError as error:
        channel.log(LogLevel.ERR, f"{engine}[{voice}]: {error}")
        session.forget_input(digits=True)
        return Status.GENERR
    channel.log(LogLevel.DEBUG, f"Speaking text: {spoken}")
    session.switch.observe(
        "speak",
        channel,
        engine=engine,
        voice=voice,
        text=spoken,
        length_ms=None if source.length is None else source.length * 1000 // source.rate,
    )
    status = play_source(session, source, args or NO_INPUT)
    session.switch.observe("spoken", channel, text=spoken, ended="end" if status else "input")
    return status


def say_text(session: Session, text: str, args: InputArgs | None = None) -> Status:
    """Speak a path `say:TEXT` with the engine and voice of `tts_engine` and `tts_voice`.

    FreeSWITCH: without an engine nothing is said, and that is no failure.
    """
    channel = session.channel
    engine = channel.get_variable("tts_engine")
    if not engine or not text:
        channel.log(LogLevel.ERR, "Invalid Args")
        return Status.SUCCESS
    return speak_text(session, engine, channel.get_variable("tts_voice") or "", text, args)
