"""What two sides of a WebRTC call tell each other before there is sound: how a path is checked, whose key is meant.

The names are the W3C's: ICE parameters (RFC 8839 section 5.4) and DTLS parameters (RFC 8122, RFC 8842).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

# RFC 8839 section 5.4: at least 4 and 22 characters of `ice-char`; hexadecimal digits are among these.
_UFRAG_BYTES: Final = 8
_PASSWORD_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """`a=ice-ufrag` and `a=ice-pwd` of one side."""

    ufrag: str
    password: str

    @classmethod
    def new(cls) -> IceCredentials:
        """Random ones."""
        return cls(secrets.token_hex(_UFRAG_BYTES), secrets.token_hex(_PASSWORD_BYTES))


@dataclass(frozen=True, slots=True)
class IceParameters:
    """The credentials of a line and of its far end, whose are None as long as it has not told them."""

    local: IceCredentials
    remote: IceCredentials | None = None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`a=fingerprint`: the digest of a certificate, `value` in capitals with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who this side is: PEM texts of a certificate and its private key."""

    certificate: str
    private_key: str

    def __repr__(self) -> str:  # a key is for no log
        return f"Certificate({len(self.certificate)} characters)"


@dataclass(frozen=True, slots=True)
class DtlsParameters:
    """How keys are agreed on (RFC 5764). `active` sends the first message (`a=setup:active`).

    Nothing is agreed on with a far end whose certificate has none of the `remote` fingerprints; without any, the
    handshake waits for them.
    """

    certificate: Certificate
    active: bool
    remote: tuple[Fingerprint, ...] = ()
