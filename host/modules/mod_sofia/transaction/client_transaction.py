"""A request of ours until it is answered for good, and the ACKs that belong to an INVITE (RFC 3261 section 17.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sippy.SipAddress import SipAddress
from sippy.SipHeader import SipHeader
from sippy.SipRoute import SipRoute
from sippy.SipTransactionManager import TRYING, SipTransaction

from host.modules.mod_sofia.message import Message, Source
from host.modules.mod_sofia.transport import message_guard
from host.modules.mod_sofia.transport.listener import Carrier
from host.modules.mod_sofia.transport.stack import Timer

OnResponse = Callable[[Message], object]


class ClientTransaction(SipTransaction):  # type: ignore[misc]
    """State of one request. What sippy's transaction has is there under sippy's names; `state` is one of its states.

    With `uack` a 2xx is not acknowledged until `Transactions.sendACK`: `ack` is there when the response is told, and
    may be given a body and a `next_hop`. `on_fork` is told of a 2xx of another To tag than the first; without it
    that one is acknowledged and ended with BYE.
    """

    uack = False
    on_fork: OnResponse | None = None

    def __init__(self, request: Message, on_response: OnResponse | None = None) -> None:
        self.request = request
        self.method = str(request.getMethod())
        self.on_response = on_response
        self.state: Any = TRYING
        self.userv: Carrier | None = None
        self.address: tuple[str, int] = ("", 0)
        self.data = b""
        self.ack: Message | None = None
        self.next_hop: Source | None = None  # where the ACK of a 2xx goes, in place of route set and Contact
        # by To tag, for 2xx that come again; the one of a refusal has none
        self.acks: dict[str, tuple[Carrier, bytes, tuple[str, int]] | None] = {}
        self.final = 0  # the status of the final response
        self.cancel_headers: list[tuple[str, str]] | None = None  # of a CANCEL that was asked for
        self.udp_instead: Carrier | None = None  # where it went over a stream for its length alone
        self.tout = 0.0
        self.teA: Timer | None = None  # sends it again
        self.teB: Timer | None = None  # gives it up
        self.teC: Timer | None = None  # ends waiting for the final response to come again

    def slim(self) -> None:
        """Keep, of an INVITE that is over, only what answers its final response when that comes again.

        Half a minute of calls stays here; as objects their messages would take ten times the memory.
        """
        self.request = self.ack = self.on_response = None

    def restore(self) -> None:
        """Bring the request back."""
        if self.request is None:
            self.request = message_guard.parse(self.data)

    def stop_timers(self) -> None:
        """Stop sending it again and waiting for an answer."""
        for timer in (self.teA, self.teB, self.teC):
            if timer is not None:
                timer.cancel()
        self.teA = self.teB = self.teC = None


def make_cancel(request: Message) -> Message:
    """Return the CANCEL of a request that was sent."""
    cancel = request.genCANCEL()
    _take_user_agent(cancel, request)
    return cancel


def make_ack(request: Message, response: Message) -> Message:
    """Return the ACK of a final response.

    That of a 2xx is for the dialog's target and has its route set and a branch of its own (RFC 3261 section 13.2.2.4),
    any other repeats the INVITE's (section 17.1.1.3).
    """
    ack = request.genACK(to=response.getHFBCopy("to"))
    _take_user_agent(ack, request)
    if response.getSCode()[0] >= 300:
        _insert_routes(ack, request.getHFBCopys("route"))
        return ack
    via = ack.getHFBody("via")
    via.genBranch()
    contact = response.getHFBody("contact") if response.countHFs("contact") else None
    target = None if contact is None or contact.asterisk else contact.getUrl().getCopy()
    routes = [SipRoute(address=body.getUri().getCopy()) for body in response.getHFBodys("record-route")]
    routes.reverse()
    if routes and not routes[0].getUrl().lr:
        if target is not None:
            routes.append(SipRoute(address=SipAddress(url=target)))
        target = routes.pop(0).getUrl()
    if target is not None:
        ack.setRURI(target)
    _insert_routes(ack, routes)
    hop = routes[0].getUrl() if routes else target
    if hop is not None:
        ack.setTarget(hop.getTAddr())
    return ack


def make_bye(ack: Message) -> Message:
    """Return the BYE that ends the dialog an ACK of ours has confirmed."""
    bye = ack.genRequest("BYE", cseq=ack.getHFBody("cseq").getCSeqNum() + 1)
    _take_user_agent(bye, ack)
    bye.delHFs("expires")
    bye.getHFBody("via").genBranch()
    _insert_routes(bye, ack.getHFBCopys("route"))
    bye.setTarget(ack.getTarget())
    return bye


def _insert_routes(message: Message, routes: list[Any]) -> None:
    message.delHFs("route")
    headers = [SipHeader(name="route", body=route) for route in routes]
    message.headers[1:1] = headers


def _take_user_agent(message: Message, request: Message) -> None:
    """Put the request's User-Agent in place of sippy's own."""
    message.delHFs("user-agent")
    message.appendHeaders([header.getCopy() for header in request.getHFs("user-agent")])
