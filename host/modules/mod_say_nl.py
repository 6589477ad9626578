"""Dutch `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say.amount import Money
from host.say.date import DatePart, Dates, ShortDates, SpokenMoment, counted_day, month, weekday
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `nl`."""
    switch.says.add(SayInterface("nl", "mod_say_nl", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield units before tens ("een-en" "twintig")."""
    _, tens, units = group
    yield from hundreds(group, "digits/honderd")
    if tens == 1:
        yield f"digits/1{units}"
    elif tens:
        if units:
            yield f"digits/{units}-en"
        yield f"digits/{tens}0"
    elif units:
        yield f"digits/h-{units}" if style.counted else f"digits/{units}"


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.hour)
    yield "time/uur"
    yield from spoken.number(spoken.at.minute)


say = Language(
    number=grouped(_group, Noun(("digits/miljoen",)), Noun(("digits/duizend",))),
    # FreeSWITCH says neither the year of a date nor the seconds of a length of time.
    dates=Dates(
        {DatePart.WEEKDAY: weekday, DatePart.DAY: counted_day, DatePart.MONTH: month},
        _clock,
        short=ShortDates.UNKNOWN,
        at="time/om",
    ),
    lengths=(Noun(("time/uur",)), Noun(("time/minuut", "time/minuten"))),
    money=Money(
        Noun(("currency/euro",)),
        Noun(("currency/cent",), before="currency/en"),
        negative="currency/min",
        strict=True,
    ),
    seconds=leading_int,
).say
