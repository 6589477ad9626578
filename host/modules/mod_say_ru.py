"""Russian `say`: which prompts speak a number, an amount, a time, an address, letters.

The channel variables `gender`, `cases` and `currency` choose the form of numbers and the money.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.say.amount import Duration, Money, duration
from host.say.date import NAMED_DAYS, DatePart, Dates, SpokenMoment, month
from host.say.language import Language
from host.say.noun import Noun
from host.say.number import Group, groups, number_of
from host.say.request import SayError, SayGender, SayRequest, SayType

if TYPE_CHECKING:
    from host.switch import Switch


@dataclass(frozen=True, slots=True)
class Scale:
    """Thousands or millions: the numbers 1 to 5 with their nouns, and what is put around all others."""

    numbers: tuple[tuple[str, str], ...] = (("", ""),) * 5
    prefix: str = ""
    suffix: str = ""

    @property
    def plural(self) -> str:
        """The noun after five and more."""
        return self.numbers[-1][1]


@dataclass(frozen=True, slots=True)
class Forms:
    """The prompts of a gender in a case: the numbers 0 to 5, and what is put around all others."""

    units: tuple[str, ...] = ("",) * 6
    prefix: str = ""
    suffix: str = ""
    thousand: Scale = Scale()
    million: Scale = Scale()


def _scale(text: str, nouns: str, prefix: str = "", suffix: str = "") -> Scale:
    """Make a Scale of five numbers (`-` for none) and five nouns, divided by blanks."""
    numbers = ("" if word == "-" else word for word in text.split())
    return Scale(tuple(zip(numbers, nouns.split(), strict=True)), prefix, suffix)


_THOUSAND = _scale("1f 2f 3 4 5", "thousand thousands-i thousands-i thousands-i thousands")
_MILLIONS = "million million-a million-a million-a millions"
_MILLION = _scale("1 2 3 4 5", _MILLIONS)
_MILLION_ALONE = _scale("- 2 3 4 5", _MILLIONS)

_GENDERS = ("male", "it", "female", "plural", "male_h", "it_h", "female_h", "plural_h")
_CASES = (
    "nominativus",
    "genitivus",
    "dativus",
    "accusativus_a",
    "accusativus_i",
    "instrumentalis",
    "prepositive",
)
_RUSSIAN_NAMES = {
    "мужской": "male",
    "средний": "it",
    "женский": "female",
    "множественное": "plural",
    "мужской_порядковый": "male_h",
    "средний_порядковый": "it_h",
    "женский_порядковый": "female_h",
    "множественное_порядковый": "plural_h",
    "именительный": "nominativus",
    "родительный": "genitivus",
    "дательный": "dativus",
    "винительный_о": "accusativus_a",
    "винительный_н": "accusativus_i",
    "творительный": "instrumentalis",
    "предложный": "prepositive",
    "рубль": "ruble",
    "доллар": "dollar",
}

# By (case, gender); FreeSWITCH has prompts for these only.
_FORMS = {
    ("nominativus", "male"): Forms(tuple("012345"), thousand=_THOUSAND, million=_MILLION),
    ("nominativus", "it"): Forms(("0", "1n", "2", "3", "4", "5"), thousand=_THOUSAND, million=_MILLION_ALONE),
    ("nominativus", "female"): Forms(("0", "1f", "2f", "3", "4", "5"), thousand=_THOUSAND, million=_MILLION),
    ("nominativus", "male_h"): Forms(
        tuple(f"h-{n}m" for n in range(6)), "h-", "m", thousand=_THOUSAND, million=_MILLION_ALONE
    ),
    ("nominativus", "it_h"): Forms(
        ("0", "1n", "2", "3", "4", "5"), thousand=_THOUSAND, million=_MILLION_ALONE
    ),
    ("nominativus", "female_h"): Forms(
        tuple(f"h-{n}f" for n in range(6)), "h-", "f", thousand=_THOUSAND, million=_MILLION
    ),
    ("genitivus", "female"): Forms(
        ("0", "h-1xx", "h-2xx", "h-3xx", "h-4xx", "h-5xx"),
        "h-",
        "xx",
        thousand=_scale(
            "1xx h-2xx h-3xx h-4xx h-5xx", "thousands-i thousands thousands thousands thousands", "h-", "xx"
        ),
        million=_scale(
            "1x h-2xx h-3xx h-4xx h-5xx", "million-a millions millions millions millions", "h-", "xx"
        ),
    ),
    ("genitivus", "male_h"): Forms(
        tuple(f"h-{n}x" for n in range(6)),
        "h-",
        "x",
        thousand=_scale("- h-2xx h-3xx h-4xx h-5xx", " ".join(["h-thousandx"] * 5), "h-", "xx"),
        million=_scale("- h-2xx h-3xx h-4xx h-5xx", " ".join(["h-millionx"] * 5), "h-", "xx"),
    ),
}
_NOMINATIVE = _FORMS["nominativus", "male"]
_FEMININE = _FORMS["nominativus", "female"]

# The forms of the numbers before a noun.
_BEFORE_NOUN = {SayGender.MASCULINE: _NOMINATIVE, SayGender.FEMININE: _FEMININE}


def _noun(gender: SayGender, *forms: str) -> Noun:
    """Make a noun of the prompts after one, after two to four, and after all others."""
    return Noun(forms, gender=gender)


_MONEY = {
    "ruble": Money(
        _noun(SayGender.MASCULINE, "currency/ruble", "currency/ruble-a", "currency/rubles"),
        _noun(SayGender.FEMININE, "currency/kopeck", "currency/kopeck-i", "currency/kopecks"),
        negative="currency/minus",
    ),
    "dollar": Money(
        _noun(SayGender.MASCULINE, "currency/dollar", "currency/dollara", "currency/dollars"),
        _noun(SayGender.MASCULINE, "currency/cent", "currency/centa", "currency/centov"),
        negative="currency/minus",
    ),
}

_HOUR = _noun(SayGender.MASCULINE, "time/hour", "time/hours-a", "time/hours")
_MINUTE = _noun(SayGender.FEMININE, "time/minute", "time/minutes-i", "time/minutes")
_SECOND = _noun(SayGender.FEMININE, "time/second", "time/seconds-i", "time/seconds")


def load(switch: Switch) -> None:
    """Register the language `ru`."""
    switch.says.add(SayInterface("ru", "mod_say_ru", say, as_string=True))


def _chosen(request: SayRequest, variable: str, names: tuple[str, ...]) -> str:
    wanted = request.variable(variable) or ""
    wanted = _RUSSIAN_NAMES.get(wanted, wanted)
    return wanted if wanted in names else names[0]


def _forms_of(request: SayRequest) -> Forms:
    """Return the forms that the variables `gender` and `cases` ask for; messages have their own."""
    if request.type is SayType.MESSAGES:
        return _FORMS["nominativus", "it"]
    return _FORMS.get((_chosen(request, "cases", _CASES), _chosen(request, "gender", _GENDERS)), Forms())


def _number(value: int, request: SayRequest) -> Iterator[str]:
    return _declined(value, _forms_of(request))


def _zero(request: SayRequest) -> str:
    return f"digits/{_forms_of(request).units[0]}"


def _declined(value: int, forms: Forms) -> Iterator[str]:
    """Yield a number above zero in `forms`; only its last group is declined, those before it are plain."""
    millions, thousands, rest = groups(value)
    plain = forms if value % 1_000_000 == 0 else _NOMINATIVE
    yield from _scaled(millions, plain.million)
    plain = forms if value % 1000 == 0 else _NOMINATIVE
    yield from _scaled(thousands, plain.thousand)
    yield from _group(rest, forms.prefix, forms.suffix)
    if rest.units and rest.tens != 1:
        yield f"digits/{_unit(rest.units, forms)}"


def _unit(units: int, forms: Forms) -> str:
    return forms.units[units] if units < len(forms.units) else f"{forms.prefix}{units}{forms.suffix}"


def _scaled(group: Group, scale: Scale) -> Iterator[str]:
    if not group.value:
        return
    yield from _group(group, scale.prefix, scale.suffix)
    if not group.units or group.tens == 1:
        yield f"digits/{scale.plural}"
    elif group.units <= len(scale.numbers):
        word, noun = scale.numbers[group.units - 1]
        if word:
            yield f"digits/{word}"
        yield f"digits/{noun}"
    else:
        yield f"digits/{scale.prefix}{group.units}{scale.suffix}"
        yield f"digits/{scale.plural}"


def _group(group: Group, prefix: str, suffix: str) -> Iterator[str]:
    """Yield hundreds and tens; the last word that is said of a group is the one that is declined."""
    hundreds, tens, units = group
    if hundreds:
        yield f"digits/{hundreds}00" if tens or units else f"digits/{prefix}{hundreds}00{suffix}"
    if tens == 1:
        yield f"digits/{prefix}1{units}{suffix}"
    elif tens:
        yield f"digits/{tens}0" if units else f"digits/{prefix}{tens}0{suffix}"


def _plural(number: int) -> int:
    """Return which form a noun takes after a number: 0 after one, 1 after two to four, 2 else."""
    last = number % 10
    if last == 0 or last > 4 or 10 < number % 100 < 15:
        return 2
    return 0 if last == 1 else 1


def _plural_of_length(number: int) -> int:
    # FreeSWITCH: of the teens only those below a hundred are told from the other numbers.
    if number < 0 or 10 < number < 15:
        return 2
    return _plural(number % 10)


def _length(length: Duration) -> Iterator[str]:
    """Yield hours and minutes, and seconds that are not zero; a number that cannot be said is left out."""
    for number, noun in zip(length, (_HOUR, _MINUTE, _SECOND), strict=True):
        if number or noun is not _SECOND:
            yield from _before_noun(str(number % 2**32), noun)
            yield noun.form(_plural_of_length(number))


def _before_noun(text: str, noun: Noun) -> Iterator[str]:
    """Yield a number in the form that stands before a noun, nothing when it cannot be said."""
    try:
        value = number_of(text)
    except SayError:
        return
    forms = _BEFORE_NOUN[noun.gender or SayGender.MASCULINE]
    if value:
        yield from _declined(value, forms)
    else:
        yield f"digits/{forms.units[0]}"


def _ordinal(number: int) -> Iterator[str]:
    return _declined(number, _FORMS["genitivus", "male_h"])


def _day(spoken: SpokenMoment) -> Iterator[str]:
    yield from _ordinal(spoken.at.day)


def _year(spoken: SpokenMoment) -> Iterator[str]:
    yield from _ordinal(spoken.at.year)
    yield "time/h-year"


def _clock(spoken: SpokenMoment) -> Iterator[str]:
    """Yield a time of 24 hours; a short one without seconds."""
    if spoken.parts - {DatePart.TODAY, DatePart.YESTERDAY}:
        yield "time/at"
    at = spoken.at
    seconds = 0 if spoken.request.type is SayType.SHORT_DATE_TIME else at.second
    yield from _length(Duration(at.hour, at.minute, seconds))


class _Russian(Language):
    """Russian, which declines the numbers before nouns and leaves out those that it cannot say."""

    def time_measurement(self, request: SayRequest) -> Iterator[str]:
        """Yield hours and minutes, and seconds that are not zero."""
        length = duration(request, self.seconds)
        if ":" not in request.text:
            # FreeSWITCH says all the seconds behind the hours and minutes that they are.
            length = length._replace(seconds=length.hours * 3600 + length.minutes * 60 + length.seconds)
        return _length(length)

    def ip_address(self, request: SayRequest) -> Iterator[str]:
        """Yield an IPv4 address; a part that is no number is left out."""
        parts = request.text.split(".", 3)
        if len(parts) < 4:
            return
        for index, part in enumerate(parts):
            if index:
                yield "digits/dot"
            yield from _before_noun(part, _HOUR)

    def currency(self, request: SayRequest) -> Iterator[str]:
        """Yield roubles and kopecks, or what the variable `currency` names."""
        return self.sum_of(request, _MONEY[_chosen(request, "currency", tuple(_MONEY))])

    def units(self, request: SayRequest, noun: Noun) -> Iterator[str]:
        """Yield the number before a unit of money."""
        return _before_noun(request.text, noun)


say = _Russian(
    number=_number,
    zero=_zero,
    dates=Dates(
        {**NAMED_DAYS, DatePart.DAY: _day, DatePart.MONTH: month, DatePart.YEAR: _year},
        _clock,
        at=None,
        weekday_in_whole=False,
    ),
    plural=_plural,
).say
