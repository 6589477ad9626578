"""What went over a line's transport, told from the arrays and the line's own counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.call_quality import CallStatistics, StreamCounts, estimate_mos
from media.realtime.stream_line import JitterCounts
from media.rtp import HEADER_SIZE
from media.rtp_transport import TransportReport

if TYPE_CHECKING:
    from media.realtime.reception import Reception
    from media.realtime.rtp_wire import RtpWire
    from media.realtime.transmission import Transmission


def report_of(wire: RtpWire, incoming: Reception, outgoing: Transmission, tick: int) -> TransportReport:
    """Return a line's report up to `tick`."""
    row, reports, ring = wire.row, wire.reports, incoming.ring
    jitter = float(incoming.jitter[row]) * 1000 / wire.clock_rate
    received, lost = int(incoming.received[row]), incoming.lost(row)
    loss = max(0, lost) / max(1, received + max(0, lost))
    host, port = wire.rtp.getsockname()[:2]
    delay = (reports.round_trip or 0.0) * 500 + wire.transport.jitter_ms
    counts = JitterCounts(
        int(ring.late[row]), int(ring.concealed[row]), int(ring.skipped[row]), int(ring.largest[row])
    ).plus(wire.earlier)
    if wire.stream is not None:
        counts = counts.plus(wire.stream.counts)
    return TransportReport(
        local=(str(host), int(port)),
        remote=wire.remote,
        ssrc=int(outgoing.ssrc[row]),
        remote_ssrc=int(incoming.ssrc[row]) if incoming.ssrc[row] >= 0 else None,
        packets_sent=int(outgoing.packets[row]),
        octets_sent=int(outgoing.octets[row]),
        packets_received=received,
        octets_received=int(incoming.octets[row]),
        lost=lost,
        late=counts.late,
        concealed=counts.concealed,
        skipped=counts.skipped,
        refused=wire.latch.refused,
        unauthentic=0 if wire.guard is None else wire.guard.unauthentic,
        replayed=0 if wire.guard is None else wire.guard.replayed,
        jitter=jitter,
        round_trip=reports.round_trip,
        remote_loss=reports.remote_fraction_lost / 256,
        remote_jitter=reports.remote_jitter * 1000 / wire.clock_rate,
        mos=estimate_mos(loss, delay, jitter, wire.transport.codec),
        statistics=_statistics(wire, incoming, outgoing, counts, tick),
    )


def _statistics(
    wire: RtpWire, incoming: Reception, outgoing: Transmission, counts: JitterCounts, tick: int
) -> CallStatistics:
    row = wire.row
    received, sent = int(incoming.received[row]), int(outgoing.packets[row])
    sound_in = received - wire.key_packets_in - wire.noise_packets_in
    sound_out = sent - wire.key_packets_out - wire.noise_packets_out
    octets_in, octets_out = int(incoming.octets[row]), int(outgoing.octets[row])
    played = max(0, sound_in - counts.late - counts.skipped)
    times = (tick - wire.opened) * 20 // wire.transport.ptime_ms
    heard = wire.reports.remote_report
    return CallStatistics(
        inbound=StreamCounts(
            raw_bytes=octets_in + received * HEADER_SIZE,
            media_bytes=octets_in - wire.octets_aside_in + sound_in * HEADER_SIZE,
            packets=received,
            media_packets=sound_in,
            skipped_packets=max(0, times - played),
            jitter_packets=played,
            dtmf_packets=wire.key_packets_in,
            cng_packets=wire.noise_packets_in,
            largest_buffer=counts.largest,
        ),
        outbound=StreamCounts(
            raw_bytes=octets_out + sent * HEADER_SIZE,
            media_bytes=octets_out - wire.octets_aside_out + sound_out * HEADER_SIZE,
            packets=sent - wire.key_packets_out,
            media_packets=sound_out,
            dtmf_packets=wire.key_packets_out,
            cng_packets=wire.noise_packets_out,
        ),
        quality=incoming.qualities.of(row, received, 0 if wire.stream is None else wire.stream.damaged),
        rtcp_packets=0 if heard is None else heard.packets,
        rtcp_octets=0 if heard is None else heard.octets,
    )
