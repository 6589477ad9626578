"""Amounts of money and lengths of time, taken apart."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from host.leading_number import leading_int, leading_long
from host.say.request import SECOND, SayError, SayRequest

# FreeSWITCH: 999,999,999,999.99 without its commas.
_LONGEST_AMOUNT: Final = 15
_NOT_NUMERIC: Final = re.compile(r"[^0-9.+-]")


class Amount(NamedTuple):
    """Money: whole units and hundredths as they are written; `cents` is None when no point was written."""

    negative: bool
    whole: str
    cents: str | None


def money(text: str) -> Amount:
    """Take an amount apart; what is neither digit, sign nor point is left out. SayError when it is too long."""
    if len(text) > _LONGEST_AMOUNT:
        raise SayError("Parse Error!")
    plain = _NOT_NUMERIC.sub("", text)
    whole, point, rest = plain.partition(".")
    sign = plain[:1]
    return Amount(sign == "-", whole[1:] if sign in ("-", "+") and whole else whole, rest if point else None)


def two_digits(cents: str | None) -> str | None:
    """Return the first two digits of the cents."""
    return None if cents is None else cents[:2]


class Duration(NamedTuple):
    """A length of time; `hours` may be more than a day."""

    hours: int
    minutes: int
    seconds: int


def duration(request: SayRequest) -> Duration:
    """Take a length of time apart: `h:m:s`, `m:s` (as written), or seconds (below 1: the time since the epoch)."""
    text = request.text
    if ":" in text:
        rest, _, seconds = text.rpartition(":")
        hours, colon, minutes = rest.partition(":")
        if not colon:
            hours, minutes = "0", hours
        return Duration(_positive(hours), _positive(minutes), _positive(seconds))
    total = leading_long(text)
    if total <= 0:
        total = request.now // SECOND
    return Duration(total // 3600, total // 60 % 60, total % 60)


def _positive(text: str) -> int:
    # FreeSWITCH prints the number unsigned: a negative one becomes too long to be said.
    return leading_int(text) % 2**32
