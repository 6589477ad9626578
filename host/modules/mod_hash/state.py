"""What the module holds for one switch: its values and counts, here or in Redis, and the remotes it asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_hash.counts import Counts, LocalCounts
from host.modules.mod_hash.remote import Remote
from host.modules.mod_hash.shared import SharedCounts, SharedState, SharedStateError, SharedValues
from host.modules.mod_hash.values import LocalValues, Values

if TYPE_CHECKING:
    from host.switch import Switch

_REDIS: Final = ("redis://", "rediss://", "unix://")


class HashState:
    """The state of one switch, as `remotes` in hash.conf say.

    A remote whose `host` is a URL of Redis is where values and counts of all hosts that name it lie; the first of
    that kind counts. Any other is a FreeSWITCH or Moonline whose event socket is asked for its counts.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._lock = threading.Lock()
        self._remotes: dict[str, Remote] = {}
        self._shared: tuple[str, SharedState] | None = None
        self.values: Values = LocalValues()
        self.counts: Counts = LocalCounts(self.now)

    def now(self) -> int:
        """Return seconds since the epoch."""
        return self._switch.clock.time() // SECOND

    def scan(self) -> None:
        """Connect to the remotes of the configuration that are not known yet."""
        configuration = self._switch.xml.configuration("hash.conf")
        for element in configuration.findall("remotes/remote") if configuration is not None else ():
            name, host = element.get("name", ""), element.get("host", "")
            with self._lock:
                known = name in self._remotes or (self._shared is not None and self._shared[0] == name)
            if not name or not host or known:
                continue
            if host.startswith(_REDIS):
                self._share(name, host)
                continue
            remote = Remote(
                self._switch,
                name,
                host,
                leading_int(element.get("port", "")) % 65536,
                element.get("username", ""),
                element.get("password", ""),
                leading_int(element.get("interval", "")),
            )
            with self._lock:
                self._remotes[name] = remote
            remote.start()

    def elsewhere(self, place: str) -> tuple[int, int]:
        """Return total and rate that the remotes count of a place."""
        if not self._remotes:
            return 0, 0
        with self._lock:
            told = [remote.usage(place) for remote in self._remotes.values()]
        return sum(total for total, _ in told), sum(rate for _, rate in told)

    def states(self) -> list[tuple[str, str]]:
        """Return the remotes' names and states."""
        with self._lock:
            states = [(remote.name, remote.state) for remote in self._remotes.values()]
            shared = self._shared
        if shared is not None:
            states.insert(0, (shared[0], "Up" if shared[1].is_up() else "Down"))
        return states

    def kill(self, name: str) -> bool:
        """Leave a remote; False when there is none of that name."""
        with self._lock:
            if self._shared is not None and self._shared[0] == name:
                self._shared[1].close()
                self._shared = None
                self.values, self.counts = LocalValues(), LocalCounts(self.now)
                return True
            remote = self._remotes.pop(name, None)
        if remote is not None:
            remote.stop()
        return remote is not None

    def close(self) -> None:
        """Leave all remotes."""
        for name, _ in [(name, None) for name in list(self._remotes)]:
            self.kill(name)
        if self._shared is not None:
            self._shared[1].close()

    def _share(self, name: str, url: str) -> None:
        """Keep values and counts in Redis from now on; not in simulated calls, which are alike each time."""
        if self._switch.clock.virtual or self._shared is not None:
            return
        try:
            state = SharedState(url, self._switch.hostname, self.now)
        except SharedStateError as error:
            self._switch.log(LogLevel.ERR, f"mod_hash cannot use the remote {name}: {error}")
            return
        with self._lock:
            self._shared = (name, state)
            self.values, self.counts = SharedValues(state), SharedCounts(state)
        try:
            self.counts.reset()
        except SharedStateError as error:
            self._switch.log(LogLevel.ERR, f"mod_hash does not reach the remote {name} yet: {error}")
