"""Reading JSON as FreeSWITCH's cJSON 1.7.12 does, which takes more than the standard: `01`, `-.5`, any control
character as a blank, a byte order mark, text behind the value; and less: no half of a surrogate pair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

# What makes an object of its members, in order and with names that come twice.
ObjectOf: TypeAlias = Callable[[list[tuple[str, Any]]], Any]

_NESTING_LIMIT: Final = 1000
_BLANKS: Final = re.compile(r"[\x01-\x20]*")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(u.{4}|.|$)", re.DOTALL)
_NUMBER: Final = re.compile(r"-?(?:\d+(?:\.\d*)?|(?<=-)\.\d+)(?:[eE][+-]?\d+)?")
_WORDS: Final = (("null", None), ("true", True), ("false", False))
_PLAIN: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A text that does not begin with a JSON value."""


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def read(text: str, object_of: ObjectOf = dict) -> Any:
    """Return the value at the beginning of `text`: None, bool, float, str, list, or what `object_of` makes.

    Raises JsonError.
    """
    bare = text.lstrip(" \t\r\n")
    if bare[:1] in ("{", "[") and _SURROGATE.search(text) is None and _depth_bound(text) <= _NESTING_LIMIT:
        decoder = json.JSONDecoder(
            object_pairs_hook=object_of, parse_constant=_no_constant, parse_int=float, strict=False
        )
        try:
            return decoder.raw_decode(bare)[0]
        except (ValueError, RecursionError):
            pass  # cJSON may still take it
    return _Reader(text, object_of).read()


def _depth_bound(text: str) -> int:
    return text.count("[") + text.count("{")


class _Reader:
    def __init__(self, text: str, object_of: ObjectOf) -> None:
        self._text = text.partition("\0")[0].removeprefix("\ufeff")
        self._at = 0
        self._object_of = object_of

    def read(self) -> Any:
        """Read one value, containers without recursion: texts may be nested a thousand deep."""
        open_: list[
            tuple[list[Any], str | None]
        ] = []  # members so far of a list, or of an object and the next name
        while True:
            self._skip()
            mark = self._text[self._at : self._at + 1]
            if mark in ("[", "{"):
                if len(open_) >= _NESTING_LIMIT:
                    raise JsonError("nested too deep")
                self._at += 1
                if not self._closes("]" if mark == "[" else "}"):
                    open_.append(([], None if mark == "[" else self._name()))
                    continue
                value: Any = [] if mark == "[" else self._object_of([])
            else:
                value = self._scalar(mark)
            while open_:
                members, name = open_[-1]
                members.append(value if name is None else (name, value))
                self._skip()
                after = self._text[self._at : self._at + 1]
                self._at += 1
                if after == ",":
                    open_[-1] = (members, None if name is None else self._name())
                    break
                if after != ("]" if name is None else "}"):
                    raise JsonError("a list or object does not end")
                open_.pop()
                value = members if name is None else self._object_of(members)
            else:
                return value

    def _skip(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        assert blanks is not None
        self._at = blanks.end()

    def _closes(self, mark: str) -> bool:
        self._skip()
        if self._text[self._at : self._at + 1] != mark:
            return False
        self._at += 1
        return True

    def _name(self) -> str:
        self._skip()
        name = self._string()
        self._skip()
        if self._text[self._at : self._at + 1] != ":":
            raise JsonError("a name without a value")
        self._at += 1
        return name

    def _scalar(self, mark: str) -> Any:
        if mark == '"':
            return self._string()
        for word, value in _WORDS:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            raise JsonError("no value")
        self._at = number.end()
        return float(number[0])

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise JsonError("no text")
        self._at = found.end()
        inside = found[1]
        if "\\" not in inside:
            return inside
        out: list[str] = []
        at, high = 0, 0
        for escape in _ESCAPE.finditer(inside):
            plain = inside[at : escape.start()]
            if high and (plain or escape[1][:1] != "u"):
                raise JsonError("half of a surrogate pair")
            out.append(plain)
            at = escape.end()
            code = escape[1]
            if code[:1] != "u":
                if code not in _PLAIN:
                    raise JsonError("an unknown escape")
                out.append(_PLAIN[code])
                continue
            if len(code) != 5:
                raise JsonError("an unfinished escape")
            point = _hex(code[1:])
            if high:
                if not 0xDC00 <= point <= 0xDFFF:
                    raise JsonError("half of a surrogate pair")
                out.append(chr(0x10000 + ((high & 0x3FF) << 10 | point & 0x3FF)))
                high = 0
            elif 0xD800 <= point <= 0xDBFF:
                high = point
            elif 0xDC00 <= point <= 0xDFFF:
                raise JsonError("half of a surrogate pair")
            else:
                out.append(chr(point))
        if high:
            raise JsonError("half of a surrogate pair")
        out.append(inside[at:])
        return "".join(out)


def _hex(digits: str) -> int:
    """Return four hexadecimal digits' value, 0 for what is none (which then ends the text)."""
    return int(digits, 16) if re.fullmatch(r"[0-9a-fA-F]{4}", digits) else 0
