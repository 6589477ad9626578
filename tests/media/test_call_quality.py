from __future__ import annotations

import pytest

from media.call_quality import ArrivalQuality, CallStatistics, estimate_mos, mos, rating


def test_mos_is_itus_curve() -> None:
    # ITU-T G.107 annex B, table B.1.
    for r, expected in [(0, 1), (50, 2.58), (60, 3.10), (70, 3.60), (80, 4.03), (90, 4.34), (100, 4.5)]:
        assert mos(r) == pytest.approx(expected, abs=0.01)


def test_the_e_model_gets_worse_with_everything() -> None:
    assert rating(0, 0) == pytest.approx(93.2)
    assert estimate_mos(0, 0) == pytest.approx(4.41, abs=0.01)
    by_loss = [estimate_mos(loss, 50) for loss in (0, 0.01, 0.05, 0.2)]
    by_delay = [estimate_mos(0, delay) for delay in (0, 150, 300, 600)]
    by_jitter = [estimate_mos(0, 50, jitter) for jitter in (0, 50, 150)]
    for row in (by_loss, by_delay, by_jitter):
        assert row == sorted(row, reverse=True)
        assert len(set(row)) == len(row)
    assert estimate_mos(0, 50, codec="GSM") < estimate_mos(0, 50, codec="PCMU")
    assert estimate_mos(0.05, 50, burst_ratio=3) < estimate_mos(0.05, 50)
    assert estimate_mos(1, 5000, 1000) == 1


def test_a_clean_stream_is_faultless() -> None:
    quality = ArrivalQuality()
    for number in range(200):
        quality.heard(number, number * 20_000)
    assert (quality.flaws, quality.quality_percentage, quality.mos) == (0, 100, 4.5)
    assert quality.mean_interval == pytest.approx(20)
    assert quality.maximum_variance == 0


def test_losses_are_flaws_and_bursts_weigh_more() -> None:
    single, burst = ArrivalQuality(), ArrivalQuality()
    for number in range(500):
        if number % 50 != 20:
            single.heard(number, number * 20_000)
        if number < 100 or number > 105:
            burst.heard(number, number * 20_000)
    assert (single.lost, single.gaps) == (10, 10)
    assert single.quality_percentage == 97
    assert (burst.lost, burst.gaps) == (6, 1)
    assert burst.burst_rate > 5 > single.burst_rate
    assert single.mos < 4.5
    single.reset()
    single.heard(100_000, 60_000_000)
    assert single.lost == 10


def test_variables_are_freeswitchs() -> None:
    statistics = CallStatistics()
    statistics.inbound.packets = 3
    variables = statistics.variables()
    assert variables["rtp_audio_in_packet_count"] == "3"
    assert variables["rtp_audio_in_mos"] == "4.50"
    assert variables["rtp_audio_in_quality_percentage"] == "100.00"
    assert variables["rtp_audio_in_flaw_total"] == "0"
    assert variables["rtp_audio_rtcp_octet_count"] == "0"
    assert len(variables) == 27
    assert all(name.startswith("rtp_video_") for name in statistics.variables("video"))
