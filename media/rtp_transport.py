"""What a line needs to know of its RTP, and what it tells of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass

Address = tuple[str, int]

# FreeSWITCH: `rtp-start-port` and `rtp-end-port` of switch.conf.
DEFAULT_PORTS = (16384, 32768)


class TransportError(OSError):
    """A transport that cannot be opened: no port is free, or the address is not this machine's."""


@dataclass(frozen=True, slots=True)
class RtpTransport:
    """How a line sends and receives; frozen, `media.command.SetTransport` replaces it.

    `remote` is where the signalling says to send to; with `learning` the source of what arrives is followed
    (`media.rtp_latch`). `codec` is SDP's name, `payload_type` and `event_type` (telephone-event, None for none) are
    those of the session description. `jitter_ms` is what the jitter buffer begins with and never falls below,
    `jitter_limit_ms` its greatest. `timeout_ms` without a packet is told with `MediaTimeout`, 0 for never. `sending`
    and `receiving` are off on hold.
    """

    address: str = "0.0.0.0"
    ports: tuple[int, int] = DEFAULT_PORTS
    remote: Address | None = None
    remote_rtcp: Address | None = None
    codec: str = "PCMU"
    payload_type: int = 0
    ptime_ms: int = 20
    fmtp: str = ""
    event_type: int | None = None
    comfort_noise_type: int | None = 13
    learning: bool = True
    rtcp: bool = True
    rtcp_interval_ms: int = 5000
    cname: str = ""
    jitter_ms: int = 20
    jitter_limit_ms: int = 400
    timeout_ms: int = 0
    sending: bool = True
    receiving: bool = True


@dataclass(frozen=True, slots=True)
class TransportReport:
    """What went over a transport so far. Times are ms but for `round_trip`, in seconds; loss 0 to 1."""

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
    jitter: float = 0.0
    round_trip: float | None = None
    remote_loss: float = 0.0
    remote_jitter: float = 0.0
    mos: float = 4.5
