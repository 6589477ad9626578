"""Italian `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import by_type
from host.say.number import Group, groups
from host.say.request import SayMethod, SayRequest

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `it`."""
    switch.says.add(SayInterface("it", "mod_say_it", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: no "one" before a hundred or a thousand, "un milione"."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    if millions.value == 1:
        yield "digits/un"
        yield "digits/million"
    else:
        yield from _group(millions, False, "digits/million")
    if thousands.value == 1:
        yield "digits/thousand"
    else:
        yield from _group(thousands, False, "digits/thousand")
    yield from _group(rest, request.method is SayMethod.COUNTED, None)


def _group(group: Group, counted: bool, what: str | None) -> Iterator[str]:
    hundreds, tens, units = group
    if hundreds:
        if hundreds > 1:
            yield f"digits/{hundreds}"
        yield "digits/hundred"
    if tens == 1:
        yield f"digits/1{units}"
    else:
        if tens:
            yield f"digits/{tens}0"
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
    """Yield a date and time: the day before the month, "ore 13 e 5"."""
    parts = date_parts(request)
    if parts.today:
        yield "time/today"
    if parts.yesterday:
        yield "time/yesterday"
    if parts.weekday or parts.date:
        yield f"time/day-{parts.day_of_week}"
    if parts.day or parts.date:
        first = parts.at.day == 1 and not parts.date
        yield from numeral(count, request, parts.at.day, SayMethod.COUNTED if first else SayMethod.PRONOUNCED)
    if parts.month or parts.date:
        yield f"time/mon-{parts.month_index}"
    if parts.date:
        yield from numeral(count, request, parts.at.year)
    if parts.time:
        if parts.introduces_time:
            yield "time/at"
        yield "time/hours"
        yield from numeral(count, request, parts.at.hour)
        if parts.at.minute:
            yield "time/and"
            yield from numeral(count, request, parts.at.minute)


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


say = by_type(count, time_measurement, date_and_time, currency)
