"""Names of the link, `….local`, asked for by multicast DNS (RFC 6762), through dnspython's messages."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND, SECOND

if TYPE_CHECKING:
    from host.clock import Clock

GROUP: Final = ("224.0.0.251", 5353)  # section 3

# Section 8.1: who answers for a name alone does it at once, for shared names within 120 ms.
_WAIT: Final = SECOND
_RETRY: Final = 250 * MILLISECOND
_POLL: Final = 5 * MILLISECOND
_LONGEST: Final = 9000  # section 17: bytes of a message
_HOPS: Final = 255  # section 11


class NoSuchName(OSError):
    """Nobody on the link answers for a name, or it cannot be asked for; the text says why."""


def on_the_link(name: str) -> bool:
    """Whether a name is one that the hosts of a link give themselves (section 3)."""
    return name.lower().rstrip(".").endswith(".local")


def look_up(clock: Clock, name: str, group: tuple[str, int] = GROUP) -> list[str]:
    """Return the addresses of a name, IPv4 first, asking for a second at most. Raises NoSuchName.

    Asked is as by a host that is no responder itself (section 5.1): from any port, answered to that one.
    """
    if clock.virtual:
        raise NoSuchName("there is no network in a simulated call")
    try:
        import dns.exception
        import dns.flags
        import dns.message
        import dns.rdataclass
        import dns.rdatatype
    except ImportError:
        raise NoSuchName("multicast DNS needs the extra moonline[enum]") from None
    try:
        question = dns.message.make_query(name, "A")
        asked = question.question
        question.find_rrset(asked, asked[0].name, dns.rdataclass.IN, dns.rdatatype.AAAA, create=True)
        question.flags = dns.flags.Flag(0)  # section 18: nothing is asked to be looked up elsewhere
        wire = question.to_wire()
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise NoSuchName(f"{name}: {error}") from None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
        try:
            return _ask(clock, sock, wire, group)
        except OSError as error:
            raise NoSuchName(f"{name}: {error.strerror or error}") from None


def _ask(clock: Clock, sock: socket.socket, question: bytes, group: tuple[str, int]) -> list[str]:
    deadline, retry = clock.now() + _WAIT, 0
    while clock.now() < deadline:
        if clock.now() >= retry:
            sock.sendto(question, group)
            retry = clock.now() + _RETRY
        try:
            found = answered(sock.recv(_LONGEST), question)
        except BlockingIOError:
            clock.sleep(_POLL)
        else:
            if found:
                return found
    raise NoSuchName("nobody answers")


def answered(message: bytes, question: bytes) -> list[str]:
    """Return the addresses that a message tells for a question, IPv4 first; none when it does not answer that."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rdatatype

    try:
        asked = dns.message.from_wire(question)
        told = dns.message.from_wire(message, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return []
    # Section 6.7: who asked from another port gets his own ID back.
    if told.id != asked.id or not told.flags & dns.flags.QR:
        return []
    name = asked.question[0].name
    found: dict[int, list[str]] = {dns.rdatatype.A: [], dns.rdatatype.AAAA: []}
    for records in told.answer:
        if records.name == name and records.rdtype in found:
            found[records.rdtype] += [str(record) for record in records]
    return found[dns.rdatatype.A] + found[dns.rdatatype.AAAA]
