"""A language: its grammar as a module gives it, and what says numbers, lengths of time, dates and money by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial

from host.leading_number import leading_int, leading_long
from host.say.amount import DOLLARS_AND_CENTS, Money, Unwritten, amount, duration
from host.say.date import Dates, ShortDates
from host.say.noun import HOUR, MINUTE, SECOND, Noun, Plural, one_or_many
from host.say.number import NumberWords, digits_of, number_of
from host.say.request import (
    COUNTS,
    SPELLINGS,
    TIMES,
    SayError,
    SayGender,
    SayMethod,
    SayRequest,
    SayType,
    SayWords,
    UnknownSayType,
)
from host.say.spelling import ip_address, spell


def plain_digit(digit: str, gender: SayGender) -> str:
    """Return the prompt of a digit, the same in all genders."""
    return f"digits/{digit}"


def plain_zero(request: SayRequest) -> str:
    """Return the prompt of zero, the same in all forms."""
    return "digits/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The grammar of a language, and the engine that says things by it.

    `number` says numbers above zero, `zero` is said for nothing and `digit` for each digit of an iterated number.
    `lengths` are the units of time that are said, `dates` and `money` tell how those are said, and `plural` chooses
    the form of a noun behind a number. `seconds` reads a length of time in seconds, `spelled` are the types that are
    spelled, `telephone` says telephone numbers where the language does, and `address_gender` is that of the numbers
    of an address.

    A language whose grammar goes beyond that is a subclass that says those things itself.
    """

    number: NumberWords
    dates: Dates
    lengths: tuple[Noun, ...] = (HOUR, MINUTE, SECOND)
    money: Money = DOLLARS_AND_CENTS
    plural: Plural = one_or_many
    zero: Callable[[SayRequest], str] = plain_zero
    digit: Callable[[str, SayGender], str] = plain_digit
    seconds: Callable[[str], int] = leading_long
    spelled: Collection[SayType] = SPELLINGS
    telephone: SayWords | None = None
    address_gender: SayGender | None = None

    def say(self, request: SayRequest) -> Iterator[str]:
        """Yield the prompts of a request; UnknownSayType for a type that the language does not speak."""
        kind = request.type
        if kind in COUNTS:
            return self.count(request)
        if kind is SayType.TIME_MEASUREMENT:
            return self.time_measurement(request)
        if kind in TIMES and not (kind is SayType.SHORT_DATE_TIME and self.dates.short is ShortDates.UNKNOWN):
            return self.dates.words(request, partial(self.numeral, request))
        if kind is SayType.IP_ADDRESS:
            return self.ip_address(request)
        if kind in self.spelled:
            return spell(request)
        if kind is SayType.CURRENCY:
            return self.currency(request)
        if kind is SayType.TELEPHONE_NUMBER and self.telephone is not None:
            return self.telephone(request)
        raise UnknownSayType(kind)

    def count(self, request: SayRequest) -> Iterator[str]:
        """Yield a number: its digits when iterated, `zero` for nothing, else what the language's `number` yields."""
        if request.method is SayMethod.ITERATED:
            for digit in digits_of(request.text):
                yield self.digit(digit, request.gender)
            return
        number = number_of(request.text)
        if number:
            yield from self.number(number, request)
        else:
            yield self.zero(request)

    def numeral(
        self,
        request: SayRequest,
        number: int,
        method: SayMethod = SayMethod.PRONOUNCED,
        gender: SayGender | None = None,
    ) -> Iterator[str]:
        """Yield a number that belongs to something else.

        FreeSWITCH: it becomes one of 32 bits without a sign, so that a negative one is too long to be said.
        """
        text = str(number % 2**32)
        yield from self.count(replace(request.with_method(method, gender), text=text, type=SayType.ITEMS))

    def time_measurement(self, request: SayRequest) -> Iterator[str]:
        """Yield a length of time, all its units always."""
        for number, noun in zip(duration(request, self.seconds), self.lengths, strict=False):
            if noun.before:
                yield noun.before
            if number == 1 and noun.one is not None:
                yield noun.one
            else:
                yield from self.numeral(request, number, gender=noun.gender)
            yield noun.form(self.plural(number))

    def ip_address(self, request: SayRequest) -> Iterator[str]:
        """Yield an IPv4 address."""
        return ip_address(request.with_method(request.method, self.address_gender), self.count)

    def currency(self, request: SayRequest) -> Iterator[str]:
        """Yield an amount of money."""
        return self.sum_of(request, self.money)

    def sum_of(self, request: SayRequest, money: Money) -> Iterator[str]:
        """Yield an amount of that money; of its fraction two digits."""
        negative, whole, fraction = amount(request.text)
        if negative:
            yield money.negative
        yield from self.quantity(request, whole, money.unit, money.strict)
        if fraction is None and money.unwritten is Unwritten.NOTHING:
            return
        if money.hundredth.before and (fraction is not None or money.unwritten is Unwritten.ZERO):
            yield money.hundredth.before
        yield from self.quantity(
            request, "0" if fraction is None else fraction[:2], money.hundredth, money.strict
        )

    def quantity(self, request: SayRequest, text: str, noun: Noun, strict: bool) -> Iterator[str]:
        """Yield a number as it is written, and its unit of money; as Money for `strict`."""
        number = leading_int(text)
        if number == 1 and noun.one is not None:
            yield noun.one
        else:
            with nullcontext() if strict else suppress(SayError):
                yield from self.units(replace(request, text=text), noun)
        yield noun.form(self.plural(number))

    def units(self, request: SayRequest, noun: Noun) -> Iterator[str]:
        """Yield the number before a unit of money."""
        return self.count(request)
