"""NAPTR records from name servers, through dnspython."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from host.byte_text import to_text
from host.modules.mod_enum.naptr import Naptr

if TYPE_CHECKING:
    from dns.message import Message

_DNS_PORT: Final = 53


class NoAnswer(Exception):
    """No name server has answered; the text says why."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where a name server is."""

    address: str
    port: int = _DNS_PORT


def parse_name_server(text: str) -> NameServer | None:
    """Return the server of `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`, None for others.

    FreeSWITCH takes addresses alone, and asks port 53.
    """
    text = text.strip()
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (bracketed or "." in host):
        host, port = text, str(_DNS_PORT)
    elif bracketed:
        host = host[1:-1]
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        return None
    try:
        return NameServer(str(ip_address(host)), int(port))
    except ValueError:
        return None


def host_name_servers() -> list[NameServer]:
    """Return the servers that this machine asks (/etc/resolv.conf). NoAnswer when it has none."""
    import dns.exception
    import dns.resolver

    try:
        servers = dns.resolver.Resolver().nameservers
    except (dns.exception.DNSException, OSError) as error:
        raise NoAnswer(str(error)) from None
    return [found for server in servers if (found := parse_name_server(str(server))) is not None]


def ask(
    domain: str, servers: Iterable[NameServer], *, timeout_ms: int, tries: int, shuffled: bool = False
) -> list[Naptr]:
    """Return the NAPTR records of a domain, sorted by order and preference; none for a domain that is not there.

    Each server in turn, or `shuffled`, is asked `tries` times, each for `timeout_ms`; what does not fit into a
    datagram is asked for by TCP. NoAnswer when there is none, or a domain is no name.
    """
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    try:
        question = dns.message.make_query(domain, "NAPTR")
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise NoAnswer(f"{domain}: {error}") from None
    reason = "there are no name servers"
    order = list(servers)
    if shuffled:
        random.shuffle(order)
    for server in order:
        for _attempt in range(tries):
            try:
                answer, _by_tcp = dns.query.udp_with_fallback(
                    question,
                    server.address,
                    timeout=timeout_ms / 1000,
                    port=server.port,
                    ignore_unexpected=True,
                    ignore_errors=True,
                )
            except dns.exception.Timeout:
                reason = f"{server.address} does not answer"
                continue
            except (dns.exception.DNSException, OSError, EOFError) as error:
                reason = f"{server.address}: {error}"
                break
            if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return _records(answer)
            reason = f"{server.address}: {dns.rcode.to_text(answer.rcode())}"
            break
    raise NoAnswer(reason)


def _records(answer: Message) -> list[Naptr]:
    from dns.rdataclass import IN
    from dns.rdatatype import NAPTR
    from dns.rdtypes.IN.NAPTR import NAPTR as NaptrData

    found = [
        record
        for records in answer.answer
        if records.rdtype == NAPTR and records.rdclass == IN
        for record in records
        if isinstance(record, NaptrData)
    ]
    # In DNSSEC's order of records, as FreeSWITCH: it begins with order and preference (RFC 4034 6.3).
    found.sort(key=lambda record: record.to_digestable())
    return [
        Naptr(record.order, record.preference, to_text(record.service), to_text(record.regexp))
        for record in found
    ]
