from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media import codec_registry
from media.codec import CodecError
from media.comfort_noise import ComfortNoise
from media.notice import DigitReceived, FirstPacket, MediaTimeout
from tests.media.realtime.far_end import Bench, FarEnd, frame, sounds


def tone(rate: int, ticks: int, hertz: int = 400) -> NDArray[np.int16]:
    return (np.sin(np.arange(rate // 50 * ticks) * 2 * np.pi * hertz / rate) * 8000).astype(np.int16)


def pitch(sound: NDArray[np.int16], rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound.astype(float)))) * rate / len(sound))


# What an answer may say: codec, payload type, frames, the codec's own rate, timestamp units of a frame.
ANSWERS: list[dict[str, Any]] = [
    {"codec": "PCMU", "payload_type": 0, "ptime_ms": 20},
    {"codec": "PCMA", "payload_type": 8, "ptime_ms": 20},
    {"codec": "PCMU", "payload_type": 0, "ptime_ms": 30},
    {"codec": "G722", "payload_type": 9, "ptime_ms": 20},
    {"codec": "L16", "payload_type": 98, "ptime_ms": 10},
    {"codec": "opus", "payload_type": 116, "ptime_ms": 20},
]
NAMES = [f"{answer['codec']}-{answer['ptime_ms']}" for answer in ANSWERS]


