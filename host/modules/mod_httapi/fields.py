"""The fields that a server is told: each name once, the latest last, as FreeSWITCH keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from host.escape import url_encode
from host.expansion import expand

# Servers may add fields with every document; what a call keeps of them ends somewhere (characters).
LIMIT: Final = 4 * 1024 * 1024


class Fields:
    """Names, the same in any case, and their values."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, tuple[str, str]] = {}
        self._size = 0
        self.update(fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def get(self, name: str) -> str | None:
        """Return a field's value."""
        found = self._fields.get(name.lower())
        return None if found is None else found[1]

    def set(self, name: str, value: str) -> bool:
        """Set a field, which is the last then; an empty value removes it. False when there are too many."""
        former = self._fields.pop(name.lower(), None)
        if former is not None:
            self._size -= len(former[0]) + len(former[1])
        if not value:
            return True
        size = len(name) + len(value)
        if self._size + size > LIMIT:
            return False
        self._size += size
        self._fields[name.lower()] = name, value
        return True

    def update(self, fields: Iterable[tuple[str, str]]) -> bool:
        """Set several fields; False when one of them was too many."""
        kept = True
        for name, value in fields:
            kept = self.set(name, value) and kept
        return kept

    def clear(self) -> None:
        """Forget all fields."""
        self._fields.clear()
        self._size = 0

    def expand(self, text: str) -> str:
        """Return `text` with `${name}` replaced by the fields' values."""
        return expand(text, lambda name, index: self.get(name))


def query(fields: Iterable[tuple[str, str]], only: Collection[str] = ()) -> str:
    """Return fields as a query, of `only` these names where there are any."""
    return "&".join(
        f"{url_encode(name)}={url_encode(value)}" for name, value in fields if not only or name in only
    )
