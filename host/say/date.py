"""Which parts of a date and time are said, for each of FreeSWITCH's date types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from host.leading_number import leading_long
from host.say.request import SECOND, SayGender, SayMethod, SayRequest, SayType, moment

# FreeSWITCH: a short date tells only the day of the week when it is at most so many days ago.
_DAYS_OF_THE_WEEK_ALONE = 5


@dataclass(slots=True)
class DateParts:
    """A moment, and what of it is to be said. `date` is the whole date."""

    at: datetime
    date: bool = False
    time: bool = False
    year: bool = False
    month: bool = False
    day: bool = False
    weekday: bool = False
    today: bool = False
    yesterday: bool = False

    @property
    def day_of_week(self) -> int:
        """0 is Sunday."""
        return self.at.isoweekday() % 7

    @property
    def month_index(self) -> int:
        """0 is January."""
        return self.at.month - 1

    @property
    def introduces_time(self) -> bool:
        """Whether a day was said, so that an "at" belongs before the time."""
        return self.date or self.today or self.yesterday or self.weekday

    def say_whole_date(self) -> None:
        """Let year, month, day and weekday be said, instead of "today" and "yesterday"."""
        self.year = self.month = self.day = self.weekday = True
        self.today = self.yesterday = False


def date_parts(request: SayRequest, written: int = 0, future: bool = False, short: bool = True) -> DateParts:
    """Return the moment that a request names (seconds since the epoch; none: now) and its parts to be said.

    `written` is the moment in seconds when a language has read it otherwise. `future` is for languages that give a
    date to come in full; `short` for those that know SHORT_DATE_TIME.
    """
    seconds = written or leading_long(request.text)
    at = moment(seconds * SECOND if seconds > 0 else request.now, request.zone)
    kind = request.type
    parts = DateParts(at)
    if kind in (SayType.CURRENT_DATE, SayType.CURRENT_DATE_TIME):
        parts.date = True
    if kind in (SayType.CURRENT_TIME, SayType.CURRENT_DATE_TIME):
        parts.time = True
    if kind is SayType.SHORT_DATE_TIME and short:
        parts.time = True
        _shorten(parts, moment(request.now, request.zone), future)
    return parts


def _shorten(parts: DateParts, now: datetime, future: bool) -> None:
    at = parts.at
    days_ago = now.timetuple().tm_yday - at.timetuple().tm_yday
    if at.year != now.year or (future and at.date() > now.date()):
        parts.date = True
    elif days_ago == 0:
        parts.today = True
    elif days_ago == 1:
        parts.yesterday = True
    elif days_ago <= _DAYS_OF_THE_WEEK_ALONE:
        parts.weekday = True
    else:
        parts.month = parts.day = parts.weekday = True


def numeral(
    count: Callable[[SayRequest], Iterator[str]],
    request: SayRequest,
    number: int,
    method: SayMethod = SayMethod.PRONOUNCED,
    gender: SayGender | None = None,
) -> Iterator[str]:
    """Yield a number that belongs to a date, said by the language's own `count`."""
    yield from count(replace(request.with_method(method, gender), text=str(number), type=SayType.ITEMS))
