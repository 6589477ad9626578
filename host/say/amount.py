"""Amounts of money and lengths of time, taken apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from host.byte_text import byte_length
from host.leading_number import leading_int
from host.say.noun import CENT, DOLLAR, Noun
from host.say.request import SECOND, SayError, SayRequest

# FreeSWITCH: 999,999,999,999.99 without its commas, in bytes.
_LONGEST_AMOUNT: Final = 15
_NOT_NUMERIC: Final = re.compile(r"[^0-9.+-]")


class Unwritten(Enum):
    """What a language says for cents when no point is written."""

    NOTHING = "nothing"
    ZERO = "and zero cents"
    BARE_ZERO = "zero cents"


@dataclass(frozen=True, slots=True)
class Money:
    """How a language says an amount. `strict` ends it at a number that cannot be said; else its unit is said alone."""

    unit: Noun = DOLLAR
    hundredth: Noun = CENT
    negative: str = "currency/negative"
    unwritten: Unwritten = Unwritten.ZERO
    strict: bool = False


DOLLARS_AND_CENTS: Final = Money()


class Amount(NamedTuple):
    """Money: whole units and the fraction as they are written; `fraction` is None when no point was written."""

    negative: bool
    whole: str
    fraction: str | None


def amount(text: str) -> Amount:
    """Take an amount apart; what is neither digit, sign nor point is left out. SayError when it is too long."""
    if byte_length(text) > _LONGEST_AMOUNT:
        raise SayError("Parse Error!")
    whole, point, fraction = _NOT_NUMERIC.sub("", text).partition(".")
    return Amount(
        whole[:1] == "-", whole[1:] if whole[:1] in ("-", "+") else whole, fraction if point else None
    )


class Duration(NamedTuple):
    """A length of time; `hours` may be more than a day, and what is written may be below zero."""

    hours: int
    minutes: int
    seconds: int


def duration(request: SayRequest, seconds_of: Callable[[str], int]) -> Duration:
    """Take a length of time apart: `h:m:s`, `m:s` (as written), or seconds (below 1: the time since the epoch).

    `seconds_of` reads the seconds that stand alone.
    """
    text = request.text
    if ":" in text:
        rest, _, seconds = text.rpartition(":")
        hours, colon, minutes = rest.partition(":")
        if not colon:
            hours, minutes = "0", hours
        return Duration(leading_int(hours), leading_int(minutes), leading_int(seconds))
    total = seconds_of(text)
    if total <= 0:
        total = request.now // SECOND
    return Duration(total // 3600, total // 60 % 60, total % 60)
