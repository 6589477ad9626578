"""The lots and their slots: who waits where, and which slot is given to the next."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.leading_number import leading_int

if TYPE_CHECKING:
    from host.switch import Switch

# FreeSWITCH: slots that were left are given anew after at most so long, and a ticket is good for as long.
_SWEEP: Final = 10 * SECOND

# The last number that is tried where a lot has no end; FreeSWITCH counts on for ever.
_HIGHEST: Final = 1 << 20


@dataclass(slots=True)
class Slot:
    """A place under an extension. `until` is µs of `Clock.now()`: what a ticket reserves it for."""

    uuid: str
    extension: str
    since: int
    until: int | None = None
    left: bool = False
    bridged: bool = False

    @property
    def holding(self) -> bool:
        """Whether a call waits in it, neither gone nor still on its way here."""
        return not self.left and self.until is None

    def expired(self, now: int) -> bool:
        """Whether nobody has a right to it any more."""
        return self.left or (self.until is not None and self.until < now)


@dataclass(slots=True)
class Lot:
    """A lot: its slots by extension, in the order in which they were taken."""

    name: str
    slots: dict[str, Slot] = field(default_factory=dict)

    def count(self, now: int) -> int:
        """Return how many slots are in use."""
        return sum(not slot.expired(now) for slot in self.slots.values())


class Lots:
    """All lots of one switch."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.presences = itertools.count()
        self._lots: dict[str, Lot] = {}
        self._lock = threading.RLock()
        self._swept = switch.clock.now()

    def __iter__(self) -> Iterator[Lot]:
        with self._lock:
            return iter(list(self._lots.values()))

    def named(self, name: str) -> list[Lot]:
        """Return the lots whose name this is in any case, all when it is empty."""
        return [lot for lot in self if not name or lot.name.lower() == name.lower()]

    def find(self, name: str) -> Lot | None:
        """Return a lot, None when nobody ever parked there."""
        with self._lock:
            return self._lots.get(name)

    def open(self, name: str) -> Lot:
        """Return a lot, a new one when there is none of that name."""
        with self._lock:
            return self._lots.setdefault(name, Lot(name))

    def sweep(self) -> None:
        """Give up the slots that were left, unless that was done a short while ago."""
        now = self.switch.clock.now()
        with self._lock:
            if now - self._swept < _SWEEP:
                return
            self._swept = now
            for lot in self._lots.values():
                lot.slots = {name: slot for name, slot in lot.slots.items() if not slot.expired(now)}

    def take(self, lot: Lot, extension: str, uuid: str) -> Slot:
        """Put a call into a slot, in the place of who was there."""
        with self._lock:
            lot.slots.pop(extension, None)
            slot = lot.slots[extension] = Slot(uuid, extension, self.switch.clock.now())
            return slot

    def take_free(self, lot: Lot, uuid: str, lowest: int, highest: int) -> Slot | None:
        """Put a call into the free slot of the lowest number; None when the lot is full. `highest` 0 is no end."""
        with self._lock:
            for number in range(lowest or 1, (highest or _HIGHEST) + 1):
                if str(number) not in lot.slots:
                    return self.take(lot, str(number), uuid)
        return None

    def longest(self, lot: Lot, lowest: int, highest: int) -> Slot | None:
        """Return the slot in which somebody waits longest, None when nobody does. `highest` 0 is no end."""
        with self._lock:
            waiting = [
                slot
                for slot in lot.slots.values()
                if slot.holding
                and not slot.bridged
                and (lowest or 1) <= leading_int(slot.extension) <= (highest or _HIGHEST)
            ]
        return min(waiting, key=lambda slot: (slot.since, leading_int(slot.extension)), default=None)

    def reserve(self, slot: Slot) -> None:
        """Keep a slot for who comes with its ticket."""
        slot.until = self.switch.clock.now() + _SWEEP
