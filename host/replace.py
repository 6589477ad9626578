"""The API command `replace`: every occurrence of one text in another, literally."""

from __future__ import annotations

from typing import Final

from host.arguments import separate
from host.byte_text import byte_length

# Replacing one letter of a long text by another long text multiplies their lengths.
MAX_LENGTH: Final = 16 * 1024 * 1024


def split_delimited(argument: str, limit: int) -> list[str]:
    """Split the parts of `regex` and `replace`: at `|`, or at X after `m:X` where X is one of `/`, `~`, `|`."""
    if argument[:2] == "m:" and argument[2:3] in ("|", "~", "/"):
        return separate(argument[3:], argument[2], limit)
    return separate(argument, "|", limit)


def replace(argument: str) -> str:
    """Answer `replace <text>|<what>|<by what>`; fewer parts or nothing to look for is -ERR."""
    parts = split_delimited(argument, 3)
    if len(parts) < 3 or not parts[1]:
        return "-ERR"
    text, what, by = parts
    if text.count(what) * byte_length(by) > MAX_LENGTH:
        return "-ERR"
    return text.replace(what, by)
