"""The codecs that a leg begins with: those preferred, what an offer would come to, the first transport of its line."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.dtls_identity import AVAILABLE
from host.sdp.agreement import Refusal
from host.sdp.audio_match import Negotiation
from host.sdp.codec_choice import CodecChoice
from host.sdp.description import SdpError, parse
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import SUITE_ORDER, parse_secure_media
from host.sdp.offer_answer import make_answer
from host.sdp.transport import chosen, codec_rate
from host.sdp.webrtc import LocalWebRtc
from host.truth import is_true
from media.rtp_transport import RtpTransport
from media.webrtc_parameters import Certificate, Fingerprint, IceCredentials

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

# FreeSWITCH: what a profile without codec preferences speaks.
DEFAULT_PREFERENCES: Final = "PCMU,PCMA"
_MIX: Final = "media_mix_inbound_outbound_codecs"
# The suites of SRTP that there are; none without libsrtp.
SUITES: Final = SUITE_ORDER if find_spec("pylibsrtp") is not None else ()
# Whoever this side is, it comes to the same codec.
_ANYBODY: Final = (
    LocalWebRtc(Certificate("", ""), Fingerprint("sha-256", ""), IceCredentials("", ""))
    if AVAILABLE
    else None
)
# What an offer of one stream has at most; longer ones are not remembered.
_LONGEST_KEPT: Final = 2_000
_ORIGIN: Final = re.compile(r"^o=\S+ \d{1,20} \d{1,20} IN IP4 [\d.]+(?=\r?$)", re.MULTILINE | re.ASCII)
_ANY_ORIGIN: Final = "o=- 1 1 IN IP4 127.0.0.1"
_PORT: Final = re.compile(r"^m=audio (?:6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}) ", re.MULTILINE | re.ASCII)
_ANY_PORT: Final = "m=audio 9 "


def codec_preferences(settings: ProfileSettings, channel: Channel | None, *, inbound: bool) -> str:
    """Return the codec string of a call.

    FreeSWITCH: `absolute_codec_string`; else, before the answer of a call that was placed for another one, the codec
    of that (`originator_codec`), which with `media_mix_inbound_outbound_codecs` merely goes first; else `codec_string`
    or the profile's preferences; `=` before the string keeps `originator_codec` out.
    """
    own = settings.inbound_codec_prefs if inbound else settings.outbound_codec_prefs
    own = own or settings.inbound_codec_prefs or settings.outbound_codec_prefs or DEFAULT_PREFERENCES
    if channel is None:
        return own
    absolute = channel.get_variable("absolute_codec_string")
    if absolute:
        return absolute.lstrip("=")
    originator = channel.variables.get("originator_codec")
    if originator and not channel.answered and not is_true(channel.get_variable(_MIX)):
        return originator
    wanted = channel.get_variable("codec_string") or own
    if wanted.startswith("="):
        return wanted[1:]
    return f"{originator},{wanted}" if originator else wanted


def first_choice(preferences: str) -> CodecChoice:
    """Return the codec a call begins with before anything is agreed on."""
    return (chosen(preferences) or chosen(DEFAULT_PREFERENCES))[0]


def choice_of_offer(offer: str, settings: ProfileSettings, preferences: str) -> CodecChoice | None:
    """Return the codec that an offer would come to; None when nothing fits, or when it is no description."""
    wanted = (
        preferences,
        settings.inbound_codec_negotiation,
        settings.ndlb_allow_crypto_in_avp,
    )
    # Calls of one kind of phone differ in the origin line and in the port; keys are nothing to be kept.
    if len(offer) > _LONGEST_KEPT or "crypto" in offer or "fingerprint" in offer:
        return _negotiated(offer, *wanted)
    return _negotiated_before(_PORT.sub(_ANY_PORT, _ORIGIN.sub(_ANY_ORIGIN, offer, 1)), *wanted)


def _negotiated(offer: str, preferences: str, negotiation: str, crypto_in_avp: bool) -> CodecChoice | None:
    local = LocalMedia(
        "0.0.0.0",
        9,
        chosen(preferences),
        1,
        negotiation=Negotiation(negotiation),
        security=parse_secure_media(None, inbound=True, supported=SUITES),
        crypto_in_avp=crypto_in_avp,
        webrtc=_ANYBODY,
    )
    try:
        answer = make_answer(parse(offer), local)
    except SdpError:
        return None
    return None if isinstance(answer, Refusal) else answer.agreement.choice


_negotiated_before: Final = lru_cache(maxsize=256)(_negotiated)


def first_transport(
    session_settings: ProfileSettings, ports: tuple[int, int], choice: CodecChoice, local_ip: str
) -> RtpTransport:
    """Return the transport that a leg's line begins with, before anything is agreed on."""
    return RtpTransport(
        address=local_ip,
        ports=ports,
        codec=choice.name,
        codec_rate=codec_rate(choice),
        payload_type=choice.payload_type or 0,
        ptime_ms=choice.ptime_ms,
        fmtp=choice.fmtp,
        learning=not session_settings.disable_rtp_auto_adjust,
        rtcp=True,
        jitter_ms=max(session_settings.auto_jitterbuffer_msec, choice.ptime_ms),
        sending=False,
    )
