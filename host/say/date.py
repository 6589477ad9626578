"""Dates and times: which parts of them are said for each of FreeSWITCH's date types, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

from host.leading_number import leading_int
from host.say.request import SECOND, SayGender, SayMethod, SayRequest, SayType, moment

# FreeSWITCH: a short date tells only the day of the week when it is at most so many days ago.
_DAYS_OF_THE_WEEK_ALONE: Final = 5


class DatePart(Enum):
    """A part of a date."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEKDAY = "weekday"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


_WHOLE: Final = frozenset({DatePart.WEEKDAY, DatePart.DAY, DatePart.MONTH, DatePart.YEAR})


class ShortDates(Enum):
    """What a language makes of SHORT_DATE_TIME."""

    UNKNOWN = "a type that it does not speak"
    UNSAID = "nothing"
    PAST = "as if it was past"
    DATED = "a day to come is a whole date"


class SayNumber(Protocol):
    """Yields a number that belongs to a date or a time; without a gender in the one that was asked for."""

    def __call__(
        self, number: int, method: SayMethod = SayMethod.PRONOUNCED, gender: SayGender | None = None
    ) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class SpokenMoment:
    """A moment, what of it is to be said, and what says its numbers. `whole` is a date with its year."""

    request: SayRequest
    at: datetime
    parts: frozenset[DatePart]
    whole: bool
    number: SayNumber

    @property
    def hour_of_twelve(self) -> int:
        """The hour from 1 to 12."""
        return (self.at.hour - 1) % 12 + 1


DateWords = Callable[[SpokenMoment], Iterator[str]]


def written_seconds(request: SayRequest) -> int | None:
    """Return the seconds since the epoch that a request names, None when it names none above zero.

    FreeSWITCH: they are read as 32 bits, so that those after January 2038 name none.
    """
    seconds = leading_int(request.text)
    return seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Dates:
    """How a language says dates and times.

    `order` has the parts of a date as they follow each other, `clock` says the time of day and `at` is said before
    it when a date was. A whole date has its weekday only with `weekday_in_whole`. `seconds` reads the moment.
    """

    order: Mapping[DatePart, DateWords]
    clock: DateWords
    short: ShortDates = ShortDates.PAST
    at: str | None = "time/at"
    weekday_in_whole: bool = True
    seconds: Callable[[SayRequest], int | None] = written_seconds

    def words(self, request: SayRequest, number: SayNumber) -> Iterator[str]:
        """Yield the date and time that a request names, now when it names none; SayError beyond the calendar."""
        seconds = self.seconds(request)
        at = moment(request.now if seconds is None else seconds * SECOND, request.zone)
        kind = request.type
        parts: frozenset[DatePart] = frozenset()
        with_time = kind in (SayType.CURRENT_TIME, SayType.CURRENT_DATE_TIME)
        if kind in (SayType.CURRENT_DATE, SayType.CURRENT_DATE_TIME):
            parts = _WHOLE
        elif kind is SayType.SHORT_DATE_TIME and self.short is not ShortDates.UNSAID:
            with_time = True
            parts = _shortened(at, moment(request.now, request.zone), self.short is ShortDates.DATED)
        whole = parts == _WHOLE
        if whole and not self.weekday_in_whole:
            parts -= {DatePart.WEEKDAY}
        spoken = SpokenMoment(request, at, parts, whole, number)
        for part, say in self.order.items():
            if part in parts:
                yield from say(spoken)
        if with_time:
            if parts and self.at:
                yield self.at
            yield from self.clock(spoken)


def _shortened(at: datetime, now: datetime, dated: bool) -> frozenset[DatePart]:
    days_ago = now.timetuple().tm_yday - at.timetuple().tm_yday
    if at.year != now.year or (dated and at.date() > now.date()):
        return _WHOLE
    if days_ago == 0:
        return frozenset({DatePart.TODAY})
    if days_ago == 1:
        return frozenset({DatePart.YESTERDAY})
    if days_ago <= _DAYS_OF_THE_WEEK_ALONE:
        return frozenset({DatePart.WEEKDAY})
    return _WHOLE - {DatePart.YEAR}


def said(prompt: str) -> DateWords:
    """Return what says that prompt, whatever the moment."""
    return lambda spoken: iter((prompt,))


def weekday(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the day of the week; 0 is Sunday."""
    yield f"time/day-{spoken.at.isoweekday() % 7}"


def month(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the month; 0 is January."""
    yield f"time/mon-{spoken.at.month - 1}"


def day(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the day of the month as a plain number."""
    yield from spoken.number(spoken.at.day)


def counted_day(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the day of the month as an ordinal."""
    yield from spoken.number(spoken.at.day, SayMethod.COUNTED)


def year(spoken: SpokenMoment) -> Iterator[str]:
    """Yield the year as a plain number."""
    yield from spoken.number(spoken.at.year)


def half_of_day(spoken: SpokenMoment) -> str:
    """Return the prompt of the half of the day."""
    return "time/p-m" if spoken.at.hour >= 12 else "time/a-m"


def hour_and_minute(spoken: SpokenMoment) -> Iterator[str]:
    """Yield an hour of twelve "and" a minute, or "o'clock", and the half of the day."""
    yield from spoken.number(spoken.hour_of_twelve)
    if spoken.at.minute:
        yield "currency/and"
        yield from spoken.number(spoken.at.minute)
    else:
        yield "time/oclock"
    yield half_of_day(spoken)


# The days that a short date names, before the rest of it.
NAMED_DAYS: Final[dict[DatePart, DateWords]] = {
    DatePart.TODAY: said("time/today"),
    DatePart.YESTERDAY: said("time/yesterday"),
    DatePart.WEEKDAY: weekday,
}
