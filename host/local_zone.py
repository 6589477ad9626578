"""The time zone that the server runs in."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

_LOCAL_TIME: Final = Path("/etc/localtime")
_DATABASE: Final = "zoneinfo/"


def local_zone() -> tzinfo:
    """Return the zone that `TZ` names, else that of the machine, else UTC."""
    return _zone(os.environ.get("TZ", "").lstrip(":"))


@lru_cache(maxsize=8)
def _zone(name: str) -> tzinfo:
    if not name:
        name = os.path.realpath(_LOCAL_TIME).partition(_DATABASE)[2]
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        pass  # no name, or one that the database lacks: the machine's own rules are left
    try:
        with _LOCAL_TIME.open("rb") as file:  # a copy instead of a link: the rules without a name
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC
