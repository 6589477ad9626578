"""Polish `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say.amount import Money, Unwritten
from host.say.date import DatePart, Dates, SpokenMoment, said, weekday
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped
from host.say.request import SayGender, SayMethod

if TYPE_CHECKING:
    from host.switch import Switch

# Ordinals end by gender; a gender that FreeSWITCH does not know has no prompts.
_ORDINAL_ENDINGS = {SayGender.MASCULINE: "_pm", SayGender.FEMININE: "_pf", SayGender.NEUTER: "_pn"}


def load(switch: Switch) -> None:
    """Register the language `pl`."""
    switch.says.add(SayInterface("pl", "mod_say_pl", say, as_string=True))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield hundreds in one prompt, ordinals and "two" by gender."""
    if group.hundreds:
        yield f"digits/{group.hundreds}00"
    yield from (_ordinal if style.counted else _cardinal)(group, style.gender)


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


def _plural(number: int) -> int:
    """Return which form a noun takes after a number: 0 after one, 1 after two to four, 2 else."""
    if number == 1:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number // 10 % 10 != 1 else 2


def _day(spoken: SpokenMoment) -> Iterator[str]:
    yield f"digits/{spoken.at.day:02}_pm"


def _month(spoken: SpokenMoment) -> Iterator[str]:
    yield f"time/mon-{spoken.at.month - 1}_D"


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.year, SayMethod.COUNTED, SayGender.MASCULINE)


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield "time/t_godzina"
    yield from spoken.number(spoken.at.hour, SayMethod.COUNTED, SayGender.FEMININE)
    yield from spoken.number(spoken.at.minute, gender=SayGender.FEMININE)


say = Language(
    number=grouped(
        _group,
        Noun(("digits/1000000", "digits/1000000a", "digits/1000000s")),
        Noun(("digits/1000", "digits/1000a", "digits/1000s")),
        _plural,
    ),
    dates=Dates(
        {
            DatePart.TODAY: said("time/t_dzisiaj"),
            DatePart.YESTERDAY: said("time/t_wczoraj"),
            DatePart.WEEKDAY: weekday,
            DatePart.DAY: _day,
            DatePart.MONTH: _month,
            DatePart.YEAR: _year,
        },
        _clock,
        at=None,
        weekday_in_whole=False,
    ),
    lengths=(
        Noun(("time/t_godzina", "time/t_godziny", "time/t_godzin"), gender=SayGender.FEMININE),
        Noun(("time/minuta", "time/t_minuty", "time/t_minut"), gender=SayGender.FEMININE),
        Noun(("time/t_sekunda", "time/t_sekundy", "time/t_sekund"), gender=SayGender.FEMININE),
    ),
    money=Money(unwritten=Unwritten.NOTHING),
    plural=_plural,
    address_gender=SayGender.MASCULINE,
).say
