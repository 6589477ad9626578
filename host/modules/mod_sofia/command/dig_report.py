"""`sofia_dig`: the table of where a SIP URI leads, as FreeSWITCH writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Final, TypeVar

from host.modules.mod_sofia.transport.dns_records import Lookup, LookupFailed
from host.modules.mod_sofia.transport.resolver import NoRoute, Target, default_port, is_numeric, target

_T = TypeVar("_T")

USAGE: Final = "usage: sofia_dig [OPTIONS] [@dnsserver] uri\n"
_MAX_WORDS: Final = 50
_HEAD: Final = "\t".join(f"{name:>10}" for name in ("Preference", "Weight", "Transport", "Port", "Address"))


@dataclass(frozen=True, slots=True)
class _Transport:
    """A transport by the names of NAPTR services and SRV records."""

    name: str
    service: str
    prefix: str

    @property
    def secure(self) -> bool:
        return self.name.startswith("tls")


_TRANSPORTS: Final = {
    entry.name: entry
    for entry in (
        _Transport("udp", "SIP+D2U", "_sip._udp."),
        _Transport("tcp", "SIP+D2T", "_sip._tcp."),
        _Transport("sctp", "SIP+D2S", "_sip._sctp."),
        _Transport("tls", "SIPS+D2T", "_sips._tcp."),
        _Transport("tls-sctp", "SIPS+D2S", "_sips._sctp."),
    )
}


class _Usage(Exception):
    """The arguments are none of the command's."""


@dataclass(slots=True)
class _Options:
    """`families` in the order they were asked for; `transports` all when empty."""

    xml: bool = False
    sctp: bool = True
    families: list[str] = field(default_factory=list)
    transports: list[str] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)


def dig_report(argument: str, lookup: Lookup, log: Callable[[str], object] = lambda text: None) -> str:
    """Return the reply to `sofia_dig ARGUMENT`; blocks when `lookup` does. `log` takes what FreeSWITCH logs as ERR."""
    words = argument.split()
    if not words or len(words) >= _MAX_WORDS:
        return USAGE
    try:
        options = _parse(words, log)
    except _Usage:
        return USAGE
    if options is None:
        return ""
    head = "<routes>\n" if options.xml else f"{_HEAD}\n{'=' * 80}\n"
    if not options.uris:
        return head + USAGE
    dig = _Dig(options, lookup)
    parts = [head]
    for uri in options.uris:
        if len(options.uris) > 1:
            parts.append(uri)
        parts.append(dig.rows(uri, log))
    if options.xml:
        parts.append("</routes>\n")
    return "".join(parts)


def _parse(words: list[str], log: Callable[[str], object]) -> _Options | None:
    options = _Options()
    rest = list(words)
    if rest[0].lower() == "xml":
        options.xml = True
        rest.pop(0)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "-":
            break
        if word in ("-4", "-6"):
            options.families.append(word[1])
        elif word == "--no-sctp":
            options.sctp = False
        elif word.startswith("-p"):
            given = word[2:].removeprefix("=") or (rest.pop(0) if rest else "")
            if not given:
                raise _Usage
            if given.lower() not in _TRANSPORTS:
                log(f'sip-dig: unknown transport "{given}"')
                return None
            options.transports.append(given.lower())
        elif word.startswith("--") and word[2:] in _TRANSPORTS:
            options.transports.append(word[2:])
        else:
            raise _Usage
    options.uris = rest
    return options


