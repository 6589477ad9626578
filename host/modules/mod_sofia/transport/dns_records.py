"""Records of the DNS that lead to SIP servers, asked for through dnspython and kept for as long as they say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from host.byte_text import to_text

if TYPE_CHECKING:
    from dns.message import Message

# A whole search for one name, all name servers and repetitions included, in seconds; a transaction's timer B is 32.
SEARCH_SECONDS: Final = 5.0
# Who calls us chooses names, so there is a limit to what is kept.
MAX_ENTRIES: Final = 4096
# RFC 2308 section 5: that there is nothing is believed for a few hours at most; calls wait for a name that comes.
MAX_NEGATIVE_SECONDS: Final = 300.0
MAX_SECONDS: Final = 86_400.0
# RFC 2308 section 7.1: servers that do not answer are not asked at once again (at most 5 minutes).
FAILURE_SECONDS: Final = 5.0
_HOSTS_FILE: Final = "/etc/hosts"


class LookupFailed(Exception):
    """No name server has answered; the text says why."""


class NaptrRecord(NamedTuple):
    """A NAPTR record (RFC 3403); `replacement` is a name without the final dot."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class SrvRecord(NamedTuple):
    """An SRV record (RFC 2782); `target` is a name without the final dot, empty where the service is not there."""

    priority: int
    weight: int
    port: int
    target: str


class Lookup(Protocol):
    """What names are looked up with; nothing is found for a name that is not there. Raises LookupFailed."""

    def naptr(self, name: str) -> tuple[NaptrRecord, ...]: ...

    def srv(self, name: str) -> tuple[SrvRecord, ...]: ...

    def addresses(self, name: str, family: str) -> tuple[str, ...]:
        """Return the addresses of a host, `4` or `6`."""


class Answer(NamedTuple):
    """What name servers say of one name and type, and for how many seconds it holds."""

    records: tuple[tuple[object, ...], ...]
    seconds: float


Query = Callable[[str, str], Answer]


@dataclass(frozen=True, slots=True)
class NameServerAddress:
    """Where a name server is."""

    ip: str
    port: int = 53


def dns_query(*servers: NameServerAddress, seconds: float = SEARCH_SECONDS) -> Query:
    """Return the query that asks these servers, or those of /etc/resolv.conf as it is at the time; it blocks.

    Raises LookupFailed, also for what is no name.
    """

    def query(name: str, kind: str) -> Answer:
        try:
            import dns.exception
            import dns.resolver
        except ImportError as error:
            raise LookupFailed("DNS needs the extra moonline[sip]") from error
        try:
            resolver = dns.resolver.Resolver(configure=not servers)
            if servers:
                resolver.nameservers = [server.ip for server in servers]
                resolver.nameserver_ports = {server.ip: server.port for server in servers}
            resolver.lifetime = seconds
            # A host's short name is looked for in the machine's own domains; services stand in whole ones.
            short = kind in ("A", "AAAA") and "." not in name
            found = resolver.resolve(name, kind, raise_on_no_answer=False, search=short)
        except dns.resolver.NXDOMAIN as error:
            responses = list(error.kwargs.get("responses", {}).values())
            return Answer((), _negative_seconds(responses[0] if responses else None))
        except (dns.exception.DNSException, OSError, EOFError, UnicodeError, ValueError) as error:
            raise LookupFailed(f"{name}: {error}") from error
        if found.rrset is None:
            return Answer((), _negative_seconds(found.response))
        records = tuple(_parts(record, kind) for record in found.rrset)
        return Answer(records, min(float(found.rrset.ttl), MAX_SECONDS))

    return query


def _negative_seconds(response: Message | None) -> float:
    """Return for how long the SOA of an empty response holds it (RFC 2308)."""
    from dns.exception import DNSException
    from dns.message import QueryMessage

    if not isinstance(response, QueryMessage):
        return FAILURE_SECONDS
    try:
        return min(float(response.resolve_chaining().minimum_ttl), MAX_NEGATIVE_SECONDS)
    except DNSException:
        return FAILURE_SECONDS


