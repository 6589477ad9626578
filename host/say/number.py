"""Numbers as FreeSWITCH's languages take them apart: digits one by one, and groups of hundreds, tens and units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from host.say.noun import Noun, Plural, one_or_many
from host.say.request import SayError, SayGender, SayMethod, SayRequest

# FreeSWITCH: up to nine digits are pronounced, up to 127 said one by one.
PRONOUNCED_DIGITS: Final = 9
ITERATED_DIGITS: Final = 127


class Group(NamedTuple):
    """Three decimal places: 234 is (2, 3, 4)."""

    hundreds: int
    tens: int
    units: int

    @property
    def value(self) -> int:
        """The number from 0 to 999."""
        return self.hundreds * 100 + self.tens * 10 + self.units


class GroupStyle(NamedTuple):
    """How a group is said: as an ordinal, in which gender, and whether a noun (thousand, million) follows."""

    counted: bool
    gender: SayGender
    before_noun: bool


# Yields the prompts of a group, without the noun behind it.
GroupWords = Callable[[Group, GroupStyle], Iterator[str]]

# Yields the prompts of a number above zero, by the method and the gender of the request.
NumberWords = Callable[[int, SayRequest], Iterator[str]]


def groups(number: int) -> tuple[Group, Group, Group]:
    """Return the millions, the thousands and the rest of a number below a thousand million."""
    return group(number // 1_000_000), group(number // 1000 % 1000), group(number % 1000)


def group(number: int) -> Group:
    """Return the places of a number from 0 to 999."""
    return Group(number // 100, number // 10 % 10, number % 10)


def digits_of(text: str, most: int = ITERATED_DIGITS) -> str:
    """Return the digits of a text, thousands' commas left out; SayError when there is anything else, or too many."""
    digits = text.replace(",", "")
    if digits and not (digits.isascii() and digits.isdigit()):
        raise SayError("Parse Error!")
    if len(digits) > most:
        raise SayError("Parse Error!")
    return digits


def number_of(text: str) -> int:
    """Return the number that a text of at most nine digits is, 0 for none; SayError as `digits_of`."""
    return int(digits_of(text, PRONOUNCED_DIGITS) or "0")


def is_spoken(method: SayMethod) -> bool:
    """Whether a method pronounces or counts; a language says nothing for the others (FreeSWITCH)."""
    return method in (SayMethod.PRONOUNCED, SayMethod.COUNTED)


def grouped(words: GroupWords, million: Noun, thousand: Noun, plural: Plural = one_or_many) -> NumberWords:
    """Return what says numbers in groups of three digits; only the last group is counted."""

    def pronounce(number: int, request: SayRequest) -> Iterator[str]:
        if not is_spoken(request.method):
            return
        millions, thousands, rest = groups(number)
        for group, noun in ((millions, million), (thousands, thousand)):
            if not group.value:
                continue
            if group.value != 1 or noun.one is None:
                yield from words(group, GroupStyle(False, request.gender, True))
            elif noun.one:
                yield noun.one
            yield noun.form(plural(group.value))
        yield from words(rest, GroupStyle(request.method is SayMethod.COUNTED, request.gender, False))

    return pronounce


def hundreds(group: Group, word: str = "digits/hundred", one: bool = True) -> Iterator[str]:
    """Yield the hundreds of a group; with `one` also the one of a single hundred."""
    if group.hundreds:
        if one or group.hundreds > 1:
            yield f"digits/{group.hundreds}"
        yield word


def hundreds_with_own(group: Group, own: Collection[int]) -> Iterator[str]:
    """Yield the hundreds of a group: those of `own` in one prompt, one hundred alone by another than before more."""
    if group.hundreds == 1:
        yield "digits/hundred" if group.tens or group.units else "digits/100"
    elif group.hundreds in own:
        yield f"digits/{group.hundreds}00"
    elif group.hundreds:
        yield f"digits/{group.hundreds}"
        yield "digits/hundreds"
