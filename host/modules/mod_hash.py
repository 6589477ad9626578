"""mod_hash: values and limits kept in this process's memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host import limit
from host.api_table import ApiTable
from host.arguments import separate
from host.clock import SECOND
from host.interfaces import ApiRequest, Application
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_USAGE: Final = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"
_DUMP_SYNTAX: Final = "all|limit|db [<realm>]"
_REMOTE_SYNTAX: Final = "list|kill [name]|rescan"
_APPLICATION_SYNTAX: Final = "[insert|insert_ifempty|delete|delete_ifmatch]/<realm>/<key>/<val>"


class HashStore:
    """Texts by realm and key. FreeSWITCH: the two are joined by `_`, so `a_b/c` and `a/b_c` are one place."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._lock = threading.Lock()

    def select(self, realm: str, key: str) -> str:
        """Return the value, "" without."""
        return self._values.get(f"{realm}_{key}", "")

    def insert(self, realm: str, key: str, value: str) -> None:
        """Set a value."""
        self._values[f"{realm}_{key}"] = value

    def insert_if_empty(self, realm: str, key: str, value: str) -> bool:
        """Set a value where there is none; False where there is one."""
        with self._lock:
            return self._values.setdefault(f"{realm}_{key}", value) is value

    def delete(self, realm: str, key: str) -> bool:
        """Remove a value; False when there was none."""
        return self._values.pop(f"{realm}_{key}", None) is not None

    def delete_if_match(self, realm: str, key: str, value: str) -> bool | None:
        """Remove a value that equals `value`; False when it does not, None when there is none."""
        place = f"{realm}_{key}"
        with self._lock:
            if place not in self._values:
                return None
            if self._values[place] != value:
                return False
            del self._values[place]
        return True

    def items(self) -> list[tuple[str, str]]:
        """Return the joined keys and the values, sorted."""
        return sorted(self._values.items())


@dataclass(slots=True)
class _Count:
    """What is counted of one resource; times in seconds since the epoch."""

    sessions: set[str] = field(default_factory=set)
    rate: int = 0
    interval: int = 0
    begun: int = 0


class HashLimit:
    """The limit back end `hash`."""

    name = "hash"
    module = "mod_hash"

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._counts: dict[tuple[str, str], _Count] = {}
        self._lock = threading.Lock()

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        with self._lock:
            count = self._counts.setdefault((realm, resource), _Count())
            new = session.uuid not in count.sessions
            if interval:
                now = self._now()
                count.interval = interval
                if count.begun <= now - interval:
                    count.rate, count.begun = 0, now
                count.rate += 1
                allowed = maximum < 0 or count.rate <= maximum
            else:
                allowed = maximum < 0 or len(count.sessions) + new <= maximum
            if allowed:
                count.sessions.add(session.uuid)
            total, rate = len(count.sessions), count.rate
            if not total and not rate:
                del self._counts[realm, resource]
        if not allowed:
            limited = f"rate of {maximum}/{interval}s" if interval else f"value of {maximum}"
            session.channel.log(LogLevel.INFO, f"Usage for {realm}_{resource} exceeds maximum {limited}")
            return False
        limit.set_usage(session.channel, realm, resource, total, rate if interval else None)
        limit.fire_usage(self._switch, "hash", realm, resource, total, rate, maximum, max(maximum, 0))
        return True

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        released: list[tuple[str, str, _Count]] = []
        with self._lock:
            for key in [(realm, resource or "")] if realm is not None else list(self._counts):
                count = self._counts.get(key)
                if count is None or session.uuid not in count.sessions:
                    continue
                count.sessions.remove(session.uuid)
                self._settle(key, count)
                released.append((*key, count))
        for released_realm, released_resource, count in released:
            limit.fire_usage(
                self._switch, "hash", released_realm, released_resource, len(count.sessions), count.rate, 0, 0
            )

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        count = self._counts.get((realm, resource))
        return (len(count.sessions), count.rate) if count is not None else (0, 0)

    def reset(self) -> bool:
        with self._lock:
            self._counts.clear()
        return True

    def reset_interval(self, realm: str, resource: str) -> None:
        with self._lock:
            count = self._counts.get((realm, resource))
            if count is not None:
                count.rate, count.begun = 0, self._now()

    def status(self) -> str:
        return "-ERR not supported yet (locking problems).\n"

    def lines(self) -> list[str]:
        """Return the counts as `hash_dump` prints them: key/total/rate/interval/begun."""
        with self._lock:
            return [
                f"L/{realm}_{resource}/{len(c.sessions)}/{c.rate}/{c.interval}/{c.begun}\n"
                for (realm, resource), c in sorted(self._counts.items())
            ]

    def _settle(self, key: tuple[str, str], count: _Count) -> None:
        """Forget a rate whose interval is over, and a resource that nobody has."""
        if count.rate and count.begun <= self._now() - count.interval:
            count.rate = 0
        if not count.sessions and not count.rate:
            del self._counts[key]

    def _now(self) -> int:
        return self._switch.clock.time() // SECOND


