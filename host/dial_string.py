"""Dial strings, as `originate`, `bridge` and `freeswitch.Session` take them.

FreeSWITCH: `<variables>{variables}[variables]endpoint/address`, where `,` joins legs that are called at once, `|`
parts groups that are tried one after the other, and `:_:` parts whole dial strings that are tried independently
of each other. Variables in `<>` are for all of these, in `{}` for all legs of one dial string, in `[]` for one leg.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from host.arguments import separate
from host.variables import Variables

ENTERPRISE_SEPARATOR: Final = ":_:"

# FreeSWITCH keeps so many alternatives, legs and independent dial strings apart; the last one holds the rest.
MAX_LEGS: Final = 128
# FreeSWITCH reads so many variables in one pair of brackets.
MAX_VARIABLES: Final = 1024

# Stand for the commas in [] while legs are told apart: those that part variables, and those that belong to a value.
_PARTING: Final = "\x02"
_HELD: Final = "\x01"

_NESTED_VARIABLES: Final = re.compile("origination_nested_vars=true", re.IGNORECASE)
_ANGLE: Final = re.compile("[<>]")
_CURLY: Final = re.compile("[{}]")
_SQUARE: Final = re.compile(r"[\[\]]")
_UNESCAPED_COMMA: Final = re.compile(r"(?<!\\),")

# What is said of a dial string that has nothing but variables; FreeSWITCH says it as a warning.
NOBODY_TO_CALL: Final = "No origination URL specified!"

Pairs = tuple[tuple[str, str], ...]


class DialStringError(ValueError):
    """A dial string that cannot be dialled; the text is FreeSWITCH's.

    The cause that callers are told is DESTINATION_OUT_OF_ORDER.
    """


@dataclass(frozen=True, slots=True)
class Leg:
    """One destination: `endpoint/address` with the variables of its `[]`.

    `address` is empty when there was no slash. `error` is not empty when the leg's brackets were not closed:
    FreeSWITCH finds that only when it is the leg's turn, and gives up the whole dial string then.
    """

    endpoint: str
    address: str
    variables: Pairs = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class DialString:
    """What is dialled as one: groups of legs, each group's at once, the groups one after the other.

    `variables` are those of `<>` and `{}`. `nested_variables` tells that values may hold `${…}`; else such a
    variable is not set. `error` is not empty when this one of several dial strings cannot be dialled; the others
    are tried all the same.
    """

    groups: tuple[tuple[Leg, ...], ...]
    variables: Pairs = ()
    nested_variables: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class EnterpriseDialString:
    """Dial strings that are tried independently of each other, all at once, and the variables for all of them.

    When there are several, `variables` has `ignore_early_media=true`: only a real answer counts.
    """

    dial_strings: tuple[DialString, ...]
    variables: Pairs = ()

    @property
    def is_enterprise(self) -> bool:
        """Whether the dial strings came joined by `:_:`."""
        return len(self.dial_strings) > 1


def parse_dial_string(text: str) -> EnterpriseDialString:
    """Parse a dial string of any form; raises DialStringError.

    Of several joined by `:_:` each tells its own error. A dial string without `:_:` comes as the only one of an
    `EnterpriseDialString`, which then has no variables.
    """
    if ENTERPRISE_SEPARATOR not in text:
        return EnterpriseDialString((_parse_single(text),))
    variables = Variables()
    text = _take_variables(text.lstrip(" "), _ANGLE, "<", variables)
    variables.set("ignore_early_media", "true")
    parts = text.lstrip(" ").split(ENTERPRISE_SEPARATOR, MAX_LEGS - 1)
    return EnterpriseDialString(tuple(_parse_part(part) for part in parts), variables.items())


def parse_variables(text: str, separator: str = ",") -> Pairs:
    """Parse the inside of one pair of brackets: `name=value` joined by `separator`, or by X after `^^X`.

    Quotes group, a backslash keeps a separator, what has no `=` or no value is skipped; a name that comes twice
    keeps its last value.
    """
    variables = Variables()
    _read_variables(text, separator, variables)
    return variables.items()


def sanitized(number: str) -> str:
    """Return the number in an address: what is before its first `@`, behind the last slash and the last colon."""
    return number.partition("@")[0].rpartition("/")[2].rpartition(":")[2]


def _parse_part(text: str) -> DialString:
    try:
        return _parse_single(text)
    except DialStringError as error:
        return DialString((), error=str(error))


def _parse_single(text: str) -> DialString:
    nested = _NESTED_VARIABLES.search(text) is not None
    variables = Variables()
    text = _take_variables(text.lstrip(" "), _ANGLE, "<", variables)
    text = _take_variables(text, _CURLY, "{", variables).lstrip(" ")
    if not text:
        raise DialStringError(NOBODY_TO_CALL)
    groups = tuple(
        tuple(_parse_leg(leg) for leg in separate(_mark_commas(alternative), ",", MAX_LEGS))
        for alternative in separate(text, "|", MAX_LEGS)
    )
    groups = tuple(group for group in groups if group)
    if not groups:
        raise DialStringError("Nothing to do")
    return DialString(groups, variables.items(), nested)


def _parse_leg(text: str) -> Leg:
    variables = Variables()
    text = text.lstrip(" ")
    position = 0
    while text.startswith("[", position):
        end = _closing(text, position, _SQUARE)
        if end < 0:
            return Leg("", "", variables.items(), "Parse Error!")
        _read_variables(text[position + 1 : end].replace(_HELD, ","), _PARTING, variables)
        position = end + 1
    endpoint, _, address = text[position:].lstrip(" ").partition("/")
    return Leg(endpoint, address, variables.items())


def _take_variables(text: str, brackets: re.Pattern[str], opening: str, variables: Variables) -> str:
    position = 0
    while text.startswith(opening, position):
        end = _closing(text, position, brackets)
        if end < 0:
            raise DialStringError("Parse Error!")
        _read_variables(text[position + 1 : end], ",", variables)
        position = end + 1
    return text[position:]


def _read_variables(text: str, separator: str, variables: Variables) -> None:
    if text.startswith("^^") and len(text) > 2:
        separator = text[2]
        text = text[3:]
    for definition in separate(text, separator, MAX_VARIABLES):
        pair = separate(definition, "=", 2)
        if len(pair) == 2:
            variables.set(pair[0], pair[1])


def _closing(text: str, start: int, brackets: re.Pattern[str]) -> int:
    """Return where the bracket opened at `start` is closed, -1 when it is not."""
    opening = text[start]
    depth = 0
    for bracket in brackets.finditer(text, start):
        depth += 1 if bracket[0] == opening else -1
        if not depth:
            return bracket.start()
    return -1


def _mark_commas(text: str) -> str:
    """Return `text` with the commas inside [] replaced, so that only commas between legs are left."""
    if "[" not in text or "," not in text:
        return text
    closings: dict[int, int] = {}
    opened: list[int] = []
    for bracket in _SQUARE.finditer(text):
        if bracket[0] == "[":
            opened.append(bracket.start())
        elif opened:
            closings[opened.pop()] = bracket.start()
    out: list[str] = []
    position = 0
    for start in sorted(closings):
        if start < position:
            continue
        end = closings[start]
        inside = text[start:end]
        out.append(text[position:start])
        if inside.startswith("[^^"):
            out.append(_UNESCAPED_COMMA.sub(_HELD, inside))
        else:
            # Every second stretch between quotes is inside of them.
            stretches = inside.split("'")
            marks = [
                _UNESCAPED_COMMA.sub(_HELD if n % 2 else _PARTING, part) for n, part in enumerate(stretches)
            ]
            out.append("'".join(marks))
        position = end
    out.append(text[position:])
    return "".join(out)
