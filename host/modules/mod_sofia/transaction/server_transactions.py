"""Requests of others: told to whoever claims them, answered, cancelled, acknowledged (RFC 3261 sections 9.2, 17.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from sippy.SipTransactionManager import COMPLETED, CONFIRMED, RINGING, TERMINATED, TRYING

from host.modules.mod_sofia.message import Message, Source
from host.modules.mod_sofia.transaction.server_transaction import OnAck, ServerTransaction
from host.modules.mod_sofia.transaction.transmission import (
    Transmission,
    expiry,
    response_address,
    to_tag,
    written,
)
from host.modules.mod_sofia.transport.listener import Carrier

# Requests of others that wait for a final response, per profile: far beyond what one machine's calls need, so a flood.
MAX_SERVER_TRANSACTIONS: Final = 20_000

# (request, transaction): a request that no consumer claims; `request.transaction` is the transaction too.
OnRequest = Callable[[Message, ServerTransaction], object]


class ServerTransactions(Transmission):
    """The server's half of a profile's transactions; all of it is for the SIP thread."""

    tserver: dict[tuple[Any, ...], ServerTransaction]
    req_consumers: dict[str, list[Any]]
    invites: dict[tuple[Any, ...], ServerTransaction]  # by what merged ones have in common
    req_cb: OnRequest

    # -- requests ------------------------------------------------------------------------------------------------

    def incomingRequest(self, msg: Message, checksum: object, tids: object, server: Carrier) -> None:
        """Take a request of the far end."""
        tid = msg.getTId(wBRN=True)
        t = self.tserver.get(tid)
        method = msg.method
        if method == "ACK":
            self._take_ack(msg, t or self.tserver.get((*tid[:3], "to", to_tag(msg))), checksum)
        elif method == "CANCEL":
            self._take_cancel(msg, t, checksum, server)
        elif t is not None:
            self.counters.repeated += 1
            if t.data is not None:
                self.retransmit(t.userv, t.data, t.address)
        elif len(self.tserver) >= MAX_SERVER_TRANSACTIONS:
            self.counters.refused += 1
            self.answer_statelessly(msg, 503, "Service Unavailable", checksum, server)
        elif self._merged(msg, tid):
            self.answer_statelessly(msg, 482, "Loop Detected", checksum, server)
        else:
            (ip, port), transport = msg.source
            t = ServerTransaction(msg, Source(ip, port, transport), server, checksum, self.stack.now())
            t.tid = tid
            self.tserver[tid] = t
            msg.transaction = t
            self._begin(msg, t)

    def _merged(self, msg: Message, tid: tuple[Any, ...]) -> bool:
        """Return whether a request outside of a dialog has come on two ways (RFC 3261 section 8.2.2.2)."""
        if msg.method != "INVITE" or msg.getHFBody("to").getTag() is not None:
            return False
        first = self.invites.get(tid[:3])
        return first is not None and first.tid in self.tserver

    def _begin(self, msg: Message, t: ServerTransaction) -> None:
        if t.method == "INVITE":
            self.invites[t.tid[:3]] = t
            seconds = expiry(msg)
            if seconds > 0:
                t.teE = self.stack.call_later(seconds, lambda: self.timerE(t))
        try:
            self._hand_over(msg, t)
        except Exception as error:
            self.report(f"a SIP {t.method}", error)
            if t.state in (TRYING, RINGING):
                self.sendResponse(msg.genResponse(500, "Server Internal Error"), t)

    def _hand_over(self, msg: Message, t: ServerTransaction) -> None:
        for consumer in self.req_consumers.get(t.tid[0], ()):
            claimed = consumer.cobj.isYours(msg)
            if claimed is not None:
                answer = claimed.recvRequest(msg, t)
                break
        else:
            answer = self.req_cb(msg, t)
        if isinstance(answer, tuple):
            response, cancelled, not_acknowledged = answer
            t.cancel_cb = cancelled or t.cancel_cb
            t.noack_cb = not_acknowledged or t.noack_cb
            if response is not None:
                self.sendResponse(response, t)

    # -- responses -----------------------------------------------------------------------------------------------

    def respond(
        self,
        request: Message,
        response: Message,
        on_ack: OnAck | None = None,
        on_no_ack: Callable[[], object] | None = None,
    ) -> bool:
        """Send a response to a request; False when that has had its final one, or is gone.

        `on_ack(ack)` is told of the ACK of an INVITE's final response, `on_no_ack()` when none came in 64 T1.
        """
        t = getattr(request, "transaction", None)
        if t is None:
            return False
        if on_no_ack is not None:
            t.noack_cb = on_no_ack
        return self.sendResponse(response, t, ack_cb=on_ack)

    def sendResponse(
        self,
        resp: Message,
        t: ServerTransaction | None = None,
        retrans: bool = False,
        ack_cb: OnAck | None = None,
        lossemul: int = 0,
    ) -> bool:
        """Send a response as sippy's callers do; False when the request has had its final one."""
        if t is None:
            t = self.tserver.get(resp.getTId(wBRN=True))
        if t is None or t.state not in (TRYING, RINGING):
            return False
        code = resp.getSCode()[0]
        if code > 100:
            tag = getattr(resp, "to_tag", "")
            if not tag:
                to = resp.getHFBody("to")
                if to.getTag() is None:
                    to.setTag(t.local_tag or secrets.token_hex(8))
                tag = to.getTag()
            t.local_tag = tag
        t.data = written(resp, t.userv, t.compact)
        t.address = response_address(resp, t.userv.transport)
        if code < 200:
            t.state = RINGING
        else:
            self._complete(t, code, ack_cb)
        self.transmitData(t.userv, t.data, t.address, t.checksum)
        return True

    def answer_statelessly(
        self, request: Message, code: int, reason: str, checksum: object, carrier: Carrier, tag: str = ""
    ) -> None:
        """Answer a request that gets no transaction; again whenever it comes again."""
        response = request.genResponse(code, reason)
        to = response.getHFBody("to")
        if to.getTag() is None:
            to.setTag(tag or secrets.token_hex(8))
        self.transmitMsg(carrier, response, response_address(response, carrier.transport), checksum)

    def _complete(self, t: ServerTransaction, code: int, on_ack: OnAck | None) -> None:
        t.state = COMPLETED
        t.stop_timers()
        if t.method != "INVITE":
            self._forget_request(t)
            return
        t.ack_cb = on_ack
        t.ack_tid = (*t.tid[:3], "to", t.local_tag)
        self.tserver[t.ack_tid] = t
        t.teD = self.stack.call_later(self.settings.t1x64, lambda: self.timerD(t))
        if code < 300 or not t.reliable:  # a 2xx is sent again on streams too (RFC 3261 section 13.3.1.4)
            t.tout = self.settings.t1
            t.teA = self.stack.call_later(t.tout, lambda: self._send_final_again(t))

    def _send_final_again(self, t: ServerTransaction) -> None:
        if t.data is not None:
            self.retransmit(t.userv, t.data, t.address)
        t.tout = min(t.tout * 2, self.settings.t2)
        t.teA = self.stack.call_later(t.tout, lambda: self._send_final_again(t))

    def forget_unanswered(self) -> None:
        """Forget requests that nobody has answered when even their senders have given up twice; INVITEs may ring on."""
        latest = self.stack.now() - 2 * self.settings.t1x64
        for t in [t for t in self.tserver.values() if t.method != "INVITE" and t.began < latest]:
            self.counters.unanswered += 1
            t.state = TERMINATED
            self._forget_request(t)

    def _forget_request(self, t: ServerTransaction) -> None:
        t.stop_timers()
        for tid in (t.tid, t.ack_tid):
            if tid is not None and self.tserver.get(tid) is t:
                del self.tserver[tid]
        if self.invites.get(t.tid[:3]) is t:
            del self.invites[t.tid[:3]]
        # the request knows its transaction, and those who are told know the request
        t.request = t.cancel_cb = t.noack_cb = t.ack_cb = None

    # -- ACK and CANCEL ------------------------------------------------------------------------------------------

    def _take_ack(self, msg: Message, t: ServerTransaction | None, checksum: object) -> None:
        self.remember(checksum)
        if t is None or t.state != COMPLETED:
            self.counters.dropped += 1
            return
        t.state = CONFIRMED
        self.remember(t.checksum)  # the INVITE, should it come again, is acknowledged (RFC 6026 section 7.1)
        told = t.ack_cb
        self._forget_request(t)
        if told is not None:
            msg.transaction = t
            told(msg)

    def end_waiting_for_ack(self, request: Message) -> None:
        """Send the final response to an INVITE no more: its sender has ended the call, and so has seen it."""
        t: ServerTransaction | None = getattr(request, "transaction", None)
        if t is not None and t.tid in self.tserver and t.state == COMPLETED:
            t.state = CONFIRMED
            self.remember(t.checksum)
            self._forget_request(t)

    def timerD(self, t: ServerTransaction) -> None:
        """No ACK has come (RFC 3261 timer H)."""
        told = t.noack_cb
        self._forget_request(t)
        if told is not None:
            told()

    def timerE(self, t: ServerTransaction) -> None:
        """The INVITE's `Expires` is over (RFC 3261 section 13.3.1)."""
        t.teE = None
        self.doCancel(t)

    def doCancel(self, t: ServerTransaction, rtime: float | None = None, req: Message | None = None) -> None:
        """End an INVITE with 487, unless its owner, who is told first, ends it otherwise."""
        if t.request is None or t.state not in (TRYING, RINGING):
            return
        try:
            if t.cancel_cb is not None:
                t.cancel_cb(self.stack.now() if rtime is None else rtime, req)
        finally:
            self.sendResponse(t.request.genResponse(487, "Request Terminated"), t)

    def _take_cancel(
        self, msg: Message, t: ServerTransaction | None, checksum: object, carrier: Carrier
    ) -> None:
        if t is None or t.method != "INVITE":
            self.answer_statelessly(msg, 481, "Call/Transaction Does Not Exist", checksum, carrier)
            return
        t.local_tag = t.local_tag or secrets.token_hex(
            8
        )  # RFC 3261 section 9.2: the same as of the INVITE's responses
        self.answer_statelessly(msg, 200, "OK", checksum, carrier, t.local_tag)
        self.doCancel(t, None, msg)