def _change(store: HashStore, parts: list[str]) -> str | None:
    """Do one changing operation and return its reply, None for wrong syntax."""
    operation = parts[0].lower() if parts else ""
    if len(parts) < 3 or (operation != "delete" and (len(parts) < 4 or not parts[3])):
        return None
    realm, key = parts[1:3]
    if operation == "insert":
        store.insert(realm, key, parts[3])
    elif operation == "insert_ifempty":
        if not store.insert_if_empty(realm, key, parts[3]):
            return "-ERR key already exists\n"
    elif operation == "delete":
        if not store.delete(realm, key):
            return "-ERR Not found\n"
    elif operation == "delete_ifmatch":
        deleted = store.delete_if_match(realm, key, parts[3])
        if not deleted:
            return "-ERR Not found\n" if deleted is None else "-ERR Doesn't match\n"
    else:
        return None
    return "+OK\n"


def _commands(store: HashStore, counts: HashLimit) -> ApiTable:
    table = ApiTable("mod_hash")

    @table.command("hash", "[insert|delete|select]/<realm>/<key>/<value>", "hash get/set")
    def hash_(request: ApiRequest) -> str:
        parts = separate(request.argument, "/", 4)
        if len(parts) > 2 and parts[0].lower() == "select":
            return store.select(parts[1], parts[2])
        reply = _change(store, parts)
        return _USAGE if reply is None else reply

    @table.command("hash_dump", _DUMP_SYNTAX, "dump hash/limit_hash data (used for synchronization)")
    def hash_dump(request: ApiRequest) -> str:
        parts = separate(request.argument, " ", 2)
        mode = parts[0] if parts else ""
        if mode not in ("all", "limit", "db"):
            return f"Usage: {_DUMP_SYNTAX}\n"
        lines = counts.lines() if mode != "db" else []
        if mode != "limit":
            realm = f"{parts[1]}_" if len(parts) > 1 else ""
            lines += [f"D/{key}/{value}\n" for key, value in store.items() if key.startswith(realm)]
        return "".join(lines)

    @table.command("hash_remote", _REMOTE_SYNTAX, "hash remote")
    def hash_remote(request: ApiRequest) -> str:
        """List the other servers that are asked for their counts: this one asks none."""
        parts = separate(request.argument, " ", 2)
        match [part.lower() for part in parts]:
            case ["list", *_]:
                return "Remote connections:\nName\t\t\tState\n+OK\n"
            case ["kill", _]:
                return f"-ERR No such remote instance {parts[1]}\n"
            case ["rescan", *_]:
                return "+OK\n"
        return f"-ERR Usage: {_REMOTE_SYNTAX}\n"

    return table


def load(switch: Switch) -> None:
    """Bring the commands, the application `hash` and the limit back end `hash`."""
    store = HashStore()
    counts = HashLimit(switch)

    def application(session: Session, data: str) -> None:
        if _change(store, separate(data, "/", 4)) is None:
            session.channel.log(LogLevel.WARNING, f"USAGE: hash {_APPLICATION_SYNTAX}")

    _commands(store, counts).register(switch)
    switch.limits.add(counts)
    switch.applications.add(
        Application(
            "hash",
            "mod_hash",
            application,
            _APPLICATION_SYNTAX,
            "Insert into the hashtable",
            routing_exec=True,
            zombie_exec=True,
        )
    )
