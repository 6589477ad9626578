"""Variables of a channel (or of the whole switch): case-insensitive names, texts and arrays as values."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final

from host.array_value import HIGHEST_INDEX, PREFIX, ArrayValue, parse_array
from host.byte_text import folded
from host.leading_number import leading_int

_ORDER: Final = attrgetter("order")


class _Variable:
    __slots__ = ("name", "order", "value")

    def __init__(self, name: str, value: str | ArrayValue, order: int) -> None:
        self.name = name
        self.value = value
        self.order = order


class Variables:
    """An ordered set of variables, safe to read and change from several threads.

    Names are found in any case and keep the spelling of the last `set`; setting a variable again moves it to the
    end. A value is never empty: setting None or "" removes the variable. `generation` grows with every change, so
    that readers can keep what they derived from the variables.
    """

    __slots__ = ("_counter", "_lock", "_sorted", "_variables", "generation")

    def __init__(self, variables: Iterable[tuple[str, str]] = ()) -> None:
        self._variables: dict[str, _Variable] = {}
        self._counter = itertools.count()
        self._lock = threading.RLock()
        self._sorted: tuple[int, tuple[tuple[str, str], ...]] = (-1, ())
        self.generation = 0
        for name, value in variables:
            self.set(name, value)

    def get(self, name: str, index: int | None = None) -> str | None:
        """Return a variable's text, or with `index` (0 or more) that element of its array; None when not there.

        A negative index means the whole text. An element can only be had of an array: a plain text has none.
        """
        variable = self._variables.get(name.lower() if name.isascii() else folded(name))
        if variable is None:
            return None
        value = variable.value
        if index is None or index < 0:
            return value if isinstance(value, str) else value.text
        return value.get(index) if isinstance(value, ArrayValue) else None

    def elements(self, name: str) -> list[str]:
        """Return the elements of an array, a plain text as its only element, nothing when not there."""
        variable = self._variables.get(folded(name))
        if variable is None:
            return []
        value = variable.value
        return [value] if isinstance(value, str) else list(value.items)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable; None or "" removes it; `ARRAY::a|:b` makes an array; `name[n]` sets one element.

        An empty name changes nothing. An index that is negative or above 4000 changes nothing.
        """
        if not name:
            return
        if not value:
            self.unset(name)
            return
        if "[" in name:
            self._put(name, value)
            return
        made: str | ArrayValue | None = parse_array(value) if value.startswith(PREFIX) else value
        if made is None:
            self.unset(name)
            return
        with self._lock:
            self._variables[folded(name)] = _Variable(name, made, next(self._counter))
            self.generation += 1

    def unset(self, name: str) -> bool:
        """Remove a variable; tell whether it was there."""
        with self._lock:
            gone = self._variables.pop(folded(name), None) is not None
            if gone:
                self.generation += 1
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
            variable = self._variables[folded(name)]
            if elements:
                variable.value = ArrayValue(elements)
                self.generation += 1
            else:
                self.unset(name)
            return last

    def update(self, variables: Iterable[tuple[str, str]]) -> None:
        """Set several variables, one after the other."""
        for name, value in variables:
            self.set(name, value)

    def clear(self) -> None:
        """Remove all variables."""
        with self._lock:
            self._variables.clear()
            self.generation += 1

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return names and texts in the order in which they were last set; cheap while nothing changes."""
        generation, found = self._sorted
        if generation == self.generation:
            return found
        with self._lock:
            ordered = sorted(self._variables.values(), key=_ORDER)
            found = tuple((v.name, v.value if isinstance(v.value, str) else v.value.text) for v in ordered)
            self._sorted = (self.generation, found)
        return found

    def copy(self) -> Variables:
        """Return variables of their own with the same names, values and order."""
        twin = Variables()
        with self._lock:
            for variable in sorted(self._variables.values(), key=_ORDER):
                value = variable.value
                own = value if isinstance(value, str) else value.copy()
                twin._variables[folded(variable.name)] = _Variable(variable.name, own, next(twin._counter))
            twin.generation = 1
        return twin

    def __len__(self) -> int:
        return len(self._variables)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.items()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and folded(name) in self._variables

    def __repr__(self) -> str:
        return f"Variables({list(self.items())!r})"

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
                    self._variables[folded(name)] = _Variable(name, ArrayValue([value]), next(self._counter))
                    self.generation += 1
                return
            array = ArrayValue(self.elements(name))
            if at_end:
                array.push(value)
            else:
                array.unshift(value)
            variable.value = array
            self.generation += 1

    def _put(self, indexed_name: str, value: str) -> None:
        name, _, index_text = indexed_name.partition("[")
        index = leading_int(index_text)
        if not name or not 0 <= index <= HIGHEST_INDEX:
            return
        with self._lock:
            variable = self._variables.get(folded(name))
            if variable is None:
                array = ArrayValue([""] * index + [value])
                self._variables[folded(name)] = _Variable(name, array, next(self._counter))
            elif isinstance(variable.value, ArrayValue):
                array = variable.value.copy()
                array.put(index, value)
                variable.value = array
            else:
                variable.value = ArrayValue([""] * index + [value])
            self.generation += 1
