"""Expansion of `${…}`: variables, parts of them, and API commands put into a text.

FreeSWITCH: `${name}`, `${name:offset:length}`, `${name[index]}`, `${command(arguments)}`, `${command arguments}`,
each of whose parts may hold more of them, `$${name}` for a global variable, and backslash escapes. The rules are
those observed with `eval`, `expand` and the application `set`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Final

from host.byte_text import to_bytes, to_text
from host.leading_number import leading_int

# A variable by name and index (None: the whole text); None when there is no such variable or element.
Lookup = Callable[[str, int | None], str | None]
# A global variable by name; these have no elements.
GlobalLookup = Callable[[str], str | None]
# An API command by name and arguments: what it printed, None when there is no such command.
Api = Callable[[str, str], str | None]

# FreeSWITCH leaves a text as it is that would have to be expanded deeper than this.
MAX_DEPTH: Final = 100
# `${eval(${eval(…)})}`: commands that expand in turn, each of them some Python frames deep.
MAX_API_DEPTH: Final = 24
# A variable that mentions itself twice would double its text at every depth: both numbers bound one expansion
# together with all that its commands expand.
MAX_SUBSTITUTIONS: Final = 10_000
MAX_LENGTH: Final = 4 * 1024 * 1024

_WORTHWHILE: Final = re.compile(r"\$\\*\{|\\[\\nst']")
_HOLDS_VARIABLE: Final = re.compile(r"\$\\*\{")
_SPECIAL: Final = re.compile(r"[\\$]")
_BRACES: Final = re.compile(r"[{}]")
_BRACKETS: Final = re.compile(r"[()]")
_NAME_END: Final = re.compile(r"[ (]")


class _Budget(threading.local):
    """What is left for the outermost expansion that runs in this thread."""

    depth = 0
    api_depth = 0
    substitutions = 0
    length = 0


_budget: Final = _Budget()


def holds_variable(text: str) -> bool:
    """Tell whether `text` holds a `${`; such values are refused where FreeSWITCH distrusts their source."""
    return _HOLDS_VARIABLE.search(text) is not None


def expand(
    text: str,
    lookup: Lookup,
    *,
    api: Api | None = None,
    global_lookup: GlobalLookup | None = None,
) -> str:
    """Return `text` with its variables and commands put in.

    With `lookup` alone both `${}` and `$${}` ask it, and values are expanded in turn (FreeSWITCH: the variables of
    a channel). With `global_lookup` as well, `${}` asks `lookup` first and takes its value as it is, else
    `global_lookup`, whose values are expanded in turn; `$${}` asks only the latter (FreeSWITCH: the headers of an
    event). What is unknown becomes empty. Raises nothing but what `lookup` and `api` raise; beyond the
    limits a text stays as it is.
    """
    if not _WORTHWHILE.search(text):
        return text
    if _budget.depth == 0:
        _budget.substitutions = MAX_SUBSTITUTIONS
        _budget.length = MAX_LENGTH
    return _Expansion(lookup, api, global_lookup).text(text)


class _Expansion:
    __slots__ = ("api", "global_lookup", "lookup")

    def __init__(self, lookup: Lookup, api: Api | None, global_lookup: GlobalLookup | None) -> None:
        self.lookup = lookup
        self.api = api
        self.global_lookup = global_lookup

    def text(self, text: str) -> str:
        if _budget.depth >= MAX_DEPTH or not _WORTHWHILE.search(text):
            return text
        _budget.depth += 1
        try:
            return self._scan(text)
        finally:
            _budget.depth -= 1

    def _scan(self, text: str) -> str:
        out: list[str] = []
        position, length = 0, len(text)
        while position < length:
            special = _SPECIAL.search(text, position)
            if special is None:
                out.append(text[position:])
                break
            start = special.start()
            out.append(text[position:start])
            following = text[start + 1 : start + 2]
            if special[0] == "\\":
                if following == "$":
                    # "\$$" yields one dollar, as "\$" does.
                    out.append("$")
                    position = start + (3 if text[start + 2 : start + 3] == "$" else 2)
                elif following == "'":
                    position = start + 2
                elif following == "\\":
                    out.append("\\")
                    position = start + 2
                else:
                    out.append("\\")
                    position = start + 1
                continue
            is_global = following == "$"
            brace = start + (2 if is_global else 1)
            if text[brace : brace + 1] != "{":
                out.append("$")
                position = brace
                continue
            if _budget.substitutions <= 0:
                out.append(text[start:])
                break
            _budget.substitutions -= 1
            content, position, closed = _braced(text, brace + 1)
            value = self._substitute(content, is_global, closed)
            if len(value) > _budget.length:
                _budget.substitutions = 0
                value = ""
            _budget.length -= len(value)
            out.append(value)
            # The character behind the brace is taken as it is, even a backslash; only a dollar means something.
            if position < length and text[position] != "$":
                out.append(text[position])
                position += 1
        return "".join(out)

    def _substitute(self, content: str, is_global: bool, closed: bool) -> str:
        name_end = _NAME_END.search(content)
        if name_end is None:
            return self._variable(content, is_global)
        in_brackets = name_end[0] == "("
        arguments = _arguments(content[name_end.end() :], 1 if in_brackets or not closed else 0)
        name = self.text(content[: name_end.start()].rstrip(" "))
        return self._command(name, self.text(arguments))

    def _command(self, name: str, arguments: str) -> str:
        if self.api is None or not name or _budget.api_depth >= MAX_API_DEPTH:
            return ""
        _budget.api_depth += 1
        try:
            return self.api(name, arguments) or ""
        finally:
            _budget.api_depth -= 1

    def _variable(self, content: str, is_global: bool) -> str:
        name, colon, part = self.text(content).partition(":")
        index: int | None = None
        bracket = name.find("[")
        if bracket >= 0 and "]" in name[bracket:]:
            index = leading_int(name[bracket + 1 :])
            name = name[:bracket]
            if index < 0:
                index = None
        value = self._value(name, index, is_global)
        if not colon or value is None:
            return value or ""
        offset, _, count = part.partition(":")
        return _part(value, leading_int(offset), leading_int(count))

    def _value(self, name: str, index: int | None, is_global: bool) -> str | None:
        if self.global_lookup is None:
            value = self.lookup(name, index)
        else:
            value = None if is_global else self.lookup(name, index)
            if value is not None:
                return value
            value = self.global_lookup(name)
        return None if value is None else self.text(value)


def _braced(text: str, start: int) -> tuple[str, int, bool]:
    """Return what stands up to the matching brace, the position behind it, and whether there was one."""
    depth = 1
    for brace in _BRACES.finditer(text, start):
        if brace[0] == "{":
            if brace.start() > start:
                depth += 1
        elif depth == 1:
            return text[start : brace.start()], brace.end(), True
        else:
            depth -= 1
    return text[start:], len(text), False


def _arguments(text: str, depth: int) -> str:
    """Return what stands before the bracket that ends the arguments, all when there is none."""
    for bracket in _BRACKETS.finditer(text):
        if bracket[0] == "(":
            depth += 1
        elif depth > 1:
            depth -= 1
        elif depth == 1:
            return text[: bracket.start()]
    return text


def _part(value: str, offset: int, count: int) -> str:
    """Return `count` bytes (0 or less: all) from `offset` on; a negative offset counts from the end."""
    data: str | bytes = value if value.isascii() else to_bytes(value)
    length = len(data)
    if offset >= 0:
        data = data[offset:]
    elif -offset <= length:
        data = data[length + offset :]
    if 0 < count < len(data):
        data = data[:count]
    return data if isinstance(data, str) else to_text(data)
