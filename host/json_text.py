"""JSON as FreeSWITCH writes it: on one line, or with members on lines of their own behind tabs."""

from __future__ import annotations

import json
import math
from typing import Final

_EXACT: Final = 2**53  # whole numbers up to here are told apart by a double


def compact(value: object) -> str:
    """Return a value on one line, without blanks; ValueError for numbers that JSON does not have.

    FreeSWITCH: a whole number has no point, and others 15 digits, or 17 where 15 do not tell it.
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{_other(name)}:{compact(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(member) for member in value) + "]"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _EXACT):
        return _number(float(value))
    return _other(value)


def pretty(value: object, depth: int = 0) -> str:
    """Return a value with an object's members on lines of their own; lists stay on one line."""
    if isinstance(value, dict):
        if not value:
            return "{\n" + "\t" * depth + "}"
        inside = ",\n".join(
            "\t" * (depth + 1) + f"{compact(name)}:\t{pretty(member, depth + 1)}"
            for name, member in value.items()
        )
        return "{\n" + inside + "\n" + "\t" * depth + "}"
    if isinstance(value, list):
        return "[" + ", ".join(pretty(member, depth + 1) for member in value) + "]"
    return compact(value)


def _number(number: float) -> str:
    if not math.isfinite(number):
        raise ValueError(f"{number} is no JSON")
    short = f"{number:.15g}"
    return short if float(short) == number else f"{number:.17g}"


def _other(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
