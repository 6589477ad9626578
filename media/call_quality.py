"""How good a call sounds, from what arrived: the E-model (ITU-T G.107) and FreeSWITCH's channel variables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

# ITU-T G.107 2015, all parameters at their defaults: R of an undisturbed connection.
_BEST_R = 93.2
# ITU-T G.113 appendix I: (equipment impairment Ie, robustness against loss Bpl) by SDP name. Those with Bpl of
# G.711 with its appendix I are concealed; the values of wideband codecs are on the narrow-band scale, as none worse.
IMPAIRMENTS: dict[str, tuple[float, float]] = {
    "PCMU": (0.0, 25.1),
    "PCMA": (0.0, 25.1),
    "L16": (0.0, 25.1),
    "G722": (0.0, 25.1),
    "OPUS": (0.0, 25.1),
    "GSM": (20.0, 10.0),
    "ILBC": (11.0, 32.0),
    "G729": (11.0, 19.0),
    "G723": (15.0, 16.1),
}
_UNKNOWN_CODEC = (10.0, 15.0)

# FreeSWITCH judges from the tenth packet on: the first ones come while both sides are still starting up.
LEAD_PACKETS = 10
# FreeSWITCH: so many packets that are missing in a row are a loss; more are a stream that has jumped.
MAX_GAP = 500


def mos(r: float) -> float:
    """Mean opinion score, 1 to 4.5, of a rating factor R (ITU-T G.107 annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


def rating(
    loss: float, delay: float, jitter: float = 0.0, codec: str = "PCMU", burst_ratio: float = 1.0
) -> float:
    """The E-model's R, 0 to 93.2, of a connection.

    `loss` is the share of frames that could not be played, 0 to 1, `delay` from mouth to ear in ms without the
    jitter buffer, which is taken for twice the `jitter` (ms); `burst_ratio` 1 where losses are independent.
    """
    whole = delay + 2 * jitter
    # ITU-T G.107 7.4 as simplified by Cole and Rosenbluth: talking over one another begins at 177.3 ms.
    slowness = 0.024 * whole + (0.11 * (whole - 177.3) if whole > 177.3 else 0.0)
    impairment, robustness = IMPAIRMENTS.get(codec.upper(), _UNKNOWN_CODEC)
    percent = 100 * min(1.0, max(0.0, loss))
    distortion = impairment
    if percent:
        distortion += (95 - impairment) * percent / (percent / max(1.0, burst_ratio) + robustness)
    return max(0.0, _BEST_R - slowness - distortion)


def estimate_mos(
    loss: float, delay: float, jitter: float = 0.0, codec: str = "PCMU", burst_ratio: float = 1.0
) -> float:
    """`mos` of `rating`."""
    return mos(rating(loss, delay, jitter, codec, burst_ratio))


@dataclass(slots=True)
class ArrivalQuality:
    """Judges a stream packet by packet, as FreeSWITCH does for its `…_in_…` variables.

    `heard` each packet with its extended sequence number; `reset` where the stream has a reason to pause (hold,
    a digit). Variances are of the time between packets, in ms².
    """

    received: int = 0
    flaws: int = 0
    lost: int = 0
    gaps: int = 0
    mean_interval: float = 0.0
    minimum_variance: float = 0.0
    maximum_variance: float = 0.0
    _variance: float = 0.0
    _intervals: int = 0
    _lead: int = 0
    _last: tuple[int, int] | None = None
    _row: int = 0

    def heard(self, sequence: int, now: int) -> None:
        """A packet arrived at `now` (µs)."""
        self._lead += 1
        last, self._last = self._last, (sequence, now)
        if last is None or self._lead < LEAD_PACKETS:
            return
        self.received += 1
        missing = sequence - last[0] - 1
        if 0 < missing <= MAX_GAP:
            self.lost += missing
            self.gaps += 1
            # FreeSWITCH: a loss that follows a loss weighs more.
            self.flaws += missing + self._row
            self._row += 1
        else:
            self._row = 0
        self._spread((now - last[1]) / 1000)

    def reset(self) -> None:
        """The stream pauses; what was counted stays."""
        self._last = None
        self._lead = 0
        self._row = 0

    @property
    def variance(self) -> float:
        return self._variance / self._intervals if self._intervals else 0.0

    @property
    def loss_rate(self) -> float:
        """Lost packets over received ones (FreeSWITCH's `in_jitter_loss_rate`)."""
        return self.lost / self.received if self.received else 0.0

    @property
    def burst_rate(self) -> float:
        """The mean length of a gap over the length it would have if losses were independent."""
        return self.lost / self.gaps * abs(1 - self.loss_rate) if self.gaps and self.received else 0.0

    @property
    def quality_percentage(self) -> float:
        """The share of packets without a flaw in whole percent; 100 while nothing was heard."""
        if not self.received or self.flaws > self.received:
            # FreeSWITCH starts counting again where there are more flaws than packets.
            return 100.0
        return float(math.floor(100 * (self.received - self.flaws) / self.received))

    @property
    def mos(self) -> float:
        """FreeSWITCH: the quality percentage taken for R."""
        return mos(self.quality_percentage)

    def _spread(self, milliseconds: float) -> None:
        # Welford's running mean and sum of squares.
        self._intervals += 1
        difference = milliseconds - self.mean_interval
        self.mean_interval += difference / self._intervals
        self._variance += difference * (milliseconds - self.mean_interval)
        if self._intervals < 2:
            return
        variance = self.variance
        self.maximum_variance = max(self.maximum_variance, variance)
        self.minimum_variance = min(self.minimum_variance or variance, variance)


@dataclass(slots=True)
class StreamCounts:
    """Packets of one direction by kind; bytes with the RTP headers, of all packets (`raw`) and of sound (`media`).

    FreeSWITCH: `packets` that are sent are those of sound and comfort noise; `skipped_packets` are frames' times in
    which nothing was there to play, `jitter_packets` those that a jitter buffer has given out.
    """

    raw_bytes: int = 0
    media_bytes: int = 0
    packets: int = 0
    media_packets: int = 0
    skipped_packets: int = 0
    jitter_packets: int = 0
    dtmf_packets: int = 0
    cng_packets: int = 0
    flushed_packets: int = 0
    largest_buffer: int = 0


@dataclass(slots=True)
class CallStatistics:
    """Everything FreeSWITCH tells of a stream when its call ends."""

    inbound: StreamCounts = field(default_factory=StreamCounts)
    outbound: StreamCounts = field(default_factory=StreamCounts)
    quality: ArrivalQuality = field(default_factory=ArrivalQuality)
    rtcp_packets: int = 0
    rtcp_octets: int = 0

    def variables(self, prefix: str = "audio") -> dict[str, str]:
        """FreeSWITCH's channel variables in its order: `rtp_audio_in_raw_bytes`, …, `rtp_audio_in_mos`, …"""
        inbound, outbound, quality = self.inbound, self.outbound, self.quality
        values: dict[str, int | float] = {
            "in_raw_bytes": inbound.raw_bytes,
            "in_media_bytes": inbound.media_bytes,
            "in_packet_count": inbound.packets,
            "in_media_packet_count": inbound.media_packets,
            "in_skip_packet_count": inbound.skipped_packets,
            "in_jitter_packet_count": inbound.jitter_packets,
            "in_dtmf_packet_count": inbound.dtmf_packets,
            "in_cng_packet_count": inbound.cng_packets,
            "in_flush_packet_count": inbound.flushed_packets,
            "in_largest_jb_size": inbound.largest_buffer,
            "in_jitter_min_variance": quality.minimum_variance,
            "in_jitter_max_variance": quality.maximum_variance,
            "in_jitter_loss_rate": quality.loss_rate,
            "in_jitter_burst_rate": quality.burst_rate,
            "in_mean_interval": quality.mean_interval,
            "in_flaw_total": quality.flaws,
            "in_quality_percentage": quality.quality_percentage,
            "in_mos": quality.mos,
            "out_raw_bytes": outbound.raw_bytes,
            "out_media_bytes": outbound.media_bytes,
            "out_packet_count": outbound.packets,
            "out_media_packet_count": outbound.media_packets,
            "out_skip_packet_count": outbound.skipped_packets,
            "out_dtmf_packet_count": outbound.dtmf_packets,
            "out_cng_packet_count": outbound.cng_packets,
            "rtcp_packet_count": self.rtcp_packets,
            "rtcp_octet_count": self.rtcp_octets,
        }
        return {
            f"rtp_{prefix}_{name}": f"{value:.2f}" if isinstance(value, float) else str(value)
            for name, value in values.items()
        }
