from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from host.rtp_variables import rtp_variables
from media.rtp_transport import TransportReport
from tests.media.realtime.far_end import Bench, frame

# FreeSWITCH's order.
NAMES = [
    *(f"in_{name}" for name in ("raw_bytes", "media_bytes", "packet_count", "media_packet_count")),
    *(f"in_{name}_packet_count" for name in ("skip", "jitter", "dtmf", "cng", "flush")),
    "in_largest_jb_size",
    *(f"in_jitter_{name}" for name in ("min_variance", "max_variance", "loss_rate", "burst_rate")),
    *(f"in_{name}" for name in ("mean_interval", "flaw_total", "quality_percentage", "mos")),
    *(f"out_{name}" for name in ("raw_bytes", "media_bytes", "packet_count", "media_packet_count")),
    *(f"out_{name}_packet_count" for name in ("skip", "dtmf", "cng")),
    "rtcp_packet_count",
    "rtcp_octet_count",
]


def test_a_call_without_a_packet() -> None:
    told = rtp_variables(TransportReport(("127.0.0.1", 4000), None))
    assert [name for name, _ in told] == [f"rtp_audio_{name}" for name in NAMES]
    values = dict(told)
    assert values["rtp_audio_in_mean_interval"] == "0.00" and values["rtp_audio_in_packet_count"] == "0"


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_with_everything(stream: bool) -> None:
    bench = Bench()
    options: dict[str, Any] = {"codec": "GSM", "payload_type": 3} if stream else {}
    size = 33 if stream else 160
    try:
        end, local = bench.open(1, event_type=101, comfort_noise_type=13, rtcp_mux=True, **options)
        for number in range(100):
            if number == 60:
                end.sequence += 2
                end.timestamp += 320
            end.say(
                local, frame(0xFF)[:size] if not stream else bytes([0xD0]) + bytes(32), 3 if stream else 0
            )
            bench.speak(1)
        for _ in range(3):
            end.say(local, bytes([5, 0x80 | 10]) + (800).to_bytes(2, "big"), 101, step=0)
            bench.tick()
        end.say(local, bytes([70]), 13)
        bench.lines.press(1, "1", 800)
        for _ in range(80):
            bench.tick()
        from media.rtcp import RtcpSession, SentStream

        sender = SentStream(0, 104, 16_000)
        end.socket.sendto(RtcpSession(7, "a", 8000).report(sender, None, 0, bench.wall), local)
        bench.tick()
        report = bench.lines.report(1)
        assert report is not None
        value = {name.removeprefix("rtp_audio_"): text for name, text in rtp_variables(report)}
        assert value["in_packet_count"] == "104" and value["in_media_packet_count"] == "100"
        assert value["in_dtmf_packet_count"] == "3" and value["in_cng_packet_count"] == "1"
        assert value["in_media_bytes"] == str(100 * (size + 12))
        assert value["in_raw_bytes"] == str(100 * (size + 12) + 3 * 16 + 13)
        assert value["in_flaw_total"] == "2" and value["in_jitter_loss_rate"] == "0.02"
        assert value["in_quality_percentage"].startswith("97.") and 4.3 < float(value["in_mos"]) < 4.5
        assert value["in_jitter_burst_rate"] == f"{2 * (1 - 2 / 91):.2f}"
        assert value["in_mean_interval"] == "20.00" and value["in_jitter_max_variance"] == "0.00"
        assert 1 <= int(value["in_largest_jb_size"]) <= 4
        assert int(value["in_jitter_packet_count"]) >= 98 and int(value["in_skip_packet_count"]) > 50
        keys = int(value["out_dtmf_packet_count"])
        assert keys >= 7
        assert value["out_media_packet_count"] == "100" and value["out_cng_packet_count"] == "1"
        assert value["out_packet_count"] == "101" and value["out_media_bytes"] == str(100 * (size + 12))
        assert value["out_raw_bytes"] == str(100 * (size + 12) + keys * 16 + 13)
        assert (value["rtcp_packet_count"], value["rtcp_octet_count"]) == ("104", "16000")
        assert np.isfinite(report.mos)
    finally:
        bench.close()
    assert bench.faults == []
