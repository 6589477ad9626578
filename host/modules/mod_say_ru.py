"""Russian `say`: which prompts speak a number, an amount, a time, an address, letters.

The channel variables `gender`, `cases` and `currency` choose the form of numbers and the money.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.interfaces import SayInterface
from host.leading_number import leading_int
from host.say import number
from host.say.amount import Duration, duration, money, two_digits
from host.say.date import date_parts
from host.say.number import Group, digits_of, groups
from host.say.request import (
    COUNTS,
    SPELLINGS,
    TIMES,
    SayError,
    SayMethod,
    SayRequest,
    SayType,
    UnknownSayType,
)
from host.say.spelling import spell

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

# Whole units and hundredths: the forms of their numbers, and their nouns after 0 to 4 and after all others.
_RUBLES = ("rubles", "ruble", "ruble-a", "ruble-a", "ruble-a", "rubles")
_KOPECKS = ("kopecks", "kopeck", "kopeck-i", "kopeck-i", "kopeck-i", "kopecks")
_DOLLARS = ("dollars", "dollar", "dollara", "dollara", "dollara", "dollars")
_CENTS = ("centov", "cent", "centa", "centa", "centa", "centov")
_CURRENCIES = {
    "ruble": ((_NOMINATIVE, _RUBLES), (_FEMININE, _KOPECKS)),
    "dollar": ((_NOMINATIVE, _DOLLARS), (_NOMINATIVE, _CENTS)),
}

# The forms of the number and its nouns after one, after two to four, and after all others.
_HOURS = (_NOMINATIVE, ("hour", "hours-a", "hours"))
_MINUTES = (_FEMININE, ("minute", "minutes-i", "minutes"))
_SECONDS = (_FEMININE, ("second", "seconds-i", "seconds"))


def load(switch: Switch) -> None:
    """Register the language `ru`."""
    switch.says.add(SayInterface("ru", "mod_say_ru", say, as_string=True))


def say(request: SayRequest) -> Iterator[str]:
    """Yield the prompts of a request in Russian."""
    kind = request.type
    if kind in COUNTS:
        return count(request)
    if kind is SayType.TIME_MEASUREMENT:
        return time_measurement(request)
    if kind in TIMES:
        return date_and_time(request)
    if kind is SayType.IP_ADDRESS:
        return address(request)
    if kind in SPELLINGS:
        return spell(request)
    if kind is SayType.CURRENCY:
        return currency(request)
    raise UnknownSayType(kind)


def count(request: SayRequest) -> Iterator[str]:
    """Yield a number, iterated or in the form that the variables `gender` and `cases` ask for."""
    if request.method is SayMethod.ITERATED:
        return (f"digits/{digit}" for digit in digits_of(request.text))
    if request.type is SayType.MESSAGES:
        return declined(request.text, _FORMS["nominativus", "it"])
    gender = _chosen(request, "gender", _GENDERS)
    case = _chosen(request, "cases", _CASES)
    return declined(request.text, _FORMS.get((case, gender), Forms()))


def _chosen(request: SayRequest, variable: str, names: tuple[str, ...]) -> str:
    wanted = request.variable(variable) or ""
    wanted = _RUSSIAN_NAMES.get(wanted, wanted)
    return wanted if wanted in names else names[0]


def declined(text: str, forms: Forms) -> Iterator[str]:
    """Yield a number in `forms`; only its last group is declined, those before it are plain."""
    digits = digits_of(text)
    if len(digits) > number.PRONOUNCED_DIGITS:
        raise SayError("Parse Error!")
    value = int(digits or "0")
    if not value:
        yield f"digits/{forms.units[0]}"
        return
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


def time_measurement(request: SayRequest) -> Iterator[str]:
    """Yield hours and minutes, and seconds that are not zero."""
    length = duration(request)
    if ":" not in request.text:
        # FreeSWITCH says all the seconds behind the hours and minutes that they are.
        length = Duration(
            length.hours, length.minutes, length.hours * 3600 + length.minutes * 60 + length.seconds
        )
    return _length(length)


def _length(length: Duration) -> Iterator[str]:
    for amount, (forms, nouns) in zip(length, (_HOURS, _MINUTES, _SECONDS), strict=True):
        if amount or nouns[0] != "second":
            yield from declined(str(amount), forms)
            yield f"time/{nouns[_noun(amount)]}"


def _noun(amount: int) -> int:
    if amount % 10 == 1 and amount != 11:
        return 0
    return 1 if 1 < amount % 10 < 5 and not 12 <= amount <= 14 else 2


def date_and_time(request: SayRequest) -> Iterator[str]:
    """Yield a date, its numbers ordinals in the genitive, and a time of 24 hours; short ones without seconds."""
    parts = date_parts(request)
    at = parts.at
    ordinal = _FORMS["genitivus", "male_h"]
    if parts.today:
        yield "time/today"
    if parts.yesterday:
        yield "time/yesterday"
    if parts.weekday:
        yield f"time/day-{parts.day_of_week}"
    if parts.day or parts.date:
        yield from declined(str(at.day), ordinal)
    if parts.month or parts.date:
        yield f"time/mon-{parts.month_index}"
    if parts.date:
        yield from declined(str(at.year), ordinal)
        yield "time/h-year"
    if parts.time:
        if parts.date or parts.weekday:
            yield "time/at"
        seconds = 0 if request.type is SayType.SHORT_DATE_TIME else at.second
        yield from _length(Duration(at.hour, at.minute, seconds))


def address(request: SayRequest) -> Iterator[str]:
    """Yield an IPv4 address; a part that is no number is left out."""
    parts = request.text.split(".", 3)
    if len(parts) < 4:
        return
    for index, part in enumerate(parts):
        if index:
            yield "digits/dot"
        with suppress(SayError):
            yield from declined(part, _NOMINATIVE)


def currency(request: SayRequest) -> Iterator[str]:
    """Yield roubles and kopecks (or what the variable `currency` names), also those that are not written."""
    amount = money(request.text)
    if amount.negative:
        yield "currency/minus"
    units = _CURRENCIES[_chosen(request, "currency", tuple(_CURRENCIES))]
    for text, (forms, nouns) in zip((amount.whole, two_digits(amount.cents) or "0"), units, strict=True):
        with suppress(SayError):  # FreeSWITCH: the unit is said even when its number cannot be
            yield from declined(text, forms)
        value = leading_int(text)
        last = value % 10
        yield f"currency/{nouns[last if last < 5 and not 10 < value % 100 < 15 else 5]}"
