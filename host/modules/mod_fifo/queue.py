"""A queue: its callers in ten slots, its consumers, and what fifo.conf says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.channel import Flag

if TYPE_CHECKING:
    from host.event import Event
    from host.session import Session

# FreeSWITCH: the slots of `fifo_priority`; slot 0 is served first.
SLOTS: Final = 10
RINGALL: Final = "ringall"
ENTERPRISE: Final = "enterprise"

# FreeSWITCH: so many entries fit into a slot.
SLOT_LIMIT: Final = 1000


@dataclass(slots=True, eq=False)
class Entry:
    """Somebody who waits: a call, with what was known of it when it came, or a dial string that is called when due.

    `released` is true once the call left its music to be bridged.
    """

    session: Session | None = None
    known: Event | None = None
    url: str = ""
    released: bool = False

    @property
    def uuid(self) -> str:
        """The call's UUID, empty for a dial string."""
        return self.session.uuid if self.session is not None else ""

    def fact(self, header: str) -> str:
        """Return a header of what was known of the call, empty when there is none."""
        return (self.known.get_header(header) if self.known is not None else None) or ""


@dataclass(slots=True, eq=False)
class Queue:
    """A queue. All of it is read and changed under the lock of `Queues`.

    `waiting_since` is when it was empty last, µs; `idle` are the consumers who wait for a caller right now.
    """

    name: str
    importance: int = 0
    strategy: str = RINGALL
    slots: list[list[Entry]] = field(default_factory=lambda: [[] for _ in range(SLOTS)])
    consumers: dict[str, Session] = field(default_factory=dict)
    idle: dict[str, Session] = field(default_factory=dict)
    waiting_since: int = 0
    ringing: int = 0  # dials under way
    has_outbound: bool = False
    member_count: int = 0
    static: bool = False
    outbound_name: str = ""
    per_cycle: int = 0
    per_cycle_min: int = 0
    retry_delay: int = 0
    priority: int = 5
    ring_timeout: int = 0
    default_lag: int = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self.slots))

    @property
    def idle_consumers(self) -> int:
        """How many consumers are there who talk to nobody."""
        return sum(Flag.BRIDGED not in session.channel.flags for session in self.consumers.values())

    def push(self, entry: Entry, slot: int, now: int) -> int | None:
        """Add an entry at the end of a slot; return its position from 1 on, None when there is no room."""
        if len(self.slots[slot]) >= SLOT_LIMIT:
            return None
        if not self.waiting:
            self.waiting_since = now
        self.slots[slot].append(entry)
        return len(self.slots[slot])

    def remove(self, entry: Entry) -> bool:
        """Take an entry out, wherever it is; those behind it move up. False when it was not there."""
        for slot in self.slots:
            if entry in slot:
                place = slot.index(entry)
                del slot[place]
                for position, left in enumerate(slot[place:], place + 1):
                    if left.session is not None:
                        left.session.channel.variables.set("fifo_position", str(position))
                return True
        return False
