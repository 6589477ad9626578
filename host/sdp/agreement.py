"""What an offer and its answer agree on, or why there is no agreement."""

from __future__ import annotations

from dataclasses import dataclass

from host.sdp.codec_choice import CodecChoice
from host.sdp.direction import Direction
from host.sdp.webrtc import Peering
from media.srtp_keys import CryptoAttribute, SrtpKeys


@dataclass(frozen=True, slots=True)
class Agreement:
    """One stream of sound. Payload types are None where the description has none; `…_receive` are those that the
    far end sends with, which differ from ours only where an answer has other numbers than its offer (RFC 3264 5.1).

    `channels` are the rtpmap's. `ptime_ms` is what this side puts into a packet, `fmtp` what the far end wants
    (parameters of the encoder). `direction` is as this side has it; `held` says that the far end does not listen
    (sendonly, inactive or the address 0.0.0.0) though this side would speak. `remote_address` is None where there is
    nowhere to send to. `peering` is there where DTLS brings the keys. `media_index` counts the `m=` lines from 0.
    """

    choice: CodecChoice
    payload_type: int
    payload_type_receive: int
    channels: int
    ptime_ms: int
    fmtp: str
    remote_address: str | None
    remote_port: int
    remote_rtcp_address: str | None
    remote_rtcp_port: int
    direction: Direction = Direction.SENDRECV
    held: bool = False
    rtcp_mux: bool = False
    telephone_event: int | None = None
    telephone_event_receive: int | None = None
    telephone_event_rate: int = 8000
    comfort_noise: int | None = None
    comfort_noise_receive: int | None = None
    srtp: SrtpKeys | None = None
    crypto: CryptoAttribute | None = None
    peering: Peering | None = None
    remote_ptime: int | None = None
    remote_maxptime: int | None = None
    protocol: str = "RTP/AVP"
    media_index: int = 0

    @property
    def secure(self) -> bool:
        """Whether sound is encrypted."""
        return self.srtp is not None or self.peering is not None

    @property
    def codec(self) -> str:
        """SDP's encoding name."""
        return self.choice.name

    @property
    def rate(self) -> int:
        """Of the samples, hertz."""
        return self.choice.rate

    @property
    def clock_rate(self) -> int:
        """Of RTP timestamps, hertz."""
        return self.choice.clock_rate


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a description cannot be taken: FreeSWITCH answers 488 and hangs up with this cause."""

    reason: str
    code: int = 488
    cause: str = "INCOMPATIBLE_DESTINATION"
