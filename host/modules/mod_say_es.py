"""Spanish `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say.amount import Money
from host.say.date import (
    DatePart,
    Dates,
    ShortDates,
    SpokenMoment,
    day,
    hour_and_minute,
    month,
    weekday,
    year,
)
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds_with_own

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds with a prompt of their own: quinientos, setecientos, novecientos.
_OWN_HUNDREDS = (5, 7, 9)


def load(switch: Switch) -> None:
    """Register the language `es`."""
    switch.says.add(SayInterface("es", "mod_say_es", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield "veinti-" before units and "y" after the tens; 500, 700 and 900 have prompts of their own."""
    _, tens, units = group
    yield from hundreds_with_own(group, _OWN_HUNDREDS)
    if tens == 1:
        yield f"digits/1{units}"
        return
    if tens == 2 and not style.counted:
        yield "digits/veinti" if units else "digits/20"
    elif tens and tens < 4 and style.counted:
        yield f"digits/h-{tens}0"
    elif tens:
        yield f"digits/{tens}0"
        if units:
            yield "currency/and"
    if units:
        yield f"digits/h-{units}" if style.counted else f"digits/{units}"


def _of_month(spoken: SpokenMoment) -> Iterator[str]:
    yield "time/of"
    yield from month(spoken)


def _of_year(spoken: SpokenMoment) -> Iterator[str]:
    yield "time/of"
    yield from year(spoken)


say = Language(
    number=grouped(
        _group,
        Noun(("digits/million", "digits/millions"), one="digits/un"),
        Noun(("digits/thousand",)),
    ),
    dates=Dates(
        {
            DatePart.WEEKDAY: weekday,
            DatePart.DAY: day,
            DatePart.MONTH: _of_month,
            DatePart.YEAR: _of_year,
        },
        hour_and_minute,
        short=ShortDates.UNKNOWN,
        at=None,
    ),
    money=Money(strict=True),
    seconds=leading_int,
).say
