"""Keys for SRTP in SDP: the `crypto` attribute (RFC 4568), its suites and its parameters."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field

# Bytes of master key and master salt by crypto suite: RFC 4568 6.2, RFC 7714 14.
SUITES: dict[str, tuple[int, int]] = {
    "AES_CM_128_HMAC_SHA1_80": (16, 14),
    "AES_CM_128_HMAC_SHA1_32": (16, 14),
    "AEAD_AES_128_GCM": (16, 12),
    "AEAD_AES_256_GCM": (32, 12),
}

# RFC 3711 3.3.2: a replay window holds 64 packets at least. Twice that bears the reordering of real networks.
REPLAY_WINDOW = 128

# RFC 4568 9.1: a tag has nine digits at most; an attribute is one SDP line, which stays below this.
_MAX_LINE = 1024
_MAX_KEYS = 16

_LINE = re.compile(r"(?:a=)?crypto:\s*(\d{1,9})\s+([A-Za-z0-9_]+)\s+(\S+)((?:\s+\S+)*)\s*", re.ASCII)
_KEY = re.compile(
    r"inline:([A-Za-z0-9+/]+=*)(?:\|(2\^\d{1,2}|\d{1,15}))?(?:\|(\d{1,38}):(\d{1,3}))?", re.ASCII
)


class CryptoError(ValueError):
    """What is no crypto attribute, or one whose key does not fit its suite."""


@dataclass(frozen=True, slots=True)
class InlineKey:
    """Master key and salt, in one; `lifetime` in packets (None: the suite's), `mki` as (value, bytes)."""

    key_and_salt: bytes = field(repr=False)  # no log shall show it
    lifetime: int | None = None
    mki: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CryptoAttribute:
    """One `a=crypto:` line. `parameters` are the session parameters as they stand (`UNENCRYPTED_SRTP`, `WSH=64`)."""

    tag: int
    suite: str
    keys: tuple[InlineKey, ...]
    parameters: tuple[str, ...] = ()

    @classmethod
    def parse(cls, line: str) -> CryptoAttribute:
        """`crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…|2^31|1:4 WSH=64`, with or without `a=`.

        CryptoError for what is none, for a suite that is not in `SUITES` and a key of the wrong length.
        """
        found = _LINE.fullmatch(line) if len(line) <= _MAX_LINE else None
        if found is None:
            raise CryptoError("no crypto attribute")
        tag, suite, keys, parameters = found.groups()
        if suite not in SUITES:
            raise CryptoError(f"the crypto suite {suite} is not known")
        parts = keys.split(";")
        if len(parts) > _MAX_KEYS:
            raise CryptoError(f"{len(parts)} keys in one crypto attribute")
        parsed = tuple(_parse_key(part, suite) for part in parts)
        if len(parsed) > 1 and any(key.mki is None for key in parsed):
            # RFC 4568 6.1: which of several keys is meant is told by the MKI.
            raise CryptoError("several keys without an MKI")
        return cls(int(tag), suite, parsed, tuple(parameters.split()))

    def serialize(self) -> str:
        """The attribute without `a=`; CryptoError for a key that does not fit the suite."""
        if self.suite not in SUITES or not self.keys or not 0 <= self.tag <= 999_999_999:
            raise CryptoError(
                f"no crypto attribute has tag {self.tag}, {self.suite} and {len(self.keys)} keys"
            )
        keys = ";".join(_serialize_key(key, self.suite) for key in self.keys)
        return " ".join((f"crypto:{self.tag}", self.suite, keys, *self.parameters))


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What the two sides of a call agreed on: `local` protects what is sent, `remote` what is received.

    Nothing is received as long as `remote` is not known. `window` is the replay window in packets.
    """

    suite: str
    local: InlineKey
    remote: InlineKey | None = None
    window: int = REPLAY_WINDOW


def new_key(suite: str) -> InlineKey:
    """A random key for a suite of `SUITES`; CryptoError for another one."""
    if suite not in SUITES:
        raise CryptoError(f"the crypto suite {suite} is not known")
    return InlineKey(secrets.token_bytes(sum(SUITES[suite])))


def _parse_key(text: str, suite: str) -> InlineKey:
    found = _KEY.fullmatch(text)
    if found is None:
        raise CryptoError("the key of a crypto attribute is not inline")
    encoded, lifetime, mki, mki_length = found.groups()
    try:
        # Some phones leave the padding out.
        key = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        raise CryptoError("the key of a crypto attribute is not base64") from None
    if len(key) != sum(SUITES[suite]):
        raise CryptoError(f"{suite} takes {sum(SUITES[suite])} bytes of key and salt, not {len(key)}")
    packets = None
    if lifetime is not None:
        packets = 2 ** int(lifetime[2:]) if lifetime.startswith("2^") else int(lifetime)
    if mki is None:
        return InlineKey(key, packets)
    if not 1 <= int(mki_length) <= 128 or int(mki) >= 256 ** int(mki_length):
        raise CryptoError(f"an MKI of {mki}:{mki_length}")
    return InlineKey(key, packets, (int(mki), int(mki_length)))


def _serialize_key(key: InlineKey, suite: str) -> str:
    if len(key.key_and_salt) != sum(SUITES[suite]):
        raise CryptoError(
            f"{suite} takes {sum(SUITES[suite])} bytes of key and salt, not {len(key.key_and_salt)}"
        )
    text = f"inline:{base64.b64encode(key.key_and_salt).decode()}"
    if key.lifetime is not None:
        power = key.lifetime.bit_length() - 1
        text += f"|2^{power}" if key.lifetime == 1 << power else f"|{key.lifetime}"
    if key.mki is not None:
        text += f"|{key.mki[0]}:{key.mki[1]}"
    return text
