"""What requests of ours and of others have in common: sending, sending again, remembering what was answered how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sippy.SipTransactionManager import SipTMRetransmitO, SipTransactionManager

from host.modules.mod_sofia.message import Message, header_of
from host.modules.mod_sofia.message_text import text_of
from host.modules.mod_sofia.transport.listener import (
    DEFAULT_PORTS,
    RELIABLE,
    Carrier,
    unbracketed,
    wire_bytes,
)
from host.modules.mod_sofia.transport.stack import Report, SipStack
from host.modules.mod_sofia.transport.transports import OnMessage, TransportCounters, Transports

# Messages remembered before the older half is forgotten early; about 1 kB each with their responses.
REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """Timers in seconds (RFC 3261 section 17.1.1.1; FreeSWITCH: `timer-T1` … of a profile) and habits."""

    t1: float = 0.5
    t2: float = 4.0
    t1x64: float = 32.0
    force_rport: bool = False  # FreeSWITCH: NDLB-force-rport
    tcp_for_long_requests: bool = False  # requests over 1,300 bytes go over TCP where there is a TCP listener


class Transmission(SipTransactionManager):  # type: ignore[misc]
    """The floor under the transactions of a profile; sippy's names where sippy has them."""

    stack: SipStack
    report: Report
    settings: TransactionSettings
    counters: TransportCounters
    transports: Transports
    on_message: OnMessage | None
    l1rcache: dict[object, SipTMRetransmitO]
    l2rcache: dict[object, SipTMRetransmitO]

    def recall(self, checksum: object) -> SipTMRetransmitO | None:
        """Return what a message was answered with when it came before, None for one that did not."""
        return self.l1rcache.get(checksum) or self.l2rcache.get(checksum)

    def remember(self, checksum: object, entry: SipTMRetransmitO | None = None) -> None:
        """Remember what a message was answered with, or that it is to be ignored."""
        if len(self.l1rcache) >= REMEMBERED:
            self.l2rcache, self.l1rcache = self.l1rcache, {}
        self.l1rcache[checksum] = entry or SipTMRetransmitO()

    def transmitMsg(
        self,
        userv: Carrier,
        msg: Message,
        address: tuple[str, int],
        cachesum: object,
        compact: bool = False,
    ) -> None:
        """Send a message that belongs to no transaction."""
        self.transmitData(userv, written(msg, userv, compact), address, cachesum)

    def transmitData(
        self,
        userv: Carrier,
        data: bytes,
        address: tuple[str, int],
        cachesum: object = None,
        lossemul: int = 0,
    ) -> None:
        """Send a message; with a checksum, also whenever the message of that checksum comes again."""
        self.counters.sent[userv.transport] += 1
        if self.on_message is not None:
            self.on_message("send", data, userv.far_end(address), userv.local)
        userv.send_to(data, address)
        if cachesum is not None:
            self.remember(cachesum, SipTMRetransmitO(userv, data, address))

    def retransmit(self, carrier: Carrier, data: bytes, address: tuple[str, int]) -> None:
        """Send a message once more."""
        self.counters.retransmitted += 1
        self.transmitData(carrier, data, address)


def written(message: Message, carrier: Carrier, compact: bool = False) -> bytes:
    """Return a message's bytes, our address in it that of the carrier."""
    return wire_bytes(text_of(message, carrier.getSIPaddr(), compact))


def to_tag(message: Message) -> str:
    """Return the tag of To, empty without."""
    return str(message.getHFBody("to").getTag() or "")


def response_address(response: Message, transport: str) -> tuple[str, int]:
    """Return where a response goes.

    Over datagrams to where the request came from (RFC 3261 section 18.2.2, RFC 3581 section 4), over streams to where
    its sender listens, for when the connection is gone.
    """
    via = response.getHFBody("via")
    host = via.params.get("received") or str(via.hostname)
    port: Any = None if transport in RELIABLE else via.params.get("rport")
    return unbracketed(host), int(port or via.port or DEFAULT_PORTS[transport])


def set_via(message: Message, carrier: Carrier) -> None:
    """Let the topmost Via name a carrier's address and transport."""
    via = message.getHFBody("via")
    (via.hostname, via.port), transport = carrier.getSIPaddr()
    via.transport = transport.upper()


def expiry(request: Message) -> int:
    """Return the seconds of an INVITE's `Expires`, 0 without."""
    value = (header_of(request, "expires") or "").strip()
    return (
        int(value) if value.isdecimal() and len(value) <= 10 else 0
    )  # 2**32 - 1 is the most (RFC 3261 section 20.19)


def is_literal(host: str) -> bool:
    """Return whether a host is an address rather than a name."""
    return ":" in host or host.replace(".", "").isdigit()
