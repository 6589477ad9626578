"""Where a SIP URI leads: the servers to try, one after another (RFC 3263)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

from host.modules.mod_sofia.message import Source, Uri, parse_uri, uri_host, uri_param
from host.modules.mod_sofia.transport.dns_records import (
    CachedLookup,
    Lookup,
    LookupFailed,
    NotKept,
    RecordCache,
    SrvRecord,
)

_T = TypeVar("_T")

# A domain may name any number of servers; a call that tried more would take longer than anybody waits.
MAX_HOPS: Final = 32

_SERVICES: Final = {  # RFC 3263 section 4.1, RFC 7118 section 8
    "sip+d2u": "udp",
    "sip+d2t": "tcp",
    "sips+d2t": "tls",
    "sip+d2w": "ws",
    "sips+d2w": "wss",
}
_PREFIXES: Final = {
    "udp": "_sip._udp.",
    "tcp": "_sip._tcp.",
    "tls": "_sips._tcp.",
    "ws": "_sip._ws.",
    "wss": "_sips._ws.",
}
_PORTS: Final = {"tls": 5061, "ws": 80, "wss": 443}
_SECURED: Final = {"tcp": "tls", "ws": "wss"}


class NoRoute(Exception):
    """Nothing leads to a URI; the text says why."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What a profile can do: its transports, the best first, the address families, and what it asks for.

    `naptr` and `srv` are off with FreeSWITCH's `disable-naptr` and `disable-srv`.
    """

    transports: tuple[str, ...] = ("udp", "tcp", "tls")
    families: tuple[str, ...] = ("4", "6")
    naptr: bool = True
    srv: bool = True


class Target(NamedTuple):
    """What a URI says of where it leads; without a port or transport these are not given in it."""

    host: str
    port: int | None
    transport: str | None
    secure: bool


def target(uri: str | Uri) -> Target:
    """Return what a SIP URI, or an address with one, says of its way. `maddr` comes before the host.

    NoRoute for what is none.
    """
    parsed: Uri = uri
    if isinstance(uri, str):
        text = uri.strip()
        if "<" in text:
            text = text.partition("<")[2].partition(">")[0]
        try:
            parsed = parse_uri(text)
        except (ValueError, TypeError) as error:
            raise NoRoute(f"not a SIP URI: {uri}") from error
    host = str(parsed.maddr) if parsed.maddr else uri_host(parsed)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    port = None if parsed.port is None else int(parsed.port)
    if not host or (port is not None and not 0 < port < 65536):
        raise NoRoute(f"not a SIP URI: {uri}")
    secure = str(parsed.scheme) == "sips"
    transport = (uri_param(parsed, "transport") or "").lower() or None
    if transport is not None and secure:
        transport = _SECURED.get(transport, transport)
    return Target(host, port, transport, secure)


def default_port(transport: str) -> int:
    """Return the port of a transport that none is given for."""
    return _PORTS.get(transport, 5060)


def is_numeric(host: str) -> bool:
    """Return whether a host is an IP address, without brackets."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def numeric_hop(uri: str | Uri) -> Source | None:
    """Return the only hop of a URI whose host is an address, None for a name. NoRoute for no URI."""
    wanted = target(uri)
    if not is_numeric(wanted.host):
        return None
    transport = wanted.transport or ("tls" if wanted.secure else "udp")
    return Source(wanted.host, wanted.port or default_port(transport), transport)


def hops(
    uri: str | Uri, lookup: Lookup, ways: Ways | None = None, pick: Callable[[int], int] = random.randrange
) -> list[Source]:
    """Return where requests for `uri` go, the first to try first, each once. NoRoute where there is nothing.

    `pick(n)` returns a random integer from 0 to n-1. A part of the answers that fails leaves the others.
    """
    ways = ways or Ways()
    numeric = numeric_hop(uri)
    if numeric is not None:
        return [numeric]
    wanted = target(uri)
    search = _Search(lookup, ways, pick)
    found = search.find(wanted)
    if not found:
        raise NoRoute(search.failure or f"{wanted.host}: not found")
    return list(dict.fromkeys(found))[:MAX_HOPS]


