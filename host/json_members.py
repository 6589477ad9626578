"""A JSON object as cJSON keeps it: its members in order, a name perhaps more than once, asked for in any case."""

from __future__ import annotations

from collections.abc import Iterable


class JsonMembers(dict[str, object]):
    """The members of an object. Looking up a name finds the first in any case, setting one adds a member."""

    def __init__(self, members: Iterable[tuple[str, object]] = ()) -> None:
        super().__init__()
        self._members: list[tuple[str, object]] = []
        for name, value in members:
            self[name] = value

    def __setitem__(self, name: str, value: object) -> None:
        self._members.append((name, value))
        if name.lower() not in self:
            super().__setitem__(name.lower(), value)

    def __getitem__(self, name: str) -> object:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.lower() if isinstance(name, str) else name)

    def get(self, name: str, default: object = None) -> object:
        """Return the value of the first member of a name, `default` when there is none."""
        return super().get(name.lower(), default)

    def items(self) -> list[tuple[str, object]]:  # type: ignore[override]
        """Return all members in order."""
        return list(self._members)

    def values(self) -> list[object]:  # type: ignore[override]
        """Return the values of all members in order."""
        return [value for _, value in self._members]
