"""English `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_long
from host.local_zone import local_zone
from host.say.amount import Money, Unwritten
from host.say.date import (
    NAMED_DAYS,
    DatePart,
    Dates,
    ShortDates,
    SpokenMoment,
    counted_day,
    half_of_day,
    month,
)
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds
from host.say.request import SECOND, SayMethod, SayRequest
from host.say.spelling import telephone
from host.time_format import parse_time

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `en`."""
    switch.says.add(SayInterface("en", "mod_say_en", say, as_string=True))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    prefix = "h-" if style.counted else ""
    yield from hundreds(group)
    if group.tens == 1:
        yield f"digits/1{group.units}"
        return
    if group.tens:
        yield f"digits/{'' if group.units else prefix}{group.tens}0"
    if group.units:
        yield f"digits/{prefix}{group.units}"


_pronounced = grouped(_group, Noun(("digits/million",)), Noun(("digits/thousand",)))


def _number(value: int, request: SayRequest) -> Iterator[str]:
    if request.method is not SayMethod.PRONOUNCED_YEAR:
        yield from _pronounced(value, request)
        return
    century, rest = divmod(value, 100)
    # 1900, and the centuries from 2000 to 2099, are said as plain numbers.
    for part in (century, rest) if rest and century % 10 else (value,):
        yield from _pronounced(part, request.with_method(SayMethod.PRONOUNCED))


def _seconds(request: SayRequest) -> int | None:
    """Return the moment of a request in seconds, which English reads as 64 bits and also as a date and time."""
    if ":" in request.text:
        written = parse_time(request.text, request.now, local_zone()) // SECOND
        if written:
            return written
    seconds = leading_long(request.text)
    return seconds if seconds > 0 else None


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.year, SayMethod.PRONOUNCED_YEAR)


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the time; iterated times are those of 24 hours ("oh nine hundred hours")."""
    if spoken.request.method is SayMethod.ITERATED:
        yield from _military_time(spoken)
        return
    yield from spoken.number(spoken.hour_of_twelve)
    if not spoken.at.minute:
        yield "time/oclock"
    else:
        if spoken.at.minute < 10:
            yield "time/oh"
        yield from spoken.number(spoken.at.minute)
    yield half_of_day(spoken)


def _military_time(spoken: SpokenMoment) -> Iterator[str]:
    hour, minute = spoken.at.hour, spoken.at.minute
    if hour == minute == 0:
        hour = 24
    if hour < 10:
        yield "digits/0"
    yield from spoken.number(hour)
    if not minute:
        yield "digits/hundred"
    else:
        if minute < 10:
            yield "digits/0"
        yield from spoken.number(minute)
    yield "time/hours"


say = Language(
    number=_number,
    dates=Dates(
        {**NAMED_DAYS, DatePart.MONTH: month, DatePart.DAY: counted_day, DatePart.YEAR: _year},
        _clock,
        short=ShortDates.DATED,
        seconds=_seconds,
    ),
    money=Money(unwritten=Unwritten.NOTHING),
    telephone=telephone,
).say
