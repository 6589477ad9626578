"""JSON text as FreeSWITCH's cJSON reads and writes it: tabs, its way with numbers, duplicate names kept."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

from host.json_reader import read

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def parse(text: str) -> JsonValue:
    """Return the value at the beginning of `text`; what follows it is not looked at. Raises ValueError."""
    value: JsonValue = read(text)
    return value


def write(value: Any, *, formatted: bool) -> str:
    """Return `value` as text: in one line, or with each member of an object in a line of its own."""
    out: list[str] = []
    _write(value, 0, formatted, out)
    return "".join(out)


def _write(value: Any, depth: int, formatted: bool, out: list[str]) -> None:
    if value is None:
        out.append("null")
    elif isinstance(value, bool):
        out.append("true" if value else "false")
    elif isinstance(value, int | float):
        out.append(_number(value))
    elif isinstance(value, str):
        out.append(_string(value))
    elif isinstance(value, dict):
        _write_object(value, depth, formatted, out)
    else:
        out.append("[")
        for index, item in enumerate(value):
            if index:
                out.append(", " if formatted else ",")
            _write(item, depth + 1, formatted, out)
        out.append("]")


def _write_object(value: dict[str, Any], depth: int, formatted: bool, out: list[str]) -> None:
    out.append("{\n" if formatted else "{")
    for index, (name, item) in enumerate(value.items()):
        if index:
            out.append(",\n" if formatted else ",")
        if formatted:
            out.append("\t" * (depth + 1))
        out.append(_string(name))
        out.append(":\t" if formatted else ":")
        _write(item, depth + 1, formatted, out)
    if formatted:
        if value:
            out.append("\n")
        out.append("\t" * depth)
    out.append("}")


def _number(value: float) -> str:
    if math.isnan(
        value
    ):  # FreeSWITCH is built with -ffast-math, so that its cJSON never writes null for these
        return "-nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0"
    if value == int(value) and -(2**31) <= value < 2**31:
        return str(int(value))
    text = f"{value:.15g}"
    return text if float(text) == value else f"{value:.17g}"


def _string(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for character in text:
        escape = _ESCAPES.get(character)
        if escape is not None:
            out.append(escape)
        elif character < " ":
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'
