"""Chinese `say` (Mandarin): which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import by_type
from host.say.request import (
    SayError,
    SayMethod,
    SayRequest,
    SayType,
    UnknownSayType,
)

if TYPE_CHECKING:
    from host.switch import Switch

# The digits of a yuan's fraction have units of their own, as far as there are names for them.
_FRACTIONS = ("jiao", "fen", "li")


def load(switch: Switch) -> None:
    """Register the languages `zh` and `zh_CN`, which says yuan."""
    switch.says.add(SayInterface("zh", "mod_say_zh", say))
    switch.says.add(SayInterface("zh_CN", "mod_say_zh", say_cn))


def say_cn(request: SayRequest) -> Iterator[str]:
    """Yield the prompts of a request, amounts in yuan."""
    if request.type is SayType.CURRENCY:
        return yuan(request)
    if request.type is SayType.SHORT_DATE_TIME:
        raise UnknownSayType(request.type)
    return say(request)


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number in groups of four digits, a zero for places left out; counted ones after `ordinal`."""
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
    yield from _four(ten_thousands, hundred_millions > 0)
    if ten_thousands:
        yield "digits/10000"
    yield from _four(ones, value >= 10_000)


def _four(value: int, said_before: bool) -> Iterator[str]:
    thousands, hundreds, tens, units = (int(digit) for digit in f"{value:04}")
    if thousands:
        yield f"digits/{thousands}"
        yield "digits/1000"
        said_before = True
    if hundreds:
        yield f"digits/{hundreds}"
        yield "digits/100"
        said_before = True
    elif tens and said_before:
        yield "digits/0"
    if tens:
        if tens > 1 or hundreds:
            yield f"digits/{tens}"
        yield "digits/10"
    elif units and said_before:
        yield "digits/0"
    if units:
        yield f"digits/{units}"


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds from the first that is not zero."""
    hours, minutes, seconds = duration(request)
    if hours:
        yield from _amount(request, hours)
        yield "time/hours"
    if minutes:
        yield from _amount(request, minutes)
        yield "time/minute"
    elif hours:
        yield "digits/0"
        yield "time/minute"
    if seconds:
        # FreeSWITCH says the number of hours here, but for two seconds.
        yield from _amount(request, 2 if seconds == 2 else hours, seconds == 2)
        yield "time/seconds"
    elif hours or minutes:
        yield "digits/0"
        yield "time/second"


def _amount(request: SayRequest, amount: int, two: bool = True) -> Iterator[str]:
    """Yield a number before a measure word: two is "liang"."""
    if amount == 2 and two:
        yield "time/2s"
    else:
        yield from numeral(count, request, amount)


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield year, month, day and weekday, then the part of the day and the time."""
    parts = date_parts(request, short=False)
    at = parts.at
    if parts.date:
        yield from numeral(count, request, at.year, SayMethod.ITERATED)
        yield "time/year"
        yield from numeral(count, request, at.month)
        yield "time/month"
        yield from numeral(count, request, at.day)
        yield "time/day"
        yield f"time/day-{parts.day_of_week}"
    if parts.time:
        yield f"time/{('morning', 'am', 'pm', 'evening')[at.hour // 6]}"
        yield from _amount(request, (at.hour - 1) % 12 + 1)
        yield "time/hour"
        yield from _amount(request, at.minute)
        yield "time/minute"


def dollars(request: SayRequest) -> Iterator[str]:
    """Yield dollars and cents, also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    for text, unit in ((amount.whole, "dollar"), (two_digits(amount.cents) or "0", "cent")):
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from count(replace(request, text=text))
        yield f"currency/{unit}"


def yuan(request: SayRequest) -> Iterator[str]:
    """Yield yuan, then each written digit of the fraction with its unit (jiao, fen, li, none)."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    with suppress(SayError):
        yield from count(replace(request, text=amount.whole))
    yield "currency/yuan"
    for index, digit in enumerate(amount.cents or ""):
        yield f"digits/{digit}"
        if index < len(_FRACTIONS):
            yield f"currency/{_FRACTIONS[index]}"


say = by_type(count, time_measurement, date_and_time, dollars)
