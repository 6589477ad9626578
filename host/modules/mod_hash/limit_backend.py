"""The limit back end `hash`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from host import limit
from host.log import LogLevel
from host.modules.mod_hash.counts import Counts
from host.modules.mod_hash.shared import SharedStateError
from host.modules.mod_hash.values import place_of

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch


class HashLimit:
    """Counts sessions where `counts()` says; `elsewhere(place)` is what remotes count beside that."""

    name = "hash"
    module = "mod_hash"

    def __init__(
        self, switch: Switch, counts: Callable[[], Counts], elsewhere: Callable[[str], tuple[int, int]]
    ) -> None:
        self._switch = switch
        self._counts = counts
        self._elsewhere = elsewhere
        self._held: dict[str, set[str]] = {}  # places by UUID
        self._lock = threading.Lock()

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        place = place_of(realm, resource)
        try:
            taken = self._counts().take(place, session.uuid, maximum, interval, self._elsewhere(place)[0])
        except SharedStateError as error:
            session.channel.log(LogLevel.ERR, f"mod_hash cannot count {place}: {error}")
            return False
        if not taken.allowed:
            reason = (
                f"exceeds maximum rate of {maximum}/{interval}s, now at {taken.rate}"
                if interval
                else f"is already at max value ({taken.total})"
            )
            session.channel.log(LogLevel.INFO, f"Usage for {place} {reason}")
            return False
        with self._lock:
            self._held.setdefault(session.uuid, set()).add(place)
        if taken.new:
            limit.fire_usage(
                self._switch, "hash", realm, resource, taken.total, taken.rate, maximum, max(maximum, 0)
            )
        limit.set_usage(session.channel, realm, resource, taken.total, taken.rate)
        return True

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        with self._lock:
            held = self._held.get(session.uuid, set())
            places = list(held) if realm is None else [place_of(realm, resource or "")]
            given = [place for place in places if place in held]
            held.difference_update(given)
            if not held:
                self._held.pop(session.uuid, None)
        for place in given:
            try:
                self._counts().release(place, session.uuid)
            except SharedStateError as error:
                session.channel.log(LogLevel.ERR, f"mod_hash cannot give {place} back: {error}")

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        place = place_of(realm, resource)
        try:
            total, rate = self._counts().usage(place)
        except SharedStateError as error:
            self._switch.log(LogLevel.ERR, f"mod_hash cannot count {place}: {error}")
            total, rate = 0, 0
        more, more_rate = self._elsewhere(place)
        return total + more, rate + more_rate

    def reset(self) -> bool:
        return False  # FreeSWITCH: mod_hash cannot

    def reset_interval(self, realm: str, resource: str) -> None:
        try:
            self._counts().reset_interval(place_of(realm, resource))
        except SharedStateError as error:
            self._switch.log(LogLevel.ERR, f"mod_hash cannot reset an interval: {error}")

    def status(self) -> str:
        return "-ERR not supported yet (locking problems)."
