"""Numbers at the beginning of a text, read as C's `atoi`, `atol` and `atof` do, for FreeSWITCH reads them so."""

from __future__ import annotations

import re
from typing import Final

_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_DECIMAL: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")

_LONGEST: Final = 2**63 - 1

# Python refuses to read integers of more than 4300 digits; twenty decide whether a number fits 64 bits.
_DIGITS: Final = 20


def leading_long(text: str) -> int:
    """Return the integer that `text` begins with, 0 when there is none, kept within 64 bits as `strtol` keeps it."""
    match = _INTEGER.match(text)
    if match is None:
        return 0
    digits = match[1].lstrip("+-").lstrip("0")
    value = _LONGEST + 1 if len(digits) > _DIGITS else int(digits or "0")
    return max(-value, -_LONGEST - 1) if match[1][0] == "-" else min(value, _LONGEST)


def leading_int(text: str) -> int:
    """Return the 32-bit integer that `text` begins with, 0 when there is none; larger values wrap as in C."""
    return (leading_long(text) + 2**31) % 2**32 - 2**31


def leading_float(text: str) -> float:
    """Return the decimal number that `text` begins with, 0.0 when there is none."""
    match = _DECIMAL.match(text)
    return float(match[1]) if match is not None else 0.0
