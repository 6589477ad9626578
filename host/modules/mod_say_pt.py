"""Portuguese `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say.date import NAMED_DAYS, DatePart, Dates, SpokenMoment, counted_day, hour_and_minute, month, year
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds_with_own

if TYPE_CHECKING:
    from host.switch import Switch

# Hundreds with a prompt of their own: duzentos, trezentos, quinhentos.
_OWN_HUNDREDS = (2, 3, 5)


def load(switch: Switch) -> None:
    """Register the language `pt`."""
    switch.says.add(SayInterface("pt", "mod_say_pt", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield "e" between hundreds, tens and units; 200, 300 and 500 have prompts of their own."""
    _, tens, units = group
    prefix = "h-" if style.counted else ""
    yield from hundreds_with_own(group, _OWN_HUNDREDS)
    if group.hundreds and (tens or units):
        yield "currency/and"
    if tens == 1:
        yield f"digits/1{units}"
        return
    if tens:
        yield f"digits/{prefix}{tens}0"
        if units and not style.counted:
            yield "currency/and"
    if units:
        yield f"digits/{prefix}{units}"


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    if spoken.parts:
        yield "time/at" if spoken.at.hour == 1 else "time/ats"
    yield from hour_and_minute(spoken)


say = Language(
    number=grouped(_group, Noun(("digits/million", "digits/millions")), Noun(("digits/thousand",))),
    dates=Dates(
        {**NAMED_DAYS, DatePart.MONTH: month, DatePart.DAY: counted_day, DatePart.YEAR: year},
        _clock,
        at=None,
        weekday_in_whole=False,
    ),
).say
