"""What is counted: the prompts of a noun in its forms, and how they go with a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from host.say.request import SayGender

# Which form of a noun goes with a number: the index of the form.
Plural = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun's prompts: one form, one and many, or as many as the language's Plural tells apart.

    `one` is said for the number one before it, nothing when it is empty; None: as any other number. `before` is said
    before the number. `gender` is that of the number, None: the one that was asked for.
    """

    forms: tuple[str, ...]
    one: str | None = None
    before: str | None = None
    gender: SayGender | None = None

    def form(self, index: int) -> str:
        """Return the form of that index, the last one for all indices behind it."""
        return self.forms[min(index, len(self.forms) - 1)]


def one_or_many(amount: int) -> int:
    """Return which form a noun takes after a number: 0 after one, 1 after all others."""
    return 0 if amount == 1 else 1


HOUR: Final = Noun(("time/hour", "time/hours"))
MINUTE: Final = Noun(("time/minute", "time/minutes"))
SECOND: Final = Noun(("time/second", "time/seconds"))
DOLLAR: Final = Noun(("currency/dollar", "currency/dollars"))
CENT: Final = Noun(("currency/cent", "currency/cents"), before="currency/and")
