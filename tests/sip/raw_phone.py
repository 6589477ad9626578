"""A phone of a few lines that sends any text as SIP over UDP: for what SIPp cannot say."""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import time
from collections.abc import Mapping
from types import TracebackType

from tests.sip.until import PATIENCE

_WAIT_SECONDS = PATIENCE


class RawPhone:
    """One UDP socket that talks to one server."""

    def __init__(self, port: int) -> None:
        """Talk to that port of the loopback address."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = f"127.0.0.1:{port}"
        self._numbers = itertools.count(1)
        self.tag = f"raw{id(self)}"

    def __enter__(self) -> RawPhone:
        """Return it as it is."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its socket."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.send(data)

    def receive(self, seconds: float = _WAIT_SECONDS) -> str:
        """Return the next message, empty when none comes."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(65_535).decode("utf-8", "surrogateescape")
        except TimeoutError:
            return ""

    def request(
        self,
        method: str,
        user: str = "service",
        *,
        call_id: str = "",
        caller: str = "raw",
        domain: str = "",
        to_tag: str = "",
        cseq: int = 1,
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> str:
        """Return the text of a request; `headers` are added, those of the same name replaced."""
        call_id = call_id or f"raw-{next(self._numbers)}@{self.address}"
        place = domain or self._server
        fields = {
            "Via": f"SIP/2.0/UDP {self.address};branch=z9hG4bK{next(self._numbers)}{self.tag};rport",
            "Max-Forwards": "70",
            "From": f"<sip:{caller}@{place}>;tag={self.tag}",
            "To": f"<sip:{user}@{place}>" + (f";tag={to_tag}" if to_tag else ""),
            "Call-ID": call_id,
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:{caller}@{self.address}>",
            **(headers or {}),
            "Content-Length": str(len(body.encode())),
        }
        lines = [f"{method} sip:{user + '@' if user else ''}{place} SIP/2.0"]
        return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in fields.items()), "", body])

    def ask(self, text: str, seconds: float = _WAIT_SECONDS) -> str:
        """Send a request, again after half a second without answer, and return its final response, or nothing."""
        call_id = field(text, "Call-ID")
        cseq = field(text, "CSeq")
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.send(text.encode("utf-8", "surrogateescape"))
            again = time.monotonic() + min(left, 0.5)
            while (left := again - time.monotonic()) > 0:
                answer = self.receive(left)
                if (
                    field(answer, "Call-ID") == call_id
                    and field(answer, "CSeq") == cseq
                    and status(answer) >= 200
                ):
                    return answer
        return ""

    def acknowledge(self, request: str, response: str) -> None:
        """Send the ACK of a refusal."""
        lines = [
            request.split("\r\n", 1)[0].replace("INVITE", "ACK", 1),
            f"Via: {field(request, 'Via')}",
            f"From: {field(request, 'From')}",
            f"To: {field(response, 'To')}",
            f"Call-ID: {field(request, 'Call-ID')}",
            f"CSeq: {field(request, 'CSeq').split()[0]} ACK",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "",
            "",
        ]
        self.send("\r\n".join(lines).encode())


def field(message: str, name: str) -> str:
    """Return the first header of that name, empty without."""
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found.group(1) if found else ""


def status(message: str) -> int:
    """Return a response's code, 0 for what is none."""
    found = re.match(r"SIP/2\.0 (\d{3}) ", message)
    return int(found.group(1)) if found else 0


def digest_answer(challenge: str, method: str, uri: str, user: str, password: str, algorithm: str) -> str:
    """Return the Authorization that answers a challenge with `algorithm` (MD5, SHA-256; RFC 7616, qop=auth)."""

    def hashed(text: str) -> str:
        return hashlib.new(algorithm.replace("-", "").lower(), text.encode()).hexdigest()

    def parameter(name: str) -> str:
        found = re.search(rf'\b{name}="?([^",]*)"?', challenge)
        return found.group(1) if found else ""

    realm, nonce = parameter("realm"), parameter("nonce")
    secret = hashed(f"{user}:{realm}:{password}")
    response = hashed(f"{secret}:{nonce}:00000001:c0ffee:auth:" + hashed(f"{method}:{uri}"))
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="c0ffee"'
    )
