"""What a line needs to know of its RTP, and what it tells of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.call_quality import CallStatistics
from media.srtp_keys import SrtpKeys
from media.webrtc_parameters import DtlsParameters, IceParameters

Address = tuple[str, int]

# FreeSWITCH: `rtp-start-port` and `rtp-end-port` of switch.conf.
DEFAULT_PORTS = (16384, 32768)


class TransportError(OSError):
    """A transport that cannot be opened: no port is free, or the address is not this machine's."""


@dataclass(frozen=True, slots=True)
class RtpTransport:
    """How a line sends and receives; frozen, `media.command.SetTransport` replaces it.

    `remote` is where the signalling says to send to, None while it is not known; with `learning` the source of what
    arrives is followed (`media.rtp_latch`). `codec` is SDP's name, `payload_type`, `event_type` (telephone-event) and
    `comfort_noise_type` are those of the other side's session description, None for none; where ours names others,
    `payload_type_receive` and `event_type_receive` are those. `event_rate` is the clock of telephone-events in hertz,
    `codec_rate` that of the samples where a codec has several, None for its usual one.

    With `rtcp_mux` reports go over the RTP port (RFC 5761). With `srtp` both are protected, and what is not authentic
    is refused. With `dtls` the keys are agreed on over the RTP port itself, and nothing goes through before; with `ice`
    the far end checks the path, which tells where to send to in place of `remote`. Both need `rtcp_mux`.

    `jitter_ms` is what the jitter buffer begins with and never falls below, `jitter_limit_ms` its greatest;
    `jitter_paused` plays what comes as it comes. `timeout_ms` without a packet is told with `MediaTimeout`, 0 for
    never, also on hold. `sending` and `receiving` are off on hold.
    """

    address: str = "0.0.0.0"
    ports: tuple[int, int] = DEFAULT_PORTS
    remote: Address | None = None
    remote_rtcp: Address | None = None
    codec: str = "PCMU"
    codec_rate: int | None = None
    payload_type: int = 0
    payload_type_receive: int | None = None
    ptime_ms: int = 20
    fmtp: str = ""
    event_type: int | None = None
    event_type_receive: int | None = None
    event_rate: int = 8000
    comfort_noise_type: int | None = None
    learning: bool = True
    rtcp: bool = True
    rtcp_interval_ms: int = 5000
    rtcp_mux: bool = False
    cname: str = ""
    srtp: SrtpKeys | None = None
    dtls: DtlsParameters | None = None
    ice: IceParameters | None = None
    jitter_ms: int = 20
    jitter_limit_ms: int = 400
    jitter_paused: bool = False
    timeout_ms: int = 0
    sending: bool = True
    receiving: bool = True

    @property
    def expected_type(self) -> int:
        """The payload type of sound that is received."""
        return self.payload_type if self.payload_type_receive is None else self.payload_type_receive

    @property
    def expected_event_type(self) -> int | None:
        """The payload type of telephone-events that are received."""
        return self.event_type if self.event_type_receive is None else self.event_type_receive


@dataclass(frozen=True, slots=True)
class TransportReport:
    """What went over a transport so far. Times are ms but for `round_trip`, in seconds; loss 0 to 1.

    `refused` counts packets of sources that were not taken, `unauthentic` those that SRTP did not let through,
    `replayed` those that SRTP had let through before. `statistics` are what FreeSWITCH tells when a call ends.
    """

    local: Address
    remote: Address | None
    ssrc: int = 0
    remote_ssrc: int | None = None
    packets_sent: int = 0
    octets_sent: int = 0
    packets_received: int = 0
    octets_received: int = 0
    lost: int = 0
    late: int = 0
    concealed: int = 0
    skipped: int = 0
    refused: int = 0
    unauthentic: int = 0
    replayed: int = 0
    jitter: float = 0.0
    round_trip: float | None = None
    remote_loss: float = 0.0
    remote_jitter: float = 0.0
    mos: float = 4.5
    statistics: CallStatistics = field(default_factory=CallStatistics)
