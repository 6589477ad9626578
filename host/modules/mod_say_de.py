"""German `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say.amount import Money, Unwritten
from host.say.date import NAMED_DAYS, DatePart, Dates, ShortDates, SpokenMoment, month
from host.say.language import Language
from host.say.noun import CENT, DOLLAR, HOUR, MINUTE, SECOND, Noun
from host.say.number import Group, GroupStyle, grouped
from host.say.request import SayGender, SayMethod

if TYPE_CHECKING:
    from host.switch import Switch

_ORDINAL_ENDINGS = {SayGender.MASCULINE: "_m", SayGender.NEUTER: "_n"}


def load(switch: Switch) -> None:
    """Register the language `de`."""
    switch.says.add(SayInterface("de", "mod_say_de", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield units before tens, "ein" before what it counts, ordinals by gender."""
    if group.hundreds:
        yield _flexed(group.hundreds)
        yield "digits/hundred"
    if group.tens > 1 and group.units:
        yield _flexed(group.units)
        yield "currency/and"
    # Behind the units of a compound only its tens are left to be said.
    last = group.tens * 10 + (group.units if group.tens < 2 else 0)
    if style.counted and last:
        yield f"digits/h-{last}{_ORDINAL_ENDINGS.get(style.gender, '')}"
    elif last == 1 and style.gender is SayGender.FEMININE:
        yield "digits/1_f"
    elif last:
        yield _flexed(last) if style.before_noun else f"digits/{last}"


def _flexed(number: int) -> str:
    return "digits/1_n" if number == 1 else f"digits/{number}"


def _day(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.day, SayMethod.COUNTED, SayGender.MASCULINE)


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    # What is said before in a gender of its own leaves it to the numbers behind.
    own_gender = spoken.at.hour == 1 or DatePart.DAY in spoken.parts
    gender = SayGender.NEUTER if own_gender else spoken.request.gender
    yield from spoken.number(spoken.at.hour, gender=gender)
    yield "time/oclock"
    if spoken.at.minute < 10:
        yield "digits/0"
    yield from spoken.number(spoken.at.minute, gender=gender)


say = Language(
    number=grouped(_group, Noun(("digits/million",)), Noun(("digits/thousand",))),
    # FreeSWITCH: a year is not said.
    dates=Dates({**NAMED_DAYS, DatePart.MONTH: month, DatePart.DAY: _day}, _clock, short=ShortDates.DATED),
    lengths=(
        Noun(HOUR.forms, one="digits/1_n"),
        Noun(MINUTE.forms, one="digits/1_f"),
        Noun(SECOND.forms, one="digits/1_f", before="currency/and"),
    ),
    money=Money(
        Noun(DOLLAR.forms, one="digits/1_n"),
        Noun(CENT.forms, one="digits/1_n", before="currency/and"),
        unwritten=Unwritten.BARE_ZERO,
    ),
).say