class _Dig:
    """One command: `preference` counts the groups of SRV records of a priority."""

    def __init__(self, options: _Options, lookup: Lookup) -> None:
        names = list(dict.fromkeys(options.transports)) or [
            name for name in _TRANSPORTS if options.sctp or not name.endswith("sctp")
        ]
        self._transports = [_TRANSPORTS[name] for name in names]
        # FreeSWITCH: IPv6 comes first, as the family that was asked for last does.
        self._families = list(dict.fromkeys(reversed(options.families))) or ["6", "4"]
        self._xml = options.xml
        self._lookup = lookup
        self._secure = False
        self._preference = 1
        self._rows: list[str] = []

    def rows(self, uri: str, log: Callable[[str], object]) -> str:
        self._rows = []
        try:
            wanted = target(uri)
        except NoRoute:
            log(f"{uri}: invalid uri")
            return ""
        self._secure = wanted.secure
        self._preference = 1
        if is_numeric(wanted.host):
            self._numeric(wanted)
        elif not self._found(wanted):
            self._rows.append(f"-ERR: {uri}: not found\n")
        return "".join(self._rows)

    def _numeric(self, wanted: Target) -> None:
        transports = [wanted.transport] if wanted.transport else ["tls"] if wanted.secure else ["udp", "tcp"]
        for preference, transport in enumerate(transports, 1):
            self._row(wanted.host, wanted.port, transport, 1.0, preference)

    def _found(self, wanted: Target) -> bool:
        if wanted.port is None:
            if wanted.transport is None and self._naptr(wanted.host):
                return True
            if self._services(wanted):
                return True
        return self._addresses(wanted.host, wanted.port, wanted.transport, 1.0) > 0

    def _usable(self, transport: str | None = None) -> list[_Transport]:
        return [
            entry
            for entry in self._transports
            if transport in (None, entry.name) and (entry.secure or not self._secure)
        ]

    def _naptr(self, host: str) -> int:
        by_service = {entry.service: entry.name for entry in self._usable()}
        records = [
            record
            for record in sorted(self._try(lambda: self._lookup.naptr(host)))
            if record.flags.lower() in ("s", "a") and record.service.upper() in by_service
        ]
        records = [record for record in records if record.order == records[0].order]
        count = 0
        for record in records:
            transport = by_service[record.service.upper()]
            if record.flags.lower() == "s":
                count += self._srv(record.replacement, transport, 1.0 / len(records))
            else:
                count += self._addresses(record.replacement, None, transport, 1.0 / len(records))
        return count

    def _services(self, wanted: Target) -> int:
        usable = self._usable(wanted.transport)
        there = [entry for entry in usable if self._try(lambda: self._lookup.srv(entry.prefix + wanted.host))]  # noqa: B023
        return sum(self._srv(entry.prefix + wanted.host, entry.name, 1.0 / len(there)) for entry in there)

    def _srv(self, name: str, transport: str, weight: float) -> int:
        count = 0
        records = sorted(self._try(lambda: self._lookup.srv(name)))
        for _priority, group in groupby(records, lambda record: record.priority):
            equals = list(group)
            whole = sum(record.weight for record in equals) or 1
            found = 0
            for record in equals:
                share = weight * record.weight / whole
                found += self._addresses(record.target, record.port, transport, share)
            if found:
                self._preference += 1
            count += found
        return count

    def _addresses(self, host: str, port: int | None, transport: str | None, weight: float) -> int:
        if transport is None:
            names = ["tls"] if self._secure else ["udp", "tcp"]
        else:
            names = [transport]
        usable = [entry.name for entry in self._usable() if entry.name in names]
        if not usable or not host:
            return 0
        addresses = [
            ip for family in self._families for ip in self._try(partial(self._lookup.addresses, host, family))
        ]
        for ip in addresses:
            for name in usable:
                self._row(ip, port, name, weight / len(addresses) / len(usable), self._preference)
        return len(addresses)

    def _row(self, ip: str, port: int | None, transport: str, weight: float, preference: int) -> None:
        port = port or default_port(transport)
        if self._xml:
            self._rows.append(
                " <route>\n"
                f"  <preference>{preference}</preference>\n"
                f"  <weight>{weight:.3f}</weight>\n"
                f"  <transport>{transport}</transport>\n"
                f"  <port>{port}</port>\n"
                f"  <address>{ip}</address>\n"
                " </route>\n"
            )
        else:
            self._rows.append(f"{preference:>10}\t{weight:>10.3f}\t{transport:>10}\t{port:>10}\t{ip:>10}\n")

    def _try(self, ask: Callable[[], Iterable[_T]]) -> list[_T]:
        try:
            return list(ask())
        except LookupFailed:
            return []
