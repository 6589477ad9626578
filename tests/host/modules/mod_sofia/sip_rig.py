"""A SIP stack with profiles' transactions on loopback, and messages for them."""

from __future__ import annotations

import itertools
import socket
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

HOST = "127.0.0.1"
QUICK = TransactionSettings(t1=0.02, t2=0.08, t1x64=0.5)

_numbers = itertools.count(1)


def wait_for(told: Callable[[], object], seconds: float = 4.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


class Party:
    """One profile's transactions and what they were told; `answer(request)` is what it does with requests."""

    def __init__(self, rig: Rig, answer: Callable[[Party, Message], object] | None, **options: Any) -> None:
        self.rig = rig
        self.answer = answer
        self.requests: list[Message] = []
        self.responses: list[Message] = []
        self.trace: list[tuple[str, bytes, Source, Source]] = []
        self.lost: list[tuple[Source, str]] = []
        self.transactions = Transactions(
            rig.stack,
            self._take,
            on_message=lambda *message: self.trace.append(message),
            on_lost=lambda source, reason: self.lost.append((source, reason)),
            **{"settings": QUICK, **options},
        )

    def _take(self, request: Message, transaction: ServerTransaction) -> None:
        assert request.transaction is transaction
        self.requests.append(request)
        if self.answer is not None:
            self.answer(self, request)

    def listen(self, transport: str, ip: str = HOST, **options: Any) -> Source:
        """Listen on a free port."""
        return self.transactions.listen(Listener(transport, ip, 0, **options))

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
        settings: TransactionSettings = QUICK,
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


def raw_request(
    method: str = "OPTIONS",
    *headers: str,
    branch: str = "",
    call_id: str = "",
    to_tag: str = "",
    transport: str = "UDP",
    via: str = "192.0.2.9:5070",
    params: str = ";rport",
    body: str = "",
) -> bytes:
    """Return the bytes of a request as a far end would write it."""
    number = next(_numbers)
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"{method} sip:lin@example.net SIP/2.0",
        f"Via: SIP/2.0/{transport} {via};branch={branch or f'z9hG4bK{number}'}{params}",
        "Max-Forwards: 70",
        "From: <sip:ada@example.org>;tag=far",
        f"To: <sip:lin@example.net>{tag}",
        f"Call-ID: {call_id or f'raw-{number}'}",
        f"CSeq: 1 {method}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def raw_response(request: bytes, code: int, *headers: str, to_tag: str = "there") -> bytes:
    """Return the bytes of a response to a request."""
    kept = []
    for line in request.decode().split("\r\n\r\n")[0].split("\r\n")[1:]:
        name = line.partition(":")[0].lower()
        if name in ("via", "from", "call-id", "cseq"):
            kept.append(line)
        elif name == "to":
            kept.append(line if ";tag=" in line or code == 100 else f"{line};tag={to_tag}")
    return ("\r\n".join([f"SIP/2.0 {code} Word", *kept, *headers, "Content-Length: 0"]) + "\r\n\r\n").encode()


def udp_socket() -> tuple[socket.socket, Source]:
    """Return a far end of one's own."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, 0))
    sock.settimeout(3)
    return sock, Source(HOST, sock.getsockname()[1], "udp")


def first_line(data: bytes) -> str:
    """Return a message's start line."""
    return data.decode("latin-1").partition("\r\n")[0]


def header(data: bytes, name: str) -> str:
    """Return the value of a header, empty without."""
    for line in data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return ""
