"""The border between Lua and the host's functions: conversion of values, faults as error texts, the cost of a call.

A function that Lua calls answers `result` or `(None, error text[, level])`; it never raises, for an exception would
reach the script as a Python object. Texts are bytes in Lua and `str` (UTF-8, surrogate escapes) in the host, and
end at a NUL, as C strings do.
"""

from __future__ import annotations

import math
from collections.abc import Callable as Function
from typing import TYPE_CHECKING, Final

from lua_bindings.contract import Argument, Callable, Kind

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# What a call of the host costs in virtual time, so that a script that only polls gets on: 20 µs, as on a real switch.
CALL_COST_US: Final = 20

_INT_MIN: Final = -(2**31)


class ScriptFault(Exception):
    """An error for the script: its text, and the level that names the place (0: no place, 2: the caller)."""

    def __init__(self, text: str, level: int = 2) -> None:
        super().__init__(text)
        self.text = text
        self.level = level


def to_text(value: bytes) -> str:
    """Return a Lua string as the host keeps texts: up to its first NUL, any bytes allowed."""
    text = value.decode("utf-8", "surrogateescape")
    return text[: text.index("\0")] if "\0" in text else text


def to_bytes(text: str) -> bytes:
    """Return a text of the host as a Lua string, up to its first NUL."""
    value = text.encode("utf-8", "surrogateescape")
    return value[: value.index(0)] if 0 in value else value


def to_int(value: float) -> int:
    """Return a Lua number as a C `int`: cut towards zero, the lowest int for what does not fit."""
    if math.isnan(value) or not _INT_MIN <= value < -_INT_MIN:
        return _INT_MIN
    return int(value)


def _default(argument: Argument) -> int | str | None:
    if argument.default is None or argument.default == "nil":
        return None
    if argument.default.startswith('"'):
        return argument.default.strip('"')
    return int(argument.default)


def _incoming(callable_: Callable) -> list[tuple[Function[[object], object], object]]:
    """Return for each argument a converter and what stands for nil and for an argument that is not given."""
    longest = max(callable_.signatures, key=lambda signature: signature.most)
    return [
        (_number if argument.kind in (Kind.NUMBER, Kind.UNSIGNED) else _value, _default(argument))
        for argument in longest.arguments
    ]


_ARGUMENTS: Final[dict[str, list[tuple[Function[[object], object], object]]]] = {}


def _value(value: object) -> object:
    return to_text(value) if type(value) is bytes else value


def _number(value: object) -> object:
    return to_int(value) if isinstance(value, int | float) else _value(value)


def _outgoing(value: object) -> object:
    return to_bytes(value) if isinstance(value, str) else value


def host_function(
    run: ScriptRun, callable_: Callable, implementation: Function[..., object]
) -> Function[..., object]:
    """Return what Lua calls for `callable_`: `implementation` with values converted and faults reported.

    `implementation` takes the arguments as `str`, `int`, `bool`, None and objects; its `str` result becomes bytes.
    For several results it returns a tuple. What a script does not pass gets the contract's default.
    """
    arguments = _ARGUMENTS.get(callable_.label)
    if arguments is None:
        arguments = _ARGUMENTS[callable_.label] = _incoming(callable_)
    several = callable_.signatures[0].returns in ("rows", "bytes_and_length")
    name = callable_.label
    charge = run.charge

    def call(*given: object) -> object:
        try:
            if charge is not None:
                charge(CALL_COST_US)
            count = len(given)
            values = [
                default if index >= count or given[index] is None else convert(given[index])
                for index, (convert, default) in enumerate(arguments)
            ]
            result = implementation(*values)
            if run.killed is not None:  # while the script waited in here
                raise ScriptFault(run.killed)
        except ScriptFault as fault:
            answer = (to_bytes(fault.text), fault.level)
            return answer if several else (None, *answer)
        except (
            Exception
        ) as error:  # a fault of ours: logged with its traceback, an ordinary error for the script
            run.switch.report_bug(name, error)
            text = to_bytes(f"{name}: internal error: {type(error).__name__}: {error}")
            return (text, 2) if several else (None, text, 2)
        if several:
            assert isinstance(result, tuple)
            return (None, None, *map(_outgoing, result))
        return _outgoing(result)

    return call
