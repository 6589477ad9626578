"""FreeSWITCH's words for true."""

from __future__ import annotations

import re

_TRUE_WORDS = frozenset({"yes", "on", "true", "t", "enabled", "active", "allow"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?")


def is_true(text: str | None) -> bool:
    """Return whether `text` is one of FreeSWITCH's words for true, in any case, or a number other than 0."""
    if not text:
        return False
    if text.lower() in _TRUE_WORDS:
        return True
    return bool(_NUMBER.fullmatch(text)) and int(text.partition(".")[0]) != 0
