"""Conditions on the calendar and the clock, as XML attributes of a dialplan condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from host.truth import is_true

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18})[0-9]*")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def calendar_match(
    attributes: Mapping[str, str], now: datetime, *, tz_offset: int | None = None, zone: str = ""
) -> bool | None:
    """Return whether `now` meets the attributes; None when none of them is about time.

    `now` is aware and in the server's zone; `tz_offset` (hours) or else `zone` (a name of the tz database) says in
    whose time the numbers are. `date-time` ranges and `dst` stay in the server's zone (FreeSWITCH).
    An unknown zone name leaves the server's zone.
    """
    if not attributes.keys() & _ATTRIBUTES:
        return None
    there = _in_zone(now, tz_offset, zone)
    result: bool | None = None
    hours = (
        tz_offset if tz_offset is not None else int((there.utcoffset() or timedelta()) / timedelta(hours=1))
    )
    if "tz-offset" in attributes:
        given = _number_text(attributes["tz-offset"])
        result = given is None or given == hours
    if attributes.get("dst") and result is not False:
        result = bool(now.dst()) and is_true(attributes["dst"])
    if "date-time" in attributes and result is not False:
        result = matches_date_times(attributes["date-time"], now)
    for name, check in _CHECKS:
        if name in attributes and result is not False:
            result = check(attributes[name], there)
    return result


def matches_numbers(ranges: str, value: int) -> bool:
    """Return whether `value` is in a list of numbers and ranges such as `1,3-5`; `18-8` is around the turn."""
    position = 0
    while True:
        first, position = _leading_number(ranges, position)
        last = first
        if ranges.startswith("-", position):
            last, position = _leading_number(ranges, position + 1)
        if _within(first, value, last):
            return True
        if not ranges.startswith(",", position):
            return False
        position += 1


def matches_weekdays(days: str, value: int) -> bool:
    """Return whether day `value` (1 is Sunday) is in a list such as `mon-fri,7`; text it cannot read ends it."""
    before: int | None = None
    start: int | None = None
    position = 0
    while position < len(days):
        letter = days[position]
        name = days[position : position + 3].lower()
        if letter == "-":
            start, before = before, None
        elif letter == ",":
            before = None
        elif letter in "1234567" or name in _WEEKDAYS:
            day = int(letter) if letter in "1234567" else _WEEKDAYS.index(name) + 1
            if (start is None and day == value) or (start is not None and _within(start, value, day)):
                return True
            start, before = None, day
            position += 0 if letter in "1234567" else 2
        else:
            return False
        position += 1
    return False


def matches_times_of_day(ranges: str, second: int) -> bool:
    """Return whether a second of the day is in a list such as `09:00-17:30:00,23:00-01:00` (both ends count)."""
    for span in ranges.split(","):
        head, _, tail = span.partition(":")
        minutes, dash, end = tail.partition("-")
        if dash and ":" in end and _within(_seconds(f"{head}:{minutes}"), second, _seconds(end)):
            return True
    return False


def matches_date_times(ranges: str, now: datetime) -> bool:
    """Return whether `now` is in a list such as `2024-12-24 18:00:00~2024-12-27`; the end itself is outside.

    A range that cannot be read ends the list.
    """
    for span in ranges.split(","):
        start_text, tilde, end_text = span.partition("~")
        if not tilde:
            continue
        start, end = parse_date_time(start_text, now), parse_date_time(end_text, now)
        if start is None or end is None:
            return False
        if start <= now < end:
            return True
    return False


def parse_date_time(text: str, now: datetime) -> datetime | None:
    """Return the moment that FreeSWITCH reads from `text`, in the zone of `now`; None when there is none.

    `2024-12-24 18:00:00` with any of the clock's parts missing, `20241224180000`, or `18:00:00` for today;
    parts that are too large carry over (February 30 is March 2).
    """
    if parts := re.match(r"([0-9]+)-([0-9]+)-([0-9]+)\s*([0-9]*):?([0-9]*):?([0-9]*)", text):
        return _moment(parts.groups(), now)
    if parts := re.match(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})", text):
        return _moment(parts.groups(), now)
    if parts := re.match(r"([0-9]*):?([0-9]*):?([0-9]*)$", text):
        return _moment((str(now.year), str(now.month), str(now.day), *parts.groups()), now)
    return None


def _moment(parts: tuple[str, ...], now: datetime) -> datetime | None:
    year, month, day, hour, minute, second = (int(part[:9] or "0") for part in parts)
    try:
        months = year * 12 + month - 1
        first = datetime(months // 12, months % 12 + 1, 1)
        naive = first + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
        return naive.replace(tzinfo=now.tzinfo)
    except (ValueError, OverflowError):
        return None


# The longest in the database has 32 letters; ZoneInfo goes down a name with many slashes by recursion.
_LONGEST_ZONE: Final = 64


def _in_zone(now: datetime, tz_offset: int | None, zone: str) -> datetime:
    try:
        if tz_offset is not None:
            return now.astimezone(timezone(timedelta(hours=tz_offset)))
        return now.astimezone(ZoneInfo(zone[:_LONGEST_ZONE])) if zone else now
    except (ValueError, OSError, KeyError, OverflowError):
        return now


def _within(first: int, value: int, last: int) -> bool:
    return first <= value <= last if first <= last else value >= first or value <= last


def _leading_number(text: str, position: int) -> tuple[int, int]:
    found = _NUMBER.match(text, position)
    return (int(found[1]), found.end()) if found else (0, position)


def _number_text(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,9}", text) else None


def _seconds(text: str) -> int:
    hour, minute, second = [*text.split(":"), "0", "0"][:3]
    return (
        _leading_number(hour, 0)[0] * 3600
        + _leading_number(minute, 0)[0] * 60
        + _leading_number(second, 0)[0]
    )


def _week_of_month(moment: datetime) -> int:
    weekday = moment.isoweekday() % 7
    first_weekday = (weekday - (moment.day - 1)) % 7
    return (moment.day + first_weekday + 6) // 7


# In FreeSWITCH's order; weeks begin on Sunday, minutes of the day with 1.
_CHECKS: tuple[tuple[str, Callable[[str, datetime], bool]], ...] = (
    ("year", lambda text, at: matches_numbers(text, at.year)),
    ("yday", lambda text, at: matches_numbers(text, at.timetuple().tm_yday)),
    ("mon", lambda text, at: matches_numbers(text, at.month)),
    ("mday", lambda text, at: matches_numbers(text, at.day)),
    ("week", lambda text, at: matches_numbers(text, (at.timetuple().tm_yday - 1) // 7 + 1)),
    ("mweek", lambda text, at: matches_numbers(text, _week_of_month(at))),
    ("wday", lambda text, at: matches_weekdays(text, at.isoweekday() % 7 + 1)),
    ("hour", lambda text, at: matches_numbers(text, at.hour)),
    ("minute", lambda text, at: matches_numbers(text, at.minute)),
    ("minute-of-day", lambda text, at: matches_numbers(text, at.hour * 60 + at.minute + 1)),
    ("time-of-day", lambda text, at: matches_times_of_day(text, at.hour * 3600 + at.minute * 60 + at.second)),
)
_ATTRIBUTES = frozenset({"tz-offset", "dst", "date-time", *(name for name, _ in _CHECKS)})
