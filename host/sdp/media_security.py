"""Keys in descriptions (SDES, RFC 4568): which are offered, which of an offer are taken, what an answer agrees on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from host.sdp.description import Attribute, Media
from host.truth import is_true
from media.srtp import SrtpError, window_of
from media.srtp_keys import CryptoAttribute, CryptoError, InlineKey, SrtpKeys

# FreeSWITCH: the order in which suites are offered, as far as they exist here.
SUITE_ORDER: Final = (
    "AEAD_AES_256_GCM",
    "AEAD_AES_128_GCM",
    "AES_CM_128_HMAC_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32",
)

KeyMaker = Callable[[str], InlineKey]


class SecureMedia(Enum):
    """FreeSWITCH: the variable `rtp_secure_media`."""

    FORBIDDEN = "forbidden"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"


@dataclass(frozen=True, slots=True)
class MediaSecurity:
    """Whether sound is encrypted, and by which suites of `media.srtp_keys.SUITES`, the best first."""

    mode: SecureMedia = SecureMedia.FORBIDDEN
    suites: tuple[str, ...] = SUITE_ORDER


IN_THE_CLEAR: Final = MediaSecurity()


def parse_secure_media(
    value: str | None, suites: str | None = None, *, inbound: bool, supported: Sequence[str] = SUITE_ORDER
) -> MediaSecurity:
    """Read `rtp_secure_media` (`mandatory:AES_CM_128_HMAC_SHA1_80:…`) and `rtp_secure_media_suites`.

    FreeSWITCH: without a value calls that come in are optional and those that go out forbidden; a word for true is
    mandatory; an unknown word is forbidden. Suites in the value go before the others; unknown ones are left out.
    `supported` is empty where there is no libsrtp.
    """
    word, _, named = (value or "").partition(":")
    if not word:
        word = "optional" if inbound else "forbidden"
    if word.lower() == "optional":
        mode = SecureMedia.OPTIONAL
    elif word.lower() == "mandatory" or is_true(word):
        mode = SecureMedia.MANDATORY
    else:
        mode = SecureMedia.FORBIDDEN
    named = named or suites or ""
    if not named:
        return MediaSecurity(mode, tuple(supported))
    by_name = {name.lower(): name for name in supported}
    wanted = (by_name.get(part.strip().lower()) for part in named.split(":"))
    return MediaSecurity(mode, tuple(dict.fromkeys(name for name in wanted if name is not None)))


def is_secure(media: Media) -> bool:
    """Whether the protocol of a media section is SRTP's (`RTP/SAVP`, `RTP/SAVPF`, those over DTLS too)."""
    return "SAVP" in media.protocol.upper()


def is_dtls(media: Media) -> bool:
    """Whether keys can come by DTLS alone: the protocol says so, or SRTP has a fingerprint and no `a=crypto`."""
    return "TLS" in media.protocol.upper().split("/") or (
        is_secure(media) and media.has("fingerprint") and not media.crypto
    )


def offered_crypto(suites: Sequence[str], new_key: KeyMaker) -> tuple[CryptoAttribute, ...]:
    """A fresh key for each suite, tags from 1."""
    return tuple(CryptoAttribute(tag, suite, (new_key(suite),)) for tag, suite in enumerate(suites, 1))


def usable_crypto(media: Media) -> tuple[CryptoAttribute, ...]:
    """The `a=crypto` lines that the engine can work with, in their order.

    Unknown suites, broken lines, keys with an MKI and parameters that change packets are left out; of one tag only
    the first is taken (RFC 4568 section 4.1).
    """
    usable: dict[int, CryptoAttribute] = {}
    for value in media.crypto:
        try:
            attribute = CryptoAttribute.parse(f"crypto:{value}")
            window_of(attribute)
        except (CryptoError, SrtpError):
            continue
        if attribute.keys[0].mki is None:
            usable.setdefault(attribute.tag, attribute)
    return tuple(usable.values())


def agreed_keys(local: CryptoAttribute, remote: CryptoAttribute) -> SrtpKeys:
    """What two attributes of one suite agree on."""
    return SrtpKeys(local.suite, local.keys[0], remote.keys[0], window_of(remote))


def answer_crypto(
    media: Media, suites: Sequence[str], new_key: KeyMaker, former: tuple[CryptoAttribute, SrtpKeys] | None
) -> tuple[CryptoAttribute, SrtpKeys] | None:
    """The attribute that answers an offered section, and the keys; None where none of its suites is ours.

    FreeSWITCH: the first offered line of a suite of ours is taken. Where `former` keys had the same suite and the
    far end's key stays, ours stays too; else it is a new one, as the far end begins to count anew.
    """
    for remote in usable_crypto(media):
        if remote.suite not in suites:
            continue
        if former is not None and (former[1].suite, former[1].remote) == (remote.suite, remote.keys[0]):
            key = former[1].local
        else:
            key = new_key(remote.suite)
        local = CryptoAttribute(remote.tag, remote.suite, (key,))
        return local, agreed_keys(local, remote)
    return None


def accepted_crypto(offered: Media, answered: Media) -> tuple[CryptoAttribute, SrtpKeys] | None:
    """Our attribute that an answer took, and the keys; None where it took none.

    The tag tells which it is (RFC 4568 section 5.1.3); where a far end numbers anew, the suite does.
    """
    ours = usable_crypto(offered)
    for remote in usable_crypto(answered):
        fitting = [local for local in ours if local.suite == remote.suite]
        fitting.sort(key=lambda local: local.tag != remote.tag)
        if fitting:
            return fitting[0], agreed_keys(fitting[0], remote)
    return None


def crypto_line(attribute: CryptoAttribute) -> Attribute:
    """The `a=crypto` line of an attribute."""
    return Attribute("crypto", attribute.serialize().removeprefix("crypto:"))
