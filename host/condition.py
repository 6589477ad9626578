"""The API command `cond`: a comparison that picks one of two texts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

from host.arguments import separate
from host.byte_text import byte_length
from host.leading_number import leading_float

ERROR: Final = "-ERR"

_SPACE: Final = " \t\n\v\f\r"
_QUOTED: Final = re.compile(r"'((?:\\[\\']|[^'\\]|\\(?![\\']))*+)'(?=[ \t\n\v\f\r])")
_UNQUOTED: Final = re.compile(r"([^ ]*) ")
_OPERATOR: Final = re.compile(r"==|!=|>=|<=|>|<")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]*")

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def condition(argument: str) -> str:
    """Answer `cond <a> <operator> <b> ? <true value> : <false value>`; wrong syntax is -ERR.

    FreeSWITCH: the operators are == != > >= < <=, with a blank on both sides. Two numbers are compared as numbers.
    A side in single quotes, or one that is no number, is a text: two texts are equal letter by letter, but their
    order is that of their lengths, as it is (with == and !=, too) between a text and a number.
    """
    left, position = _side(argument, 0)
    if left is None:
        return ERROR
    position = _skip_space(argument, position)
    found = _OPERATOR.match(argument, position)
    # One character behind the operator is skipped whatever it is; an argument that ends there has no right side.
    if found is None or found.end() >= len(argument):
        return ERROR
    right, position = _side(argument, _skip_space(argument, found.end() + 1))
    if right is None:
        return ERROR
    position = _skip_space(argument, position)
    if argument[position : position + 1] != "?":
        return ERROR
    branches = separate(":" + argument[position + 1 :], ":", 3)
    if len(branches) < 2:
        return ERROR
    if _holds(found[0], *left, *right):
        return branches[1]
    return branches[2] if len(branches) > 2 else ""


def _side(argument: str, position: int) -> tuple[tuple[str, bool] | None, int]:
    """Return a side's text with whether it is a number, and the position behind it; None when there is none."""
    if argument.startswith("'", position):
        match = _QUOTED.match(argument, position)
        return (None, position) if match is None else ((match[1], False), match.end())
    match = _UNQUOTED.match(argument, position)
    if match is None:
        return None, position
    return (match[1], _NUMBER.fullmatch(match[1]) is not None), match.end()


def _skip_space(argument: str, position: int) -> int:
    while position < len(argument) and argument[position] in _SPACE:
        position += 1
    return position


def _holds(sign: str, left: str, left_is_number: bool, right: str, right_is_number: bool) -> bool:
    if sign in ("==", "!=") and not left_is_number and not right_is_number:
        return (left == right) == (sign == "==")
    left_size = leading_float(left) if left_is_number else float(byte_length(left))
    right_size = leading_float(right) if right_is_number else float(byte_length(right))
    return _COMPARE[sign](left_size, right_size)
