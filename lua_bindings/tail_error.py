"""Lua 5.2's place of an error in `return error(…)` for LuaJIT, which forgets the function that returns a call.

In Lua 5.2 the call of a C function never stands for its caller, so that the message names the line of the `return`.
"""

from __future__ import annotations

import re
from typing import Final

from lua_bindings.empty_statement import TOKEN

_WANTED: Final = re.compile(rb"\breturn\s+error\b")
# What may follow a block's last statement.
_ENDS: Final = frozenset({b"end", b"else", b"elseif", b"until", b";", b""})


def with_places(code: bytes) -> bytes:
    """Return `code` with `error(…)` where it has `return error(…)`; lines and columns stay the same.

    Code in which `error` may be another function than Lua's is returned as it is.
    """
    if _WANTED.search(code) is None:
        return code
    tokens = [match for match in TOKEN.finditer(code) if not match["blank"] and not match["comment"]]
    words = [match.group() for match in tokens]
    out = bytearray(code)
    for index, word in enumerate(words):
        if word != b"error" or (index and words[index - 1] in (b".", b":")):
            continue
        following = words[index + 1] if index + 1 < len(words) else b""
        called = following == b"(" or following[:1] in (b'"', b"'") or following[:2] in (b"[[", b"[=")
        if not called or (index and words[index - 1] == b"function"):
            return code
        if index and words[index - 1] == b"return" and _ends_block(words, index + 1):
            start, end = tokens[index - 1].span()
            out[start:end] = b" " * (end - start)
    return bytes(out)


def _ends_block(words: list[bytes], index: int) -> bool:
    """Return whether nothing of the statement follows the arguments that begin at `index`."""
    depth = 0
    while index < len(words):
        if words[index] in (b"(", b"{", b"["):
            depth += 1
        elif words[index] in (b")", b"}", b"]"):
            depth -= 1
        index += 1
        if depth == 0:
            break
    return (words[index] if index < len(words) else b"") in _ENDS
