"""The rooms of a switch, by name."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from host.modules.mod_conference.room import Room

if TYPE_CHECKING:
    from host.modules.mod_conference.profile import Profile
    from host.session import Session
    from host.switch import Switch


class Rooms:
    """All rooms. A room that is ending is not found any more; another of its name may begin meanwhile."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def find(self, name: str) -> Room | None:
        """Return the room of that name, None when there is none."""
        return self._rooms.get(name)

    def __iter__(self) -> itertools.chain[Room]:
        return itertools.chain(list(self._rooms.values()))

    def __len__(self) -> int:
        return len(self._rooms)

    def next_member_number(self) -> int:
        """Return a number that no member ever had."""
        return next(self._numbers)

    def open(self, name: str, profile: Profile, session: Session, flags: str) -> tuple[Room, bool]:
        """Return the room of that name, entered, and whether it was made for this."""
        with self._lock:
            room = self._rooms.get(name)
            made = room is None
            if room is None:
                room = self._rooms[name] = Room(self, name, profile, session, flags)
            room.enter()
        return room, made

    def forget(self, room: Room) -> None:
        """Let a room that is ending not be found any more."""
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]

    def end_all(self) -> None:
        """End all rooms."""
        for room in list(self._rooms.values()):
            room.end()
