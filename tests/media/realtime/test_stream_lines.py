"""Lines whose codec remembers something, and whose frames are encoded together with those of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media.ilbc import Ilbc
from tests.media.realtime.far_end import Bench

pytest.importorskip("av")


def tone(frequency: float, rate: int = 8000, seconds: float = 1.2) -> NDArray[np.int16]:
    places = np.arange(int(rate * seconds))
    sound: NDArray[np.int16] = (8000 * np.sin(2 * np.pi * frequency / rate * places)).astype(np.int16)
    return sound


def ilbc(mode: int, ptime_ms: int) -> dict[str, Any]:
    return {"codec": "iLBC", "payload_type": 102, "ptime_ms": ptime_ms, "fmtp": f"mode={mode}"}


def test_each_of_many_lines_says_its_own(bench: Bench) -> None:
    kinds = [(20, 20), (30, 30), (30, 30), (30, 60), (20, 40), (30, 30)]
    ends = [
        bench.open(line, jitter_ms=20, **ilbc(mode, ptime))[0] for line, (mode, ptime) in enumerate(kinds, 1)
    ]
    sounds = [tone(300.0 + 150 * line) for line in range(len(kinds))]
    for tick in range(60):
        bench.lines.receive()
        for line, sound in enumerate(sounds, 1):
            bench.lines.say(line, 0, sound[tick * 160 : (tick + 1) * 160])
        bench.lines.send()
    for end, sound, (mode, ptime) in zip(ends, sounds, kinds, strict=True):
        packets = end.received()
        assert len(packets) == 1200 // ptime
        assert set(np.diff([packet.timestamp for packet in packets]) % 2**32) == {8 * ptime}
        alone = Ilbc(mode, ptime)
        size = 8 * ptime
        expected = [alone.encode(sound[at : at + size]) for at in range(0, len(sound), size)]
        same = [packet.payload == payload for packet, payload in zip(packets, expected, strict=True)]
        assert np.mean(same) > 0.9


@pytest.mark.parametrize(("mode", "rate"), [(20, 8000), (30, 8000), (30, 16000)])
def test_what_a_line_says_is_what_it_hears(bench: Bench, mode: int, rate: int) -> None:
    end, local = bench.open(1, rate=rate, jitter_ms=mode, **ilbc(mode, mode))
    size = rate // 50
    sound = tone(500, rate)
    heard = []
    waiting: list[bytes] = []
    for tick in range(60):
        bench.lines.receive()
        heard.append(bench.lines.heard(1, 0, size))
        bench.lines.say(1, 0, sound[tick * size : (tick + 1) * size])
        bench.lines.send()
        waiting += [packet.payload for packet in end.received()]
        for payload in waiting:
            end.say(local, payload, 102, step=8 * mode)
        waiting.clear()
    back = np.concatenate(heard).astype(float)[15 * size : 55 * size]
    spectrum = np.abs(np.fft.rfft(back * np.hanning(len(back))))
    assert abs(int(spectrum.argmax()) * rate / len(back) - 500) < 5
    assert 4500 < np.sqrt(np.mean(back**2)) < 6500
    report = bench.lines.report(1)
    assert report is not None
    assert report.lost == 0


def test_a_frame_of_a_codec_that_was_left_is_not_sent(bench: Bench) -> None:
    end, _ = bench.open(1, **ilbc(20, 20))
    bench.open(2, **ilbc(20, 20))
    sound = tone(500)
    for tick in range(4):
        bench.lines.receive()
        for line in (1, 2):
            bench.lines.say(line, 0, sound[tick * 160 : (tick + 1) * 160])
        if tick == 3:
            bench.change(1, codec="GSM", payload_type=3, ptime_ms=20, fmtp="")
        bench.lines.send()
    assert [len(packet.payload) for packet in end.received()] == [38, 38, 38]


def test_a_burst_that_the_jitter_buffer_has_no_room_for_is_counted_as_skipped(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=20, jitter_limit_ms=60, **ilbc(20, 20))
    codec = Ilbc(20, 20)
    for _ in range(20):
        end.say(local, codec.encode(tone(500)[:160]), 102)
    for _ in range(20):
        bench.tick()
        bench.hear(1)
    report = bench.lines.report(1)
    assert report is not None
    played = report.statistics.inbound.jitter_packets
    assert report.packets_received == 20 and 1 <= played <= 5
    assert report.skipped == 20 - played and report.late == 0
