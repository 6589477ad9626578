"""Requests of ours: sent, sent again, answered, acknowledged, cancelled (RFC 3261 sections 9.1, 13.2.2.4, 17.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sippy.SipTransactionManager import COMPLETED, RINGING, TERMINATED, TRYING, UACK

from host.modules.mod_sofia.message import Message, Source, add_header, header_of, parse_address
from host.modules.mod_sofia.transaction.client_transaction import (
    ClientTransaction,
    OnResponse,
    make_ack,
    make_bye,
    make_cancel,
)
from host.modules.mod_sofia.transaction.transmission import (
    Transmission,
    expiry,
    is_literal,
    set_via,
    to_tag,
    written,
)
from host.modules.mod_sofia.transport.listener import RELIABLE, Carrier, unbracketed
from host.modules.mod_sofia.transport.stream_connection import StreamConnection

# RFC 3261 section 18.1.1: a request within 200 bytes of the path's MTU, or above this where that is unknown.
LARGEST_OVER_UDP: Final = 1_300


class ClientTransactions(Transmission):
    """The client's half of a profile's transactions; all of it is for the SIP thread."""

    tclient: dict[tuple[Any, ...], ClientTransaction]

    # -- sending -------------------------------------------------------------------------------------------------

    def request(
        self,
        request: Message,
        on_response: OnResponse | None = None,
        *,
        uack: bool = False,
        on_fork: OnResponse | None = None,
        carrier: Carrier | None = None,
    ) -> ClientTransaction:
        """Send a request to its target, `request.setTarget(((ip, port), transport))`, over a connection there is, or
        over `carrier`. `on_response(response)` is told of its responses, `response.transaction` is what this returns.

        No answer is a 408 and no way there a 503, both made here. An INVITE's 2xx is acknowledged when `on_response`
        returns, with `uack` by `sendACK` alone. ValueError for a request that is under way already.
        """
        t = ClientTransaction(request, on_response)
        t.uack = uack
        t.on_fork = on_fork
        return self.newTransaction(request, userv=carrier, t=t)

    def newTransaction(
        self,
        msg: Message,
        resp_cb: OnResponse | None = None,
        laddress: object = None,
        userv: Carrier | None = None,
        cb_ifver: int = 1,
        compact: bool = False,
        t: ClientTransaction | None = None,
    ) -> ClientTransaction:
        """Send a request as sippy's callers do; see `request`."""
        t = t or ClientTransaction(msg, resp_cb)
        t.compact = compact
        (host, port), transport = msg.getTarget()
        t.address = (unbracketed(str(host)), int(port))
        t.tid = msg.getTId(True, True)
        if t.tid in self.tclient:
            raise ValueError("this request is under way already")
        self.tclient[t.tid] = t
        self._route(t, str(transport).lower(), userv)
        if t.userv is None:
            self.stack.call(lambda: self._unsendable(t))
        else:
            self._start(t)
        return t

    def _route(self, t: ClientTransaction, transport: str, carrier: Carrier | None) -> None:
        """Choose what a request is sent with, and write it for that."""
        name = _host_name(t.request)
        carrier = carrier or self.transports.carrier(transport, t.address, name)
        if carrier is None:
            return
        self._write(t, carrier)
        if self.settings.tcp_for_long_requests and transport == "udp" and len(t.data) > LARGEST_OVER_UDP:
            stream = self.transports.carrier("tcp", t.address, name)
            if stream is not None:
                t.udp_instead = carrier
                self._write(t, stream)

    def _write(self, t: ClientTransaction, carrier: Carrier) -> None:
        if t.method != "CANCEL":  # that has the Via of its INVITE
            set_via(t.request, carrier)
        t.userv = carrier
        t.data = written(t.request, carrier, t.compact)

    def _start(self, t: ClientTransaction) -> None:
        assert t.userv is not None
        if t.userv.transport not in RELIABLE:
            t.tout = self.settings.t1
            t.teA = self.stack.call_later(t.tout, lambda: self.timerA(t))
        t.teB = self.stack.call_later(self.settings.t1x64, lambda: self.timerB(t))
        self.transmitData(t.userv, t.data, t.address)

    def timerA(self, t: ClientTransaction) -> None:
        """Send a request again (RFC 3261 timers A and E)."""
        t.teA = None
        if t.userv is None:
            return
        self.retransmit(t.userv, t.data, t.address)
        if t.method == "INVITE":
            t.tout *= 2
        else:
            t.tout = self.settings.t2 if t.state == RINGING else min(t.tout * 2, self.settings.t2)
        t.teA = self.stack.call_later(t.tout, lambda: self.timerA(t))

    # -- ends without an answer ----------------------------------------------------------------------------------

    def timerB(self, t: ClientTransaction) -> None:
        """Give a request up (RFC 3261 timers B and F)."""
        t.teB = None
        self.counters.timed_out += 1
        self._fail(t, 408, "Request Timeout")

    def connection_lost(self, connection: StreamConnection) -> None:
        """End what waits for a first answer over a connection that is gone, or was never there (RFC 3261 section 18.4).

        A request that went over TCP for its length alone is sent over UDP when nobody listens (section 18.1.1).
        """
        for t in [t for t in self.tclient.values() if t.userv is connection and t.state == TRYING]:
            if t.udp_instead is not None and not connection.connected:
                t.stop_timers()
                self._write(t, t.udp_instead)
                self._start(t)
            else:
                self._unsendable(t)

    def _unsendable(self, t: ClientTransaction) -> None:
        if t.state in (TRYING, RINGING) and self.tclient.get(t.tid) is t:
            self.counters.unsendable += 1
            self._fail(t, 503, "Service Unavailable")

    def _fail(self, t: ClientTransaction, code: int, reason: str) -> None:
        t.state = TERMINATED
        self._end(t)
        response = t.request.genResponse(code, reason)
        response.source = (t.address, t.userv.transport if t.userv is not None else "")
        response.received_text = ""
        self._tell(t.on_response, response, t)

    def _end(self, t: ClientTransaction) -> None:
        t.stop_timers()
        if self.tclient.get(t.tid) is t:
            del self.tclient[t.tid]

    def _tell(self, told: OnResponse | None, response: Message, t: ClientTransaction) -> None:
        """Tell the owner; what it raises does not keep the transaction from going on."""
        if told is not None:
            response.transaction = t
            try:
                told(response)
            except Exception as error:
                self.report(f"a response to {t.method}", error)

    # -- responses -----------------------------------------------------------------------------------------------

    def incomingResponse(self, msg: Message, t: ClientTransaction, checksum: object) -> None:
        """Take a response to a request of ours."""
        code = msg.getSCode()[0]
        if t.state in (COMPLETED, UACK):
            self._take_again(msg, t, code)
        elif code < 200:
            self._take_provisional(msg, t, checksum)
        elif t.method == "INVITE":
            t.final = code
            t.stop_timers()
            t.ack = make_ack(t.request, msg)
            if code < 300:
                self._take_success(msg, t)
            else:
                self._take_failure(msg, t)
        else:
            t.final = code
            t.state = COMPLETED
            self._end(t)
            self.remember(checksum)
            self._tell(t.on_response, msg, t)

    def _take_provisional(self, msg: Message, t: ClientTransaction, checksum: object) -> None:
        first = t.state == TRYING
        t.state = RINGING
        self.remember(checksum)
        if t.method == "INVITE" and first:
            t.stop_timers()
            seconds = expiry(t.request)
            if seconds > 0:
                t.teB = self.stack.call_later(seconds, lambda: self.timerB(t))
            if t.cancel_headers is not None:
                self._send_cancel(t)
        self._tell(t.on_response, msg, t)

    def _take_failure(self, msg: Message, t: ClientTransaction) -> None:
        t.state = COMPLETED
        if t.userv is not None and t.ack is not None:
            self._acknowledge(t, "", t.ack, t.userv, t.address)
        if t.userv is not None and t.userv.transport in RELIABLE:
            self._end(t)
        else:  # RFC 3261 timer D
            t.teC = self.stack.call_later(self.settings.t1x64, lambda: self._end(t))
        self._tell(t.on_response, msg, t)
        t.slim()

    def _take_success(self, msg: Message, t: ClientTransaction) -> None:
        t.state = UACK
        t.acks[to_tag(msg)] = None
        # as long as the far end sends its 2xx again (RFC 3261 section 13.2.2.4)
        t.teC = self.stack.call_later(self.settings.t1x64, lambda: self._end(t))
        self._tell(t.on_response, msg, t)
        if not t.uack:
            self.sendACK(t)

    def _take_again(self, msg: Message, t: ClientTransaction, code: int) -> None:
        """Take a response after the final one: acknowledge it again, or tell of another branch's answer."""
        if code < 200:
            return
        if code >= 300:
            sent = t.acks.get("")
            if sent is not None:
                self.retransmit(*sent)
            return
        tag = to_tag(msg)
        if tag in t.acks:
            sent = t.acks[tag]
            if sent is not None:
                self.retransmit(*sent)
            return
        t.acks[tag] = None
        t.restore()
        if t.on_fork is not None:
            self._tell(t.on_fork, msg, t)
        else:
            ack = make_ack(t.request, msg)
            self.send_ack(t, ack)
            self.newTransaction(make_bye(ack))

    # -- ACK and CANCEL ------------------------------------------------------------------------------------------

    def sendACK(self, t: ClientTransaction, next_hop: Source | None = None) -> None:
        """Acknowledge the 2xx of an INVITE with `t.ack` as it is now, perhaps with a body; later calls do nothing.

        It goes to `next_hop` or `t.next_hop` where given, else as the route set and the Contact say.
        """
        if t.state == UACK and t.ack is not None:
            t.state = COMPLETED
            self.send_ack(t, t.ack, next_hop or t.next_hop)
            t.slim()

    def send_ack(self, t: ClientTransaction, ack: Message, next_hop: Source | None = None) -> None:
        """Send the ACK (of `make_ack`) of a 2xx, also of a fork's, now and whenever that 2xx comes again."""
        if next_hop is not None:
            address, transport = (unbracketed(next_hop.ip), next_hop.port), next_hop.transport
        else:
            (host, port), kind = ack.getTarget()
            address, transport = (unbracketed(str(host)), int(port)), str(kind).lower()
            if not is_literal(address[0]):
                address = t.address
            if t.userv is not None and t.userv.transport in RELIABLE and not ack.countHFs("route"):
                # a Contact need not say how the call came, and behind NAT not even where it did
                transport, address = t.userv.transport, t.address
        carrier = t.userv if address == t.address else self.transports.carrier(transport, address)
        carrier = carrier or t.userv
        if carrier is not None:
            set_via(ack, carrier)
            self._acknowledge(t, to_tag(ack), ack, carrier, address)

    def _acknowledge(
        self, t: ClientTransaction, key: str, ack: Message, carrier: Carrier, address: tuple[str, int]
    ) -> None:
        data = written(ack, carrier, t.compact)
        t.acks[key] = (carrier, data, address)
        self.transmitData(carrier, data, address)

    def cancel(self, t: ClientTransaction, extra_headers: Iterable[tuple[str, str]] = ()) -> None:
        """Cancel an INVITE of ours: at once when it was answered provisionally, else as soon as it is.

        The INVITE's final response is told as always; when none comes, a 408 after 64 T1.
        """
        if t.method != "INVITE" or t.state not in (TRYING, RINGING) or t.cancel_headers is not None:
            return
        t.cancel_headers = list(extra_headers)
        if t.state == RINGING:
            self._send_cancel(t)

    def cancelTransaction(self, t: ClientTransaction, extra_headers: Iterable[Any] | None = None) -> None:
        """Cancel as sippy's callers do, with sippy's headers."""
        self.cancel(t, [(header.name, str(header.body)) for header in extra_headers or ()])

    def _send_cancel(self, t: ClientTransaction) -> None:
        if t.teB is not None:
            t.teB.cancel()
        t.teB = self.stack.call_later(self.settings.t1x64, lambda: self.timerB(t))
        cancel = make_cancel(t.request)
        for name, value in t.cancel_headers or ():
            add_header(cancel, name, value)
        cancel.setTarget((t.address, t.userv.transport if t.userv is not None else "udp"))
        self.newTransaction(cancel, userv=t.userv)


def _host_name(request: Message) -> str:
    """Return the name of the host that a request goes to, for the certificate it shows; empty for an address."""
    uri = request.getRURI()
    if request.countHFs("route"):
        try:
            uri = parse_address(header_of(request, "route") or "").url
        except ValueError:  # written by a script
            return ""
    host = str(uri.host)
    return "" if is_literal(host.strip("[]")) else host
