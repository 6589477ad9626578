"""Phrase macros: from a language of the configuration, a macro's name and its data to what is played and said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from host.leading_number import leading_int
from host.regex import RegexError, RegexMatch, search
from host.truth import is_true
from host.xml_text import named_child

# FreeSWITCH: the silence after every action of a macro that sets no `pause`, in ms.
DEFAULT_PAUSE = 100
MAX_PAUSE = 3_600_000  # an hour, in ms: longer is a slip of the pen, and keeps sums of pauses small


class PhraseMacroError(ValueError):
    """A language or macro that cannot be used; the text is FreeSWITCH's."""


@dataclass(frozen=True, slots=True)
class PhraseLanguage:
    """A language of the section `languages` (or of the old section `phrases`).

    `macros` is the group that a macro without `@group` is looked for in. Empty text where nothing is configured.
    """

    name: str
    macros: etree._Element
    phrases: etree._Element | None
    say_module: str
    sound_prefix: str
    tts_engine: str
    tts_voice: str


@dataclass(frozen=True, slots=True)
class PhraseAction:
    """One action of a macro, its data expanded.

    `function` is `play-file`, `say`, `execute`, `phrase`, `speak-text` or `break` in lower case, or what else the
    configuration names; `attributes` are the action's own (`type`, `method`, `gender`, `phrase`, `volume`, …).
    `pause` is the silence after it, in ms.
    """

    function: str
    data: str
    attributes: Mapping[str, str]
    pause: int

    def application(self) -> tuple[str, str]:
        """Return the application and its data of an `execute` action, written `app(data)`."""
        name, bracket, rest = self.data.partition("(")
        if not bracket:
            return self.data.strip(), ""
        end = rest.rfind(")")
        return name.strip(), rest if end < 0 else rest[:end]


def find_language(
    languages: etree._Element | None, phrases: etree._Element | None, name: str
) -> PhraseLanguage:
    """Return the language `name`, also the part before a `-` (`en` for `en-GB`).

    `languages` and `phrases` are those sections of the configuration, None where there is none.
    Raises PhraseMacroError.
    """
    try:
        return _language(languages, phrases, name)
    except PhraseMacroError:
        primary, dash, _ = name.partition("-")
        if not dash:
            raise
        return _language(languages, phrases, primary)


class PhraseMacro:
    """A macro of a language, ready to be run on data.

    `sound_prefix` is where its files are (empty: leave the channel's), `sound_prefix_enforced` whether the macro's
    group demands it. Raises PhraseMacroError when the language has no such macro (`name` may be `macro@group`).
    """

    def __init__(self, language: PhraseLanguage, name: str) -> None:
        self.name = name
        self.language = language
        self.sound_prefix = language.sound_prefix
        self.sound_prefix_enforced = False
        self.matched = False
        macros = language.macros
        local_name = name
        if language.phrases is not None:
            local_name, at, group = name.partition("@")
            if at:
                found = named_child(language.phrases, "macros", "name", group)
                if found is None:
                    raise PhraseMacroError(f"Can't find macros group {group}.")
                macros = found
            self.sound_prefix = (
                _first(macros, "sound-prefix", "sound-path", "sound_path") or self.sound_prefix
            )
            self.sound_prefix_enforced = is_true(macros.get("sound-prefix-enforced"))
        macro = named_child(macros, "macro", "name", local_name)
        if macro is None:
            raise PhraseMacroError(f"Can't find macro {name}.")
        if macro.find("input") is None:
            raise PhraseMacroError("Can't find any input tags.")
        self._macro = macro
        self.pause = _pause(macro.get("pause"))

    def actions(
        self,
        data: str,
        expand: Callable[[str], str],
        on_error: Callable[[str], None] = lambda text: None,
    ) -> Iterator[PhraseAction]:
        """Yield the actions for `data`, each expanded only when it is asked for.

        So what an action sets is seen by the next one; stop asking when an action fails. `expand` fills in
        `${…}`. `on_error` gets the text of a pattern that PCRE refuses, which counts as no match.
        Afterwards `matched` says whether any input had something to do.
        """
        self.matched = False
        for phrase_input in self._macro.iterchildren("input"):
            pattern = phrase_input.get("pattern", ".*")
            match = _search(expand(phrase_input.get("field", data)), pattern, on_error)
            taken = phrase_input.find("match" if match else "nomatch")
            if taken is None:
                continue
            self.matched = True
            for action in taken.iterchildren("action"):
                text = action.get("data", "")
                if match and "(" in pattern:
                    text = match.substitute(text)
                function = action.get("function", "").lower()
                attributes = {str(key): str(value) for key, value in action.items()}
                yield PhraseAction(function, expand(text), attributes, self.pause)
                if function == "break":
                    return
            if is_true(phrase_input.get("break_on_match")):
                return


def _language(languages: etree._Element | None, phrases: etree._Element | None, name: str) -> PhraseLanguage:
    if languages is not None:
        language = named_child(languages, "language", "name", name)
        if language is None:
            raise PhraseMacroError(f"Can't find language {name}.")
        parent = language.find("phrases")
        if parent is None:
            raise PhraseMacroError("Can't find phrases tag.")
        macros = parent.find("macros")
    elif phrases is not None:
        parent = None
        old_macros = phrases.find("macros")
        if old_macros is None:
            raise PhraseMacroError("Can't find macros tag.")
        language = macros = named_child(old_macros, "language", "name", name)
        if language is None:
            raise PhraseMacroError(f"Can't find language {name}.")
    else:
        raise PhraseMacroError("Open of languages and phrases failed.")
    if macros is None:
        raise PhraseMacroError("Can't find macros tag.")
    return PhraseLanguage(
        name=name,
        macros=macros,
        phrases=parent,
        say_module=_first(language, "say-module", "module") or name,
        sound_prefix=_first(language, "sound-prefix", "sound-path", "sound_path"),
        tts_engine=_first(language, "tts-engine", "tts_engine"),
        tts_voice=_first(language, "tts-voice", "tts_voice"),
    )


def _first(element: etree._Element, *names: str) -> str:
    return next((element.get(name, "") for name in names if element.get(name) is not None), "")


def _pause(text: str | None) -> int:
    milliseconds = leading_int(text) if text is not None else DEFAULT_PAUSE
    return min(milliseconds, MAX_PAUSE) if milliseconds >= 0 else DEFAULT_PAUSE


def _search(subject: str, pattern: str, on_error: Callable[[str], None]) -> RegexMatch | None:
    try:
        return search(subject, pattern)
    except RegexError as error:
        on_error(str(error))
        return None
