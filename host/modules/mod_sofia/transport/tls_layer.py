"""TLS between a socket and a framing, as bytes in and bytes out (`ssl.SSLObject` on memory)."""

from __future__ import annotations

import ssl
from typing import Any, Final

# A record of TLS holds no more plain text.
_RECORD: Final = 16_384


class TlsLayer:
    """One end of a TLS session. After `broken` tells a reason nothing more is to be had from it."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None) -> None:
        self.established = False
        self.ended = False  # the far end has closed the session
        self.broken = ""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._waiting = bytearray()  # plain text from before the handshake was done
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )

    def begin(self) -> None:
        """Let a client say the first word."""
        self._shake_hands()

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the socket and return the plain text in them."""
        if self.broken:
            return b""
        self._incoming.write(data)
        if not self.established and not self._shake_hands():
            return b""
        plain = bytearray()
        try:
            while chunk := self._object.read(_RECORD):
                plain += chunk
            self.ended = True
        except ssl.SSLWantReadError:
            pass  # the rest of the record has not come yet
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self.broken = _reason(error)
        return bytes(plain)

    def send(self, plain: bytes) -> None:
        """Take plain text to be sent; `outgoing` returns it as records."""
        if self.broken:
            return
        if not self.established:
            self._waiting += plain
            return
        try:
            view = memoryview(plain)
            while view:
                view = view[self._object.write(view) :]
        except ssl.SSLError as error:
            self.broken = _reason(error)

    def outgoing(self) -> bytes:
        """Return, once, the bytes to be sent."""
        return self._outgoing.read()

    def close(self) -> None:
        """Say that nothing more will be sent."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            pass  # the far end has not said goodbye yet, or was never shaken hands with

    @property
    def verified(self) -> bool:
        """Whether the far end has shown a certificate that was asked for and verified."""
        return self.established and bool(self._object.getpeercert())

    @property
    def subjects(self) -> frozenset[str]:
        """The names that the far end's certificate stands for: common names, DNS, URI and IP names."""
        certificate: Any = (self._object.getpeercert() or {}) if self.established else {}
        names = {
            str(value)
            for kind, value in certificate.get("subjectAltName", ())
            if kind in ("DNS", "URI", "IP Address")
        }
        for relative in certificate.get("subject", ()):
            names.update(str(value) for kind, value in relative if kind == "commonName")
        return frozenset(names)

    @property
    def chain_length(self) -> int:
        """How many certificates the verified chain of the far end has, its own and the trusted one counted."""
        if not self.verified:
            return 0
        chain = getattr(self._object, "get_verified_chain", None)  # of Python 3.13
        return len((chain or self._object._sslobj.get_verified_chain)())  # type: ignore[attr-defined]

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            self.broken = _reason(error)
            return False
        self.established = True
        waiting, self._waiting = bytes(self._waiting), bytearray()
        if waiting:
            self.send(waiting)
        return True


def _reason(error: ssl.SSLError | ssl.CertificateError) -> str:
    return str(getattr(error, "reason", "") or error)
