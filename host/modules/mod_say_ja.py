"""Japanese `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say.date import DatePart, Dates, ShortDates, SpokenMoment
from host.say.east_asian import DOLLARS, EastAsian, Myriad, myriads, place

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds whose sound changes have prompts of their own.
_OWN_HUNDREDS = (3, 6, 8)
# Minutes whose sound changes.
_OWN_MINUTES = (1, 3, 4, 6, 8, 10)


def load(switch: Switch) -> None:
    """Register the language `ja`."""
    switch.says.add(SayInterface("ja", "mod_say_ja", say))


def _ten_thousands(number: Myriad, said_before: bool) -> Iterator[str]:
    yield from place(number.thousands, 1000)
    yield from place(number.hundreds, 100)
    yield from _below_hundred(number)


def _ones(number: Myriad, said_before: bool) -> Iterator[str]:
    if number.thousands == 1:
        yield "digits/1000s" if said_before else "digits/1000"
    elif number.thousands == 3:
        yield "digits/3000"
    else:
        yield from place(number.thousands, 1000)
    if number.hundreds in _OWN_HUNDREDS:
        yield f"digits/{number.hundreds}00"
    else:
        yield from place(number.hundreds, 100, one=False)
    yield from _below_hundred(number)


def _below_hundred(number: Myriad) -> Iterator[str]:
    yield from place(number.tens, 10, one=False)
    if number.units:
        yield f"digits/{number.units}"


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.year)
    yield "time/year"


def _month(spoken: SpokenMoment) -> Iterator[str]:
    yield f"time/month-{spoken.at.month - 1}"


def _day(spoken: SpokenMoment) -> Iterator[str]:
    yield f"time/day-{spoken.at.day}"


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield "time/am" if spoken.at.hour < 12 else "time/pm"
    yield f"time/hour-{spoken.at.hour}"
    last = spoken.at.minute
    if last > 10:
        tens, last = divmod(last, 10)
        if tens > 1:
            yield from spoken.number(tens)
        if last:
            yield "digits/10"
        else:
            last = 10
    if not last:
        yield "time/oclock"
    elif last in _OWN_MINUTES:
        yield f"time/min-{last}"
    else:
        yield from spoken.number(last)
        yield "time/minute"


say = EastAsian(
    number=myriads(_ten_thousands, _ones),
    dates=Dates(
        {DatePart.YEAR: _year, DatePart.MONTH: _month, DatePart.DAY: _day},
        _clock,
        short=ShortDates.UNKNOWN,
        at=None,
    ),
    money=DOLLARS,
    seconds=leading_int,
).say
