"""The functions and constants of mod_expr's expressions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


class ExpressionError(ValueError):
    """An expression that cannot be read or has no value; `expr` answers `!err!`."""


# An argument that is only evaluated when it is asked for, and maybe more than once (`if`, `select`, `for`).
Argument = Callable[[], float]
# The variables of one expression by name; arguments with `&` in front give names instead of values.
Scope = dict[str, float]

CONSTANTS: Final[dict[str, float]] = {
    "M_E": math.e,
    "M_LOG2E": math.log2(math.e),
    "M_LOG10E": math.log10(math.e),
    "M_LN2": math.log(2.0),
    "M_LN10": math.log(10.0),
    "M_PI": math.pi,
    "M_PI_2": math.pi / 2,
    "M_PI_4": math.pi / 4,
    "M_1_PI": 1 / math.pi,
    "M_2_PI": 2 / math.pi,
    "M_1_SQRTPI": 1 / math.sqrt(math.pi),
    "M_2_SQRTPI": 2 / math.sqrt(math.pi),
    "M_SQRT2": math.sqrt(2.0),
    "M_1_SQRT2": math.sqrt(0.5),
}

_UNSIGNED: Final = 2**32


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many values and references it takes (None: no limit) and what it answers."""

    fewest: int
    most: int | None
    call: Callable[[Sequence[Argument], Sequence[str], Scope], float]
    references: int = 0


def power(base: float, exponent: float) -> float:
    """Return base to the exponent; raises ExpressionError where there is no number for it."""
    value = _checked(math.pow, base, exponent)
    if value == 0.0 and base != 0.0 and not math.isinf(base) and not math.isinf(exponent):
        raise ExpressionError("out of range")
    return value


def divide(dividend: float, divisor: float) -> float:
    """Return the quotient; raises ExpressionError when the divisor is 0."""
    if divisor == 0.0:
        raise ExpressionError("division by zero")
    return dividend / divisor


def _checked(function: Callable[..., float], *arguments: float) -> float:
    try:
        return function(*arguments)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise ExpressionError("out of range") from error


def _values(count: int, function: Callable[..., float]) -> Function:
    def call(arguments: Sequence[Argument], _names: Sequence[str], _scope: Scope) -> float:
        return _checked(function, *[argument() for argument in arguments])

    return Function(count, count, call)


def _any_number(fewest: int, function: Callable[[list[float]], float]) -> Function:
    def call(arguments: Sequence[Argument], _names: Sequence[str], _scope: Scope) -> float:
        return function([argument() for argument in arguments])

    return Function(fewest, None, call)


def _remainder(dividend: float, divisor: float) -> float:
    # FreeSWITCH: unlike a division by 0 this is no error.
    return math.fmod(dividend, divisor) if divisor else math.nan


def _root(value: float) -> float:
    # FreeSWITCH: unlike a logarithm of a negative number this is no error.
    return math.sqrt(value) if value >= 0.0 else math.nan


def _exp(value: float) -> float:
    result = math.exp(value)
    if result == 0.0 and not math.isinf(value):
        raise ExpressionError("out of range")
    return result


