"""French `say`: which prompts speak a number, an amount, a time, an address, letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say.amount import Money
from host.say.date import NAMED_DAYS, DatePart, Dates, SpokenMoment, month
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, GroupStyle, grouped, hundreds
from host.say.request import SPELLINGS, SayGender, SayMethod, SayType

if TYPE_CHECKING:
    from host.switch import Switch

_SPELLED = SPELLINGS | {
    SayType.TELEPHONE_NUMBER,
    SayType.TELEPHONE_EXTENSION,
    SayType.URL,
    SayType.EMAIL_ADDRESS,
    SayType.POSTAL_ADDRESS,
    SayType.ACCOUNT_NUMBER,
}

# Numbers with a prompt of their own although they have tens and units: "vingt et un", "trente et un".
_WHOLE = (21, 31)


def load(switch: Switch) -> None:
    """Register the language `fr`."""
    switch.says.add(SayInterface("fr", "mod_say_fr", say))


def _group(group: Group, style: GroupStyle) -> Iterator[str]:
    """Yield 70 to 99 built on 60 and 80, "une" when it is feminine."""
    _, tens, units = group
    prefix = "h-" if style.counted else ""
    last = tens * 10 + units
    whole = last < 20 or last in _WHOLE
    yield from hundreds(group, one=False)
    if tens and not whole:
        if units:
            yield f"digits/{tens - 1 if tens in (7, 9) else tens}0"
        else:
            yield f"digits/{prefix}{last}"
    if units or last == 10:
        spoken = last if whole else units + 10 if tens in (7, 9) else units
        if not style.counted and tens != 1 and units == 1 and style.gender is SayGender.FEMININE:
            yield f"digits/{spoken}_f"
        else:
            yield f"digits/{prefix}{spoken}"


def _digit(digit: str, gender: SayGender) -> str:
    return "digits/1_f" if digit == "1" and gender is SayGender.FEMININE else f"digits/{digit}"


def _day(spoken: SpokenMoment) -> Iterator[str]:
    if spoken.at.day == 1:
        yield from spoken.number(1, SayMethod.COUNTED, SayGender.MASCULINE)
    else:
        yield from spoken.number(spoken.at.day, gender=SayGender.FEMININE)


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.year, gender=SayGender.MASCULINE)


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    yield from spoken.number(spoken.at.hour, gender=SayGender.FEMININE)
    yield "time/hour"
    if spoken.at.minute:
        yield from spoken.number(spoken.at.minute, gender=SayGender.FEMININE)


say = Language(
    number=grouped(_group, Noun(("digits/million",)), Noun(("digits/thousand",))),
    dates=Dates(
        {**NAMED_DAYS, DatePart.DAY: _day, DatePart.MONTH: month, DatePart.YEAR: _year},
        _clock,
        weekday_in_whole=False,
    ),
    lengths=tuple(
        Noun((f"time/{unit}",), gender=SayGender.FEMININE) for unit in ("hour", "minute", "second")
    ),
    money=Money(strict=True),
    digit=_digit,
    spelled=_SPELLED,
).say
