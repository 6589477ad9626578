"""A request of theirs until its final response has arrived for good (RFC 3261 section 17.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sippy.SipTransactionManager import TRYING, SipTransaction

from host.modules.mod_sofia.message import Message, Source
from host.modules.mod_sofia.transport.listener import RELIABLE, Carrier
from host.modules.mod_sofia.transport.stack import Timer

OnAck = Callable[[Message], object]


class ServerTransaction(SipTransaction):  # type: ignore[misc]
    """State of one request; `state` is one of sippy's states.

    `cancel_cb(time, request)` is told of a CANCEL, or of the end of the INVITE's `Expires` with None for the request;
    when it has not answered the INVITE itself, 487 is sent after it. `noack_cb()` is told when no ACK came to a
    final response, `ack_cb(ack)` when it did.
    """

    def __init__(
        self, request: Message, source: Source, carrier: Carrier, checksum: object, began: float
    ) -> None:
        self.began = began
        self.method = str(request.method)
        # for the 487; elsewhere there would be a circle, and work for the garbage collector, of every request
        self.request = request if self.method == "INVITE" else None
        self.source = source
        self.userv = carrier
        self.checksum = checksum
        self.state: Any = TRYING
        self.tid: tuple[Any, ...] = ()
        self.ack_tid: tuple[Any, ...] | None = None
        self.data: bytes | None = None  # the last response
        self.address: tuple[str, int] = ("", 0)
        self.local_tag = ""  # of the responses' To
        self.tout = 0.0
        self.teA: Timer | None = None  # sends the final response again
        self.teD: Timer | None = None  # gives waiting for an ACK up
        self.teE: Timer | None = None  # ends the INVITE unanswered, where it says when
        self.cancel_cb: Callable[[float, Message | None], object] | None = None
        self.noack_cb: Callable[[], object] | None = None
        self.ack_cb: OnAck | None = None

    @property
    def reliable(self) -> bool:
        """Whether the transport delivers without being asked again."""
        return self.userv.transport in RELIABLE

    def stop_timers(self) -> None:
        """Stop sending responses again and waiting."""
        for timer in (self.teA, self.teD, self.teE):
            if timer is not None:
                timer.cancel()
        self.teA = self.teD = self.teE = None