def converse(bench: Bench, end: FarEnd, local: tuple[str, int], rate: int) -> None:
    """Let both sides speak what the line's transport says, and check that each hears the other."""
    transport = bench.transports[1]
    codec = codec_registry.create(transport.codec, ptime_ms=transport.ptime_ms, fmtp=transport.fmtp)
    size = codec.rate * transport.ptime_ms // 1000
    step = codec.clock_rate * transport.ptime_ms // 1000
    sung = tone(codec.rate, 100, 600)
    ours = tone(rate, 60)
    end.datagrams()
    heard = []
    said = 0
    for tick in range(60):
        while said * transport.ptime_ms <= tick * 20:
            payload = codec.encode(sung[said * size : (said + 1) * size])
            end.say(local, payload, transport.payload_type, step=step)
            said += 1
        bench.lines.receive()
        heard.append(bench.lines.heard(1, 0, rate // 50))
        bench.lines.say(1, 0, ours[tick * rate // 50 : (tick + 1) * rate // 50])
        bench.lines.send()
    assert abs(pitch(np.concatenate(heard[15:55]), rate) - 600) < 15
    assert np.sqrt(np.mean(np.concatenate(heard[15:55]).astype(float) ** 2)) > 3000
    packets = end.received()
    assert {packet.payload_type for packet in packets} == {transport.payload_type}
    assert abs(len(packets) - 60 * 20 // transport.ptime_ms) <= 2
    assert set(np.diff([packet.timestamp for packet in packets]) % 2**32) == {step}
    assert set(np.diff([packet.sequence for packet in packets]) % 65536) == {1}
    decoder = codec_registry.create(transport.codec, ptime_ms=transport.ptime_ms, fmtp=transport.fmtp)
    told = np.concatenate([decoder.decode(packet.payload) for packet in packets])
    assert abs(pitch(told[len(told) // 4 :], codec.rate) - 400) < 15


@pytest.mark.parametrize("answer", ANSWERS, ids=NAMES)
@pytest.mark.parametrize("offer", ANSWERS, ids=NAMES)
def test_an_offer_is_answered_with_any_codec(
    bench: Bench, offer: dict[str, Any], answer: dict[str, Any]
) -> None:
    end, local = bench.open(1, known=False, **offer)
    for _ in range(3):
        bench.speak(1)
    bench.change(1, remote=end.address, **answer)
    converse(bench, end, local, 8000)
    report = bench.lines.report(1)
    assert report is not None and report.local == local and report.jitter < 15


@pytest.mark.parametrize("answer", ANSWERS, ids=NAMES)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_line_takes_the_rate_of_the_codec(bench: Bench, rate: int, answer: dict[str, Any]) -> None:
    end, local = bench.open(1, known=False, rate=24000 - rate)
    bench.change(1, remote=end.address, **answer)
    bench.lines.set_rate(1, rate)
    converse(bench, end, local, rate)


def test_early_media_another_answer_and_a_new_offer_of_the_far_end(bench: Bench) -> None:
    end, local = bench.open(1, known=False)
    bench.change(1, remote=end.address, codec="PCMA", payload_type=8)  # 183
    converse(bench, end, local, 8000)
    bench.change(1, codec="G722", payload_type=9)  # 200
    converse(bench, end, local, 8000)
    ssrc = end.ssrc
    other = FarEnd(ssrc + 1)
    bench.ends.append(other)
    bench.change(1, remote=other.address, codec="PCMU", payload_type=0)  # re-INVITE, another host
    for _ in range(3):
        bench.speak(1)
    assert end.datagrams() == [] or other.datagrams() != []
    end.datagrams()
    converse(bench, other, local, 8000)
    assert end.datagrams() == []
    end.say(local, frame(0x10))
    bench.tick()
    report = bench.lines.report(1)
    assert report is not None and report.remote == other.address and report.remote_ssrc == ssrc + 1
    assert bench.notices[1] == [FirstPacket()]


def test_sound_that_comes_before_the_answer_is_heard_and_the_answer_sets_where_to(bench: Bench) -> None:
    end, local = bench.open(1, known=False, jitter_ms=0)
    for value in range(10):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
    named = FarEnd()  # the address in the answer: behind a NAT nobody is there
    bench.ends.append(named)
    bench.change(1, remote=named.address)
    bench.speak(1)
    assert len(named.received()) == 1
    for value in range(10, 30):
        end.say(local, frame(value))
        bench.speak(1)
    assert len(end.received()) >= 10
    report = bench.lines.report(1)
    assert report is not None and report.remote == end.address


def test_without_learning_only_the_signalled_address_is_heard(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=0)
    other = FarEnd()
    bench.ends.append(other)
    for value in range(10):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
    bench.change(1, remote=other.address, learning=False)
    for _ in range(20):
        end.say(local, frame(0x10))
        bench.tick()
    report = bench.lines.report(1)
    assert report is not None and report.refused == 20
    other.say(local, frame(0x20))
    assert bench.hear(1)[0] == sounds(0x20)


@pytest.mark.parametrize("answer", [ANSWERS[0], ANSWERS[3]], ids=[NAMES[0], NAMES[3]])
def test_a_hold_is_silent_both_ways_and_ends(bench: Bench, answer: dict[str, Any]) -> None:
    end, local = bench.open(1, timeout_ms=1000, **answer)
    converse(bench, end, local, 8000)
    bench.change(1, sending=False, receiving=False, timeout_ms=0)
    size = len(
        codec_registry.create(answer["codec"]).encode(
            np.zeros(320 if answer["codec"] == "G722" else 160, np.int16)
        )
    )
    for _ in range(100):
        end.say(local, bytes([0x35]) * size, answer["payload_type"])
        bench.speak(1)
        assert not bench.lines.heard(1, 0, 160).any()
    assert end.datagrams() == []
    bench.change(1, sending=True, receiving=True, timeout_ms=1000)
    bench.tick()
    assert not bench.lines.heard(1, 0, 160).any()  # nothing that came during the hold
    converse(bench, end, local, 8000)
    assert bench.notices[1] == [FirstPacket()]


def test_a_hold_may_have_a_timeout_of_its_own(bench: Bench) -> None:
    _, _ = bench.open(1, timeout_ms=600)
    for _ in range(20):
        bench.tick()
    bench.change(1, receiving=False, timeout_ms=2000)
    for _ in range(90):
        bench.tick()
    assert bench.notices[1] == []
    for _ in range(60):
        bench.tick()
    assert [type(notice) for notice in bench.notices[1]] == [MediaTimeout]


def test_a_codec_that_there_is_not_changes_nothing(bench: Bench) -> None:
    end, local = bench.open(1)
    with pytest.raises(CodecError):
        bench.change(1, codec="NONE", payload_type=99)
    bench.transports[1] = bench.lines._wires[1].transport
    converse(bench, end, local, 8000)


def test_nobody_to_send_to_is_not_counted_as_sent(bench: Bench) -> None:
    end, _ = bench.open(1, known=False)
    for _ in range(5):
        bench.speak(1)
    report = bench.lines.report(1)
    assert report is not None and report.packets_sent == 0
    bench.change(1, remote=end.address)
    bench.speak(1)
    (packet,) = end.received()
    assert packet.marker


def test_keys_count_by_the_clock_of_the_answer(bench: Bench) -> None:
    end, local = bench.open(1, known=False, event_type=101)
    bench.lines.press(1, "7", 800)
    bench.change(1, remote=end.address, codec="opus", payload_type=116, event_type=102, event_rate=48000)
    for _ in range(12):
        bench.speak(1)
    events = [packet for packet in end.received() if packet.payload_type == 102]
    assert int.from_bytes(events[-1].payload[2:], "big") == 4800
    for _ in range(3):
        end.say(local, bytes([5, 0x80 | 10]) + (4800).to_bytes(2, "big"), 102, step=0)
        bench.tick()
    assert bench.notices[1][1:] == [DigitReceived("5", 800)]


def test_time_passes_while_a_key_takes_the_place_of_frames(bench: Bench) -> None:
    end, _ = bench.open(1, event_type=101, codec="G722", payload_type=9)
    for tick in range(30):
        if tick == 10:
            bench.lines.press(1, "1", 800)
        bench.speak(1)
    packets = [packet for packet in end.received() if packet.payload_type == 9]
    assert (packets[-1].timestamp - packets[0].timestamp) % 2**32 == 29 * 160


def test_reports_over_the_port_of_rtp_are_read_from_a_source_that_is_not_certain_too(bench: Bench) -> None:
    from media.rtcp import RtcpSession

    end, local = bench.open(1, rtcp_mux=True, rtcp_interval_ms=1000)
    thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    compound = RtcpSession(7, "far@end", 8000).report(None, None, 0, bench.wall)
    try:
        end.socket.sendto(compound, local)
        thief.sendto(compound, local)
        bench.tick()
        wire = bench.lines._wires[1]
        connected = [wire.connected]
        assert wire.reports.packets_in == 1
        for _ in range(10):
            end.say(local, frame(0x90))
            bench.tick()
        connected.append(wire.connected)
        assert connected == [False, True]
        end.socket.sendto(compound, local)
        bench.tick()
        assert wire.reports.packets_in == 2
        bench.change(1, rtcp_mux=False)
        end.socket.sendto(compound, local)
        bench.tick()
        assert wire.reports.packets_in == 2
    finally:
        thief.close()


# Comfort noise


def test_comfort_noise_is_sent_where_it_was_agreed_and_nothing_is_said(bench: Bench) -> None:
    end, _ = bench.open(1, comfort_noise_type=13)
    other, _ = bench.open(2)
    for _ in range(150):
        bench.tick()
    assert end.datagrams() == []  # before the first word there is nothing to fill
    bench.speak(1)
    bench.speak(2)
    for _ in range(130):
        bench.tick()
    bench.speak(1)
    spoken, *noise, again = end.received()
    assert len(other.received()) == 1
    assert [packet.payload_type for packet in noise] == [13, 13]
    assert ComfortNoise.parse(noise[0].payload).level == 65
    assert [(packet.timestamp - spoken.timestamp) % 2**32 for packet in noise] == [61 * 160, 121 * 160]
    assert again.marker and not noise[0].marker
    report = bench.lines.report(1)
    assert report is not None and report.statistics.outbound.cng_packets == 2
    bench.change(1, sending=False)
    for _ in range(100):
        bench.tick()
    assert end.datagrams() == []


def test_comfort_noise_that_comes_is_silence_and_no_loss(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=0)
    for value in range(5):
        end.say(local, frame(value))
        bench.tick()
    end.say(local, ComfortNoise(50).serialize(), 13, step=160 * 20)
    for _ in range(20):
        assert not bench.hear(1).any()
    end.say(local, frame(3))
    assert bench.hear(1)[0] == sounds(3)
    report = bench.lines.report(1)
    assert report is not None
    assert (report.lost, report.jitter, report.statistics.inbound.cng_packets) == (0, 0, 1)


# The jitter buffer


@pytest.mark.parametrize("codec", [ANSWERS[0], ANSWERS[3]], ids=[NAMES[0], NAMES[3]])
def test_the_jitter_buffer_is_made_longer_and_shorter(bench: Bench, codec: dict[str, Any]) -> None:
    end, local = bench.open(1, jitter_ms=20, **codec)

    def late() -> int:
        """Return after how many ticks a loud frame is heard."""
        coder = codec_registry.create(codec["codec"])
        size = coder.rate // 50
        quiet, loud = coder.encode(np.zeros(size, np.int16)), coder.encode(tone(coder.rate, 1))
        for tick in range(80):
            end.say(local, loud if tick == 50 else quiet, codec["payload_type"])
            if np.abs(bench.hear(1)).max() > 4000 and tick >= 50:
                return tick - 50
        raise AssertionError("it was not heard")

    assert late() <= 2
    bench.change(1, jitter_ms=200, jitter_limit_ms=1000)
    assert 9 <= late() <= 11
    bench.change(1, jitter_ms=20)
    assert late() <= 2
    bench.change(1, jitter_ms=200, jitter_paused=True)
    assert late() <= 2


def test_both_sides_may_have_payload_types_of_their_own(bench: Bench) -> None:
    end, local = bench.open(
        1,
        rate=16000,
        jitter_ms=0,
        codec="L16",
        codec_rate=16000,
        payload_type=107,
        payload_type_receive=98,
        event_type=96,
        event_type_receive=101,
    )
    coder = codec_registry.create("L16", rate=16000)
    sung = tone(16000, 1)
    end.say(local, coder.encode(sung), 107, step=320)
    bench.tick()
    for _ in range(5):
        end.say(local, coder.encode(sung), 98, step=320)
        heard = bench.hear(1, 320)
    assert np.array_equal(heard, sung)
    for number in (96, 101):
        end.say(local, bytes([number - 95, 0x80 | 10]) + (800).to_bytes(2, "big"), number, step=0)
        bench.tick()
    assert bench.notices[1][1:] == [DigitReceived("6", 800)]
    bench.lines.press(1, "1", 800)
    for _ in range(12):
        bench.speak(1, sung)
    assert {packet.payload_type for packet in end.received()} == {96, 107}
    bench.change(1, codec_rate=8000)
    end.datagrams()
    bench.speak(1, sung)
    (packet,) = end.received()
    assert len(packet.payload) == 320