class _Search:
    """One search: what failed is noted and does not end it."""

    def __init__(self, lookup: Lookup, ways: Ways, pick: Callable[[int], int]) -> None:
        self._lookup = lookup
        self._ways = ways
        self._pick = pick
        self.failure = ""

    def find(self, wanted: Target) -> list[Source]:
        if wanted.port is not None:
            return self._of_host(wanted.host, wanted.port, self._first_transport(wanted))
        if wanted.transport is None and self._ways.naptr:
            found = self._by_naptr(wanted)
            if found:
                return found
        if self._ways.srv:
            found = []
            transports = [wanted.transport] if wanted.transport else self._transports(secure=wanted.secure)
            for transport in transports:
                prefix = _PREFIXES.get(transport)
                if prefix is not None:
                    found += self._by_srv(prefix + wanted.host, transport)
            if found:
                return found
        transport = self._first_transport(wanted)
        return self._of_host(wanted.host, default_port(transport), transport)

    def _transports(self, *, secure: bool) -> list[str]:
        return [name for name in self._ways.transports if not secure or name in ("tls", "wss")]

    def _first_transport(self, wanted: Target) -> str:
        """Return the transport of a URI where the DNS says nothing: UDP or TLS (RFC 3263 section 4.1)."""
        if wanted.transport:
            return wanted.transport
        return "tls" if wanted.secure else "udp"

    def _by_naptr(self, wanted: Target) -> list[Source]:
        records = self._try(lambda: self._lookup.naptr(wanted.host))
        usable = [
            (record, transport)
            for record in sorted(records)
            if (transport := _SERVICES.get(record.service.lower()))
            and transport in self._transports(secure=wanted.secure)
            and record.flags.lower() in ("s", "a")
        ]
        found: list[Source] = []
        for record, transport in usable:
            if record.order != usable[0][0].order:
                break  # RFC 3403 section 4.1: a higher order is not looked at once one has matched
            if record.flags.lower() == "s":
                found += self._by_srv(record.replacement, transport)
            else:
                found += self._of_host(record.replacement, default_port(transport), transport)
        return found

    def _by_srv(self, name: str, transport: str) -> list[Source]:
        found: list[Source] = []
        for record in srv_order(self._try(lambda: self._lookup.srv(name)), self._pick):
            found += self._of_host(record.target, record.port, transport)
            if len(found) >= MAX_HOPS:
                break
        return found

    def _of_host(self, host: str, port: int, transport: str) -> list[Source]:
        if not host:  # RFC 2782: a target of `.` says that there is no such service
            return []
        if is_numeric(host):
            return [Source(host, port, transport)]
        return [
            Source(ip, port, transport)
            for family in self._ways.families
            for ip in self._try(partial(self._lookup.addresses, host, family))
        ]

    def _try(self, ask: Callable[[], tuple[_T, ...]]) -> tuple[_T, ...]:
        try:
            return ask()
        except NotKept:
            raise
        except LookupFailed as error:
            self.failure = str(error)
            return ()


def srv_order(records: Iterable[SrvRecord], pick: Callable[[int], int]) -> list[SrvRecord]:
    """Return SRV records as they are to be tried: by priority, within one at random by weight (RFC 2782)."""
    ordered: list[SrvRecord] = []
    for _priority, group in groupby(sorted(records, key=lambda record: record[:2]), lambda record: record[0]):
        left = list(group)  # those of weight 0 come first, so that they have a small chance
        while left:
            chosen = pick(sum(record.weight for record in left) + 1)
            running = 0
            for position, record in enumerate(left):
                running += record.weight
                if running >= chosen:
                    ordered.append(left.pop(position))
                    break
    return ordered


Done = Callable[[Sequence[Source]], object]


class Resolver:
    """Finds hops without holding up the SIP thread: what is not known is asked for in `work`, and told by `call`.

    `now` gives monotonic seconds, `log` takes what was not found. Searches for the same host are made once.
    """

    def __init__(
        self,
        cache: RecordCache,
        *,
        work: Callable[[Callable[[], None]], object],
        call: Callable[[Callable[[], None]], object],
        log: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.cache = cache
        self._work = work
        self._call = call
        self._log = log
        self._waiting: dict[tuple[Target, Ways], list[Done]] = {}

    def resolve(self, uri: str | Uri, done: Done, ways: Ways | None = None) -> None:
        """Call `done(hops)` in the SIP thread, with none where nothing leads to `uri`; SIP thread only.

        It is called before this returns for a numeric address and for what is kept.
        """
        ways = ways or Ways()
        try:
            found = hops(uri, CachedLookup(self.cache, may_block=False), ways)
        except NotKept:
            self._search(uri, done, ways)
            return
        except NoRoute as error:
            self._log(str(error))
            found = []
        done(found)

    def find(self, uri: str | Uri, ways: Ways | None = None) -> list[Source]:
        """Return the hops of a URI; blocks. NoRoute where there is nothing."""
        return hops(uri, CachedLookup(self.cache), ways)

    def _search(self, uri: str | Uri, done: Done, ways: Ways) -> None:
        key = (target(uri), ways)
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(done)
            return
        self._waiting[key] = [done]

        def search() -> None:
            found: list[Source] = []
            try:
                found = self.find(uri, ways)
            except NoRoute as error:
                self._log(str(error))
            finally:
                self._call(lambda: self._tell(key, found))

        self._work(search)

    def _tell(self, key: tuple[Target, Ways], found: Sequence[Source]) -> None:
        for done in self._waiting.pop(key, ()):
            done(found)
