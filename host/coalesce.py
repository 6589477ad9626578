"""The API command `coalesce`: the first of several values that is not empty."""

from __future__ import annotations

from typing import Final

from host.arguments import separate

USAGE: Final = "-USAGE: [^^<delim>]<value1>,<value2>,...\n"

_MAX_VALUES: Final = 256


def coalesce(argument: str) -> str:
    """Answer `coalesce [^^<delim>]<value1>,<value2>,…`: a value, "" when all are empty, the usage without any."""
    delimiter = ","
    if argument.startswith("^^"):
        delimiter = argument[2:3]
        argument = argument[3:]
    if not argument or not delimiter:
        return USAGE
    return next((value for value in separate(argument, delimiter, _MAX_VALUES) if value), "")
