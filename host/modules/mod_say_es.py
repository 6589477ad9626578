"""Spanish `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import WITHOUT_SHORT_DATE, by_type
from host.say.number import Group, groups
from host.say.request import SayMethod, SayRequest

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds with a prompt of their own: quinientos, setecientos, novecientos.
_OWN_HUNDREDS = (5, 7, 9)


def load(switch: Switch) -> None:
    """Register the language `es`."""
    switch.says.add(SayInterface("es", "mod_say_es", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: "veinti-" before units, "y" after the tens, 500, 700 and 900 with prompts of their own."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    if millions.value == 1:
        yield "digits/un"
        yield "digits/million"
    else:
        yield from _group(millions, False, "digits/millions")
    yield from _group(thousands, False, "digits/thousand")
    yield from _group(rest, request.method is SayMethod.COUNTED, None)


def _group(group: Group, counted: bool, what: str | None) -> Iterator[str]:
    hundreds, tens, units = group
    if hundreds == 1:
        yield "digits/hundred" if tens or units else "digits/100"
    elif hundreds in _OWN_HUNDREDS:
        yield f"digits/{hundreds}00"
    elif hundreds:
        yield f"digits/{hundreds}"
        yield "digits/hundreds"
    if tens == 1:
        yield f"digits/1{units}"
        units = 0
    elif tens == 2 and not counted:
        yield "digits/veinti" if units else "digits/20"
    elif tens and tens < 4 and counted:
        yield f"digits/h-{tens}0"
    elif tens:
        yield f"digits/{tens}0"
        if units:
            yield "currency/and"
    if units:
        yield f"digits/h-{units}" if counted else f"digits/{units}"
    if what and group.value:
        yield what


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds, all three always."""
    for amount, unit in zip(duration(request), ("hour", "minute", "second"), strict=True):
        yield from numeral(count, request, amount)
        yield f"time/{unit}" if amount == 1 else f"time/{unit}s"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date and time: "lunes 3 de enero de 2000", hours of twelve."""
    parts = date_parts(request, short=False)
    if parts.date:
        yield f"time/day-{parts.day_of_week}"
        yield from numeral(count, request, parts.at.day)
        yield "time/of"
        yield f"time/mon-{parts.month_index}"
        yield "time/of"
        yield from numeral(count, request, parts.at.year)
    if parts.time:
        yield from numeral(count, request, (parts.at.hour - 1) % 12 + 1)
        if parts.at.minute:
            yield "currency/and"
            yield from numeral(count, request, parts.at.minute)
        else:
            yield "time/oclock"
        yield "time/p-m" if parts.at.hour >= 12 else "time/a-m"


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars and cents, also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    for text, unit in ((amount.whole, "dollar"), (two_digits(amount.cents), "cent")):
        if unit == "cent":
            yield "currency/and"
        yield from count(replace(request, text=text)) if text is not None else ("digits/0",)
        yield f"currency/{unit}" if text is not None and leading_int(text) == 1 else f"currency/{unit}s"


say = by_type(count, time_measurement, date_and_time, currency, times=WITHOUT_SHORT_DATE)
