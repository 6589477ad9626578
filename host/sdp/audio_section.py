"""The audio section of our own descriptions, line by line in FreeSWITCH's order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from host.sdp.audio_match import same_encoding
from host.sdp.codec_choice import CodecChoice
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.media_section import Attribute, Media, SdpError, address_type
from host.sdp.media_security import crypto_line
from host.sdp.rtp_map import RtpMap
from host.sdp.webrtc import candidate_lines
from media.srtp_keys import CryptoAttribute

# FreeSWITCH: dynamic payload types are given out from 102 on, as all the world takes 101 for telephone-event …
FIRST_DYNAMIC: Final = 102
# … and when those are used up the others of RFC 3551 section 3 serve.
DYNAMIC: Final = (*range(FIRST_DYNAMIC, 128), *range(96, FIRST_DYNAMIC))

# RFC 8866 section 5.14: a refused section must name a format; FreeSWITCH names this reserved one where it has none.
NO_FORMAT: Final = "19"


@dataclass(frozen=True, slots=True)
class Payloads:
    """What a section lists: codecs with their parameters, telephone-events, comfort noise."""

    codecs: tuple[tuple[RtpMap, str], ...]
    events: tuple[RtpMap, ...] = ()
    comfort_noise: tuple[RtpMap, ...] = ()


def number_payloads(
    choices: Sequence[CodecChoice], local: LocalMedia, former: Iterable[RtpMap] = ()
) -> Payloads:
    """Give payload types to what is offered; SdpError where there are more codecs than numbers.

    What `former` descriptions of this side named keeps its number, and their numbers are not given to anything else
    (RFC 3264 section 8.3.2). FreeSWITCH: there is a telephone-event and a comfort noise for each clock of the codecs;
    those of 8000 Hz, or of the only clock, have the numbers of the settings.
    """
    known = list(former)
    reserved = {local.telephone_event, local.comfort_noise}
    free = [number for number in DYNAMIC if number not in reserved]

    def number(wanted: RtpMap, preferred: int | None) -> RtpMap:
        same = next((each for each in known if same_encoding(each, wanted)), None)
        if same is not None:
            return RtpMap(same.payload_type, wanted.encoding, wanted.clock_rate, wanted.channels)
        taken = {each.payload_type for each in known}
        if preferred is None or preferred in taken:
            preferred = next((each for each in free if each not in taken), None)
        if preferred is None:
            raise SdpError("there are more codecs than payload types")
        given = RtpMap(preferred, wanted.encoding, wanted.clock_rate, wanted.channels)
        known.append(given)
        return given

    codecs: dict[int, tuple[RtpMap, str]] = {}
    for choice in choices:
        rtp_map = number(choice.rtp_map(0), choice.payload_type)
        codecs.setdefault(rtp_map.payload_type, (rtp_map, choice.fmtp))
    clocks = tuple(dict.fromkeys(choice.clock_rate for choice in choices))
    events, noise = [], []
    for clock in clocks:
        usual = clock == 8000 or len(clocks) == 1
        if local.telephone_event is not None:
            events.append(
                number(RtpMap(0, "telephone-event", clock), local.telephone_event if usual else None)
            )
        if local.comfort_noise is not None:
            noise.append(number(RtpMap(0, "CN", clock), local.comfort_noise if usual else None))
    return Payloads(tuple(codecs.values()), tuple(events), tuple(noise))


def audio_section(
    local: LocalMedia,
    payloads: Payloads,
    *,
    protocol: str,
    ptime: int,
    direction: Direction,
    crypto: Sequence[CryptoAttribute] = (),
    peering: Sequence[Attribute] = (),
    rtcp: bool = False,
    rtcp_mux: bool = False,
    verbose: bool = True,
) -> Media:
    """The section that offers or answers `payloads` at the local address and port.

    `peering` are the lines of DTLS and ICE; with the latter the address is told as a candidate, too.
    """
    maps = [rtp_map for rtp_map, _ in payloads.codecs]
    both = zip(payloads.events, payloads.comfort_noise, strict=False)
    behind = [each for pair in both for each in pair]
    behind += [each for each in (*payloads.events, *payloads.comfort_noise) if each not in behind]
    lines: list[Attribute] = []
    for rtp_map, fmtp in payloads.codecs:
        if verbose or rtp_map.payload_type >= 96:
            lines.append(Attribute("rtpmap", rtp_map.serialize()))
        if fmtp:
            lines.append(Attribute("fmtp", f"{rtp_map.payload_type} {fmtp}"))
    for event in payloads.events:
        lines.append(Attribute("rtpmap", event.serialize()))
        lines.append(Attribute("fmtp", f"{event.payload_type} 0-{16 if local.flash else 15}"))
    if rtcp_mux:
        lines.append(Attribute("rtcp-mux"))
    if rtcp or rtcp_mux:
        port = local.port if rtcp_mux else local.port + 1
        lines.append(Attribute("rtcp", f"{port} IN {address_type(local.address)} {local.address}"))
    lines += [crypto_line(each) for each in crypto]
    lines += peering
    if any(each.name == "ice-ufrag" for each in peering):
        lines += candidate_lines(local.address, local.port)
    lines += [Attribute("rtpmap", each.serialize()) for each in payloads.comfort_noise]
    if local.comfort_noise is None:
        lines.append(Attribute("silenceSupp", "off - - - -"))
    lines += local.attributes
    lines.append(Attribute("ptime", str(ptime)))
    lines.append(Attribute(direction.value))
    formats = tuple(str(each.payload_type) for each in (*maps, *behind))
    return Media("audio", local.port, protocol, formats, tuple(lines))


def refused_section(media: Media) -> Media:
    """The section that refuses another, or takes it out of a session (RFC 3264 sections 6 and 8.2)."""
    return Media(media.kind, 0, media.protocol, media.formats or (NO_FORMAT,))
