"""Which FreeSWITCH this switch behaves like, and which Moonline it is."""

from __future__ import annotations

import struct
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

# Scripts compare this number to know what a switch can do.
FREESWITCH: Final = "1.11.2"
_BITS: Final = 8 * struct.calcsize("P")


@lru_cache(maxsize=1)
def moonline() -> str:
    """Return Moonline's own version, 0 when it is not installed."""
    try:
        return version("moonline")
    except PackageNotFoundError:
        return "0"


def full() -> str:
    """Return FreeSWITCH's version with ours as its revision."""
    return f"{FREESWITCH}+moonline.{moonline()}"


def human() -> str:
    """Return the same for people: which program, and of how many bits."""
    return f"{FREESWITCH} Moonline {moonline()} {_BITS}bit"
