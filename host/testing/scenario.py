"""What a simulated caller does: the scenario, from command-line options or from a YAML or TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from host.clock import MILLISECOND, SECOND

DIGITS: Final = "0123456789*#ABCDabcd"
DEFAULT_VOICE: Final = "en-us"
RATES: Final = (8000, 16000, 24000, 32000, 48000)

_TIME: Final = re.compile(r"(?:(\d+):)?(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SPOKEN: Final = re.compile(r"(.*?\S)\s*(?:\+\s*(\d+(?:\.\d+)?(?:ms|s|m|h)))?", re.DOTALL)
_UNITS: Final = {"ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, None: SECOND}


class ScenarioError(ValueError):
    """A scenario that cannot be understood; the text says what is wrong and how it is written."""


@dataclass(frozen=True, slots=True)
class Press:
    """Keys pressed one after the other from `at` (µs of call time) on."""

    digits: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterPrompt:
    """What is done `delay` µs after prompt number `prompt` ended, or after one whose name `pattern` matches."""

    prompt: int | None = None
    pattern: str | None = None
    delay: int = 0

    def matches(self, number: int, path: str) -> bool:
        """Return whether this waits for prompt `number` (from 1), whose file is `path`."""
        if self.prompt is not None:
            return number == self.prompt
        return self.pattern is not None and re.search(self.pattern, path) is not None


@dataclass(frozen=True, slots=True)
class PressWhen(AfterPrompt):
    """Keys pressed one after the other once a prompt has ended."""

    digits: str


@dataclass(frozen=True, slots=True)
class SpeakWhen(AfterPrompt):
    """A text spoken by the caller once a prompt has ended."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """A file or any other playable name that the caller sends as audio from `at` (µs of call time) on."""

    path: str
    at: int


@dataclass(frozen=True, slots=True)
class Speak:
    """A text that the caller speaks from `at` (µs of call time) on."""

    text: str
    at: int


@dataclass(slots=True)
class Scenario:
    """A caller: who they are, what they press and say, and when they hang up (µs of call time; None: never).

    `voice` is the espeak-ng voice in which they speak texts.
    """

    press: list[Press] = field(default_factory=list)
    press_when: list[PressWhen] = field(default_factory=list)
    say: list[Say] = field(default_factory=list)
    speak: list[Speak] = field(default_factory=list)
    speak_when: list[SpeakWhen] = field(default_factory=list)
    voice: str = DEFAULT_VOICE
    hangup_at: int | None = None
    from_number: str = "1000"
    from_name: str = "Caller"
    to_number: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    rate: int = 8000


def parse_time(text: str) -> int:
    """Return a time like `2s`, `5.5s`, `300ms`, `1m`, `1:30` or `2` (seconds) in µs; ScenarioError for another."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ScenarioError(f"{text!r} is no time: write 2s, 5.5s, 300ms, 1m or 1:30")
    minutes, number, unit = match.groups()
    if minutes is not None and unit is not None:
        raise ScenarioError(f"{text!r} is no time: write 1:30 or 90s")
    return round(float(number) * _UNITS[unit]) + int(minutes or 0) * 60 * SECOND


def parse_press(text: str) -> list[Press]:
    """Return the keys of `1@2s 4711#@5.5s`."""
    return [_press(word) for word in text.split()]


def _press(word: str) -> Press:
    digits, mark, time = word.partition("@")
    if not mark:
        raise ScenarioError(f"{word!r} does not say when: write DIGITS@TIME, as in 4711#@5s")
    return Press(_digits(digits), parse_time(time))


def parse_press_when(text: str) -> PressWhen:
    """Return the keys of `2=1` (after prompt 2), `welcome=1#` (after a file so named), `welcome=1#+500ms`."""
    what, mark, keys = text.rpartition("=")
    if not mark or not what:
        raise ScenarioError(
            f"{text!r} does not say what is waited for: write PROMPT=DIGITS, as in 2=1 or welcome=1#"
        )
    keys, _, delay = keys.partition("+")
    digits, wait = _digits(keys), parse_time(delay) if delay else 0
    prompt, pattern = _prompt(what)
    return PressWhen(digits, prompt=prompt, pattern=pattern, delay=wait)


