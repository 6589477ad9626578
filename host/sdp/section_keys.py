"""How an offered section, or the one that answers ours, has its sound encrypted, or why it cannot be taken so."""

from __future__ import annotations

from typing import Final, NamedTuple

from host.sdp.agreement import Agreement
from host.sdp.description import Attribute, Description, Media
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import (
    KeyMaker,
    SecureMedia,
    accepted_crypto,
    answer_crypto,
    is_dtls,
    is_secure,
)
from host.sdp.remote_audio import Unfit
from host.sdp.webrtc import Peering, accept_peering, answer_peering, is_peering, offer_peering
from media.srtp_keys import CryptoAttribute, SrtpKeys

_PROTOCOLS: Final = ("RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF")


class SectionKeys(NamedTuple):
    """Our `a=crypto` and the keys of both sides, or what DTLS will agree on them with; all None for sound in the clear.

    `lines` are those of our section that answer DTLS and ICE.
    """

    crypto: CryptoAttribute | None = None
    srtp: SrtpKeys | None = None
    peering: Peering | None = None
    lines: tuple[Attribute, ...] = ()

    @property
    def finds_way(self) -> bool:
        """Whether ICE tells where the far end is, whatever its description says."""
        return self.peering is not None and self.peering.ice is not None


def renewed_lines(local: LocalMedia, peering: Peering | None, mid: str | None) -> tuple[Attribute, ...]:
    """The lines that offer anew what DTLS and ICE have agreed on, for a section called `mid`."""
    return () if peering is None or local.webrtc is None else offer_peering(local.webrtc, peering, mid)


def keys_for_offer(
    offer: Description, media: Media, local: LocalMedia, agreement: Agreement | None, keys: KeyMaker
) -> SectionKeys:
    """The keys of an offered section; Unfit where it is not as secure as is demanded, or secure in another way."""
    if is_dtls(media):
        if local.webrtc is None:
            raise Unfit("keys are offered by DTLS alone, which needs the extra moonline[webrtc]")
        if not is_peering(media):
            raise Unfit(f"audio over {media.protocol} is not spoken here")
        former = None if agreement is None else agreement.peering
        peering, lines = answer_peering(offer, media, local.webrtc, former)
        return SectionKeys(peering=peering, lines=lines)
    if media.protocol.upper() not in _PROTOCOLS:
        raise Unfit(f"audio over {media.protocol} is not spoken here")
    mode, secure = local.security.mode, is_secure(media)
    if secure and mode is SecureMedia.FORBIDDEN:
        raise Unfit("secure audio is offered, and forbidden here")
    if media.crypto and not secure and not local.crypto_in_avp:
        # FreeSWITCH refuses it, for whoever offers so may take an answer without a key for one with it.
        raise Unfit(f"keys are offered over {media.protocol}")
    answered = None
    if mode is not SecureMedia.FORBIDDEN:
        known = None
        if agreement is not None and agreement.crypto is not None and agreement.srtp is not None:
            known = agreement.crypto, agreement.srtp
        answered = answer_crypto(media, local.security.suites, keys, known)
    if answered is None and (secure or mode is SecureMedia.MANDATORY):
        raise Unfit("no key is offered that could be used")
    return SectionKeys() if answered is None else SectionKeys(*answered)


def keys_of_answer(offered: Media, answer: Description, answered: Media, local: LocalMedia) -> SectionKeys:
    """The keys that the answer to our offered section agrees on; Unfit where it takes none of what was offered."""
    if offered.has("fingerprint") and local.webrtc is not None:
        if not is_dtls(answered):
            raise Unfit("the answer leaves out encryption")
        return SectionKeys(peering=accept_peering(offered, answer, answered, local.webrtc))
    if is_dtls(answered) or answered.protocol.upper() not in _PROTOCOLS:
        raise Unfit(f"the answer is over {answered.protocol}")
    taken = accepted_crypto(offered, answered) if is_secure(answered) or local.crypto_in_avp else None
    if taken is not None:
        return SectionKeys(*taken)
    if is_secure(answered):
        raise Unfit("the answer has no key that was offered")
    if offered.crypto and local.security.mode is not SecureMedia.OPTIONAL:
        raise Unfit("the answer leaves out encryption")
    return SectionKeys()
