"""Tracebacks of the functions that the host calls while a script waits in one of the host's own."""

from __future__ import annotations

import re
from typing import Final

# The host's Lua is a chunk named `[C]`, so its frames have line numbers; what it calls goes by these names.
_HOST: Final = re.compile(r"\t\[C\]:\d+: in (?:\w+ '([^']+)'|function <.*>)$")
_INNER: Final = re.compile(r"\t\[C\]: in \w+ '(?:xpcall|host)'$")
_TAIL: Final = re.compile(r"\t\((?:\.\.\.)?tail calls?(?:\.\.\.)?\)(?:: \?)?$")


def without_host_frames(trace: str) -> str:
    """Return a traceback with the script's frames and, between them, the methods it called by their names alone."""
    kept: list[str] = []
    lines = trace.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        host = _HOST.match(line)
        if host is not None:
            if host[1] is not None:
                kept.append(f"\t[C]: in function '{host[1]}'")
        elif _INNER.match(line) and (_HOST.match(following) or line.endswith("'host'")):
            if kept and _TAIL.match(kept[-1]):
                kept.pop()
        else:
            kept.append(line)
    return "\n".join(kept)
