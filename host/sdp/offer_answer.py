"""Offer and answer (RFC 3264) of one stream of sound; whatever else is offered is refused, in its place."""

from __future__ import annotations

import dataclasses
from typing import Final, NamedTuple

from host.sdp.agreement import Agreement, Refusal
from host.sdp.audio_match import (
    CodecMatch,
    RemoteAudio,
    find_comfort_noise,
    find_event_type,
    match_codecs,
    same_encoding,
)
from host.sdp.audio_section import Payloads, audio_section, number_payloads, refused_section
from host.sdp.codec_choice import CodecChoice, ilbc_mode
from host.sdp.description import Attribute, Connection, Description, Media, Origin, SdpError, Timing
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import (
    KeyMaker,
    SecureMedia,
    is_secure,
    offered_crypto,
)
from host.sdp.remote_audio import Unfit, remote_address, remote_audio
from host.sdp.rtp_map import RtpMap
from host.sdp.section_keys import keys_for_offer, keys_of_answer, renewed_lines
from host.sdp.webrtc import OFFERED, offer_peering, offered_mid, session_lines
from media.srtp_keys import CryptoAttribute, new_key

CLEAR: Final = "RTP/AVP"
SECURE: Final = "RTP/SAVP"


class Answer(NamedTuple):
    """What answers an offer, and what both sides are agreed on with it."""

    description: Description
    agreement: Agreement


class _Pair(NamedTuple):
    """Our section, its place in our offer, and the one that answers it."""

    place: int
    offered: Media
    answered: Media


def make_offer(
    local: LocalMedia,
    *,
    previous: Description | None = None,
    agreement: Agreement | None = None,
    renegotiate: bool = False,
    keys: KeyMaker = new_key,
) -> Description:
    """Offer sound. SdpError where there is no codec to offer.

    In a session that stands, `previous` is the last description that this side sent and `agreement` what holds: the
    number of sections, payload types and keys stay, the version goes up only where something changed, and only the
    agreed codec is offered, unless `renegotiate` offers `local.codecs` anew.

    FreeSWITCH: optional security offers two sections of one port, the secure one first; to browsers there is one.
    """
    choices: tuple[CodecChoice, ...] = local.codecs
    if agreement is not None and not renegotiate:
        choices = (dataclasses.replace(agreement.choice, ptime_ms=agreement.ptime_ms),)
    if not choices:
        raise SdpError("there is no codec to offer")
    payloads = number_payloads(choices, local, _named_before(previous, agreement))
    start = _first_audio(previous) if agreement is None else agreement.media_index
    mid = offered_mid(previous, start)
    if agreement is not None:
        kept = () if agreement.crypto is None else (agreement.crypto,)
        renewed = renewed_lines(local, agreement.peering, mid)
        sections = [_offered_section(local, payloads, choices, agreement.protocol, kept, renewed)]
    elif local.webrtc is not None and local.webrtc.offers:
        peering = offer_peering(local.webrtc, None, mid)
        sections = [_offered_section(local, payloads, choices, OFFERED, (), peering)]
    else:
        sections = []
        mode = local.security.mode
        standing = _audio_of(previous)
        if len(standing) == 1 and mode is SecureMedia.OPTIONAL:
            # In a session that others have begun with each other the sound stays as secure as it is there.
            mode = SecureMedia.MANDATORY if is_secure(standing[0]) else SecureMedia.FORBIDDEN
        if mode is not SecureMedia.FORBIDDEN and local.security.suites:
            crypto = offered_crypto(local.security.suites, keys)
            sections.append(_offered_section(local, payloads, choices, SECURE, crypto))
        if mode is not SecureMedia.MANDATORY:
            sections.append(_offered_section(local, payloads, choices, CLEAR))
        if not sections:
            raise SdpError("there is no suite to encrypt an offer with")
    media = [] if previous is None else [refused_section(each) for each in previous.media]
    media[start : start + len(sections)] = sections
    return _described(local, tuple(media), previous, previous)


def make_answer(
    offer: Description,
    local: LocalMedia,
    *,
    previous: Description | None = None,
    agreement: Agreement | None = None,
    keys: KeyMaker = new_key,
) -> Answer | Refusal:
    """Answer an offer, also a later one of a session that stands (`previous` and `agreement` as for `make_offer`).

    The first audio section that fits is taken, that of the `agreement` before all others; an answer has a section
    for each of the offer's, and those not taken have port 0.
    """
    indexes = [index for index, media in enumerate(offer.media) if media.kind == "audio"]
    if agreement is not None:
        indexes.sort(key=lambda index: index != agreement.media_index)
    reasons = []
    for index in indexes:
        try:
            section, agreed = _answered_section(offer, index, local, agreement, keys)
        except Unfit as unfit:
            reasons.append(str(unfit))
            continue
        media = [refused_section(each) for each in offer.media]
        media[index] = section
        return Answer(_described(local, tuple(media), previous, offer), agreed)
    return Refusal(reasons[0] if reasons else "no audio is offered")


