"""Dutch `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say import number
from host.say.amount import duration, money, two_digits
from host.say.date import date_parts, numeral
from host.say.language import WITHOUT_SHORT_DATE, by_type
from host.say.number import Group, groups
from host.say.request import SayMethod, SayRequest

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `nl`."""
    switch.says.add(SayInterface("nl", "mod_say_nl", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: units before tens ("een-en" "twintig")."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    yield from _group(millions, False, "digits/miljoen")
    yield from _group(thousands, False, "digits/duizend")
    yield from _group(rest, request.method is SayMethod.COUNTED, None)


def _group(group: Group, counted: bool, what: str | None) -> Iterator[str]:
    hundreds, tens, units = group
    if hundreds:
        yield f"digits/{hundreds}"
        yield "digits/honderd"
    if tens == 1:
        yield f"digits/1{units}"
    elif tens:
        if units:
            yield f"digits/{units}-en"
        yield f"digits/{tens}0"
    elif units:
        yield f"digits/h-{units}" if counted else f"digits/{units}"
    if what and group.value:
        yield what


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours and minutes; FreeSWITCH says no seconds in Dutch."""
    hours, minutes, _ = duration(request)
    yield from numeral(count, request, hours)
    yield "time/uur"
    yield from numeral(count, request, minutes)
    yield "time/minuut" if minutes == 1 else "time/minuten"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date, without its year, and a time of 24 hours."""
    parts = date_parts(request, short=False)
    if parts.date:
        yield f"time/day-{parts.day_of_week}"
        yield from numeral(count, request, parts.at.day, SayMethod.COUNTED)
        yield f"time/mon-{parts.month_index}"
        if parts.time:
            yield "time/om"
    if parts.time:
        yield from numeral(count, request, parts.at.hour)
        yield "time/uur"
        yield from numeral(count, request, parts.at.minute)


def currency(request: SayRequest) -> Iterator[str]:
    """Yield euros and cents, also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/min"
    yield from count(replace(request, text=amount.whole))
    yield "currency/euro"
    yield "currency/en"
    cents = two_digits(amount.cents)
    yield from count(replace(request, text=cents)) if cents is not None else ("digits/0",)
    yield "currency/cent"


say = by_type(count, time_measurement, date_and_time, currency, times=WITHOUT_SHORT_DATE)
