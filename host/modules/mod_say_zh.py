"""Chinese (Mandarin) `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say.amount import amount
from host.say.date import DatePart, Dates, ShortDates, SpokenMoment, weekday
from host.say.east_asian import DOLLARS, EastAsian, Myriad, myriads, place
from host.say.noun import Noun
from host.say.request import SayMethod, SayRequest

if TYPE_CHECKING:
    from host.switch import Switch

_TWO = "time/2s"

_YUAN = Noun(("currency/yuan",))
# The digits of a yuan's fraction have units of their own, as far as there are names for them.
_FRACTIONS = ("jiao", "fen", "li")


def load(switch: Switch) -> None:
    """Register the languages `zh` and `zh_CN`, which says yuan."""
    switch.says.add(SayInterface("zh", "mod_say_zh", say))
    switch.says.add(SayInterface("zh_CN", "mod_say_zh", say_cn))


def _four(number: Myriad, said_before: bool) -> Iterator[str]:
    """Yield four places, a zero for those left out between others."""
    thousands, hundreds, tens, units = number
    yield from place(thousands, 1000)
    said_before = said_before or thousands > 0
    if hundreds:
        yield from place(hundreds, 100)
        said_before = True
    elif tens and said_before:
        yield "digits/0"
    if tens:
        yield from place(tens, 10, one=hundreds > 0)
    elif units and said_before:
        yield "digits/0"
    if units:
        yield f"digits/{units}"


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.year, SayMethod.ITERATED)
    yield "time/year"


def _month(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.month)
    yield "time/month"


def _day(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.day)
    yield "time/day"


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield f"time/{('morning', 'am', 'pm', 'evening')[spoken.at.hour // 6]}"
    for number, unit in ((spoken.hour_of_twelve, "hour"), (spoken.at.minute, "minute")):
        if number == 2:
            yield _TWO
        else:
            yield from spoken.number(number)
        yield f"time/{unit}"


class _Mainland(EastAsian):
    """Chinese that says amounts in yuan."""

    def currency(self, request: SayRequest) -> Iterator[str]:
        """Yield yuan, then each written digit of the fraction with its unit (jiao, fen, li, none)."""
        negative, whole, fraction = amount(request.text)
        if negative:
            yield self.money.negative
        yield from self.quantity(request, whole, _YUAN, strict=False)
        for index, digit in enumerate(fraction or ""):
            yield f"digits/{digit}"
            if index < len(_FRACTIONS):
                yield f"currency/{_FRACTIONS[index]}"


_number = myriads(_four, _four)
_dates = Dates(
    {
        DatePart.YEAR: _year,
        DatePart.MONTH: _month,
        DatePart.DAY: _day,
        DatePart.WEEKDAY: weekday,
    },
    _clock,
    short=ShortDates.UNSAID,
    at=None,
)

say = EastAsian(number=_number, dates=_dates, money=DOLLARS, seconds=leading_int, two=_TWO).say
say_cn = _Mainland(
    number=_number,
    dates=replace(_dates, short=ShortDates.UNKNOWN),
    seconds=leading_int,
    two=_TWO,
).say
