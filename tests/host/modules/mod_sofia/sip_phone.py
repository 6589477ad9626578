"""A phone whose every message a test writes: one UDP socket, for what no well-behaved peer does."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Self

_WAIT = 20.0
_NUMBERS = count(1)


class SipMessage:
    """A received message as text, with the parts that tests ask for."""

    def __init__(self, text: str) -> None:
        self.text = text
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *self.lines = head.split("\r\n")

    @property
    def status(self) -> int:
        """The code of a response, 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method of a request, or that a response answers."""
        return self.start.split()[0] if not self.status else self.header("CSeq").split()[1]

    def headers(self, name: str) -> list[str]:
        found = re.compile(rf"{re.escape(name)}\s*:\s*(.*)$", re.IGNORECASE)
        return [match[1] for line in self.lines if (match := found.match(line))]

    def header(self, name: str) -> str:
        return next(iter(self.headers(name)), "")

    def tag(self, name: str) -> str:
        match = re.search(r";tag=([^;>\s]+)", self.header(name))
        return match[1] if match else ""


class SipPhone:
    """Sends what it is told; `wait` returns the next message that is asked for and keeps the others."""

    def __init__(self, server_port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.contact = f"<sip:phone@127.0.0.1:{self.port}>"
        self.via = f"SIP/2.0/UDP 127.0.0.1:{self.port}"
        self.server = f"127.0.0.1:{server_port}"
        self._address = ("127.0.0.1", server_port)
        self.received: list[SipMessage] = []
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self.media.close()

    def sdp(self, direction: str = "sendrecv", version: int = 1, codec: str = "0") -> str:
        port = self.media.getsockname()[1]
        return (
            f"v=0\r\no=phone 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {codec} 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )

    def send(self, text: str) -> None:
        self._socket.sendto(text.encode(), self._address)

    def wait(self, what: str | int, seconds: float = _WAIT, method: str = "") -> SipMessage:
        """Return the next request of a method, or response of a code (of `method` where it is given)."""
        end = time.monotonic() + seconds
        while True:
            for number, message in enumerate(self.received):
                fits = message.status == what if isinstance(what, int) else message.method == what
                if isinstance(what, str) and message.status:
                    fits = False
                if fits and (not method or message.method == method):
                    return self.received.pop(number)
            left = end - time.monotonic()
            assert left > 0, f"no {what}: {[one.start for one in self.received]}"
            self._receive(left)

    def nothing(self, what: str | int, seconds: float = 0.3) -> bool:
        """Return whether no such message comes for a while."""
        try:
            self.wait(what, seconds)
        except AssertionError:
            return True
        return False

    def _receive(self, seconds: float) -> None:
        self._socket.settimeout(max(seconds, 0.001))
        # What is no text is RTP of a call that is over, to a port that was somebody else's then.
        with suppress(TimeoutError, UnicodeDecodeError):
            self.received.append(SipMessage(self._socket.recv(65_535).decode()))

    def respond(
        self,
        request: SipMessage,
        code: int,
        reason: str = "Phrase",
        *extra: str,
        tag: str = "there",
        body: str = "",
    ) -> None:
        """Answer a request; `extra` are header lines."""
        to = request.header("To")
        if code > 100 and ";tag=" not in to:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {code} {reason}", *(f"Via: {via}" for via in request.headers("Via"))]
        lines += [f"From: {request.header('From')}", f"To: {to}", f"Call-ID: {request.header('Call-ID')}"]
        lines += [f"CSeq: {request.header('CSeq')}", *extra]
        if 100 < code < 300 and not any(line.startswith("Contact:") for line in extra):
            lines.append(f"Contact: {self.contact}")
        self.send(_whole(lines, body))

    def invite(self, user: str, *extra: str, body: str | None = None) -> Dialog:
        """Begin a call; `extra` are header lines."""
        dialog = Dialog(
            self, f"<sip:phone@127.0.0.1:{self.port}>;tag=mine{next(_NUMBERS)}", f"<sip:{user}@{self.server}>"
        )
        dialog.request("INVITE", *extra, body=self.sdp() if body is None else body)
        return dialog


class Dialog:
    """What the phone remembers of a call."""

    def __init__(self, phone: SipPhone, near: str, far: str, call_id: str = "", target: str = "") -> None:
        self.phone = phone
        self.near, self.far = near, far
        self.call_id = call_id or f"call{next(_NUMBERS)}"
        self.target = target or far.partition("<")[2].partition(">")[0]
        self.cseq = 0
        self.last = ""

    @classmethod
    def of(cls, phone: SipPhone, invite: SipMessage, tag: str = "there") -> Dialog:
        """Return the dialog of a call that was answered with that tag."""
        target = invite.header("Contact").partition("<")[2].partition(">")[0]
        return cls(
            phone, f"{invite.header('To')};tag={tag}", invite.header("From"), invite.header("Call-ID"), target
        )

    def learn(self, response: SipMessage) -> None:
        self.far = response.header("To")
        contact = response.header("Contact")
        if contact:
            self.target = contact.partition("<")[2].partition(">")[0]

    def request(self, method: str, *extra: str, body: str = "", cseq: int = 0) -> str:
        """Send a request and return it."""
        if not cseq:
            self.cseq += 1
            cseq = self.cseq
        branch = f"z9hG4bKphone{next(_NUMBERS)}"
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: {self.phone.via};branch={branch}",
        ]
        lines += ["Max-Forwards: 70", f"From: {self.near}", f"To: {self.far}", f"Call-ID: {self.call_id}"]
        lines += [f"CSeq: {cseq} {method}", f"Contact: {self.phone.contact}", *extra]
        self.last = _whole(lines, body)
        self.phone.send(self.last)
        return self.last

    def cancel(self) -> None:
        """Cancel the last request, an INVITE."""
        head = self.last.partition("\r\n\r\n")[0].split("\r\n")
        kept = [
            line
            for line in head[1:]
            if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "Max-Forwards")
        ]
        number = next(line for line in head if line.startswith("CSeq")).split()[1]
        self.phone.send(_whole([head[0].replace("INVITE", "CANCEL", 1), *kept, f"CSeq: {number} CANCEL"], ""))

    def ack(self, response: SipMessage, body: str = "") -> None:
        """Acknowledge a 2xx."""
        self.learn(response)
        self.request("ACK", cseq=int(response.header("CSeq").split()[0]), body=body)


def _whole(lines: list[str], body: str) -> str:
    named = any(line.startswith("Content-Type:") for line in lines)
    kind = ["Content-Type: application/sdp"] if body and not named else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body])