def accept_answer(
    offer: Description, answer: Description, local: LocalMedia, *, agreement: Agreement | None = None
) -> Agreement | Refusal:
    """What an answer agrees on with the offer that this side made with `local` (and `agreement`, where one held).

    Called again with another answer (after early media, or of another branch) it gives what that one agrees on.
    """
    choices = local.codecs if agreement is None else (*local.codecs, agreement.choice)
    reasons = []
    for pair in _pairs(offer, answer):
        try:
            return _accepted(offer, answer, pair, local, choices)
        except Unfit as unfit:
            reasons.append(str(unfit))
    return Refusal(reasons[0] if reasons else "the answer takes no audio")


def _audio_of(previous: Description | None) -> list[Media]:
    return [media for media in previous.media if media.kind == "audio"] if previous is not None else []


def _first_audio(previous: Description | None) -> int:
    """Return the place of the sound in a session of which nothing is agreed here: at its end where it has none."""
    standing = _audio_of(previous)
    if previous is None:
        return 0
    return previous.media.index(standing[0]) if standing else len(previous.media)


def _named_before(previous: Description | None, agreement: Agreement | None) -> list[RtpMap]:
    named: list[RtpMap] = []
    if agreement is not None:
        named.append(agreement.choice.rtp_map(agreement.payload_type_receive))
        if agreement.telephone_event_receive is not None:
            named.append(
                RtpMap(agreement.telephone_event_receive, "telephone-event", agreement.telephone_event_rate)
            )
        if agreement.comfort_noise_receive is not None:
            named.append(RtpMap(agreement.comfort_noise_receive, "CN", agreement.clock_rate))
    for media in previous.media if previous is not None else ():
        if media.kind == "audio" and media.port:
            named += media.rtp_maps
    return named


def _offered_section(
    local: LocalMedia,
    payloads: Payloads,
    choices: tuple[CodecChoice, ...],
    protocol: str,
    crypto: tuple[CryptoAttribute, ...] = (),
    peering: tuple[Attribute, ...] = (),
) -> Media:
    return audio_section(
        local,
        payloads,
        protocol=protocol,
        ptime=choices[0].ptime_ms,
        direction=local.direction,
        crypto=crypto,
        peering=peering,
        rtcp=local.rtcp,
        rtcp_mux=(local.rtcp or bool(peering)) and local.rtcp_mux,
        verbose=local.verbose,
    )


def _described(
    local: LocalMedia,
    media: tuple[Media, ...],
    previous: Description | None,
    former: Description | None,
) -> Description:
    """`former` is what `session_lines` asks for."""
    connection = Connection.of(local.address)
    before = None if previous is None else previous.origin
    if before is not None and not before.numbered:  # another one's, passed on
        before = None
    # FreeSWITCH: the first version is the session's number and one.
    origin = before or Origin(
        local.username,
        f"{local.session_id:010d}",
        f"{local.session_id + 1:010d}",
        local.address,
        connection.address_type,
    )
    described = Description(
        origin,
        media,
        connection,
        name=local.username,
        times=(Timing(),),
        attributes=session_lines(media, former),
    )
    if before is None or described == previous:
        return described
    return dataclasses.replace(described, origin=before.following)


def _answered_section(
    offer: Description, index: int, local: LocalMedia, agreement: Agreement | None, keys: KeyMaker
) -> tuple[Media, Agreement]:
    media = offer.media[index]
    if not media.port:
        raise Unfit("the audio is offered with port 0")
    secured = keys_for_offer(offer, media, local, agreement, keys)
    match = _first_match(remote_audio(offer, media, ()), local.codecs, local)
    if match is None:
        raise Unfit("no offered codec is among ours")
    clock = match.choice.clock_rate
    maps = media.rtp_maps
    event = None if local.telephone_event is None else find_event_type(maps, clock)
    noise = None if local.comfort_noise is None else find_comfort_noise(maps, clock)
    theirs = offer.direction_of(media)
    direction = theirs.reverse.within(local.direction)
    mux = media.rtcp_mux and local.rtcp_mux
    remote = remote_address(offer, media, local.address, mux)
    number = match.rtp_map.payload_type
    agreed = Agreement(
        choice=match.choice,
        payload_type=number,
        payload_type_receive=number,
        channels=match.rtp_map.channels,
        ptime_ms=match.ptime_ms,
        fmtp=match.fmtp,
        remote_address=remote.address,
        remote_port=media.port,
        remote_rtcp_address=remote.rtcp_address,
        remote_rtcp_port=remote.rtcp_port,
        direction=direction,
        held=not theirs.receives or (remote.address is None and not secured.finds_way),
        rtcp_mux=mux,
        telephone_event=None if event is None else event.payload_type,
        telephone_event_receive=None if event is None else event.payload_type,
        telephone_event_rate=8000 if event is None else event.clock_rate,
        comfort_noise=None if noise is None else noise.payload_type,
        comfort_noise_receive=None if noise is None else noise.payload_type,
        srtp=secured.srtp,
        crypto=secured.crypto,
        peering=secured.peering,
        remote_ptime=offer.ptime_of(media),
        remote_maxptime=offer.maxptime_of(media),
        protocol=media.protocol,
        media_index=index,
    )
    own = match.fmtp if match.choice.name.lower() == "ilbc" else match.choice.fmtp
    rtp_map = dataclasses.replace(match.rtp_map, encoding=match.choice.name, clock_rate=clock)
    section = audio_section(
        local,
        Payloads(((rtp_map, own),), () if event is None else (event,), () if noise is None else (noise,)),
        protocol=media.protocol,
        ptime=match.ptime_ms,
        direction=direction,
        crypto=() if secured.crypto is None else (secured.crypto,),
        peering=secured.lines,
        rtcp=local.rtcp or media.rtcp is not None,
        rtcp_mux=mux,
    )
    return section, agreed


