"""DTMF as a text: `12#`, `12@200+3@100` (milliseconds after the @), a leading `~` for digits to be processed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int

if TYPE_CHECKING:
    from host.session_control import SessionControl

# FreeSWITCH: w waits half a second and W a whole one where digits are sent; F is a flash.
DIGITS: Final = frozenset("0123456789ABCDabcd*#FfwW")
PAUSES_MS: Final = {"w": 500, "W": 1000}

# Longer texts are mistakes: the channel's queue holds no more.
_MOST_DIGITS: Final = 1000
SAMPLES_PER_MS: Final = 8
_PARTS: Final = 256


@dataclass(frozen=True, slots=True)
class SentDigit:
    """A digit and its duration in samples at 8 kHz."""

    digit: str
    duration: int


def wants_processing(text: str) -> bool:
    """Return whether bindings and blocks apply to the digits (FreeSWITCH: a leading `~`)."""
    return text.startswith("~")


def parse_dtmf(text: str, control: SessionControl) -> list[SentDigit]:
    """Return the digits of `text`; what is no digit is left out."""
    digits = _digits(text.removeprefix("~"), control)
    return [digit for digit, _ in zip(digits, range(_MOST_DIGITS), strict=False)]


def has_other_keys(text: str) -> bool:
    """Return whether something in `text` stands where a digit is expected and is none."""
    parts = text.removeprefix("~").split("+", _PARTS - 1)
    return any(key not in DIGITS for part in parts for key in part.partition("@")[0])


def _digits(text: str, control: SessionControl) -> Iterator[SentDigit]:
    for part in text.split("+", _PARTS - 1):
        keys, _, length = part.partition("@")
        duration = leading_int(length) * SAMPLES_PER_MS
        if duration <= control.shortest_digit:
            duration = control.default_digit
        duration = min(duration, control.longest_digit)
        for key in keys:
            if key in DIGITS:
                yield SentDigit(key, duration)
