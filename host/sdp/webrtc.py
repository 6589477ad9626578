"""Browsers in descriptions: keys agreed on by DTLS (RFC 5763), paths checked by ICE as its "lite" side (RFC 8839).

ICE is taken beside DTLS and `a=rtcp-mux` alone, as browsers have it; whoever offers it otherwise is answered without,
and uses the addresses of the description (RFC 8839 section 4.2.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from host.sdp.description import Attribute, Description, Media
from host.sdp.remote_audio import Unfit
from media.webrtc_parameters import (
    Certificate,
    DtlsParameters,
    Fingerprint,
    IceCredentials,
    IceParameters,
)

OFFERED: Final = "UDP/TLS/RTP/SAVPF"
PROTOCOLS: Final = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP")

# RFC 8445 section 5.1.2.1: the best of types (host), the only address, the first component.
_PRIORITY: Final = (126 << 24) | (65_535 << 8) | 255
# RFC 8839 section 5.4: both are ice-chars; what is shorter could be guessed, what is longer no one may send.
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
# RFC 8122 section 5; the digest is told in capitals, which not all know.
_FINGERPRINT: Final = re.compile(r"([A-Za-z0-9-]{1,16}) +((?:[0-9A-Fa-f]{2}:){7,127}[0-9A-Fa-f]{2})")
_ROLES: Final = {"actpass": True, "passive": True, "active": False}


@dataclass(frozen=True, slots=True)
class LocalWebRtc:
    """What this side brings: its certificate, the credentials of its first description, a name of its sound (msid).

    With `offers` it offers sound as browsers want it (FreeSWITCH: the variable `media_webrtc`); answers follow the
    offer.
    """

    certificate: Certificate
    fingerprint: Fingerprint
    credentials: IceCredentials
    stream: str = "moonline"
    offers: bool = False


class Peering(NamedTuple):
    """What an offer and its answer agree on."""

    dtls: DtlsParameters
    ice: IceParameters | None


def is_peering(media: Media) -> bool:
    """Whether a section has what DTLS needs over the port of RTP."""
    return media.protocol.upper() in PROTOCOLS


def answer_peering(
    offer: Description, media: Media, local: LocalWebRtc, former: Peering | None
) -> tuple[Peering, tuple[Attribute, ...]]:
    """What an offered section agrees on, and the attributes that answer it. Unfit where it lacks a key.

    FreeSWITCH: whoever may choose, this side begins the handshake. A role stays as long as the far end's certificate
    does and it does not say otherwise (RFC 8842 section 4); other credentials of the far end have others answered
    (RFC 8445 section 9).
    """
    told = _fingerprints(offer, media)
    setup = _setup(offer, media)
    if setup not in _ROLES:
        raise Unfit(f"DTLS cannot be set up as {setup}")
    active = _ROLES[setup]
    if setup == "actpass" and former is not None and former.dtls.remote == told:
        active = former.dtls.active
    remote = _credentials(offer, media)
    ice = None
    if remote is not None and media.rtcp_mux:
        known = former.ice if former is not None else None
        if known is None:
            ice = IceParameters(local.credentials, remote)
        else:
            ice = known if known.remote == remote else IceParameters(IceCredentials.new(), remote)
    dtls = DtlsParameters(local.certificate, active, told)
    lines = [*_fingerprint_lines(local, "active" if active else "passive")]
    if ice is not None:
        lines += _ice_lines(ice.local)
    if media.has("mid"):
        lines.append(Attribute("mid", media.values("mid")[0]))
    return Peering(dtls, ice), (*lines, _stream_line(local))


def offer_peering(local: LocalWebRtc, former: Peering | None, mid: str | None) -> tuple[Attribute, ...]:
    """The attributes that offer a section; the credentials of a session that stands stay.

    `mid` is what the section is called, None for one that stands and has no name.
    """
    known = local.credentials if former is None or former.ice is None else former.ice.local
    lines = (*_fingerprint_lines(local, "actpass"), *_ice_lines(known))
    named = () if mid is None else (Attribute("mid", mid),)
    return (*lines, *named, _stream_line(local))


def offered_mid(previous: Description | None, place: int) -> str | None:
    """What an offered section is called: as before where it stands (RFC 8829 section 5.2.2), else by its place.

    `previous` is the last description that this side sent; None for a section that stands in it without a name.
    """
    if previous is None or place >= len(previous.media):
        return str(place)
    return next(iter(previous.media[place].values("mid")), None)


def accept_peering(offered: Media, answer: Description, answered: Media, local: LocalWebRtc) -> Peering:
    """What the answer to such a section agrees on; Unfit where it lacks a key or cannot be set up."""
    told = _fingerprints(answer, answered)
    setup = _setup(answer, answered)
    if setup not in ("active", "passive"):
        # RFC 5763 section 5: an answer has to choose. Who leaves that to us waits for us to begin.
        if setup != "actpass":
            raise Unfit(f"DTLS cannot be set up as {setup}")
        setup = "passive"
    ice = None
    remote = _credentials(answer, answered)
    if remote is not None and answered.rtcp_mux:
        ours = IceCredentials(offered.values("ice-ufrag")[0], offered.values("ice-pwd")[0])
        ice = IceParameters(ours, remote)
    return Peering(DtlsParameters(local.certificate, setup == "passive", told), ice)


def candidate_lines(address: str, port: int) -> tuple[Attribute, ...]:
    """The one candidate that a host has, and that there are no more (RFC 8839 section 5.1, RFC 8840 section 8.2)."""
    return (
        Attribute("candidate", f"1 1 udp {_PRIORITY} {address} {port} typ host generation 0"),
        Attribute("end-of-candidates"),
    )


def session_lines(sections: tuple[Media, ...], former: Description | None = None) -> tuple[Attribute, ...]:
    """What stands before all sections: that this side is lite, and which of them are bundled.

    `former` is the offer that is answered, or the description that an offer follows: more than it bundles is not
    bundled. A browser that bundles everything takes neither an offer without a bundle nor an answer in which others
    are refused without that (RFC 9143 section 7.3).
    """
    lite = (Attribute("ice-lite"),) if any(media.has("ice-ufrag") for media in sections) else ()
    taken = [mid for media in sections if media.port for mid in media.values("mid")]
    if former is None:
        return (*lite, Attribute("group", f"BUNDLE {' '.join(taken)}")) if taken else lite
    for value in former.values("group"):
        words = value.split()
        bundled = [mid for mid in words[1:] if mid in taken]
        if bundled and words[0] == "BUNDLE":
            return (*lite, Attribute("group", f"BUNDLE {' '.join(bundled)}"))
    return lite


def _fingerprint_lines(local: LocalWebRtc, setup: str) -> tuple[Attribute, ...]:
    told = local.fingerprint
    return Attribute("fingerprint", f"{told.algorithm} {told.value}"), Attribute("setup", setup)


def _ice_lines(credentials: IceCredentials) -> tuple[Attribute, ...]:
    return Attribute("ice-ufrag", credentials.ufrag), Attribute("ice-pwd", credentials.password)


def _stream_line(local: LocalWebRtc) -> Attribute:
    # Scripts of browsers look for the stream that a track belongs to (RFC 8830).
    return Attribute("msid", f"{local.stream} a0")


def _values(description: Description, media: Media, name: str) -> tuple[str, ...]:
    """The media's own values, the session's where it has none."""
    return media.values(name) or description.values(name)


def _setup(description: Description, media: Media) -> str:
    """RFC 5763 section 5 wants a value; where it is missing either may begin."""
    found = _values(description, media, "setup")
    return found[0].strip().lower() if found else "actpass"


def _fingerprints(description: Description, media: Media) -> tuple[Fingerprint, ...]:
    found = (_FINGERPRINT.fullmatch(value.strip()) for value in _values(description, media, "fingerprint"))
    told = tuple(Fingerprint(one[1].lower(), one[2].upper()) for one in found if one is not None)
    if not told:
        raise Unfit("the far end tells no fingerprint of its certificate")
    return told


def _credentials(description: Description, media: Media) -> IceCredentials | None:
    names = _values(description, media, "ice-ufrag"), _values(description, media, "ice-pwd")
    if not all(names):
        return None
    ufrag, password = names[0][0].strip(), names[1][0].strip()
    if _UFRAG.fullmatch(ufrag) is None or _PASSWORD.fullmatch(password) is None:
        return None
    return IceCredentials(ufrag, password)
