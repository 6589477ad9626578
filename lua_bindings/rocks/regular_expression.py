"""What the rock rex_pcre stands on: PCRE patterns over bytes, and the places of their groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, cast

import pcre2

from host.regex import MATCH_STEPS, MAX_PATTERN, MAX_SUBJECT
from lua_bindings.host_call import ScriptFault
from lua_bindings.rocks.crossing import Made, Plain, crossings

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_KIND: Final = b"pcre"
_CACHED: Final = 256


class _Match(Protocol):
    def span(self, number: int) -> tuple[int, int]: ...


class _Pattern(Protocol):
    groups: int

    def search(self, subject: bytes, pos: int) -> _Match | None: ...

    def match(self, subject: bytes, pos: int) -> _Match | None: ...


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions: `compile(pattern, options, utf8)` and `execute(pattern, subject, place, anchored)`."""
    return crossings(
        run, "rex_pcre", {"compile": _new, "execute": _execute, "groups": lambda pattern: pattern.groups}
    )


def _new(pattern: bytes, options: bytes, utf8: bool) -> Made:
    return Made(_KIND, _compiled(pattern, options, utf8))


@lru_cache(maxsize=_CACHED)
def _compiled(pattern: bytes, options: bytes, utf8: bool) -> _Pattern:
    """Return a compiled pattern; `options` are letters as in `(?imsx)`. ScriptFault says what PCRE refuses."""
    if len(pattern) > MAX_PATTERN:
        raise ScriptFault("regular expression is too large (pattern offset: 1)")
    head = b"(*LIMIT_MATCH=%d)" % MATCH_STEPS + (b"(*UTF)" if utf8 else b"")
    head += b"(?%b)" % options if options else b""
    compile_pattern = cast(Callable[[bytes, int], _Pattern], pcre2.compile)
    try:
        return compile_pattern(head + pattern, int(pcre2.ASCII))
    except pcre2.PatternError as error:
        reason = str(error.msg).partition("; ")[2] or str(error.msg)
        raise ScriptFault(f"{reason} (pattern offset: {max(0, error.pos - len(head)) + 1})") from None
    except pcre2.LibraryError as error:
        raise ScriptFault(f"{error} (pattern offset: 1)") from None


def _execute(pattern: _Pattern, subject: bytes, place: int, anchored: bool) -> tuple[Plain, ...] | None:
    """Return the first and the last octet of the match and of each group, from 1; None where there is no match.

    A group that took no part has False twice. `place` is the octet, from 1, at which the search begins.
    """
    if len(subject) > MAX_SUBJECT:
        raise ScriptFault(f"subject of {len(subject)} bytes is too long")
    try:
        search = pattern.match if anchored else pattern.search
        found = search(subject, int(place) - 1)
    except pcre2.LibraryError as error:
        text = str(error)
        raise ScriptFault(
            "error PCRE_ERROR_MATCHLIMIT" if "limit" in text.lower() else f"error {text}"
        ) from None
    if found is None:
        return None
    spans: list[Plain] = []
    for number in range(pattern.groups + 1):
        first, end = found.span(number)
        spans += (first + 1, end) if first >= 0 else (False, False)
    return tuple(spans)
