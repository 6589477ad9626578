"""What FreeSWITCH leaves in the variables of a call by RTP when it ends."""

from __future__ import annotations

from media.rtp_transport import TransportReport


def rtp_variables(report: TransportReport) -> list[tuple[str, str]]:
    """Return names and values in FreeSWITCH's order: `rtp_audio_in_raw_bytes`, …, `rtp_audio_rtcp_octet_count`.

    Counts are whole numbers, figures that are measured have two places.
    """
    return list(report.statistics.variables("audio").items())
