"""Italian `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say.amount import Money
from host.say.date import NAMED_DAYS, DatePart, Dates, SpokenMoment, month, year
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds
from host.say.request import SayMethod

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Register the language `it`."""
    switch.says.add(SayInterface("it", "mod_say_it", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    yield from hundreds(group, one=False)
    if group.tens == 1:
        yield f"digits/1{group.units}"
        return
    if group.tens:
        yield f"digits/{group.tens}0"
    if group.units:
        yield f"digits/h-{group.units}" if style.counted else f"digits/{group.units}"


def _day(spoken: SpokenMoment) -> Iterator[str]:
    first = spoken.at.day == 1 and not spoken.whole
    yield from spoken.number(spoken.at.day, SayMethod.COUNTED if first else SayMethod.PRONOUNCED)


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield "time/hours"
    yield from spoken.number(spoken.at.hour)
    if spoken.at.minute:
        yield "time/and"
        yield from spoken.number(spoken.at.minute)


say = Language(
    # "un milione", and "mille" without a number.
    number=grouped(_group, Noun(("digits/million",), one="digits/un"), Noun(("digits/thousand",), one="")),
    dates=Dates({**NAMED_DAYS, DatePart.DAY: _day, DatePart.MONTH: month, DatePart.YEAR: year}, _clock),
    money=Money(strict=True),
    seconds=leading_int,
).say
