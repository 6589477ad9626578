"""A SIP stack with profiles' transactions on loopback, and messages for them."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from host.modules.mod_sofia.call.dialog import build
from host.modules.mod_sofia.message import Body, Message, OutgoingRequest, Source, status_of
from host.modules.mod_sofia.transaction.server_transaction import ServerTransaction
from host.modules.mod_sofia.transaction.transactions import Transactions, TransactionSettings
from host.modules.mod_sofia.transport.listener import Impairment, Listener, bracketed
from host.modules.mod_sofia.transport.stack import SipStack
from host.modules.mod_sofia.transport.stream_server import StreamLimits
from host.modules.mod_sofia.transport.tls_server import TlsSettings
from tests.host.modules.mod_sofia.far_end import HOST, PATIENCE, first_line

# Repeats quickly, and gives up so late that a busy machine does not make it.
PATIENT = TransactionSettings(t1=0.02, t2=0.08, t1x64=PATIENCE)
# Gives up quickly as well.
QUICK = TransactionSettings(t1=0.02, t2=0.08, t1x64=1.0)

_numbers = itertools.count(1)


def wait_for(told: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


def ok(party: Party, request: Message) -> None:
    """Be what a profile does with requests: answer 200."""
    party.respond(request, 200)


class Party:
    """One profile's transactions and what they were told; `answer(request)` is what it does with requests."""

    def __init__(self, rig: Rig, answer: Callable[[Party, Message], object] | None, **options: Any) -> None:
        self.rig = rig
        self.answer = answer
        self.requests: list[Message] = []
        self.responses: list[Message] = []
        self.trace: list[tuple[str, bytes, Source, Source]] = []
        self.times: list[float] = []
        self.lost: list[tuple[Source, str]] = []
        self.transactions = Transactions(
            rig.stack,
            self._take,
            on_message=self._trace,
            on_lost=lambda source, reason: self.lost.append((source, reason)),
            **{"settings": PATIENT, **options},
        )

    def _trace(self, *message: Any) -> None:
        self.times.append(self.rig.stack.now())
        self.trace.append(message)

    def _take(self, request: Message, transaction: ServerTransaction) -> None:
        assert request.transaction is transaction
        self.requests.append(request)
        if self.answer is not None:
            self.answer(self, request)

    def listen(self, transport: str, ip: str = HOST, *, port: int = 0, **options: Any) -> Source:
        """Listen on a port, a free one where none is given."""
        return self.transactions.listen(Listener(transport, ip, port, **options))

    def respond(self, request: Message, code: int, reason: str = "", **options: Any) -> bool:
        """Answer in the SIP thread."""
        told: list[bool] = []
        self.rig.stack.run(
            lambda: told.append(
                self.transactions.respond(request, request.genResponse(code, reason or "OK"), **options)
            )
        )
        return told == [True]

    def send(self, request: Message, **options: Any) -> Any:
        """Send in the SIP thread; return the transaction."""
        told: list[Any] = []
        self.rig.stack.run(
            lambda: told.append(self.transactions.request(request, self.responses.append, **options))
        )
        return told[0]

    @property
    def statuses(self) -> list[int]:
        """The codes of the responses so far."""
        return [status_of(response)[0] for response in list(self.responses)]

    @property
    def sent(self) -> list[str]:
        """The start lines of what was sent."""
        return [first_line(data) for way, data, _, _ in list(self.trace) if way == "send"]

    @property
    def sent_at(self) -> list[float]:
        """When that was, in seconds."""
        return [when for when, (way, *_) in zip(self.times, list(self.trace), strict=False) if way == "send"]

    @property
    def received(self) -> list[str]:
        """The start lines of what was received."""
        return [first_line(data) for way, data, _, _ in list(self.trace) if way == "recv"]


class Rig:
    """A started stack; `errors` holds what was reported as a fault of ours."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.stack = SipStack(self._report)
        self.parties: list[Party] = []

    def _report(self, where: str, error: BaseException) -> None:
        self.errors.append(where + ": " + "".join(traceback.format_exception(error)))

    def party(
        self,
        answer: Callable[[Party, Message], object] | None = None,
        *,
        limits: StreamLimits | None = None,
        tls: TlsSettings | None = None,
        impairment: Impairment | None = None,
        settings: TransactionSettings = PATIENT,
    ) -> Party:
        """Return another profile."""
        party = Party(self, answer, limits=limits, tls=tls, impairment=impairment, settings=settings)
        self.parties.append(party)
        return party


@contextmanager
def running() -> Iterator[Rig]:
    """Run a stack; what it reports fails the test."""
    rig = Rig()
    rig.stack.start()
    try:
        yield rig
    finally:
        for party in rig.parties:
            party.transactions.shutdown()
        rig.stack.stop()
    assert not rig.errors, "\n".join(rig.errors)


def request_to(
    target: Source,
    method: str = "OPTIONS",
    *,
    headers: tuple[tuple[str, str], ...] = (),
    body: Body | None = None,
) -> Message:
    """Return a request for an address."""
    number = next(_numbers)
    message = build(
        OutgoingRequest(
            method,
            f"sip:lin@{bracketed(target.ip)}:{target.port}",
            from_uri="sip:ada@example.org",
            to_uri="sip:lin@example.net",
            call_id=f"call-{number}",
            from_tag=f"near-{number}",
            cseq=1,
            headers=headers,
            body=body,
        ),
        contact="<sip:ada@127.0.0.1:9>",
        user_agent="rig",
    )
    message.setTarget(((target.ip, target.port), target.transport))
    return message
