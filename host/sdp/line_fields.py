"""Words and numbers in a line of a description."""

from __future__ import annotations

import re
from typing import Final

_BLANKS: Final = re.compile(r"[ \t]+")


def fields_of(text: str) -> list[str]:
    """The words of a line: blanks and tabs part them, nothing else that Unicode calls a space."""
    return [field for field in _BLANKS.split(text) if field]


def is_number(text: str, digits: int) -> bool:
    """Whether a word is a number of ASCII digits, and of no more than so many."""
    return text.isascii() and text.isdigit() and len(text) <= digits
