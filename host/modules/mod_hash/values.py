"""Texts by realm and key."""

from __future__ import annotations

import threading
from typing import Protocol


class Values(Protocol):
    """Where the values are kept. `place` is FreeSWITCH's: realm and key joined by `_`."""

    def select(self, place: str) -> str:
        """Return the value, "" without."""

    def insert(self, place: str, value: str) -> None:
        """Set a value."""

    def insert_if_empty(self, place: str, value: str) -> bool:
        """Set a value where there is none; False where there is one."""

    def delete(self, place: str) -> bool:
        """Remove a value; False when there was none."""

    def delete_if_match(self, place: str, value: str) -> bool | None:
        """Remove a value that equals `value`; False when it does not, None when there is none."""

    def items(self) -> list[tuple[str, str]]:
        """Return the places and the values, sorted."""


def place_of(realm: str, key: str) -> str:
    """Return where a value is kept; `a_b/c` and `a/b_c` are one place, as in FreeSWITCH."""
    return f"{realm}_{key}"


class LocalValues:
    """The values of this process alone."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._lock = threading.Lock()

    def select(self, place: str) -> str:
        return self._values.get(place, "")

    def insert(self, place: str, value: str) -> None:
        self._values[place] = value

    def insert_if_empty(self, place: str, value: str) -> bool:
        with self._lock:
            if place in self._values:
                return False
            self._values[place] = value
            return True

    def delete(self, place: str) -> bool:
        return self._values.pop(place, None) is not None

    def delete_if_match(self, place: str, value: str) -> bool | None:
        with self._lock:
            if place not in self._values:
                return None
            if self._values[place] != value:
                return False
            del self._values[place]
        return True

    def items(self) -> list[tuple[str, str]]:
        return sorted(self._values.items())