def _accepted(
    offer: Description, answer: Description, pair: _Pair, local: LocalMedia, choices: tuple[CodecChoice, ...]
) -> Agreement:
    place, offered, answered = pair
    if not answered.port:
        raise Unfit("the answer refuses the audio")
    secured = keys_of_answer(offered, answer, answered, local)
    ours = offered.rtp_maps
    offerable = tuple(
        choice for choice in choices if any(same_encoding(each, choice.rtp_map(0)) for each in ours)
    )
    audio = remote_audio(answer, answered, ours)
    match = _first_match(audio, offerable, local, _ilbc_mode(offered))
    if match is None:
        raise Unfit("the answer has none of the offered codecs")
    clock = match.choice.clock_rate
    receive = next(each for each in ours if same_encoding(each, match.choice.rtp_map(0)))
    event = find_event_type(audio.maps, clock)
    event_receive = None if event is None else _same_map(ours, event)
    noise = find_comfort_noise(audio.maps, clock)
    noise_receive = None if noise is None else _same_map(ours, noise)
    mux = offered.rtcp_mux and answered.rtcp_mux
    remote = remote_address(answer, answered, local.address, mux)
    wanted, theirs = offer.direction_of(offered), answer.direction_of(answered)
    return Agreement(
        choice=match.choice,
        payload_type=match.rtp_map.payload_type,
        payload_type_receive=receive.payload_type,
        channels=match.rtp_map.channels,
        ptime_ms=match.ptime_ms,
        fmtp=match.fmtp,
        remote_address=remote.address,
        remote_port=answered.port,
        remote_rtcp_address=remote.rtcp_address,
        remote_rtcp_port=remote.rtcp_port,
        direction=wanted.within(theirs.reverse),
        held=(wanted.sends and not theirs.receives) or (remote.address is None and not secured.finds_way),
        rtcp_mux=mux,
        telephone_event=None if event is None or event_receive is None else event.payload_type,
        telephone_event_receive=None if event_receive is None else event_receive.payload_type,
        telephone_event_rate=8000 if event is None else event.clock_rate,
        comfort_noise=None if noise is None or noise_receive is None else noise.payload_type,
        comfort_noise_receive=None if noise_receive is None else noise_receive.payload_type,
        srtp=secured.srtp,
        crypto=secured.crypto,
        peering=secured.peering,
        remote_ptime=answer.ptime_of(answered),
        remote_maxptime=answer.maxptime_of(answered),
        protocol=answered.protocol,
        media_index=place,
    )


def _pairs(offer: Description, answer: Description) -> list[_Pair]:
    """Sections of one place belong together. Where an answer leaves sections out, which RFC 3264 section 6 forbids
    and some phones do, its audio answers the first offered one of the same protocol.
    """
    offered = [
        (index, media) for index, media in enumerate(offer.media) if media.kind == "audio" and media.port
    ]
    if len(offer.media) == len(answer.media):
        return [
            _Pair(index, media, answer.media[index])
            for index, media in offered
            if answer.media[index].kind == "audio"
        ]
    pairs = []
    for answered in answer.media:
        if answered.kind == "audio" and answered.port:
            fitting = sorted(offered, key=lambda each: is_secure(each[1]) != is_secure(answered))
            pairs += [_Pair(index, media, answered) for index, media in fitting[:1]]
    return pairs


def _first_match(
    audio: RemoteAudio, choices: tuple[CodecChoice, ...], local: LocalMedia, offered_ilbc_mode: int = 0
) -> CodecMatch | None:
    matches = match_codecs(audio, choices, local.negotiation, offered_ilbc_mode=offered_ilbc_mode)
    return matches[0] if matches else None


def _ilbc_mode(offered: Media) -> int:
    for rtp_map in offered.rtp_maps:
        if rtp_map.names("iLBC"):
            return ilbc_mode(offered.format_parameters(rtp_map.payload_type))
    return 0


def _same_map(maps: tuple[RtpMap, ...], wanted: RtpMap) -> RtpMap | None:
    return next((each for each in maps if same_encoding(each, wanted)), None)
