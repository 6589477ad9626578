"""Times as texts and back: the API commands strftime, strftime_tz, strepoch and strmicroepoch.

Times are integers in microseconds since the Unix epoch. `zone` is the zone that the server runs in.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import TZPATH, ZoneInfo

from host.byte_text import byte_length
from host.leading_number import leading_int, leading_long

DEFAULT_FORMAT: Final = "%Y-%m-%d %T"
USAGE: Final = "-USAGE: <format_string>\n"
TZ_ERROR: Final = "-ERR Invalid timezone/format\n"

SECOND: Final = 1_000_000

# FreeSWITCH formats into so many bytes, one of which ends the text; a longer text is no text.
_LONGEST: Final = 79
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_CHECKED_LETTERS: Final = frozenset("CDrRTeaAbBcdHIjmMpSUwWxXyYzZ%")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_DIRECTIVE: Final = re.compile(r"%(?P<flag>[_\-0^#]*)(?P<width>[0-9]{0,4})[EO]?(?P<letter>.)", re.DOTALL)
_COMPOSED: Final = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "r": "%I:%M:%S %p",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
}
# The number, how wide it is, and what it is filled up with.
_NUMBERS: Final[dict[str, tuple[Callable[[datetime], int], int, str]]] = {
    "C": (lambda t: t.year // 100, 2, "0"),
    "d": (lambda t: t.day, 2, "0"),
    "e": (lambda t: t.day, 2, " "),
    "G": (lambda t: t.isocalendar().year, 1, "0"),
    "g": (lambda t: t.isocalendar().year % 100, 2, "0"),
    "H": (lambda t: t.hour, 2, "0"),
    "I": (lambda t: t.hour % 12 or 12, 2, "0"),
    "j": (lambda t: t.timetuple().tm_yday, 3, "0"),
    "k": (lambda t: t.hour, 2, " "),
    "l": (lambda t: t.hour % 12 or 12, 2, " "),
    "M": (lambda t: t.minute, 2, "0"),
    "m": (lambda t: t.month, 2, "0"),
    "S": (lambda t: t.second, 2, "0"),
    "U": (lambda t: (t.timetuple().tm_yday + 6 - t.isoweekday() % 7) // 7, 2, "0"),
    "u": (lambda t: t.isoweekday(), 1, "0"),
    "V": (lambda t: t.isocalendar().week, 2, "0"),
    "W": (lambda t: (t.timetuple().tm_yday + 6 - t.weekday()) // 7, 2, "0"),
    "w": (lambda t: t.isoweekday() % 7, 1, "0"),
    "Y": (lambda t: t.year, 1, "0"),
    "y": (lambda t: t.year % 100, 2, "0"),
}
_TEXTS: Final[dict[str, Callable[[datetime], str]]] = {
    "%": lambda t: "%",
    "A": lambda t: _WEEKDAYS[t.weekday()],
    "a": lambda t: _WEEKDAYS[t.weekday()][:3],
    "B": lambda t: _MONTHS[t.month - 1],
    "b": lambda t: _MONTHS[t.month - 1][:3],
    "h": lambda t: _MONTHS[t.month - 1][:3],
    "n": lambda t: "\n",
    "P": lambda t: "pm" if t.hour >= 12 else "am",
    "p": lambda t: "PM" if t.hour >= 12 else "AM",
    "t": lambda t: "\t",
    "z": lambda t: _offset(t.utcoffset()),
}

_TIME_OF_DAY: Final = re.compile(r"([0-9]*):?([0-9]*):?([0-9]*)\n?")
_DATE: Final = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)[ \t\n\v\f\r]*([0-9]*):?([0-9]*):?([0-9]*)")


def find_zone(name: str) -> tzinfo | None:
    """Return the zone of that exact name in the tz database, None when there is none."""
    return _zone(name)


def format_time(template: str, when: int, zone: tzinfo, server_zone: tzinfo | None = None) -> str | None:
    """Return the time `when` in `zone` by a `strftime` template, in English; None when it cannot be written.

    All letters of the C library are known, with its flags and widths; `%Z` is the server's zone as in FreeSWITCH,
    `%s` counts seconds as if the time of day was the server's. Unknown letters stay as they are.
    """
    try:
        moment = (_EPOCH + timedelta(seconds=when // SECOND)).astimezone(zone)
    except (OverflowError, ValueError):
        return None
    text = _written(template, moment, server_zone or zone)
    return text if byte_length(text) <= _LONGEST else None


def strftime(argument: str, now: int, zone: tzinfo) -> str:
    """Answer `strftime [<epoch seconds>|x]<format>`.

    FreeSWITCH: the character behind the first bar is skipped whatever it is; a letter that it does not take empties
    the whole answer. A bar at the very end is answered by the usage.
    """
    epoch, bar, template = argument.partition("|")
    when = now
    if bar:
        if not template:
            return USAGE
        when = leading_long(epoch) * SECOND
        template = template[1:]
    else:
        template = argument
    if template and not _letters_allowed(template):
        return ""
    return format_time(template or DEFAULT_FORMAT, when, zone) or ""


def strftime_tz(argument: str, now: int, zone: tzinfo) -> str:
    """Answer `strftime_tz <zone> [<epoch seconds>|]<format>`; no zone is GMT, epoch 0 is now."""
    name, _, rest = argument.partition(" ")
    epoch, bar, template = rest.partition("|")
    when = leading_long(epoch) * SECOND if bar else 0
    template = template if bar else rest
    wanted = find_zone(name) if name else UTC
    text = None if wanted is None else format_time(template or DEFAULT_FORMAT, when or now, wanted, zone)
    return text or TZ_ERROR


def strepoch(argument: str, now: int, zone: tzinfo) -> str:
    """Answer `strepoch [<date>]`: seconds since the epoch; FreeSWITCH: as a signed number of 32 bits."""
    seconds = (parse_time(argument, now, zone) if argument else now) // SECOND
    return str((seconds + 2**31) % 2**32 - 2**31)


def strmicroepoch(argument: str, now: int, zone: tzinfo) -> str:
    """Answer `strmicroepoch [<date>]`: microseconds since the epoch."""
    return str(parse_time(argument, now, zone) if argument else now)


def parse_time(text: str, now: int, zone: tzinfo) -> int:
    """Return the time (µs) that a text tells in the server's zone, 0 when it tells none.

    FreeSWITCH: `YYYY-MM-DD`, with hours, minutes and seconds behind it as far as they are there, or `hh:mm:ss` of
    today. Days that a month does not have run on into the next month.
    """
    time_of_day = _TIME_OF_DAY.fullmatch(text)
    if time_of_day is not None:
        hour, minute, second = (leading_int(part) for part in time_of_day.groups())
        try:
            today = (_EPOCH + timedelta(seconds=now // SECOND)).astimezone(zone)
        except (OverflowError, ValueError):
            return 0
        return _since_epoch(today.year, today.month, today.day, hour, minute, second, zone, now % SECOND)
    date = _DATE.match(text)
    if date is None:
        return 0
    year, month, day, hour, minute, second = (leading_int(part) for part in date.groups())
    return _since_epoch(year, month, day, hour, minute, second, zone, 0)


def _since_epoch(
    year: int, month: int, day: int, hour: int, minute: int, second: int, zone: tzinfo, microseconds: int
) -> int:
    if not 1 <= month <= 12:
        return 0
    seconds = ((_days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    if seconds < 0:
        return 0
    # FreeSWITCH: the offset is that of the zone when it is this time in UTC.
    try:
        offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    except (OverflowError, ValueError):
        offset = None
    seconds -= int(offset.total_seconds()) if offset is not None else 0
    return seconds * SECOND + microseconds


def _days_since_epoch(year: int, month: int, day: int) -> int:
    # Years count from March here, so that the leap day is the last of its year.
    year -= month < 3
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _letters_allowed(template: str) -> bool:
    position = 0
    while (position := template.find("%", position)) >= 0:
        if template[position + 1 : position + 2] not in _CHECKED_LETTERS:
            return False
        position += 2
    return True


def _written(template: str, moment: datetime, server_zone: tzinfo) -> str:
    def directive(match: re.Match[str]) -> str:
        letter, flag = match["letter"], match["flag"]
        width = int(match["width"] or 0)
        padding = {"_": " ", "0": "0"}.get(flag[-1:])
        number = _NUMBERS.get(letter)
        if number is not None:
            value, least, fill = number
            if flag.endswith("-"):
                return str(value(moment))
            return str(value(moment)).rjust(max(least, width), padding or fill)
        if letter in _COMPOSED:
            text = _written(_COMPOSED[letter], moment, server_zone)
        elif letter in _TEXTS:
            text = _TEXTS[letter](moment)
        elif letter == "Z":
            text = moment.replace(tzinfo=server_zone).tzname() or ""
        elif letter == "s":
            local = moment.replace(tzinfo=server_zone)
            seconds = (local - _EPOCH) // timedelta(seconds=1)
            # FreeSWITCH: the C library takes an hour off where it is summer in the one zone and not in the other.
            text = str(seconds - 3600 * (bool(moment.dst()) - bool(local.dst())))
        else:
            return match[0]
        if "^" in flag:
            text = text.upper()
        elif "#" in flag:
            text = text.lower() if letter in "pZ" else text.upper()
        return text.rjust(width, padding or " ")

    return _DIRECTIVE.sub(directive, template)


def _offset(offset: timedelta | None) -> str:
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


# The longest in the database has 32 letters; ZoneInfo goes down a name with many slashes by recursion.
_LONGEST_ZONE: Final = 64

# RFC 8536: a block of zone data with no transitions and one type, which is UTC.
_TZIF_HEADER: Final = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
_TZIF_NOTHING: Final = struct.pack(">lbB", 0, 0, 0) + b"UTC\0"


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo | None:
    if len(name) > _LONGEST_ZONE:
        return None
    try:
        return _by_rule(name) or ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        # ZoneInfo tells a folder of zones, an odd name and an unknown zone by different errors.
        return None


def _by_rule(name: str) -> ZoneInfo | None:
    """Return a zone in which the rule of today has always held; None when its data cannot be read.

    FreeSWITCH knows of each zone only that rule (`EST5EDT,M3.2.0,M11.1.0`), which ends the zone's data.
    """
    ZoneInfo(name)  # says what is no zone
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            rule = path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
            data = _TZIF_HEADER + _TZIF_NOTHING + _TZIF_HEADER + _TZIF_NOTHING + b"\n" + rule + b"\n"
            return ZoneInfo.from_file(io.BytesIO(data), name)
    return None
