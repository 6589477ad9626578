"""French `say`: which prompts speak a number, an amount, a time, an address, letters."""

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
from host.say.request import SayGender, SayMethod, SayRequest, SayType

if TYPE_CHECKING:
    from host.switch import Switch

_SPELLED = frozenset(
    {
        SayType.TELEPHONE_NUMBER,
        SayType.TELEPHONE_EXTENSION,
        SayType.URL,
        SayType.EMAIL_ADDRESS,
        SayType.POSTAL_ADDRESS,
        SayType.ACCOUNT_NUMBER,
        SayType.NAME_SPELLED,
        SayType.NAME_PHONETIC,
    }
)

# Numbers with a prompt of their own although they have tens and units: "vingt et un", "trente et un".
_WHOLE = (21, 31)


def load(switch: Switch) -> None:
    """Register the language `fr`."""
    switch.says.add(SayInterface("fr", "mod_say_fr", say))


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number: 70 to 99 built on 60 and 80, "une" when it is feminine."""
    feminine = request.gender is SayGender.FEMININE
    return number.count(
        request, _pronounce, lambda digit: "digits/1_f" if feminine and digit == "1" else f"digits/{digit}"
    )


def _pronounce(value: int, request: SayRequest) -> Iterator[str]:
    if not number.is_spoken(request.method):
        return
    millions, thousands, rest = groups(value)
    yield from _group(millions, False, request.gender, "digits/million")
    yield from _group(thousands, False, request.gender, "digits/thousand")
    yield from _group(rest, request.method is SayMethod.COUNTED, request.gender, None)


def _group(group: Group, counted: bool, gender: SayGender, what: str | None) -> Iterator[str]:
    hundreds, tens, units = group
    prefix = "h-" if counted else ""
    last = tens * 10 + units
    whole = last < 20 or last in _WHOLE
    if hundreds:
        if hundreds > 1:
            yield f"digits/{hundreds}"
        yield "digits/hundred"
    if tens and not whole:
        if units:
            yield f"digits/{tens - 1 if tens in (7, 9) else tens}0"
        else:
            yield f"digits/{prefix}{last}"
    if units or last == 10:
        spoken = last if whole else units + 10 if tens in (7, 9) else units
        if not counted and tens != 1 and units == 1 and gender is SayGender.FEMININE:
            yield f"digits/{spoken}_f"
        else:
            yield f"digits/{prefix}{spoken}"
    if what and group.value:
        yield what


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours, minutes and seconds, all three always."""
    for amount, unit in zip(duration(request), ("hour", "minute", "second"), strict=True):
        yield from numeral(count, request, amount, gender=SayGender.FEMININE)
        yield f"time/{unit}"


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date and time: the day before the month, 24 hours. FreeSWITCH: a whole date has no weekday."""
    parts = date_parts(request)
    if parts.today:
        yield "time/today"
    if parts.yesterday:
        yield "time/yesterday"
    if parts.weekday:
        yield f"time/day-{parts.day_of_week}"
    if parts.date:
        parts.say_whole_date()
    if parts.day:
        if parts.at.day == 1:
            yield from numeral(count, request, 1, SayMethod.COUNTED, SayGender.MASCULINE)
        else:
            yield from numeral(count, request, parts.at.day, gender=SayGender.FEMININE)
    if parts.month:
        yield f"time/mon-{parts.month_index}"
    if parts.year:
        yield from numeral(count, request, parts.at.year, gender=SayGender.MASCULINE)
    if parts.time:
        if parts.introduces_time:
            yield "time/at"
        yield from numeral(count, request, parts.at.hour, gender=SayGender.FEMININE)
        yield "time/hour"
        if parts.at.minute:
            yield from numeral(count, request, parts.at.minute, gender=SayGender.FEMININE)


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


say = by_type(count, time_measurement, date_and_time, currency, spellings=_SPELLED)
