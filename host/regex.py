"""Dialplan, phrase and digit patterns: PCRE over bytes, with FreeSWITCH's ways to write a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import pcre2

from host.byte_text import to_bytes, to_text

# PCRE stops one match after this many backtracking steps (its own default is ten times as many): a pattern
# that needs more is a mistake, and the matcher holds the interpreter while it tries.
MATCH_STEPS = 1_000_000
# Longer subjects than this are not tried: numbers, names and variables are far shorter, and a search may
# start anew at every byte of it.
MAX_SUBJECT = 1 << 20
MAX_PATTERN = 1 << 16  # PCRE2's own links inside a compiled pattern reach as far
# FreeSWITCH: group numbers above this stand for nothing.
_MAX_GROUP = 256
_CACHED_PATTERNS = 4096  # more conditions than that are rare in one dialplan


class RegexError(ValueError):
    """A pattern that PCRE refuses, or a match that it gave up; the text says why."""


class _Match(Protocol):
    def group(self, number: int) -> bytes | None: ...


class _Pattern(Protocol):
    groups: int

    def search(self, subject: bytes) -> _Match | None: ...


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """The groups of a match, 0 being the whole; a group that took no part is None.

    `count` is FreeSWITCH's result of a match: the number of the last group that took part, plus one.
    """

    groups: tuple[str | None, ...]

    @property
    def count(self) -> int:
        """Return the number of the last group that took part, plus one."""
        return max(number for number, text in enumerate(self.groups) if text is not None) + 1

    def captures(self) -> tuple[str, ...]:
        """Return the texts of the groups that took part, in their order."""
        return tuple(text for text in self.groups[: self.count] if text is not None)

    def substitute(self, text: str) -> str:
        """Return `text` with `$N` and `${N}` replaced by group N; what took no part becomes empty.

        Any other `$` stays, so variables are left for expansion.
        """
        return substitute(text, self.groups)


_REFERENCE = re.compile(r"\$(?:([0-9]{1,9})|\{([0-9]{1,9})\})")


def substitute(text: str, groups: tuple[str | None, ...]) -> str:
    """Return `text` with `$N` and `${N}` replaced by `groups[N]`, or by nothing when there is none."""

    def group(reference: re.Match[str]) -> str:
        number = int(reference[1] or reference[2])
        return (groups[number] or "") if number < min(len(groups), _MAX_GROUP + 1) else ""

    return _REFERENCE.sub(group, text) if "$" in text else text


def search(subject: str, expression: str) -> RegexMatch | None:
    """Search `subject` for `expression` and return the match, None when there is none.

    FreeSWITCH: `/…/` may enclose the expression, with `i` (case does not matter) and `s` (a dot is any
    character) after it; a leading `_` makes it an Asterisk pattern (`_NXX.`). Matching is by bytes.
    Raises RegexError when PCRE refuses the pattern or gives the match up.
    """
    pattern = _compiled(expression)
    data = to_bytes(subject)
    if len(data) > MAX_SUBJECT:
        raise RegexError(f"subject of {len(data)} bytes is too long")
    try:
        match = pattern.search(data)
        if match is None:
            return None
        return RegexMatch(tuple(_text(match.group(number)) for number in range(pattern.groups + 1)))
    except pcre2.LibraryError as error:
        raise RegexError(f"{error} [{expression}]") from None


def asterisk_to_regex(pattern: str) -> str:
    """Return the PCRE for an Asterisk pattern: N is 2-9, X is 0-9, Z is 1-9, a dot is anything."""
    return "^" + pattern.translate(_ASTERISK) + "$"


_ASTERISK = str.maketrans({"N": "[2-9]", "X": "[0-9]", "Z": "[1-9]", ".": ".*"})


@lru_cache(maxsize=_CACHED_PATTERNS)
def _compiled(expression: str) -> _Pattern:
    flags = int(pcre2.ASCII)
    pattern = expression
    if pattern.startswith("_"):
        pattern = asterisk_to_regex(pattern[1:])
    if pattern.startswith("/"):
        pattern, slash, options = pattern[1:].rpartition("/")
        if not slash:
            raise RegexError(
                f"Regular Expression Error expression[{expression}] missing ending '/' delimeter"
            )
        flags |= (int(pcre2.IGNORECASE) if "i" in options else 0) | (
            int(pcre2.DOTALL) if "s" in options else 0
        )
    data = to_bytes(pattern)
    if len(data) > MAX_PATTERN:
        raise RegexError(f"COMPILE ERROR: {MAX_PATTERN} [pattern is too long]")
    compile_pattern = cast(Callable[[bytes, int], _Pattern], pcre2.compile)
    limit = b"(*LIMIT_MATCH=%d)" % MATCH_STEPS
    try:
        return compile_pattern(limit + data, flags)
    except pcre2.PatternError as error:
        reason = str(error.msg).partition("; ")[2]
        raise RegexError(f"COMPILE ERROR: {max(0, error.pos - len(limit))} [{reason}][{pattern}]") from None
    except pcre2.LibraryError as error:
        raise RegexError(f"COMPILE ERROR: 0 [{error}][{pattern}]") from None


def _text(group: bytes | None) -> str | None:
    return None if group is None else to_text(group)
