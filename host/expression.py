"""The API command `expr` of mod_expr: arithmetic.

FreeSWITCH: `+ - * / ^`, signs, brackets, functions, constants and variables, several expressions joined by `;` or
`|`. Powers are taken from left to right and bind looser than signs: `-2^2` is 4. There are no comparisons.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

from host.expression_function import (
    CONSTANTS,
    FUNCTIONS,
    Argument,
    ExpressionError,
    Function,
    Scope,
    divide,
    power,
)

ERROR: Final = "!err!"

# FreeSWITCH stops an evaluation after so many steps (endless `for`), and tries it three times in all.
MAX_STEPS: Final = 100_000
_TRIES: Final = 3
# FreeSWITCH refuses longer names and numbers.
_LONGEST_WORD: Final = 255
# Brackets are read recursively, some Python frames for each.
_MAX_NESTING: Final = 50
# More than any script writes; it bounds the time that reading takes.
_MAX_LENGTH: Final = 100_000

_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\n\v\f\r]+|\#[^\r\n]*)"
    r"|(?P<value>(?=[.0-9])[0-9]*\.?[0-9]*)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>[-+*/^()&;,=])"
)

_Token = tuple[str, str]
_Node = Callable[[], float]


def expression(argument: str) -> str:
    """Answer `expr <expression>`: ten digits after the point at most, `!err!` for what has no value."""
    try:
        return _format(evaluate(argument))
    except ExpressionError:
        return ERROR


def evaluate(text: str) -> float:
    """Return the value of the last of the expressions in `text`; raises ExpressionError."""
    if not text or len(text) > _MAX_LENGTH:
        raise ExpressionError("no expression")
    text = text.replace("|", ";")
    if not text.endswith(";"):
        text += ";"
    parser = _Parser(_tokens(text))
    expressions = parser.expressions()
    for _ in range(_TRIES - 1):
        try:
            return parser.run(expressions)
        except ExpressionError:
            # FreeSWITCH tries again with the variables as the failed run has left them.
            continue
    return parser.run(expressions)


def _format(value: float) -> str:
    if math.isnan(value):
        return "-nan" if math.copysign(1.0, value) < 0 else "nan"
    text = f"{value:.10f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError("invalid character")
        position = match.end()
        kind = str(match.lastgroup)
        if kind == "space":
            continue
        if kind != "sign" and len(match[0]) > _LONGEST_WORD:
            raise ExpressionError("word too long")
        tokens.append((kind, match[0]))
    return tokens


class _Parser:
    """Turns tokens into functions without arguments that return the value, all over one scope of variables."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.nesting = 0
        self.scope: Scope = {}
        self.steps = 0

    def run(self, expressions: list[_Node]) -> float:
        self.steps = 0
        value = 0.0
        for node in expressions:
            value = node()
        return value

    def expressions(self) -> list[_Node]:
        nodes: list[_Node] = []
        while self.position < len(self.tokens):
            nodes.append(self._assignment())
            if not self._take(";"):
                raise ExpressionError("syntax")
        if not nodes:
            raise ExpressionError("no expression")
        return nodes

    def _peek(self, offset: int = 0) -> _Token:
        position = self.position + offset
        return self.tokens[position] if position < len(self.tokens) else ("end", "")

    def _take(self, sign: str) -> bool:
        if self._peek() == ("sign", sign):
            self.position += 1
            return True
        return False

    def _assignment(self) -> _Node:
        if self._peek()[0] != "name" or self._peek(1) != ("sign", "="):
            return self._sum()
        names: list[str] = []
        while self._peek()[0] == "name" and self._peek(1) == ("sign", "="):
            names.append(self._variable_name())
            self.position += 1
        node = self._sum()
        scope = self.scope

        def assign() -> float:
            value = node()
            for name in names:
                scope[name] = value
            return value

        return assign

    def _variable_name(self) -> str:
        kind, name = self._peek()
        if kind != "name" or name in CONSTANTS:
            raise ExpressionError("no variable")
        self.position += 1
        return name

    def _sum(self) -> _Node:
        terms: list[tuple[bool, _Node]] = [(True, self._product())]
        while True:
            if self._take("+"):
                terms.append((True, self._product()))
            elif self._take("-"):
                terms.append((False, self._product()))
            else:
                break
        if len(terms) == 1:
            return terms[0][1]
        first, rest = terms[0][1], terms[1:]

        def add() -> float:
            value = first()
            for positive, node in rest:
                value = value + node() if positive else value - node()
            return value

        return add

    def _product(self) -> _Node:
        factors: list[tuple[bool, _Node]] = [(True, self._power())]
        while True:
            if self._take("*"):
                factors.append((True, self._power()))
            elif self._take("/"):
                factors.append((False, self._power()))
            else:
                break
        if len(factors) == 1:
            return factors[0][1]
        first, rest = factors[0][1], factors[1:]

        def multiply() -> float:
            value = first()
            for times, node in rest:
                value = value * node() if times else divide(value, node())
            return value

        return multiply

    def _power(self) -> _Node:
        first = self._signed()
        exponents: list[_Node] = []
        while self._take("^"):
            exponents.append(self._signed())
        if not exponents:
            return first

        def raise_to() -> float:
            value = first()
            for node in exponents:
                value = power(value, node())
            return value

        return raise_to

    def _signed(self) -> _Node:
        negative = False
        while True:
            if self._take("-"):
                negative = not negative
            elif not self._take("+"):
                break
        node = self._operand()
        return (lambda: -node()) if negative else node

    def _operand(self) -> _Node:
        if self._take("("):
            return self._bracketed()
        kind, word = self._peek()
        if kind not in ("value", "name"):
            raise ExpressionError("operand missing")
        # FreeSWITCH: words before the name of a function are not looked at.
        skipped = 0
        while self._peek(skipped + 1)[0] in ("value", "name"):
            skipped += 1
        self.position += skipped + 1
        if self._take("("):
            kind, word = self.tokens[self.position - 2]
            if kind != "name" or word not in FUNCTIONS:
                raise ExpressionError("no such function")
            return self._call(FUNCTIONS[word])
        if skipped:
            raise ExpressionError("operator missing")
        return self._word(kind, word)

    def _word(self, kind: str, word: str) -> _Node:
        if kind == "value":
            number = float(word) if word != "." else 0.0
            return self._counted(lambda: number)
        if word in CONSTANTS:
            constant = CONSTANTS[word]
            return self._counted(lambda: constant)
        scope = self.scope
        return self._counted(lambda: scope.get(word, 0.0))

    def _counted(self, node: _Node) -> _Node:
        # Whatever takes long reads values or variables over and over.
        def step() -> float:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise ExpressionError("too long")
            return node()

        return step

    def _bracketed(self) -> _Node:
        self._enter()
        node = self._assignment()
        self._leave()
        return node

    def _enter(self) -> None:
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise ExpressionError("too deep")

    def _leave(self) -> None:
        self.nesting -= 1
        if not self._take(")"):
            raise ExpressionError("bracket missing")

    def _call(self, function: Function) -> _Node:
        self._enter()
        arguments: list[Argument] = []
        names: list[str] = []
        if self._peek() != ("sign", ")"):
            while True:
                if self._take("&"):
                    names.append(self._variable_name())
                else:
                    arguments.append(self._assignment())
                if not self._take(","):
                    break
        self._leave()
        count = len(arguments)
        if count < function.fewest or (function.most is not None and count > function.most):
            raise ExpressionError("wrong number of arguments")
        if len(names) != function.references:
            raise ExpressionError("wrong number of references")
        call, scope = function.call, self.scope
        return lambda: call(arguments, names, scope)
