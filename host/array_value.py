"""Values with several elements, written `ARRAY::one|:two`, as variables and event headers may have."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "ARRAY::"
SEPARATOR: Final = "|:"

# FreeSWITCH ignores an index above this; it also bounds what one `name[n]=x` can make us allocate.
HIGHEST_INDEX: Final = 4000


class ArrayValue:
    """A list of elements and the text that stands for it.

    FreeSWITCH: the text of one element is that element; replacing an element that is there already leaves the
    text as it was until the next push, unshift or growth.
    """

    __slots__ = ("items", "text")

    def __init__(self, items: list[str]) -> None:
        self.items = items
        self.text = ""
        self._write()

    def _write(self) -> None:
        joined = SEPARATOR.join(self.items)
        self.text = PREFIX + joined if len(self.items) > 1 else joined

    def push(self, element: str) -> None:
        """Add `element` at the end."""
        self.items.append(element)
        self._write()

    def unshift(self, element: str) -> None:
        """Add `element` at the beginning."""
        self.items.insert(0, element)
        self._write()

    def put(self, index: int, element: str) -> None:
        """Set the element at `index` (0 to HIGHEST_INDEX), filling up with empty elements before it."""
        if index < len(self.items):
            self.items[index] = element
            return
        self.items.extend([""] * (index - len(self.items)))
        self.items.append(element)
        self._write()

    def get(self, index: int) -> str | None:
        """Return the element at `index`, None when there is none."""
        return self.items[index] if 0 <= index < len(self.items) else None

    def copy(self) -> ArrayValue:
        """Return an array of its own with the same elements and text."""
        twin = ArrayValue(list(self.items))
        twin.text = self.text
        return twin


def parse_array(text: str) -> ArrayValue | None:
    """Return the array that a text beginning with `ARRAY::` stands for, None when it holds no element.

    FreeSWITCH: empty elements at the beginning are lost, those behind the first that is not empty stay.
    """
    elements = text[len(PREFIX) :].split(SEPARATOR)
    while elements and not elements[0]:
        del elements[0]
    return ArrayValue(elements) if elements else None
