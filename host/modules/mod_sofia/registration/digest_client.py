"""Answering a challenge: the Authorization value for a WWW-Authenticate or Proxy-Authenticate."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from host.modules.mod_sofia.registration.digest import (
    ALGORITHMS,
    Challenge,
    Credentials,
    DigestError,
    a1_hash,
    digest_response,
    known_algorithm,
    parse_challenges,
    write_credentials,
)

__all__ = ("DigestError", "credentials", "is_stale")

_STRENGTH: Final = {name: rank for rank, name in enumerate(ALGORITHMS)}
_QOPS: Final = ("auth", "auth-int")  # what is taken of those offered, the first that is

_A1_HASH: Final = re.compile(r"a1-hash:([0-9a-fA-F]{32,64})")


def credentials(
    challenge: str | Sequence[str],
    *,
    method: str,
    uri: str,
    user: str,
    password: str,
    body: str = "",
    cnonce: str = "",
    nc: int = 1,
) -> str:
    """Return the value of Authorization (Proxy-Authorization) that answers a challenge.

    Of several challenges (a header's value may hold several, and several values may be given) the strongest known
    one is answered, the first of equals (RFC 8760 section 2.4). `password` is one, or `a1-hash:HEX`, the hash of
    `user:realm:password`, which answers only challenges whose hash has its length. `nc` counts the requests that
    the nonce was used for; without `cnonce` one is made up. DigestError when nothing given can be answered.
    """
    texts = [challenge] if isinstance(challenge, str) else list(challenge)
    given_hash = _A1_HASH.fullmatch(password)
    chosen = _strongest(texts, given_hash[1] if given_hash else "")
    name = known_algorithm(chosen.algorithm)
    qop = next((offered for offered in _QOPS if offered in chosen.qop), "")
    answer = Credentials(
        user,
        chosen.realm,
        chosen.nonce,
        uri,
        "",
        # As it was written: some servers compare it letter by letter.
        chosen.algorithm,
        qop,
        (cnonce or secrets.token_hex(8)) if qop or name.endswith("-sess") else "",
        f"{nc & 0xFFFFFFFF:08x}" if qop else "",
        chosen.opaque,
    )
    a1 = given_hash[1].lower() if given_hash else a1_hash(name, user, chosen.realm, password)
    return write_credentials(replace(answer, response=digest_response(answer, a1, method, body)))


def is_stale(challenge: str | Sequence[str]) -> bool:
    """Tell whether a challenge only says that the nonce is too old, the password having been right."""
    texts = [challenge] if isinstance(challenge, str) else list(challenge)
    try:
        return any(one.stale for text in texts for one in parse_challenges(text))
    except DigestError:
        return False


def _strongest(texts: Sequence[str], given_hash: str) -> Challenge:
    best: tuple[int, Challenge] | None = None
    problem = "no digest challenge"
    for text in texts:
        try:
            offered = parse_challenges(text)
        except DigestError as error:
            problem = str(error)
            continue
        for one in offered:
            base = known_algorithm(one.algorithm).removesuffix("-sess")
            if not base:
                problem = f"algorithm {one.algorithm} is not known"
            elif one.qop and not set(one.qop) & set(_QOPS):
                problem = f"qop {','.join(one.qop)} is not known"
            elif given_hash and len(given_hash) != (32 if base == "MD5" else 64):
                problem = f"the a1-hash given is none of {base}"
            elif best is None or _STRENGTH[base] > best[0]:
                best = _STRENGTH[base], one
    if best is None:
        raise DigestError(problem)
    return best[1]