def _prompt(what: str) -> tuple[int | None, str | None]:
    """Return the number or the pattern of the prompt that is waited for."""
    if what.isdigit():
        return int(what), None
    try:
        re.compile(what)
    except re.error as error:
        raise ScenarioError(f"{what!r} is no pattern: {error}") from None
    return None, what


def parse_say(text: str) -> Say:
    """Return the audio of `FILE@3s`."""
    path, mark, time = text.rpartition("@")
    if not mark or not path:
        raise ScenarioError(f"{text!r} does not say when: write FILE@TIME, as in hello.wav@3s")
    return Say(path, parse_time(time))


def parse_speak(text: str) -> Speak:
    """Return the text of `TEXT@3s`."""
    spoken, mark, time = text.rpartition("@")
    if not mark or not spoken.strip():
        raise ScenarioError(f"{text!r} does not say when: write TEXT@TIME, as in yes please@3s")
    return Speak(spoken.strip(), parse_time(time))


def parse_speak_when(text: str) -> SpeakWhen:
    """Return the text of `2=yes` (after prompt 2), `welcome=yes please`, `welcome=yes+500ms`."""
    what, mark, spoken = text.partition("=")
    match = _SPOKEN.fullmatch(spoken.strip())
    if not mark or not what or match is None:
        raise ScenarioError(
            f"{text!r} does not say what is waited for: write PROMPT=TEXT, as in 2=yes or welcome=yes please"
        )
    wait = parse_time(match[2]) if match[2] else 0
    prompt, pattern = _prompt(what)
    return SpeakWhen(match[1], prompt=prompt, pattern=pattern, delay=wait)


def _digits(text: str) -> str:
    if not text or any(digit not in DIGITS for digit in text):
        raise ScenarioError(f"{text!r} are no keys: a phone has 0-9, *, # and A-D")
    return text.upper()


def parse_variable(text: str) -> tuple[str, str]:
    """Return name and value of `name=value`."""
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise ScenarioError(f"{text!r} is no variable: write NAME=VALUE")
    return name, value


def parse_rate(value: object) -> int:
    """Return a sample rate that a call may have."""
    if value not in RATES and str(value) not in map(str, RATES):
        raise ScenarioError(f"{value!r} is no rate of a call: choose one of {', '.join(map(str, RATES))}")
    return int(str(value))


_KEYS: Final = (
    "press",
    "press_when",
    "say",
    "speak",
    "speak_when",
    "voice",
    "hangup_at",
    "from",
    "name",
    "to",
    "var",
    "rate",
)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file (`.toml`, else YAML), with the options as keys; ScenarioError says what is wrong."""
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise ScenarioError(f"{path}{line}: {error.problem}") from None
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {' '.join(str(error).split())}") from None
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        raise ScenarioError(f"{path}: a scenario is a table of {', '.join(_KEYS)}")
    try:
        return _from_mapping(data)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _from_mapping(data: Mapping[Any, Any]) -> Scenario:
    scenario = Scenario()
    for key, value in data.items():
        match str(key).replace("-", "_"):
            case "press":
                for text in _texts(value):
                    scenario.press += parse_press(text)
            case "press_when":
                scenario.press_when += [parse_press_when(text) for text in _texts(value)]
            case "say":
                scenario.say += [parse_say(text) for text in _texts(value)]
            case "speak":
                scenario.speak += [parse_speak(text) for text in _texts(value)]
            case "speak_when":
                scenario.speak_when += [parse_speak_when(text) for text in _texts(value)]
            case "voice":
                scenario.voice = str(value)
            case "hangup_at":
                scenario.hangup_at = parse_time(str(value))
            case "from":
                scenario.from_number = str(value)
            case "name":
                scenario.from_name = str(value)
            case "to":
                scenario.to_number = str(value)
            case "var" if isinstance(value, Mapping):
                scenario.variables.update({str(name): str(text) for name, text in value.items()})
            case "var":
                scenario.variables.update(map(parse_variable, _texts(value)))
            case "rate":
                scenario.rate = parse_rate(value)
            case other:
                raise ScenarioError(f"there is no {other!r} in a scenario, only {', '.join(_KEYS)}")
    return scenario


def _texts(value: object) -> Iterable[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
