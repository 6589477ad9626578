"""Digest authentication as values: what challenges and credentials say, and the responses computed of them.

RFC 2617, RFC 7616, RFC 8760. sippy's classes are not used for this: they split a header at commas within quotes,
know a scheme and an algorithm in one spelling only, and hash latin-1 text as if it were UTF-8. Texts are host text,
and what is hashed is their bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from host.byte_text import to_bytes

# By strength, weakest first; each also with `-sess`.
ALGORITHMS: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}

# Real headers have some 300 bytes; what is longer costs time to take apart and says nothing.
MAX_HEADER: Final = 4096
MAX_PARAMS: Final = 40

_TOKEN: Final = r"[^\s,;=\"()<>@\\/\[\]{}?]+"
_SCHEME: Final = re.compile(rf"\s*({_TOKEN})[ \t\r\n]+")
_PARAM: Final = re.compile(
    rf"[\s,]*({_TOKEN})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))\s*(?=,|$)", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


class DigestError(ValueError):
    """A challenge or credentials that are no digest, malformed, or ask for what is not known."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for; `qop` are the offered ones in lower case, empty where RFC 2069's way is asked for."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client answers; `algorithm` is empty where it names none, `nc` is as written (8 hex digits)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = ""
    qop: str = ""
    cnonce: str = ""
    nc: str = ""
    opaque: str | None = None


def known_algorithm(name: str) -> str:
    """Return an algorithm's name as it is written by RFC 7616, empty for one that is not known."""
    base, sess = (name[:-5], "-sess") if name.lower().endswith("-sess") else (name, "")
    return base.upper() + sess if base.upper() in ALGORITHMS else ""


def parse_challenges(text: str) -> list[Challenge]:
    """Return the digest challenges of a header's value, which may hold several; other schemes are passed over.

    DigestError for what cannot be read, or for a digest without realm or nonce.
    """
    found = []
    for scheme, params in _schemes(text):
        if scheme != "digest":
            continue
        if "realm" not in params or not params.get("nonce"):
            raise DigestError("a digest challenge without realm or nonce")
        offered = tuple(name.strip().lower() for name in params.get("qop", "").split(",") if name.strip())
        found.append(
            Challenge(
                params["realm"],
                params["nonce"],
                params.get("algorithm") or "MD5",
                offered,
                params.get("opaque"),
                params.get("stale", "").lower() == "true",
            )
        )
    return found


def parse_credentials(text: str) -> Credentials:
    """Return what an Authorization or Proxy-Authorization says. DigestError for what is no whole digest."""
    for scheme, params in _schemes(text):
        if scheme != "digest":
            break
        missing = [name for name in ("username", "realm", "nonce", "uri", "response") if name not in params]
        if missing:
            raise DigestError(f"digest credentials without {missing[0]}")
        return Credentials(
            params["username"],
            params["realm"],
            params["nonce"],
            params["uri"],
            params["response"],
            params.get("algorithm", ""),
            params.get("qop", ""),
            params.get("cnonce", ""),
            params.get("nc", ""),
            params.get("opaque"),
        )
    raise DigestError("no digest credentials")


def write_challenge(challenge: Challenge) -> str:
    """Return a challenge as the value of WWW-Authenticate; the order is FreeSWITCH's."""
    parts = [f"Digest realm={_quoted(challenge.realm)}, nonce={_quoted(challenge.nonce)},"]
    parts += ["stale=true,"] if challenge.stale else []
    parts += [f"opaque={_quoted(challenge.opaque)},"] if challenge.opaque is not None else []
    parts.append(f"algorithm={challenge.algorithm},")
    parts += [f'qop="{",".join(challenge.qop)}",'] if challenge.qop else []
    return " ".join(parts).rstrip(",")


def write_credentials(credentials: Credentials) -> str:
    """Return credentials as the value of Authorization."""
    given = credentials
    text = (
        f"Digest username={_quoted(given.username)}, realm={_quoted(given.realm)}, nonce={_quoted(given.nonce)},"
        f' uri={_quoted(given.uri)}, response="{given.response}"'
    )
    text += f", algorithm={given.algorithm}" if given.algorithm else ""
    text += f", opaque={_quoted(given.opaque)}" if given.opaque is not None else ""
    text += f", cnonce={_quoted(given.cnonce)}" if given.cnonce else ""
    return text + (f", qop={given.qop}, nc={given.nc}" if given.qop else "")


def a1_hash(algorithm: str, username: str, realm: str, password: str) -> str:
    """Return the hash of `username:realm:password` in hex, what FreeSWITCH's `a1-hash` is. DigestError."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def digest_response(
    given: Credentials, a1: str, method: str, body: str = "", *, algorithm: str | None = None
) -> str:
    """Return the response in hex that belongs to credentials; `a1` is a hash of a1_hash, without `-sess`.

    `algorithm` takes the place of the credentials' own. DigestError for an algorithm or a qop that is not known.
    """
    name = algorithm or given.algorithm or "MD5"
    if name.lower().endswith("-sess"):
        a1 = _hash(name, f"{a1}:{given.nonce}:{given.cnonce}")
    a2 = f"{method}:{given.uri}"
    if not given.qop:
        return _hash(name, f"{a1}:{given.nonce}:{_hash(name, a2)}")
    qop = given.qop.lower()
    if qop not in ("auth", "auth-int"):
        raise DigestError(f"qop {given.qop} is not known")
    if qop == "auth-int":
        a2 += f":{_hash(name, body)}"
    return _hash(name, f"{a1}:{given.nonce}:{given.nc}:{given.cnonce}:{given.qop}:{_hash(name, a2)}")


def _hash(algorithm: str, text: str) -> str:
    base = known_algorithm(algorithm).removesuffix("-sess")
    if not base:
        raise DigestError(f"algorithm {algorithm} is not known")
    return hashlib.new(ALGORITHMS[base], to_bytes(text), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _schemes(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (scheme in lower case, its parameters); the first of a parameter given twice counts."""
    if len(text) > MAX_HEADER:
        raise DigestError("too long")
    position, count = 0, 0
    text = text.strip(" \t\r\n,")
    while position < len(text):
        scheme = _SCHEME.match(text, position)
        if scheme is None:
            raise DigestError("no scheme and parameters")
        position = scheme.end()
        params: dict[str, str] = {}
        while param := _PARAM.match(text, position):
            quoted, plain = param[2], param[3]
            params.setdefault(param[1].lower(), _ESCAPE.sub(r"\1", quoted) if quoted is not None else plain)
            position = param.end()
            count += 1
            if count > MAX_PARAMS:
                raise DigestError("too many parameters")
        rest = text[position:].lstrip(" \t\r\n,")
        position = len(text) - len(rest)
        if not params:
            raise DigestError("a scheme without parameters")
        yield scheme[1].lower(), params
