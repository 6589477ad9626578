"""German `say`: which prompts speak a number, an amount, a time, an address, letters."""

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
    SayGender,
    SayMethod,
    SayRequest,
)

if TYPE_CHECKING:
    from host.switch import Switch

_ORDINAL_ENDINGS = {SayGender.MASCULINE: "_m", SayGender.NEUTER: "_n"}


def load(switch: Switch) -> None:
    """Register the language `de`."""
    switch.says.add(SayInterface("de", "mod_say_de", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: units before tens, "ein" before what it counts, ordinals by gender.

    FreeSWITCH: a year (PRONOUNCED_YEAR) is not said.
    """
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    yield from _cardinal(millions, request.gender, "digits/million")
    yield from _cardinal(thousands, request.gender, "digits/thousand")
    if request.method is SayMethod.COUNTED:
        yield from _ordinal(rest, request.gender)
    else:
        yield from _cardinal(rest, request.gender, None)


def _cardinal(group: Group, gender: SayGender, what: str | None) -> Iterator[str]:
    yield from _hundreds(group)
    units = group.units
    if group.tens == 1:
        yield f"digits/1{units}"
    elif group.tens:
        yield from _units_before_tens(units)
        yield f"digits/{group.tens}0"
    elif units == 1 and gender is SayGender.FEMININE:
        yield "digits/1_f"
    elif units:
        yield _flexed(units) if what else f"digits/{units}"
    if what and group.value:
        yield what


def _ordinal(group: Group, gender: SayGender) -> Iterator[str]:
    yield from _hundreds(group)
    last = group.tens * 10 + group.units
    if group.tens > 1:
        yield from _units_before_tens(group.units)
        last = group.tens * 10
    if last:
        yield f"digits/h-{last}{_ORDINAL_ENDINGS.get(gender, '')}"


def _hundreds(group: Group) -> Iterator[str]:
    if group.hundreds:
        yield _flexed(group.hundreds)
        yield "digits/hundred"


def _units_before_tens(units: int) -> Iterator[str]:
    if units:
        yield _flexed(units)
        yield "currency/and"


def _flexed(units: int) -> str:
    return "digits/1_n" if units == 1 else f"digits/{units}"


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes "and" seconds, all three always."""
    for amount, unit in zip(duration(request), ("hour", "minute", "second"), strict=True):
        if unit == "second":
            yield "currency/and"
        if amount == 1:
            yield "digits/1_n" if unit == "hour" else "digits/1_f"
            yield f"time/{unit}"
        else:
            yield from numeral(count, request, amount)
            yield f"time/{unit}s"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date and time, of 24 hours."""
    parts = date_parts(request, future=True)
    gender = request.gender
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
        gender = SayGender.MASCULINE
        yield from numeral(count, request, parts.at.day, SayMethod.COUNTED, gender)
    if parts.year:
        gender = SayGender.NEUTER
        yield from numeral(count, request, parts.at.year, SayMethod.PRONOUNCED_YEAR, gender)
    if parts.time:
        if parts.introduces_time:
            yield "time/at"
        if parts.at.hour == 1:
            gender = SayGender.NEUTER
        yield from numeral(count, request, parts.at.hour, gender=gender)
        yield "time/oclock"
        if parts.at.minute < 10:
            yield "digits/0"
        yield from numeral(count, request, parts.at.minute, gender=gender)


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars, and cents; without a point no "and" is said before the cents, which are zero."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    yield from _money_part(request, amount.whole, "dollar")
    cents = two_digits(amount.cents)
    if cents is not None:
        yield "currency/and"
    yield from _money_part(request, cents or "0", "cent")


def _money_part(request: SayRequest, text: str, unit: str) -> Iterator[str]:
    if leading_int(text) == 1:
        yield "digits/1_n"
        yield f"currency/{unit}"
        return
    with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
        yield from count(replace(request, text=text))
    yield f"currency/{unit}s"


say = by_type(count, time_measurement, date_and_time, currency)
