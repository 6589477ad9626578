"""A name server on loopback, by UDP and TCP, for one zone of NAPTR records."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

# What a datagram may hold without EDNS (RFC 1035 4.2.1).
_DATAGRAM = 512


@dataclass
class DnsServer:
    """`zone` holds the NAPTR records, in the text of a zone file, by their domain; `questions` what was asked."""

    zone: dict[str, Sequence[str]]
    address: str = ""
    drops: int = 0  # so many questions get no answer
    rcode: dns.rcode.Rcode | None = None  # the answer to everything
    questions: list[tuple[str, str]] = field(default_factory=list)
    speaks: threading.Event = field(
        default_factory=threading.Event
    )  # where it is cleared, answers wait until it is set

    def __post_init__(self) -> None:
        self.speaks.set()

    def reply(self, wire: bytes, transport: str) -> bytes | None:
        """Return the answer to a question, None where it gets none."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        domain = name.to_text(omit_final_dot=True)
        self.questions.append((transport, domain))
        self.speaks.wait()
        if self.drops > 0:
            self.drops -= 1
            return None
        answer = dns.message.make_response(query)
        if self.rcode is not None:
            answer.set_rcode(self.rcode)
        elif domain not in self.zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.zone[domain]:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "NAPTR", *self.zone[domain]))
        whole = answer.to_wire()
        if transport == "udp" and len(whole) > _DATAGRAM:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
            return answer.to_wire()
        return whole


@contextmanager
def dns_server(zone: dict[str, Sequence[str]]) -> Iterator[DnsServer]:
    """Run a server; its `address` is `127.0.0.1:PORT`."""
    server = DnsServer(zone)

    class ByUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            answer = server.reply(wire, "udp")
            if answer is not None:
                sock.sendto(answer, self.client_address)

    class ByTcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = int.from_bytes(self.rfile.read(2))
            answer = server.reply(self.rfile.read(length), "tcp")
            if answer is not None:
                self.wfile.write(len(answer).to_bytes(2) + answer)

    udp, tcp = _both(ByUdp, ByTcp)
    server.address = f"127.0.0.1:{udp.server_address[1]}"
    threads = [threading.Thread(target=part.serve_forever, args=(0.02,), daemon=True) for part in (udp, tcp)]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        server.speaks.set()
        for part in (udp, tcp):
            part.shutdown()
            part.server_close()
        for thread in threads:
            thread.join()


def _both(by_udp: Any, by_tcp: Any) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    """Return two servers on one port that is free for both."""
    for _ in range(20):
        udp = socketserver.UDPServer(("127.0.0.1", 0), by_udp)
        try:
            return udp, socketserver.TCPServer(("127.0.0.1", udp.server_address[1]), by_tcp)
        except OSError:
            udp.server_close()
    raise OSError("no port is free for both")


@contextmanager
def silent_server() -> Iterator[str]:
    """Hold the port of a server that never answers; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"
