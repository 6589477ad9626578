"""Japanese `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import WITHOUT_SHORT_DATE, by_type
from host.say.request import (
    SayError,
    SayMethod,
    SayRequest,
)

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds whose sound changes have prompts of their own.
_OWN_HUNDREDS = (3, 6, 8)
# Minutes whose sound changes.
_OWN_MINUTES = (1, 3, 4, 6, 8, 10)


def load(switch: Switch) -> None:
    """Register the language `ja`."""
    switch.says.add(SayInterface("ja", "mod_say_ja", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number in groups of four digits; counted ones after `ordinal`."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    if request.method is SayMethod.COUNTED:
        yield "digits/ordinal"
    hundred_millions, rest = divmod(value, 100_000_000)
    if hundred_millions:
        yield f"digits/{hundred_millions}"
        yield "digits/100000000"
    ten_thousands, ones = divmod(rest, 10_000)
    yield from _ten_thousands(ten_thousands)
    yield from _ones(ones, value >= 10_000)


def _ten_thousands(value: int) -> Iterator[str]:
    thousands, hundreds, tens, units = (int(digit) for digit in f"{value:04}")
    if thousands:
        yield f"digits/{thousands}"
        yield "digits/1000"
    if hundreds:
        yield f"digits/{hundreds}"
        yield "digits/100"
    if tens:
        if tens > 1:
            yield f"digits/{tens}"
        yield "digits/10"
    if units:
        yield f"digits/{units}"
    if value:
        yield "digits/10000"


def _ones(value: int, said_before: bool) -> Iterator[str]:
    thousands, hundreds, tens, units = (int(digit) for digit in f"{value:04}")
    if thousands == 1:
        yield "digits/1000s" if said_before else "digits/1000"
    elif thousands == 3:
        yield "digits/3000"
    elif thousands:
        yield f"digits/{thousands}"
        yield "digits/1000"
    if hundreds == 1:
        yield "digits/100"
    elif hundreds in _OWN_HUNDREDS:
        yield f"digits/{hundreds}00"
    elif hundreds:
        yield f"digits/{hundreds}"
        yield "digits/100"
    if tens:
        if tens > 1:
            yield f"digits/{tens}"
        yield "digits/10"
    if units:
        yield f"digits/{units}"


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds from the first that is not zero."""
    hours, minutes, seconds = duration(request)
    if hours:
        yield from numeral(count, request, hours)
        yield "time/hours"
    if minutes:
        yield from numeral(count, request, minutes)
        yield "time/minute"
    elif hours:
        yield "digits/0"
        yield "time/minute"
    if seconds:
        # FreeSWITCH says the number of hours here.
        yield from numeral(count, request, hours)
        yield "time/seconds"
    elif hours or minutes:
        yield "digits/0"
        yield "time/second"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield year, month and day, then the half of the day and the time; months count from zero in their names."""
    parts = date_parts(request, short=False)
    at = parts.at
    if parts.date:
        yield from numeral(count, request, at.year)
        yield "time/year"
        yield f"time/month-{parts.month_index}"
        yield f"time/day-{at.day}"
    if parts.time:
        yield "time/am" if at.hour < 12 else "time/pm"
        yield f"time/hour-{at.hour}"
        yield from _minutes(request, at.minute)


def _minutes(request: SayRequest, minute: int) -> Iterator[str]:
    last = minute
    if minute > 10:
        tens, last = divmod(minute, 10)
        if tens > 1:
            yield from numeral(count, request, tens)
        if last:
            yield "digits/10"
        else:
            last = 10
    if not last:
        yield "time/oclock"
    elif last in _OWN_MINUTES:
        yield f"time/min-{last}"
    else:
        yield from numeral(count, request, last)
        yield "time/minute"


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars and cents, also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    for text, unit in ((amount.whole, "dollar"), (two_digits(amount.cents) or "0", "cent")):
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from count(replace(request, text=text))
        yield f"currency/{unit}"


say = by_type(count, time_measurement, date_and_time, currency, times=WITHOUT_SHORT_DATE)
