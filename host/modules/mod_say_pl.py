"""Polish `say`: which prompts speak a number, an amount, a time, an address, letters."""

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
from host.say.number import Group, groups
from host.say.request import (
    COUNTS,
    SPELLINGS,
    TIMES,
    SayError,
    SayGender,
    SayMethod,
    SayRequest,
    SayType,
    UnknownSayType,
)
from host.say.spelling import ip_address, spell

if TYPE_CHECKING:
    from host.switch import Switch

# Ordinals end by gender; a gender that FreeSWITCH does not know has no prompts.
_ORDINAL_ENDINGS = {SayGender.MASCULINE: "_pm", SayGender.FEMININE: "_pf", SayGender.NEUTER: "_pn"}

# One, two to four, and all other hours, minutes and seconds, by the names of their prompts.
_UNITS = (
    ("t_godzina", "t_godziny", "t_godzin"),
    ("minuta", "t_minuty", "t_minut"),
    ("t_sekunda", "t_sekundy", "t_sekund"),
)


def load(switch: Switch) -> None:
    """Register the language `pl`."""
    switch.says.add(SayInterface("pl", "mod_say_pl", say, as_string=True))


def say(request: SayRequest) -> Iterator[str]:
    """Yield the prompts of a request in Polish."""
    kind = request.type
    if kind in COUNTS:
        return count(request)
    if kind is SayType.TIME_MEASUREMENT:
        return time_measurement(request)
    if kind in TIMES:
        return date_and_time(request)
    if kind is SayType.IP_ADDRESS:
        return ip_address(replace(request, gender=SayGender.MASCULINE), count)
    if kind in SPELLINGS:
        return spell(request)
    if kind is SayType.CURRENCY:
        return currency(request)
    raise UnknownSayType(kind)


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: hundreds in one prompt, ordinals and "two" by gender, thousands in three forms."""
    return number.count(request, _pronounce)


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    yield from _group(millions, False, request.gender, "digits/1000000")
    yield from _group(thousands, False, request.gender, "digits/1000")
    yield from _group(rest, request.method is SayMethod.COUNTED, request.gender, None)


def _group(group: Group, counted: bool, gender: SayGender, what: str | None) -> Iterator[str]:
    if group.hundreds:
        yield f"digits/{group.hundreds}00"
    yield from (_ordinal if counted else _cardinal)(group, gender)
    if what and group.value:
        yield what + ("", "a", "s")[_form(group.value)]


def _ordinal(group: Group, gender: SayGender) -> Iterator[str]:
    ending = _ORDINAL_ENDINGS.get(gender)
    tens, units = group.tens, group.units
    if tens and ending:
        yield f"digits/1{units}{ending}" if tens == 1 else f"digits/{tens}0{ending}"
    if units and tens != 1:
        flexed = units in (1, 2) and gender in (SayGender.MASCULINE, SayGender.FEMININE)
        yield f"digits/{units}{ending if flexed else '_pn'}"


def _cardinal(group: Group, gender: SayGender) -> Iterator[str]:
    tens, units = group.tens, group.units
    if tens:
        yield f"digits/1{units}" if tens == 1 else f"digits/{tens}0"
    if units and tens != 1:
        yield f"digits/{units}_f" if units in (1, 2) and gender is SayGender.FEMININE else f"digits/{units}"


def _form(amount: int) -> int:
    """Return which form a noun takes after a number: 0 after one, 1 after two to four, 2 else."""
    if amount == 1:
        return 0
    return 1 if amount % 10 in (2, 3, 4) and amount // 10 % 10 != 1 else 2


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds, all three always."""
    for amount, unit in zip(duration(request), _UNITS, strict=True):
        yield from numeral(count, request, amount, gender=SayGender.FEMININE)
        yield f"time/{unit[_form(amount)]}"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date and time of 24 hours. FreeSWITCH: a whole date has no weekday."""
    parts = date_parts(request)
    at = parts.at
    if parts.today:
        yield "time/t_dzisiaj"
    if parts.yesterday:
        yield "time/t_wczoraj"
    if parts.weekday:
        yield f"time/day-{parts.day_of_week}"
    if parts.day or parts.date:
        yield f"digits/{at.day:02}_pm"
    if parts.month or parts.date:
        yield f"time/mon-{parts.month_index}_D"
    if parts.date:
        yield from numeral(count, request, at.year, SayMethod.COUNTED, SayGender.MASCULINE)
    if parts.time:
        yield "time/t_godzina"
        yield from numeral(count, request, at.hour, SayMethod.COUNTED, SayGender.FEMININE)
        yield from numeral(count, request, at.minute, gender=SayGender.FEMININE)


def currency(request: SayRequest) -> Iterator[str]:
    """Yield dollars, and cents where a point is written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/negative"
    for text, unit in ((amount.whole, "dollar"), (two_digits(amount.cents), "cent")):
        if text is None:
            continue
        if unit == "cent":
            yield "currency/and"
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from count(replace(request, text=text))
        yield f"currency/{unit}" if leading_int(text) == 1 else f"currency/{unit}s"
