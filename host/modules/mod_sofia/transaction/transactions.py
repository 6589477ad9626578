"""The transactions of one profile, over all of its transports: sippy's manager without its threads and sockets.

What sippy does otherwise than RFC 3261 is replaced: retransmissions stop growing at T2 and are left out on streams,
the ACK of a refused INVITE goes where the INVITE went, a 2xx that comes again is acknowledged again even when it is
worded differently, INVITEs do not expire unless they say so. The halves are `client_transactions` and
`server_transactions`.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from typing import Any, Final

from sippy.SipResponse import SipResponse

from host.modules.mod_sofia.message import Message, Source
from host.modules.mod_sofia.transaction.client_transaction import ClientTransaction
from host.modules.mod_sofia.transaction.client_transactions import ClientTransactions
from host.modules.mod_sofia.transaction.server_transaction import ServerTransaction
from host.modules.mod_sofia.transaction.server_transactions import OnRequest, ServerTransactions
from host.modules.mod_sofia.transaction.transmission import TransactionSettings, response_address
from host.modules.mod_sofia.transport import message_guard
from host.modules.mod_sofia.transport.listener import RELIABLE, Carrier, Impairment, Listener, unbracketed
from host.modules.mod_sofia.transport.stack import Report, SipStack, Timer
from host.modules.mod_sofia.transport.stream_connection import StreamConnection
from host.modules.mod_sofia.transport.stream_server import StreamLimits
from host.modules.mod_sofia.transport.tls_server import TlsSettings
from host.modules.mod_sofia.transport.transports import OnMessage, TransportCounters, Transports

__all__ = ["TransactionSettings", "Transactions"]

# How long it is remembered what a message was answered with, at least: 64 T1, as long as it may come again.
REMEMBER: Final = 32.0


class Transactions(ClientTransactions, ServerTransactions):
    """Everything is for the SIP thread, but the constructor, `listen`, `port` and `shutdown`.

    `req_cb(request, transaction)` is told of requests that no consumer claims (`regConsumer(consumer, call_id)`, with
    `isYours(request)` and `recvRequest(request, transaction)`). Both respond when they like; what they return counts
    only if it is what sippy wants: (response or None, cancel callback or None, no-ACK callback or None).
    `on_lost(source, reason)` is told of connections that ended or never began, `on_message` of every message.
    """

    def __init__(
        self,
        stack: SipStack,
        req_cb: OnRequest,
        *,
        report: Report | None = None,
        settings: TransactionSettings | None = None,
        tls: TlsSettings | None = None,
        limits: StreamLimits | None = None,
        on_message: OnMessage | None = None,
        on_lost: Callable[[Source, str], object] | None = None,
        impairment: Impairment | None = None,
    ) -> None:
        # sippy's constructor opens sockets and starts threads
        self.stack = stack
        self.req_cb = req_cb
        self.report = report or stack.report
        self.settings = settings or TransactionSettings()
        self.on_message = on_message
        self.on_lost = on_lost
        self.counters = TransportCounters()
        self.transports = Transports(
            stack, self.handleIncoming, self._lost, tls=tls, limits=limits, impairment=impairment
        )
        self.global_config: dict[str, object] = {}
        self.tclient: dict[tuple[Any, ...], ClientTransaction] = {}
        self.tserver: dict[tuple[Any, ...], ServerTransaction] = {}
        self.invites: dict[tuple[Any, ...], ServerTransaction] = {}
        self.req_consumers: dict[str, list[Any]] = {}
        self.l1rcache, self.l2rcache = {}, {}
        self.closed = False
        self._purging: Timer | None = None
        stack.call(self._purge_later)

    def listen(self, listener: Listener) -> Source:
        """Open a socket and receive; return its address. Raises as `Transports.listen`."""
        return self.transports.listen(listener)

    def port(self, transport: str) -> int:
        """Return the port that is listened on, 0 without a listener of that transport."""
        return next((source.port for source in self.transports.listening if source.transport == transport), 0)

    def connected(self, far: Source) -> bool:
        """Return whether there is a connection to an address over a stream; for the SIP thread."""
        return self.transports.connected(far)

    def shutdown(self) -> None:
        """Close all sockets and forget all transactions; nobody is told. The ports are free when this returns."""
        self.closed = True
        self.stack.run(self._close)

    def _close(self) -> None:
        self.transports.shutdown()
        if self._purging is not None:
            self._purging.cancel()
        for client in self.tclient.values():
            client.stop_timers()
        for server in self.tserver.values():
            server.stop_timers()
        for table in (
            self.tclient,
            self.tserver,
            self.invites,
            self.req_consumers,
            self.l1rcache,
            self.l2rcache,
        ):
            table.clear()

    def _purge_later(self) -> None:
        if not self.closed:
            self._purging = self.stack.call_later(REMEMBER, self.rCachePurge)

    def rCachePurge(self) -> None:
        """Forget what was remembered before the last time."""
        self.l2rcache, self.l1rcache = self.l1rcache, {}
        self.forget_unanswered()
        self._purge_later()

    def handleIncoming(self, data_in: bytes, ra: Source, server: Carrier, rtime: float | None = None) -> None:
        """Take a message off the network."""
        if self.closed:
            return
        self.counters.received[ra.transport] += 1
        if self.on_message is not None:
            self.on_message("recv", data_in, ra, server.local)
        checksum = (md5(data_in, usedforsecurity=False).digest(), ra)
        known = self.recall(checksum)
        if known is not None:
            self.counters.repeated += 1
            if known.data is not None:
                self.retransmit(known.userv, known.data, known.address)
            return
        try:
            message = message_guard.parse(data_in)
        except message_guard.MalformedMessage as error:
            self.counters.malformed += 1
            self._refuse_malformed(error.response, ra, server, checksum)
            return
        message.source = ((ra.ip, ra.port), ra.transport)
        message.rtime = rtime
        if isinstance(message, SipResponse):
            self._take_response(message, checksum)
        else:
            self._note_source(message, ra, server)
            self.incomingRequest(message, checksum, (), server)

    def _take_response(self, response: Message, checksum: object) -> None:
        t = self.tclient.get(response.getTId(True, True))
        if t is None:
            self.counters.dropped += 1
            self.remember(checksum)
        else:
            self.incomingResponse(response, t, checksum)

    def _note_source(self, request: Message, source: Source, carrier: Carrier) -> None:
        """Complete the topmost Via (RFC 3261 section 18.2.1, RFC 3581 section 4); note an alias (RFC 5923)."""
        via = request.getHFBody("via")
        params = via.params
        stream = source.transport in RELIABLE
        if "rport" in params or (self.settings.force_rport and not stream):
            params["rport"] = str(source.port)
            params["received"] = source.ip
        elif unbracketed(str(via.hostname)) != source.ip:
            params["received"] = source.ip
        else:
            params.pop("received", None)  # ours alone to say
        if stream and "alias" in params and via.port:
            self.transports.add_alias(carrier, via.port)

    def _refuse_malformed(
        self, response: Message | None, source: Source, carrier: Carrier, checksum: object
    ) -> None:
        if response is None:
            self.remember(checksum)
            return
        self._note_source(response, source, carrier)
        self.transmitMsg(carrier, response, response_address(response, carrier.transport), checksum)

    def _lost(self, connection: StreamConnection, reason: str) -> None:
        # later: it may have happened while something was sent over it
        self.stack.call(lambda: self._told_lost(connection, reason))

    def _told_lost(self, connection: StreamConnection, reason: str) -> None:
        self.connection_lost(connection)
        if self.on_lost is not None:
            self.on_lost(connection.source, reason)