def _parts(record: Any, kind: str) -> tuple[object, ...]:
    """Return a record of dnspython, whose classes are loaded late, as a plain tuple."""
    if kind == "SRV":
        return (record.priority, record.weight, record.port, str(record.target).rstrip("."))
    if kind == "NAPTR":
        flags, service = to_text(record.flags), to_text(record.service)
        return (record.order, record.preference, flags, service, str(record.replacement).rstrip("."))
    return (str(record.address),)


class NotKept(LookupFailed):
    """Records that would have to be asked for."""


class RecordCache:
    """Keeps answers, that there is nothing and failures included; `now` gives monotonic seconds. Thread-safe."""

    def __init__(self, query: Query, now: Callable[[], float], *, hosts_file: str = _HOSTS_FILE) -> None:
        self._query = query
        self._now = now
        self._hosts_file = Path(hosts_file)
        self._entries: dict[tuple[str, str], tuple[float, Answer | str]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def ask(self, name: str, kind: str, *, may_block: bool) -> tuple[tuple[object, ...], ...]:
        """Return the records of a type. LookupFailed; NotKept where `may_block` is not and they are not known."""
        key = (name.lower().rstrip("."), kind)
        with self._lock:
            kept = self._entries.get(key)
        if kept is None or kept[0] <= self._now():
            if not may_block:
                raise NotKept(name)
            kept = self._fetch(key)
        answer = kept[1]
        if isinstance(answer, str):
            raise LookupFailed(answer)
        return answer.records

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return the addresses that this machine's file of hosts has for a name."""
        try:
            lines = self._hosts_file.read_text("utf-8", "surrogateescape").splitlines()
        except OSError:
            return ()
        wanted = name.lower().rstrip(".")
        rows = (line.partition("#")[0].split() for line in lines)
        return tuple(row[0] for row in rows if wanted in (word.lower() for word in row[1:]))

    def _fetch(self, key: tuple[str, str]) -> tuple[float, Answer | str]:
        answer: Answer | str
        try:
            answer = self._query(*key)
            seconds = answer.seconds
        except LookupFailed as error:
            answer, seconds = str(error), FAILURE_SECONDS
        entry = (self._now() + seconds, answer)
        with self._lock:
            if len(self._entries) >= MAX_ENTRIES:
                self._make_room()
            self._entries[key] = entry
        return entry

    def _make_room(self) -> None:
        now = self._now()
        live = {key: entry for key, entry in self._entries.items() if entry[0] > now}
        if len(live) >= MAX_ENTRIES:
            # Those that would end first go first, a quarter at a time so that this stays rare.
            kept = sorted(live, key=lambda key: live[key][0])[MAX_ENTRIES // 4 :]
            live = {key: live[key] for key in kept}
        self._entries = live


@dataclass(frozen=True, slots=True)
class CachedLookup:
    """A Lookup over a cache; one that may not block raises NotKept for what is not in it."""

    cache: RecordCache
    may_block: bool = True

    def naptr(self, name: str) -> tuple[NaptrRecord, ...]:
        """Return the NAPTR records of a domain."""
        return tuple(NaptrRecord(*row) for row in self._ask(name, "NAPTR"))  # type: ignore[arg-type]

    def srv(self, name: str) -> tuple[SrvRecord, ...]:
        """Return the SRV records of a service."""
        return tuple(SrvRecord(*row) for row in self._ask(name, "SRV"))  # type: ignore[arg-type]

    def addresses(self, name: str, family: str) -> tuple[str, ...]:
        """Return the addresses of a host; this machine's file of hosts comes before the DNS."""
        own = self.cache.hosts(name)
        if own:
            return tuple(ip for ip in own if (":" in ip) == (family == "6"))
        return tuple(str(row[0]) for row in self._ask(name, "AAAA" if family == "6" else "A"))

    def _ask(self, name: str, kind: str) -> tuple[tuple[object, ...], ...]:
        return self.cache.ask(name, kind, may_block=self.may_block)
