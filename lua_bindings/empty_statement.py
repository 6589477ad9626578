"""Lua 5.2's empty statement for LuaJIT, whose grammar refuses `;;` and a `;` that follows nothing."""

from __future__ import annotations

import re
from typing import Final

# What a semicolon may follow in Lua 5.1 is the end of a statement; after these it ends nothing.
_OPENERS: Final = frozenset({b"do", b"then", b"else", b"repeat", b";", b"::"})
# One token of Lua, or a blank or comment between two.
TOKEN: Final = re.compile(
    rb"""
      (?P<blank>\s+)
    | (?P<comment>--\[(?P<ceq>=*)\[.*?\](?P=ceq)\] | --[^\n]*)
    | (?P<long>\[(?P<eq>=*)\[.*?\](?P=eq)\])
    | (?P<quoted>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    | (?P<word>[A-Za-z_]\w*)
    | (?P<label>::)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def without_empty_statements(code: bytes) -> bytes:
    """Return `code` with every semicolon that is an empty statement replaced by a blank; lines stay the same."""
    out = bytearray(code)
    former = b";"
    function_head = False
    for match in TOKEN.finditer(code):
        if match["blank"] or match["comment"]:
            continue
        token = match.group()
        if token == b";" and former in _OPENERS:
            out[match.start()] = 0x20
            continue
        if token == b"function":
            function_head = True
        elif token == b")" and function_head:
            function_head = False
            former = b"do"  # the body's first statement follows
            continue
        former = token
    return bytes(out)
