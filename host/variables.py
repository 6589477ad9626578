"""Variables of a channel (or of the whole switch): case-insensitive names, texts and arrays as values."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator

from host.array_value import HIGHEST_INDEX, PREFIX, ArrayValue, parse_array
from host.byte_text import folded
from host.leading_number import leading_int
from host.shared_number import SharedNumber

# When it was set, its name as spelled then, its value. Never changed, so that a variable is set by a single store.
_Variable = tuple[int, str, str | ArrayValue]


class Variables:
    """An ordered set of variables, safe to read and change from several threads.

    Names are found in any case and keep the spelling of the last `set`; setting a variable again moves it to the
    end. A value is never empty: setting None or "" removes the variable. `generation` grows with every change, so
    that readers can keep what they derived from the variables; `changes` is the same number for readers in Lua.
    """

    __slots__ = ("_cell", "_counter", "_lock", "_sorted", "_variables", "changes")

    def __init__(self, variables: Iterable[tuple[str, str]] = ()) -> None:
        self._variables: dict[str, _Variable] = {}
        self._counter = itertools.count(1)
        self._lock = threading.RLock()
        self._sorted: tuple[int, tuple[tuple[str, str], ...]] = (-1, ())
        self.changes = SharedNumber()
        self._cell = self.changes.cell
        for name, value in variables:
            self.set(name, value)

    @property
    def generation(self) -> int:
        """How often something was changed or set (it wraps around after 2³¹)."""
        return self._cell[0]

    def get(self, name: str, index: int | None = None) -> str | None:
        """Return a variable's text, or with `index` (0 or more) that element of its array; None when not there.

        A negative index means the whole text. An element can only be had of an array: a plain text has none.
        """
        variable = self._variables.get(name.lower() if name.isascii() else folded(name))
        if variable is None:
            return None
        value = variable[2]
        if index is None or index < 0:
            return value if isinstance(value, str) else value.text
        return value.get(index) if isinstance(value, ArrayValue) else None

    def elements(self, name: str) -> list[str]:
        """Return the elements of an array, a plain text as its only element, nothing when not there."""
        variable = self._variables.get(folded(name))
        if variable is None:
            return []
        value = variable[2]
        return [value] if isinstance(value, str) else list(value.items)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable; None or "" removes it; `ARRAY::a|:b` makes an array; `name[n]` sets one element.

        An empty name changes nothing. An index that is negative or above 4000 changes nothing.
        """
        if not value or not name or "[" in name or value[:7] == PREFIX:
            self._set_unusual(name, value)
            return
        self.set_plain(name.lower() if name.isascii() else folded(name), name, value)

    def set_plain(self, key: str, name: str, value: str) -> None:
        """Set a variable whose name, `key` when folded, has no `[`, to a text that is neither empty nor an array."""
        order = next(self._counter)
        self._variables[key] = (order, name, value)
        self._cell[0] = order

    def unset(self, name: str) -> bool:
        """Remove a variable; tell whether it was there."""
        gone = self._variables.pop(folded(name), None) is not None
        if gone:
            self._cell[0] = next(self._counter)
        return gone

    def push(self, name: str, value: str | None) -> None:
        """Add an element at the end of an array, making one of a plain text or of nothing; "" removes it all."""
        self._add(name, value, at_end=True)

    def unshift(self, name: str, value: str | None) -> None:
        """Add an element at the beginning of an array, making one of a plain text or of nothing; "" removes it."""
        self._add(name, value, at_end=False)

    def pop(self, name: str) -> str | None:
        """Take away and return the last element (of a plain text: all of it); None when not there."""
        with self._lock:
            elements = self.elements(name)
            if not elements:
                return None
            last = elements.pop()
            order, spelled, _ = self._variables[folded(name)]
            if elements:
                self._put_at(order, spelled, ArrayValue(elements))
            else:
                self.unset(name)
            return last

    def update(self, variables: Iterable[tuple[str, str]]) -> None:
        """Set several variables, one after the other."""
        for name, value in variables:
            self.set(name, value)

    def clear(self) -> None:
        """Remove all variables."""
        self._variables.clear()
        self._cell[0] = next(self._counter)

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return names and texts in the order in which they were last set; cheap while nothing changes."""
        known, found = self._sorted
        generation = self.generation
        if known != generation:
            ordered = sorted(self._variables.values(), key=_order)
            found = tuple(
                (name, value if isinstance(value, str) else value.text) for _, name, value in ordered
            )
            self._sorted = (generation, found)
        return found

    def beginning(self, prefix: str) -> list[tuple[str, str]]:
        """Return names and texts of the variables whose names begin with `prefix` (lower case), as `items` does."""
        if f"\0{prefix}" not in "\0".join(("", *self._variables)):
            return []
        found = [variable for key, variable in list(self._variables.items()) if key.startswith(prefix)]
        found.sort(key=_order)
        return [(name, value if isinstance(value, str) else value.text) for _, name, value in found]

    def copy(self) -> Variables:
        """Return variables of their own with the same names, values and order."""
        twin = Variables()
        for _, name, value in sorted(self._variables.values(), key=_order):
            order = next(twin._counter)
            own = value if isinstance(value, str) else value.copy()
            twin._put_at(order, name, own)
        return twin

    def __len__(self) -> int:
        return len(self._variables)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.items()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and folded(name) in self._variables

    def __repr__(self) -> str:
        return f"Variables({list(self.items())!r})"

    def _set_unusual(self, name: str, value: str | None) -> None:
        if not name:
            return
        if not value:
            self.unset(name)
            return
        if "[" in name:
            self._put(name, value)
            return
        array = parse_array(value)
        if array is None:
            self.unset(name)
            return
        self._put_at(next(self._counter), name, array)

    def _put_at(self, order: int, name: str, value: str | ArrayValue) -> None:
        self._variables[folded(name)] = (order, name, value)
        self._cell[0] = next(self._counter)

    def _add(self, name: str, value: str | None, *, at_end: bool) -> None:
        if not name:
            return
        if not value:
            self.unset(name)
            return
        if "[" in name:
            self._put(name, value)
            return
        with self._lock:
            variable = self._variables.get(folded(name))
            if variable is None:
                if value.startswith(PREFIX):
                    self.set(name, value)
                else:
                    self._put_at(next(self._counter), name, ArrayValue([value]))
                return
            array = ArrayValue(self.elements(name))
            if at_end:
                array.push(value)
            else:
                array.unshift(value)
            self._put_at(variable[0], variable[1], array)

    def _put(self, indexed_name: str, value: str) -> None:
        name, _, index_text = indexed_name.partition("[")
        index = leading_int(index_text)
        if not name or not 0 <= index <= HIGHEST_INDEX:
            return
        with self._lock:
            variable = self._variables.get(folded(name))
            if variable is None:
                self._put_at(next(self._counter), name, ArrayValue([""] * index + [value]))
                return
            order, spelled, present = variable
            if isinstance(present, ArrayValue):
                array = present.copy()
                array.put(index, value)
            else:
                array = ArrayValue([""] * index + [value])
            self._put_at(order, spelled, array)


def _order(variable: _Variable) -> int:
    return variable[0]
