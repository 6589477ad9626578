"""Numbers as FreeSWITCH's languages take them apart: digits one by one, and groups of hundreds, tens and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from host.say.request import SayError, SayMethod, SayRequest

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


def groups(number: int) -> tuple[Group, Group, Group]:
    """Return the millions, the thousands and the rest of a number below a thousand million."""
    return group(number // 1_000_000), group(number // 1000 % 1000), group(number % 1000)


def group(number: int) -> Group:
    """Return the places of a number from 0 to 999."""
    return Group(number // 100, number // 10 % 10, number % 10)


def digits_of(text: str) -> str:
    """Return the digits of a text, thousands' commas left out; SayError when there is anything else."""
    digits = text.replace(",", "")
    if digits and not (digits.isascii() and digits.isdigit()):
        raise SayError("Parse Error!")
    if len(digits) > ITERATED_DIGITS:
        raise SayError("Parse Error!")
    return digits


def count(
    request: SayRequest,
    pronounce: Callable[[int, SayRequest], Iterator[str]],
    digit: Callable[[str], str] = "digits/{}".format,
) -> Iterator[str]:
    """Yield the prompts of a number: its digits when iterated, `digits/0` for zero, else what `pronounce` yields."""
    digits = digits_of(request.text)
    if request.method is SayMethod.ITERATED:
        yield from map(digit, digits)
        return
    if len(digits) > PRONOUNCED_DIGITS:
        raise SayError("Parse Error!")
    number = int(digits or "0")
    if number:
        yield from pronounce(number, request)
    else:
        yield "digits/0"


def is_spoken(method: SayMethod) -> bool:
    """Whether a method pronounces or counts; a language says nothing for the others (FreeSWITCH)."""
    return method in (SayMethod.PRONOUNCED, SayMethod.COUNTED)
