"""JSON as FreeSWITCH writes it: on one line, or with members on lines of their own behind tabs."""

from __future__ import annotations

import json


def compact(value: object) -> str:
    """Return a value on one line, without blanks; ValueError for numbers that JSON does not have."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


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
