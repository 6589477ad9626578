"""What is to be said: a text, its type, the method and the gender, as FreeSWITCH names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from typing import TypeVar

from host.leading_number import leading_int
from host.local_zone import local_zone
from host.time_format import find_zone

_Names = TypeVar("_Names", bound=IntEnum)

SECOND = 1_000_000  # µs

# A timezone written as a number is an offset in seconds; none on Earth is as far off as a day.
_LONGEST_OFFSET = 86_399


class SayType(IntEnum):
    """What kind of thing the text is; UNKNOWN stands for every name that FreeSWITCH does not have."""

    NUMBER = 0
    ITEMS = 1
    PERSONS = 2
    MESSAGES = 3
    CURRENCY = 4
    TIME_MEASUREMENT = 5
    CURRENT_DATE = 6
    CURRENT_TIME = 7
    CURRENT_DATE_TIME = 8
    TELEPHONE_NUMBER = 9
    TELEPHONE_EXTENSION = 10
    URL = 11
    IP_ADDRESS = 12
    EMAIL_ADDRESS = 13
    POSTAL_ADDRESS = 14
    ACCOUNT_NUMBER = 15
    NAME_SPELLED = 16
    NAME_PHONETIC = 17
    SHORT_DATE_TIME = 18
    UNKNOWN = 19


class SayMethod(IntEnum):
    """How it is said."""

    NONE = 0
    PRONOUNCED = 1
    ITERATED = 2
    COUNTED = 3
    PRONOUNCED_YEAR = 4
    UNKNOWN = 5


class SayGender(IntEnum):
    """The gender of what is counted, for the languages that have one."""

    MASCULINE = 0
    FEMININE = 1
    NEUTER = 2
    UNKNOWN = 3


COUNTS = frozenset({SayType.NUMBER, SayType.ITEMS, SayType.PERSONS, SayType.MESSAGES})
TIMES = frozenset(
    {
        SayType.TIME_MEASUREMENT,
        SayType.CURRENT_DATE,
        SayType.CURRENT_TIME,
        SayType.CURRENT_DATE_TIME,
        SayType.SHORT_DATE_TIME,
    }
)
SPELLINGS = frozenset({SayType.NAME_SPELLED, SayType.NAME_PHONETIC})


class SayError(ValueError):
    """A text that cannot be said so; what was said before it stays said (FreeSWITCH: Parse Error!)."""


class UnknownSayType(SayError):
    """A type that the language does not speak."""

    def __init__(self, say_type: SayType) -> None:
        super().__init__(f"Unknown Say type=[{int(say_type)}]")


@dataclass(frozen=True, slots=True)
class SayRequest:
    """One thing to be said.

    `now` is in µs since the epoch, `zone` is where its times are. `variable` looks a channel variable up, for
    languages that heed some.
    """

    text: str
    type: SayType
    method: SayMethod
    gender: SayGender
    now: int
    zone: tzinfo = UTC
    variable: Callable[[str], str | None] = lambda name: None

    def with_method(self, method: SayMethod, gender: SayGender | None = None) -> SayRequest:
        """Return the same request with another method, and gender where one is given."""
        return replace(self, method=method, gender=self.gender if gender is None else gender)


# A language: yields the names of prompts without ending (`digits/7`), or whole `scheme://…`; raises SayError.
SayWords = Callable[[SayRequest], Iterator[str]]


def by_name(kind: type[_Names], name: str | None) -> _Names:
    """Return the member of SayType, SayMethod or SayGender of that name in any case.

    FreeSWITCH: no name at all is the first one, a wrong one is none of them; the method's first is `N/A`.
    """
    if name is None:
        return kind(0)
    wanted = name.upper().replace("N/A", "NONE") if kind is SayMethod else name.upper()
    for member in kind:
        if member.name == wanted and member.name != "UNKNOWN":
            return member
    return kind(len(kind) - 1)


def say_zone(name: str | None) -> tzinfo:
    """Return the zone that the channel variable `timezone` names, the server's own when it is not set.

    FreeSWITCH: a number is an offset from GMT in seconds; an unknown name is GMT here.
    """
    if not name:
        return local_zone()
    offset = leading_int(name)
    if offset:
        return timezone(timedelta(seconds=max(-_LONGEST_OFFSET, min(_LONGEST_OFFSET, offset))))
    return find_zone(name) or UTC


def moment(time: int, zone: tzinfo) -> datetime:
    """Return a time in µs since the epoch as date and time of day in `zone`; SayError beyond the calendar."""
    try:
        return datetime.fromtimestamp(time // SECOND, zone)
    except (OverflowError, ValueError, OSError):
        raise SayError(f"no calendar has the time {time // SECOND}") from None
