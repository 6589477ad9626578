"""The kinds of things a language says, in one place: each language brings its numbers, times, dates and money."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from host.say.request import COUNTS, SPELLINGS, TIMES, SayRequest, SayType, UnknownSayType
from host.say.spelling import ip_address, spell

# What a language dates that knows no short form of date and time.
WITHOUT_SHORT_DATE: Final = frozenset(TIMES) - {SayType.SHORT_DATE_TIME}

Words = Callable[[SayRequest], Iterator[str]]


def by_type(
    count: Words,
    time_measurement: Words,
    date_and_time: Words,
    currency: Words,
    *,
    times: Collection[SayType] = TIMES,
    spellings: Collection[SayType] = SPELLINGS,
    telephone: Words | None = None,
) -> Words:
    """Return the `say` of a language; what it returns raises UnknownSayType for a type that cannot be said.

    `times` and `spellings` are the types that the language dates and spells, `telephone` says telephone numbers.
    """

    def say(request: SayRequest) -> Iterator[str]:
        kind = request.type
        if kind in COUNTS:
            return count(request)
        if kind is SayType.TIME_MEASUREMENT:
            return time_measurement(request)
        if kind in times:
            return date_and_time(request)
        if kind is SayType.IP_ADDRESS:
            return ip_address(request, count)
        if kind in spellings:
            return spell(request)
        if kind is SayType.CURRENCY:
            return currency(request)
        if kind is SayType.TELEPHONE_NUMBER and telephone is not None:
            return telephone(request)
        raise UnknownSayType(kind)

    return say
