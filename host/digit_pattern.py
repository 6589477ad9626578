"""Patterns for digits that are still coming in: matched, not yet, or never."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol, cast

import pcre2

from host.byte_text import to_bytes

# Digit bindings are few; each is tried at every digit.
_CACHED_PATTERNS: Final = 512
# PCRE gives a match up after this many steps: digits are few, only a mistaken pattern needs more.
_MATCH_STEPS: Final = 100_000
# PCRE2_PARTIAL_SOFT and PCRE2_ERROR_PARTIAL of the PCRE2 manual (pcre2partial): the library names neither.
_PARTIAL_SOFT: Final = 0x10
_ERROR_PARTIAL: Final = -2


class DigitMatch(Enum):
    """How digits stand to a pattern."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class _Pattern(Protocol):
    def _match(self, subject: bytes, *, options: int) -> object | None: ...


def match_digits(digits: str, pattern: str) -> DigitMatch:
    """Tell whether `pattern` matches `digits`, or could once more of them have come.

    FreeSWITCH: the pattern is PCRE, or `/PCRE/` with the flags i and s behind it. A wrong pattern, or one that
    takes too many steps, matches nothing; no digits at all are no part of a match.
    """
    compiled = _compiled(pattern)
    if compiled is None:
        return DigitMatch.NONE
    try:
        match = compiled._match(to_bytes(digits), options=_PARTIAL_SOFT)
    except pcre2.LibraryError as error:
        return DigitMatch.PARTIAL if error.code == _ERROR_PARTIAL else DigitMatch.NONE
    return DigitMatch.NONE if match is None else DigitMatch.FULL


@lru_cache(maxsize=_CACHED_PATTERNS)
def _compiled(pattern: str) -> _Pattern | None:
    flags = 0
    if pattern.startswith("/"):
        pattern, slash, options = pattern[1:].rpartition("/")
        if not slash:
            return None
        flags = (int(pcre2.IGNORECASE) if "i" in options else 0) | (
            int(pcre2.DOTALL) if "s" in options else 0
        )
    # Machine code made ahead of time cannot match partially.
    compile_pattern = cast(Callable[..., _Pattern], pcre2.compile)
    try:
        return compile_pattern(b"(*LIMIT_MATCH=%d)" % _MATCH_STEPS + to_bytes(pattern), flags, jit=False)
    except pcre2.LibraryError:
        return None
