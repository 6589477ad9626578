"""Say numbers, times, letters and more with the prompts of a language (FreeSWITCH: switch_ivr_say)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from host.ivr.input_args import NO_INPUT, InputArgs
from host.ivr.play import play_file
from host.log import LogLevel
from host.phrase_macro import PhraseLanguage, PhraseMacroError, find_language
from host.say.request import (
    SayError,
    SayGender,
    SayMethod,
    SayRequest,
    SayType,
    UnknownSayType,
    by_name,
    say_zone,
)
from host.sound_file import SCHEME_MARK
from host.status import Status

if TYPE_CHECKING:
    from host.interfaces import SayInterface
    from host.session import Session
    from host.switch import Switch

DEFAULT_LANGUAGE: Final = "en"
DEFAULT_ENDING: Final = "wav"


def say(
    session: Session,
    text: str,
    module: str,
    say_type: str | None,
    method: str | None,
    gender: str | None = None,
    args: InputArgs | None = None,
) -> Status:
    """Say `text` as `say_type` by `method`, in the language of `module` (`en`, or `module:language`).

    The language is the one named, else the channel's `language` or `default_language`, else the module's name; its
    configuration names the say module and where its sounds are. FALSE when there is no such language, module or type.
    """
    channel = session.channel
    module_name, _, language_name = (module or DEFAULT_LANGUAGE).partition(":")
    name = (
        language_name
        or channel.get_variable("language")
        or channel.get_variable("default_language")
        or module_name
    )
    try:
        language = language_of(session.switch, name, macro="say_app")
    except PhraseMacroError as error:
        channel.log(LogLevel.ERR, str(error))
        return Status.FALSE
    former = None
    if not channel.is_true("sound_prefix_enforced"):
        former = channel.get_variable("sound_prefix")
        if language.sound_prefix:
            channel.set_variable("sound_prefix", language.sound_prefix)
    try:
        return say_in(session, language.say_module, text, say_type, method, gender, args)
    finally:
        # FreeSWITCH: a prefix that was not set before stays that of the language.
        if former:
            channel.set_variable("sound_prefix", former)


def say_in(
    session: Session,
    module: str,
    text: str,
    say_type: str | None,
    method: str | None,
    gender: str | None = None,
    args: InputArgs | None = None,
) -> Status:
    """Say `text` with the say module `module` and the sound prefix as it is; as `say`."""
    channel = session.channel
    interface = session.switch.says.get(module)
    if interface is None:
        channel.log(LogLevel.ERR, f"Invalid SAY Interface [{module}]!")
        return Status.FALSE
    request = _request(session.switch, session, text, say_type, method, gender)
    session.switch.observe(
        "say", channel, text=text, module=module, type=request.type.name, method=request.method.name
    )
    if not interface.as_string:
        return _say_one_by_one(session, interface, request, args or NO_INPUT)
    path = _spoken_string(session.switch, interface, request, DEFAULT_ENDING)
    return Status.FALSE if path is None else play_file(session, path, args=args)


def say_string(
    switch: Switch,
    text: str,
    language: str | None,
    say_type: str,
    method: str,
    gender: str | None = None,
    ending: str = DEFAULT_ENDING,
    session: Session | None = None,
) -> str | None:
    """Return the `file_string://…` that says `text` (FreeSWITCH: switch_ivr_say_string), for the API `say_string`.

    Empty text when the text cannot be said; None when there is no such language or type, or the language does not
    speak with file strings.
    """
    name = language or DEFAULT_LANGUAGE
    try:
        module = language_of(switch, name, macro="say_app").say_module
    except PhraseMacroError as error:
        switch.log(LogLevel.ERR, str(error))
        return None
    interface = switch.says.get(module)
    if interface is None or not interface.as_string:
        switch.log(LogLevel.ERR, f"Invalid SAY Interface [{module}]!")
        return None
    request = _request(switch, session, text, say_type, method, gender)
    return _spoken_string(switch, interface, request, ending or DEFAULT_ENDING)


def language_of(switch: Switch, name: str, macro: str, data: str = "") -> PhraseLanguage:
    """Return the configuration of a language; PhraseMacroError when there is none."""
    hints = {"macro_name": macro, "lang": name, "data": data}
    languages = switch.xml.section("languages", hints)
    return find_language(languages, switch.xml.section("phrases", hints) if languages is None else None, name)


def _request(
    switch: Switch,
    session: Session | None,
    text: str,
    say_type: str | None,
    method: str | None,
    gender: str | None,
) -> SayRequest:
    # FreeSWITCH gives the languages the channel's own variables: no profile fields, no globals.
    variables = session.channel.variables if session is not None else None
    return SayRequest(
        text,
        by_name(SayType, say_type),
        by_name(SayMethod, method),
        by_name(SayGender, gender),
        switch.clock.time(),
        say_zone(variables.get("timezone") if variables is not None else None),
        variables.get if variables is not None else lambda name: None,
    )


def _spoken_string(switch: Switch, interface: SayInterface, request: SayRequest, ending: str) -> str | None:
    """Return the file string of a request: what could be said of it, None when the type is unknown."""
    names: list[str] = []
    try:
        for name in interface.words(request):
            # FreeSWITCH: the first name gets the ending even when it is a stream.
            names.append(name if names and SCHEME_MARK in name else f"{name}.{ending}")
    except UnknownSayType as error:
        switch.log(LogLevel.ERR, str(error))
        return None
    except SayError as error:
        switch.log(LogLevel.ERR, str(error))
    return "file_string://" + "!".join(names) if names else ""


def _say_one_by_one(
    session: Session, interface: SayInterface, request: SayRequest, args: InputArgs
) -> Status:
    try:
        for name in _with_ending(interface.words(request)):
            status = play_file(session, name, args=args)
            if not status:
                return status
            if not session.channel.ready:
                return Status.FALSE
    except UnknownSayType as error:
        session.channel.log(LogLevel.ERR, str(error))
        return Status.FALSE
    except SayError as error:
        session.channel.log(LogLevel.ERR, str(error))
        return Status.GENERR
    return Status.SUCCESS


def _with_ending(names: Iterator[str]) -> Iterator[str]:
    return (name if SCHEME_MARK in name else f"{name}.{DEFAULT_ENDING}" for name in names)
