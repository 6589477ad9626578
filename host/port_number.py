"""The port that a person names, for options of the command line."""

from __future__ import annotations

from typing import Final

LAST_PORT: Final = 65535
_LONGEST: Final = len(str(LAST_PORT))


def port_number(text: str) -> int:
    """Return the port, 1 to 65535, that `text` names in digits. Raises ValueError, with words for that person."""
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST and 0 < int(text) <= LAST_PORT:
        return int(text)
    raise ValueError(f"{text} is no port (1 to {LAST_PORT})")
