from __future__ import annotations

import re
from pathlib import Path

import pytest

from host.phrase_macro import PhraseAction, PhraseMacro, PhraseMacroError, find_language
from host.xml_registry import XmlRegistry
from host.xml_text import parse_xml

CONFORMANCE = Path(__file__).parents[3] / "shared" / "conformance"

LANGUAGES = """
<section name="languages">
  <language name="en" say-module="en" sound-prefix="/sounds/en" tts-engine="flite" tts_voice="kal">
    <phrases>
      <macros>
        <macro name="count" pause="20">
          <input pattern="^(1)$" break_on_match="true"><match>
            <action function="play-file" data="one.wav" volume="2"/>
          </match></input>
          <input pattern="^(\\d+)$"><match>
            <action function="say" data="$1" method="pronounced" type="items" gender="feminine"/>
            <action function="EXECUTE" data="set(last=$1(x))"/>
          </match><nomatch>
            <action function="phrase" phrase="other" data="$1 ${last}"/>
            <action function="break"/>
            <action function="play-file" data="never.wav"/>
          </nomatch></input>
          <input pattern="3" field="x${last}"><match><action function="play-file" data="three.wav"/></match></input>
        </macro>
        <macro name="bad"><input pattern="("><nomatch><action function="play-file" data="no"/></nomatch></input></macro>
        <macro name="empty"/>
      </macros>
      <macros name="shop" sound-prefix="/shop" sound-prefix-enforced="true">
        <macro name="count" pause="-1">
          <input><match><action function="play-file" data="shop.wav"/></match></input>
        </macro>
      </macros>
    </phrases>
  </language>
</section>
"""


class Channel:
    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def expand(self, text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: self.variables.get(found[1], ""), text)

    def play(self, macro: PhraseMacro, data: str) -> list[PhraseAction]:
        done = []
        for action in macro.actions(data, self.expand):
            done.append(action)
            if action.function == "execute":
                application, argument = action.application()
                assert application == "set"
                name, _, value = argument.partition("=")
                self.variables[name] = value
        return done


def macro(name: str) -> PhraseMacro:
    return PhraseMacro(find_language(parse_xml(LANGUAGES), None, "en"), name)


def test_actions_of_the_inputs_that_match() -> None:
    channel = Channel()
    actions = channel.play(macro("COUNT"), "33")
    assert [(action.function, action.data) for action in actions] == [
        ("say", "33"),
        ("execute", "set(last=33(x))"),
        ("play-file", "three.wav"),
    ]
    assert actions[0].attributes["gender"] == "feminine"
    assert {action.pause for action in actions} == {20}
    assert channel.variables == {"last": "33(x)"}


def test_break_on_match_and_break() -> None:
    assert [action.data for action in Channel().play(macro("count"), "1")] == ["one.wav"]
    actions = Channel().play(macro("count"), "x")
    assert [(action.function, action.data) for action in actions] == [("phrase", "$1 "), ("break", "")]
    assert actions[0].attributes["phrase"] == "other"


def test_groups_of_macros() -> None:
    found = macro("count@shop")
    assert (found.sound_prefix, found.sound_prefix_enforced, found.pause) == ("/shop", True, 100)
    assert [action.data for action in Channel().play(found, "")] == ["shop.wav"]
    assert (macro("count").sound_prefix, macro("count").sound_prefix_enforced) == ("/sounds/en", False)


def test_what_a_language_says() -> None:
    language = find_language(parse_xml(LANGUAGES), None, "en-GB")
    assert (language.name, language.say_module, language.tts_engine, language.tts_voice) == (
        "en",
        "en",
        "flite",
        "kal",
    )


def test_the_old_section_phrases() -> None:
    phrases = parse_xml(
        '<section><macros><language name="de" module="de" sound_path="/de"><macro name="m"><input pattern="(.)"><match>'
        '<action function="play-file" data="$1.wav"/></match></input></macro></language></macros></section>'
    )
    found = PhraseMacro(find_language(None, phrases, "de"), "m")
    assert (found.language.say_module, found.sound_prefix) == ("de", "/de")
    assert [action.data for action in found.actions("x", str)] == ["x.wav"]


def test_matched_and_bad_patterns() -> None:
    errors: list[str] = []
    bad = macro("bad")
    assert [action.data for action in bad.actions("x", str, errors.append)] == ["no"]
    assert errors == ["COMPILE ERROR: 1 [missing closing parenthesis][(]"]
    assert bad.matched
    phrases = (
        '<s><macros><language name="a"><macro name="m"><input pattern="x"/></macro></language></macros></s>'
    )
    idle = PhraseMacro(find_language(None, parse_xml(phrases), "a"), "m")
    assert list(idle.actions("x", str)) == []
    assert not idle.matched


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none", "Can't find macro none."),
        ("count@none", "Can't find macros group none."),
        ("empty", "Can't find any input tags."),
    ],
)
def test_macros_that_are_not_there(name: str, text: str) -> None:
    with pytest.raises(PhraseMacroError) as caught:
        macro(name)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("languages", "phrases", "text"),
    [
        (None, None, "Open of languages and phrases failed."),
        ("<s/>", None, "Can't find language en."),
        ('<s><language name="en"/></s>', None, "Can't find phrases tag."),
        ('<s><language name="en"><phrases/></language></s>', None, "Can't find macros tag."),
        (None, "<s/>", "Can't find macros tag."),
        (None, "<s><macros/></s>", "Can't find language en."),
    ],
)
def test_languages_that_are_not_there(languages: str | None, phrases: str | None, text: str) -> None:
    with pytest.raises(PhraseMacroError) as caught:
        find_language(
            parse_xml(languages) if languages else None, parse_xml(phrases) if phrases else None, "en-US"
        )
    assert str(caught.value) == text


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the recorded cases are not here")
def test_recorded_macros() -> None:
    class Globals(dict[str, str]):
        def set(self, name: str, value: str, /) -> None:
            self[name] = value

    registry = XmlRegistry(Globals())
    registry.load(CONFORMANCE / "conf" / "freeswitch.xml")
    language = find_language(registry.section("languages"), registry.section("phrases"), "en")
    expected = (CONFORMANCE / "calls" / "calls-phrase.expected").read_text()
    recorded = re.findall(r"^conformance_patterns (\w*): string (\S+)$", expected, re.MULTILINE)
    assert len(recorded) >= 8
    for data, mark in recorded:
        channel = Channel()
        channel.play(PhraseMacro(language, "conformance_patterns"), "" if data == "nil" else data)
        assert channel.variables["phrase_mark"] == mark
