"""Portuguese `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import by_type
from host.say.number import Group, groups
from host.say.request import (
    SayError,
    SayMethod,
    SayRequest,
)

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds with a prompt of their own: duzentos, trezentos, quinhentos.
_OWN_HUNDREDS = (2, 3, 5)


def load(switch: Switch) -> None:
    """Register the language `pt`."""
    switch.says.add(SayInterface("pt", "mod_say_pt", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: "e" between hundreds, tens and units; 200, 300 and 500 with prompts of their own."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    yield from _group(millions, False, "digits/million" if millions.value == 1 else "digits/millions")
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
    if hundreds and (tens or units):
        yield "currency/and"
    if tens == 1:
        yield f"digits/1{units}"
    else:
        if tens:
            yield f"digits/h-{tens}0" if counted else f"digits/{tens}0"
            if units and not counted:
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
    """Yield a date and time, hours of twelve. FreeSWITCH: a whole date has no weekday."""
    parts = date_parts(request)
    if parts.today:
        yield "time/today"
    if parts.yesterday:
        yield "time/yesterday"
    if parts.weekday:
        yield f"time/day-{parts.day_of_week}"
    if parts.date:
        parts.say_whole_date()
    if parts.month:
        yield f"time/mon-{parts.month_index}"
    if parts.day:
        yield from numeral(count, request, parts.at.day, SayMethod.COUNTED)
    if parts.year:
        yield from numeral(count, request, parts.at.year)
    if parts.time:
        hour = parts.at.hour
        if parts.introduces_time:
            yield "time/at" if hour == 1 else "time/ats"
        yield from numeral(count, request, (hour - 1) % 12 + 1)
        if parts.at.minute:
            yield "currency/and"
            yield from numeral(count, request, parts.at.minute)
        else:
            yield "time/oclock"
        yield "time/p-m" if hour >= 12 else "time/a-m"


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars and cents, also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    for text, unit in ((amount.whole, "dollar"), (two_digits(amount.cents) or "0", "cent")):
        if unit == "cent":
            yield "currency/and"
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from count(replace(request, text=text))
        yield f"currency/{unit}" if leading_int(text) == 1 else f"currency/{unit}s"


say = by_type(count, time_measurement, date_and_time, currency)
