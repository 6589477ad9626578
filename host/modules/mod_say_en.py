"""English `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.local_zone import local_zone
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import by_type
from host.say.number import Group, groups
from host.say.request import (
    SECOND,
    SayError,
    SayMethod,
    SayRequest,
)
from host.say.spelling import telephone
from host.time_format import parse_time

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `en`."""
    switch.says.add(SayInterface("en", "mod_say_en", say, as_string=True))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: pronounced, iterated, counted (`h-` prompts: first, second) or as a year (19 99)."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    method = request.method
    if method is SayMethod.PRONOUNCED_YEAR:
        century, rest = divmod(value, 100)
        # 1900, and the centuries from 2000 to 2099, are said as plain numbers.
        for part in (century, rest) if rest and century % 10 else (value,):
            yield from numeral(count, request, part)
    elif number.is_spoken(method):
        millions, thousands, rest_of_it = groups(value)
        yield from _group(millions, False, "digits/million")
        yield from _group(thousands, False, "digits/thousand")
        yield from _group(rest_of_it, method is SayMethod.COUNTED, None)


def _group(group: Group, counted: bool, what: str | None) -> Iterator[str]:
    prefix = "h-" if counted else ""
    if group.hundreds:
        yield f"digits/{group.hundreds}"
        yield "digits/hundred"
    if group.tens == 1:
        yield f"digits/1{group.units}"
    else:
        if group.tens:
            yield f"digits/{'' if group.units else prefix}{group.tens}0"
        if group.units:
            yield f"digits/{prefix}{group.units}"
    if what and group.value:
        yield what


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds, all three always."""
    for amount, unit in zip(duration(request), ("hour", "minute", "second"), strict=True):
        yield from numeral(count, request, amount)
        yield f"time/{unit}" if amount == 1 else f"time/{unit}s"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date and time; iterated times are those of 24 hours ("oh nine hundred hours")."""
    written = 0
    if ":" in request.text:
        written = parse_time(request.text, request.now, local_zone()) // SECOND
    parts = date_parts(request, written, future=True)
    if parts.date:
        parts.say_whole_date()
    if parts.today:
        yield "time/today"
    if parts.yesterday:
        yield "time/yesterday"
    if parts.weekday:
        yield f"time/day-{parts.day_of_week}"
    if parts.month:
        yield f"time/mon-{parts.month_index}"
    if parts.day:
        yield from numeral(count, request, parts.at.day, SayMethod.COUNTED)
    if parts.year:
        yield from numeral(count, request, parts.at.year, SayMethod.PRONOUNCED_YEAR)
    if parts.time:
        if parts.introduces_time:
            yield "time/at"
        clock = _military_time if request.method is SayMethod.ITERATED else _time_of_day
        yield from clock(request, parts.at.hour, parts.at.minute)


def _time_of_day(request: SayRequest, hour: int, minute: int) -> Iterator[str]:
    yield from numeral(count, request, (hour - 1) % 12 + 1)
    if not minute:
        yield "time/oclock"
    else:
        if minute < 10:
            yield "time/oh"
        yield from numeral(count, request, minute)
    yield "time/p-m" if hour >= 12 else "time/a-m"


def _military_time(request: SayRequest, hour: int, minute: int) -> Iterator[str]:
    if hour == minute == 0:
        hour = 24
    if hour < 10:
        yield "digits/0"
    yield from numeral(count, request, hour)
    if not minute:
        yield "digits/hundred"
    else:
        if minute < 10:
            yield "digits/0"
        yield from numeral(count, request, minute)
    yield "time/hours"


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars, and cents where a point is written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    cents = two_digits(amount.cents)
    for text, unit in ((amount.whole, "dollar"), (cents, "cent")):
        if text is None:
            continue
        if unit == "cent":
            yield "currency/and"
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from count(replace(request, text=text))
        yield f"currency/{unit}" if leading_int(text) == 1 else f"currency/{unit}s"


say = by_type(count, time_measurement, date_and_time, currency, telephone=telephone)
