"""A name server on loopback, by UDP, for a zone of any records."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from host.modules.mod_sofia.transport.dns_records import NameServerAddress

ZONE_END = "example.test. 60 IN SOA ns.example.test. admin.example.test. 1 60 60 60 40"


@dataclass
class NameServer:
    """`zone` holds texts of records by name and type; `asked` what was asked for, `drops` how often it is silent."""

    zone: dict[tuple[str, str], list[str]]
    address: NameServerAddress = field(default_factory=lambda: NameServerAddress("127.0.0.1"))
    asked: list[tuple[str, str]] = field(default_factory=list)
    drops: int = 0
    rcode: dns.rcode.Rcode | None = None

    def reply(self, wire: bytes) -> bytes | None:
        """Return the answer to a question, None where it gets none."""
        query = dns.message.from_wire(wire)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        plain = name.to_text(omit_final_dot=True)
        self.asked.append((plain, kind))
        if self.drops > 0:
            self.drops -= 1
            return None
        answer = dns.message.make_response(query)
        records = self.zone.get((plain, kind))
        if self.rcode is not None:
            answer.set_rcode(self.rcode)
        elif records:
            answer.answer.append(dns.rrset.from_text(name, 30, "IN", kind, *records))
        else:
            if not any(known == plain for known, _kind in self.zone):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            owner, ttl, _in, _soa, *rest = ZONE_END.split()
            answer.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", "SOA", " ".join(rest)))
        return answer.to_wire()


@contextmanager
def name_server(zone: dict[tuple[str, str], list[str]]) -> Iterator[NameServer]:
    """Run a server."""
    server = NameServer(zone)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            answer = server.reply(wire)
            if answer is not None:
                sock.sendto(answer, self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as udp:
        server.address = NameServerAddress("127.0.0.1", udp.server_address[1])
        thread = threading.Thread(target=udp.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        udp.shutdown()
        thread.join()
