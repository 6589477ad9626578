"""What this side brings to an offer or an answer."""

from __future__ import annotations

from dataclasses import dataclass

from host.sdp.audio_match import Negotiation
from host.sdp.codec_choice import CodecChoice
from host.sdp.description import Attribute
from host.sdp.direction import Direction
from host.sdp.media_security import IN_THE_CLEAR, MediaSecurity
from host.sdp.webrtc import LocalWebRtc


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Address and port where sound is received, and the settings of profile and channel.

    `session_id` (FreeSWITCH: seconds since 1970 less the port) begins the origin line; `username` (profile:
    `username`) stands in it and in `s=`. `codecs` come from `codec_choice.choose`. `direction` is what this side
    wants; an answer never says more than its offer allows.

    `telephone_event` (FreeSWITCH: `rfc2833-pt`) and `comfort_noise` (`cng-pt`) are the payload types to offer at
    8000 Hz, None for neither (`dtmf-type` info or none; `suppress-cng`). `flash` names the hook flash among the
    events (`NDLB_line_flash_16`).

    `rtcp` writes where reports are received (`rtcp_audio_interval_msec`); offers ask for `rtcp_mux` only beside it,
    answers always take it. `crypto_in_avp` (`rtp_allow_crypto_in_avp`) takes keys without RTP/SAVP. `attributes`
    are written into the audio section as they stand (`rtp_append_audio_sdp`). Without `verbose` (`verbose_sdp`)
    static payload types have no rtpmap in an offer. `webrtc` is None where DTLS cannot be spoken.
    """

    address: str
    port: int
    codecs: tuple[CodecChoice, ...]
    session_id: int
    username: str = "FreeSWITCH"
    direction: Direction = Direction.SENDRECV
    negotiation: Negotiation = Negotiation.GENEROUS
    telephone_event: int | None = 101
    comfort_noise: int | None = 13
    flash: bool = False
    rtcp: bool = False
    rtcp_mux: bool = True
    security: MediaSecurity = IN_THE_CLEAR
    crypto_in_avp: bool = False
    attributes: tuple[Attribute, ...] = ()
    verbose: bool = True
    webrtc: LocalWebRtc | None = None