def _round(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _logn(value: float, base: float) -> float:
    return divide(math.log(value), math.log(base))


def _clamp(value: float, low: float, high: float) -> float:
    rest = math.fmod(value - low, high - low)
    return rest + high if rest < 0.0 else rest + low


def _point_change(old_low: float, old_high: float, new_low: float, new_high: float, point: float) -> float:
    span = old_high - old_low
    return old_low if span == 0.0 else new_low + (point - old_low) / span * (new_high - new_low)


def _polynomial(values: list[float]) -> float:
    x, *coefficients = values
    highest = len(coefficients) - 1
    return sum((c * power(x, float(highest - n)) for n, c in enumerate(coefficients)), 0.0)


def _polar_angle(x: float, y: float) -> float:
    # FreeSWITCH: every angle below zero is answered as a full turn.
    angle = math.atan2(y, x)
    return 2.0 * math.pi if angle < 0.0 else angle


def _unsigned(value: float) -> int:
    return int(value) % _UNSIGNED


def _if(arguments: Sequence[Argument], _names: Sequence[str], _scope: Scope) -> float:
    return arguments[1]() if arguments[0]() != 0.0 else arguments[2]()


def _select(arguments: Sequence[Argument], _names: Sequence[str], _scope: Scope) -> float:
    value = arguments[0]()
    if value < 0.0:
        return arguments[1]()
    return arguments[2]() if value == 0.0 else arguments[-1]()


def _for(arguments: Sequence[Argument], _names: Sequence[str], _scope: Scope) -> float:
    begin, test, step, *body = arguments
    value = 0.0
    begin()
    while test() != 0.0:
        for argument in body:
            value = argument()
        step()
    return value


def _next_seed(names: Sequence[str], scope: Scope) -> int:
    seed = scope.get(names[0], 0.0)
    state = (int(seed) if math.isfinite(seed) else 0) * 214013 + 2531011
    scope[names[0]] = float(state)
    return (state >> 16) & 0x7FFF


def _rand(_arguments: Sequence[Argument], names: Sequence[str], scope: Scope) -> float:
    return _next_seed(names, scope) / 32768.0


def _random(arguments: Sequence[Argument], names: Sequence[str], scope: Scope) -> float:
    low, high = arguments[0](), arguments[1]()
    return _next_seed(names, scope) / 32767.0 * (high - low) + low


def _randomize(_arguments: Sequence[Argument], names: Sequence[str], scope: Scope) -> float:
    scope[names[0]] = float(random.randrange(-(2**31), 2**31))
    return 0.0


FUNCTIONS: Final[dict[str, Function]] = {
    "abs": _values(1, abs),
    "mod": _values(2, _remainder),
    "ipart": _values(1, lambda value: math.modf(value)[1]),
    "fpart": _values(1, lambda value: math.modf(value)[0]),
    "min": _any_number(1, min),
    "max": _any_number(1, max),
    "pow": _values(2, power),
    "sqrt": _values(1, _root),
    "sin": _values(1, math.sin),
    "sinh": _values(1, math.sinh),
    "asin": _values(1, math.asin),
    "cos": _values(1, math.cos),
    "cosh": _values(1, math.cosh),
    "acos": _values(1, math.acos),
    "tan": _values(1, math.tan),
    "tanh": _values(1, math.tanh),
    "atan": _values(1, math.atan),
    "atan2": _values(2, math.atan2),
    "log": _values(1, math.log10),
    "pow10": _values(1, lambda value: power(10.0, value)),
    "ln": _values(1, math.log),
    "exp": _values(1, _exp),
    "logn": _values(2, _logn),
    "ceil": _values(1, _round(math.ceil)),
    "floor": _values(1, _round(math.floor)),
    "rand": Function(0, 0, _rand, references=1),
    "random": Function(2, 2, _random, references=1),
    "randomize": Function(0, 0, _randomize, references=1),
    "deg": _values(1, lambda value: 180.0 * value / math.pi),
    "rad": _values(1, lambda value: math.pi * value / 180.0),
    "recttopolr": _values(2, lambda x, y: math.sqrt(x * x + y * y)),
    "recttopola": _values(2, _polar_angle),
    "poltorectx": _values(2, lambda radius, angle: radius * math.cos(angle)),
    "poltorecty": _values(2, lambda radius, angle: radius * math.sin(angle)),
    "if": Function(3, 3, _if),
    "select": Function(3, 4, _select),
    "equal": _values(2, lambda a, b: float(a == b)),
    "above": _values(2, lambda a, b: float(a > b)),
    "below": _values(2, lambda a, b: float(a < b)),
    "avg": _any_number(1, lambda values: sum(values) / len(values)),
    # FreeSWITCH: the lower bound serves as the upper one, too.
    "clip": _values(3, lambda _value, low, _high: low),
    "clamp": _values(3, _clamp),
    "pntchange": _values(5, _point_change),
    "poly": _any_number(2, _polynomial),
    "and": _values(2, lambda a, b: float(a != 0.0 and b != 0.0)),
    "or": _values(2, lambda a, b: float(a != 0.0 or b != 0.0)),
    "not": _values(1, lambda value: float(value == 0.0)),
    "for": Function(4, None, _for),
    "many": _any_number(1, lambda values: values[-1]),
    "land": _values(2, lambda a, b: float(_unsigned(a) & _unsigned(b))),
    "lor": _values(2, lambda a, b: float(_unsigned(a) | _unsigned(b))),
}
