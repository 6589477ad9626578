"""What Chinese and Japanese share: numbers in groups of four digits, and lengths of time from their first unit on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from host.say.amount import Money, duration
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import NumberWords, is_spoken
from host.say.request import SayMethod, SayRequest

DOLLARS: Final = Money(Noun(("currency/dollar",)), Noun(("currency/cent",)))


class Myriad(NamedTuple):
    """Four decimal places: 2345 is (2, 3, 4, 5)."""

    thousands: int
    hundreds: int
    tens: int
    units: int


# Yields the prompts of four places; the second argument tells whether higher places were said before.
MyriadWords = Callable[[Myriad, bool], Iterator[str]]


def myriads(ten_thousands: MyriadWords, ones: MyriadWords) -> NumberWords:
    """Return what says numbers in groups of four digits, counted ones after `ordinal`."""

    def pronounce(number: int, request: SayRequest) -> Iterator[str]:
        if not is_spoken(request.method):
            return
        if request.method is SayMethod.COUNTED:
            yield "digits/ordinal"
        high, rest = divmod(number, 100_000_000)
        if high:
            yield from place(high, 100_000_000)
        middle, low = divmod(rest, 10_000)
        if middle:
            yield from ten_thousands(_myriad(middle), high > 0)
            yield "digits/10000"
        yield from ones(_myriad(low), number >= 10_000)

    return pronounce


def _myriad(number: int) -> Myriad:
    return Myriad(number // 1000, number // 100 % 10, number // 10 % 10, number % 10)


def place(digit: int, value: int, one: bool = True) -> Iterator[str]:
    """Yield a digit and the value of its place, nothing for zero; a digit of one only with `one`."""
    if digit > 1 or (digit and one):
        yield f"digits/{digit}"
    if digit:
        yield f"digits/{value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EastAsian(Language):
    """A language that says lengths of time from the first unit that is not zero; `two` is two before such a unit."""

    two: str | None = None

    def time_measurement(self, request: SayRequest) -> Iterator[str]:
        """Yield a length of time from its first unit on."""
        hours, minutes, seconds = duration(request, self.seconds)
        if hours:
            yield from self._measured(request, hours)
            yield "time/hours"
        if minutes:
            yield from self._measured(request, minutes)
            yield "time/minute"
        elif hours:
            yield "digits/0"
            yield "time/minute"
        if seconds:
            # FreeSWITCH says the number of hours here, but for two seconds where two has a prompt of its own.
            if seconds == 2 and self.two:
                yield self.two
            else:
                yield from self.numeral(request, hours)
            yield "time/seconds"
        elif hours or minutes:
            yield "digits/0"
            yield "time/second"

    def _measured(self, request: SayRequest, number: int) -> Iterator[str]:
        if number == 2 and self.two:
            yield self.two
        else:
            yield from self.numeral(request, number)
