from __future__ import annotations

import gc
import os
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.engine import Engine
from media.g711 import G711
from media.notice import DigitReceived, FirstPacket, MediaTimeout
from media.realtime.placed_samples import PlacedSamples
from media.realtime.rtp_lines import RtpLines
from media.rtcp import ReceiverReport, ReportBlock, SenderReport, middle, parse, serialize
from media.rtp import RtpPacket
from media.rtp_transport import RtpTransport, TransportError
from media.source import (
    ComfortNoise,
    Louder,
    Repeat,
    Samples,
    Scaled,
    Sequence,
    Silence,
    Source,
    Speed,
)
from media.stream_source import StreamRing
from media.telephone_event import TelephoneEventSender
from media.tone import ToneSource
from tests.free_ports import free_ports
from tests.media.realtime.far_end import PCMU, PORTS, Bench, FarEnd, frame, sounds


def test_what_arrives_is_heard_in_order(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=20)
    heard = []
    for value in range(30):
        end.say(local, frame(value))
        heard.append(int(bench.hear(1)[0]))
    assert heard == [0, *(sounds(value) for value in range(29))]
    assert bench.notices[1] == [FirstPacket()]
    report = bench.lines.report(1)
    assert report is not None
    assert (report.packets_received, report.lost, report.remote, report.remote_ssrc) == (
        30,
        0,
        end.address,
        7,
    )
    assert report.mos > 4.3 and report.jitter == 0


def test_a_line_that_plays_from_memory_sends_it_byte_for_byte(bench: Bench) -> None:
    end, _ = bench.open(1)
    sound = PlacedSamples(bench.memory[40_000:41_000], 8000, 40_000)
    assert bench.lines.play(1, sound, 0)
    ended = [bench.tick() for _ in range(8)]
    assert ended == [[]] * 6 + [[1]] + [[]]
    packets = end.received()
    first = packets[0]
    assert first.marker and not any(packet.marker for packet in packets[1:])
    told = b"".join(packet.payload for packet in packets[:7])
    assert told == PCMU.encode(np.pad(bench.memory[40_000:41_000], (0, 120)))
    for number, packet in enumerate(packets):
        assert packet.sequence == (first.sequence + number) % 65536
        assert packet.timestamp == (first.timestamp + 160 * number) % 2**32
        assert (packet.ssrc, packet.payload_type) == (first.ssrc, 0)
    assert bench.lines.moved(1) == 1120


def heard_by(end: FarEnd, bench: Bench, ticks: int) -> NDArray[np.uint8]:
    """Return what a far end gets in so many ticks, bytes of shape (n,)."""
    for _ in range(ticks):
        bench.tick()
    return np.frombuffer(b"".join(packet.payload for packet in end.received()), np.uint8)


def test_sounds_in_a_row_are_played_across_their_seams(bench: Bench) -> None:
    end, _ = bench.open(1)
    first = PlacedSamples(bench.memory[40_000:44_400], 8000, 40_000)
    second = PlacedSamples(bench.memory[50_000:53_333], 8000, 50_000)
    row = Sequence([first, Silence(8000, 80), second, first])
    assert row.length == 12_213
    assert bench.lines.play(1, row, 0)
    assert [bench.tick() for _ in range(77)] == [[]] * 76 + [[1]]
    told = np.frombuffer(b"".join(packet.payload for packet in end.received()), np.uint8)
    assert told.tobytes() == PCMU.encode(np.pad(row.render(0, 12_213), (0, 107)))
    assert bench.lines.moved(1) == bench.lines.stop(1) == 12_320
    assert bench.tick() == [] and end.received() == []


@pytest.mark.parametrize(
    "source",
    [
        ToneSource("%(2000,4000,440,480);loops=-1", 8000),
        ToneSource("%(400,200,400,450);%(33,2000,400,450)", 8000, -1),
        ToneSource("l=-1;%(511,77,425)", 8000),
        ToneSource("%(25000,0,440.5)", 8000),
        ComfortNoise(8000, None, 1400),
        ComfortNoise(8000, 88_888, 7),
        Silence(8000),
        Louder(ToneSource("%(3000,300,440)", 8000, -1), 6),
        Scaled(ComfortNoise(8000, None, 3), 0.4),
        Speed(ComfortNoise(8000, None, 3), 1),
        Repeat(Samples(np.arange(33, dtype=np.int16), 8000)),
        Sequence([Samples(np.arange(n, dtype=np.int16), 8000) for n in (1, 159, 161, 5, 4000, 12_345)] * 4),
    ],
)
def test_all_but_streams_a_line_plays_by_itself(bench: Bench, source: Source) -> None:
    """From several places, so that stretches end at different times."""
    for line in range(1, 5):
        end, _ = bench.open(line)
        assert bench.lines.play(line, source, 1000 * line)
    for line, end in enumerate(bench.ends, 1):
        heard = heard_by(end, bench, 130 if line == 1 else 0)
        sound = source.render(1000 * line, 130 * 160)
        whole = np.pad(sound, (0, -len(sound) % 160))
        assert len(whole) > 5000 and heard.tobytes() == PCMU.encode(whole)
        assert bench.lines.moved(line) == len(whole)


def test_a_stream_is_played_by_nobody_but_who_asks_each_tick(bench: Bench) -> None:
    end, _ = bench.open(1)
    ring = StreamRing(8000)
    assert not bench.lines.play(1, ring.source, 0)
    assert not bench.lines.play(1, Louder(Repeat(ring.source), 3), 0)
    row = Sequence([Samples(np.full(1000, 5000, np.int16), 8000), ring.source])
    assert bench.lines.play(1, row, 0)
    assert [bench.tick() for _ in range(6)] == [[]] * 5 + [[1]]
    assert bench.lines.stop(1) == 960  # the rest of the first is in a frame with the stream's beginning
    assert not bench.lines.play(1, row, 960) and bench.tick() == []
    assert len(end.received()) == 6


def test_a_sound_that_fails_is_left_to_who_asks_each_tick(bench: Bench) -> None:
    class Broken(Samples):
        def render(self, start: int, count: int) -> NDArray[np.int16]:
            raise OSError("gone")

    bench.open(1)
    assert not bench.lines.play(1, Broken(np.zeros(800, np.int16), 8000), 0)


def test_lines_that_begin_together_look_ahead_at_different_times(bench: Bench) -> None:
    asked: list[int] = []

    class Watched(Samples):
        def render(self, start: int, count: int) -> NDArray[np.int16]:
            asked.append(ticks)
            return super().render(start, count)

    source = Watched(np.zeros(80_000, np.int16), 8000)
    ticks = -1
    for line in range(1, 31):
        bench.open(line)
        assert bench.lines.play(line, source, 0)
    asked.clear()
    for tick in range(100):
        ticks = tick
        bench.tick()
    assert len(asked) == len(set(asked)) == 60


@pytest.mark.parametrize("codec", ["PCMU", "L16"])
def test_when_a_far_end_stops_its_sound_fades_away_in_60_ms(bench: Bench, codec: str) -> None:
    """G.711 appendix I, in both ways that lines are heard: 10 ms as it was, then a fifth less every 10 ms."""
    options: dict[str, Any] = (
        {} if codec == "PCMU" else {"codec": "L16", "codec_rate": 8000, "payload_type": 97}
    )
    end, local = bench.open(1, jitter_ms=0, **options)
    tone = (8000 * np.sin(np.arange(4000) * 2 * np.pi / 40)).astype(np.int16)  # 200 Hz
    heard = []
    for tick in range(24):
        if tick < 8:
            sound = tone[160 * tick :][:160]
            payload = PCMU.encode(sound) if codec == "PCMU" else sound.astype(">i2").tobytes()
            end.say(local, payload, 0 if codec == "PCMU" else 97)
        heard.append(bench.hear(1))
    levels = np.sqrt((np.concatenate(heard).astype(float) ** 2).reshape(-1, 80).mean(1)) / (8000 / np.sqrt(2))
    last = int(np.flatnonzero(levels > 0.95)[-1])  # the 10 ms at the full level
    assert levels[last - 8 : last + 1] == pytest.approx(np.ones(9), abs=0.03)
    assert levels[last + 1 : last + 6] == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1], abs=0.04)
    assert not levels[last + 6 :].any() and len(levels) - last > 20
    first = int(np.flatnonzero(levels > 0.9)[0])
    assert last - first == 16  # what was said, and 10 ms


def test_a_payload_of_a_length_that_the_line_cannot_have_is_a_damaged_frame(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=0, codec="L16", codec_rate=44_100, ptime_ms=10, payload_type=97)
    for size in (441, 80, 440):
        for _ in range(10):
            for _ in range(2):
                end.say(local, np.full(size, 4000, ">i2").tobytes(), 97, step=441)
            heard = bench.hear(1)
            assert len(heard) == 160
        assert (size == 441) == (np.abs(heard.astype(int) - 4000).max() < 100)
    assert bench.faults == []


def test_an_idle_line_sends_what_it_is_told_to(bench: Bench) -> None:
    engine = Engine(transports=bench.lines)
    end, _ = bench.open(1)
    line = engine.open_line(1, 8000, lambda notice: None, remote=True)
    now = 0

    def sent(ticks: int) -> NDArray[np.int16]:
        nonlocal now
        for _ in range(ticks):
            now += 20_000
            engine.settle()
            bench.lines.receive()
            engine.advance(now)
        return PCMU.decode(b"".join(packet.payload for packet in end.received()))

    assert len(sent(10)) == 0
    line.set_idle(1400)
    noise = sent(120)
    assert len(noise) == 120 * 160 and 20 <= np.abs(noise).max() <= 24 and np.std(noise) > 10
    playback = line.play(Samples(np.full(1000, 5000, np.int16), 8000))
    heard = sent(20)
    assert len(heard) == 20 * 160 and np.abs(heard[:1000] - 5000).max() < 200
    assert playback.played == 1120 and np.abs(heard[1120:]).max() <= 24 and heard[1120:].any()
    line.set_idle(-1)
    assert len(quiet := sent(100)) == 16_000 and not quiet.any()
    line.echo(True)  # something to send: what is heard
    assert len(sent(10)) == 1600
    line.echo(False)
    line.set_idle(0)
    assert len(sent(10)) == 0


def test_after_silence_the_marker_is_set_and_time_has_passed(bench: Bench) -> None:
    end, _ = bench.open(1)
    loud = np.full(160, 4000, np.int16)
    for speaking in (True, True, False, False, True):
        bench.lines.receive()
        if speaking:
            bench.lines.say(1, 0, loud)
        bench.lines.send()
    packets = end.received()
    assert [packet.marker for packet in packets] == [True, False, True]
    steps = np.diff([packet.timestamp for packet in packets]) % 2**32
    assert steps.tolist() == [160, 480]
    assert np.diff([packet.sequence for packet in packets]).tolist() == [1, 1]


def test_two_halves_of_a_tick_are_one_packet(bench: Bench) -> None:
    end, _ = bench.open(1)
    bench.lines.receive()
    bench.lines.say(1, 0, np.full(80, 1000, np.int16))
    bench.lines.say(1, 80, np.full(80, -1000, np.int16))
    bench.lines.send()
    (packet,) = end.received()
    assert packet.payload == PCMU.encode(np.repeat(np.array([1000, -1000], np.int16), 80))


def test_a_law_and_mu_law_side_by_side(bench: Bench) -> None:
    pcma = G711("PCMA")
    end_u, local_u = bench.open(1, jitter_ms=0)
    end_a, local_a = bench.open(2, codec="PCMA", payload_type=8, jitter_ms=0)
    sound = (np.sin(np.arange(160) / 4) * 8000).astype(np.int16)
    end_u.say(local_u, PCMU.encode(sound))
    end_a.say(local_a, pcma.encode(sound), 8)
    bench.lines.receive()
    assert np.array_equal(bench.lines.heard(1, 0, 160), PCMU.decode(PCMU.encode(sound)))
    assert np.array_equal(bench.lines.heard(2, 0, 160), pcma.decode(pcma.encode(sound)))
    bench.lines.say(1, 0, sound)
    bench.lines.say(2, 0, sound)
    bench.lines.send()
    assert end_u.received()[0].payload == PCMU.encode(sound)
    (packet,) = end_a.received()
    assert packet.payload == pcma.encode(sound) and packet.payload_type == 8


@pytest.mark.parametrize(
    ("codec", "kind", "rate", "ptime"),
    [("G722", 9, 16000, 20), ("PCMU", 0, 8000, 30), ("PCMU", 0, 16000, 20), ("L16", 98, 8000, 10)],
)
def test_other_codecs_and_frames(bench: Bench, codec: str, kind: int, rate: int, ptime: int) -> None:
    end, local = bench.open(1, rate=rate, codec=codec, payload_type=kind, ptime_ms=ptime, jitter_ms=20)
    size = rate // 50
    tone = (np.sin(np.arange(size * 60) * 2 * np.pi * 400 / rate) * 8000).astype(np.int16)
    for index in range(60):
        bench.lines.receive()
        bench.lines.say(1, 0, tone[index * size : (index + 1) * size])
        bench.lines.send()
    packets = end.received()
    assert len(packets) == 60 * 20 // ptime
    assert packets[0].marker and not any(packet.marker for packet in packets[1:])
    assert len(set(np.diff([packet.timestamp for packet in packets]) % 2**32)) == 1
    heard = []
    queue = list(packets)
    for index in range(60):
        while queue and (len(packets) - len(queue)) * ptime <= index * 20:
            end.say(local, queue.pop(0).payload, kind)
            end.timestamp += int((packets[1].timestamp - packets[0].timestamp) % 2**32) - 160
        heard.append(bench.hear(1, size))
    sound = np.concatenate(heard).astype(float)[10 * size : 50 * size]
    spectrum = np.abs(np.fft.rfft(sound))
    assert abs(np.argmax(spectrum) * rate / len(sound) - 400) < 15
    assert 3000 < np.sqrt(np.mean(sound**2)) < 8000


def test_a_far_end_that_packs_otherwise_is_understood(bench: Bench) -> None:
    end, local = bench.open(1)
    heard = []
    for tick in range(40):
        if tick % 2 == 0:
            end.say(local, bytes([0x90]) * 320)
            end.timestamp += 160
        heard.append(bench.hear(1))
    assert np.count_nonzero(np.concatenate(heard[10:]) == sounds(0x90)) > 25 * 160


def test_keys_go_out_and_come_in(bench: Bench) -> None:
    end, local = bench.open(1, event_type=101)
    sender = TelephoneEventSender()
    sender.press("5", 100)
    for _ in range(14):
        event = sender.tick(end.timestamp)
        if event is None:
            end.say(local, frame(0xFF))
        else:
            packet = RtpPacket(101, end.sequence, event.timestamp, 7, event.payload, event.marker)
            end.socket.sendto(packet.serialize(), local)
            end.sequence += 1
            end.timestamp += 160
        bench.tick()
    assert DigitReceived("5", 800) in bench.notices[1]
    assert bench.notices[1].count(DigitReceived("5", 800)) == 1
    report = bench.lines.report(1)
    assert report is not None and report.lost == 0 and report.concealed == 0
    end.received()
    assert bench.lines.press(1, "9", 800)
    for _ in range(12):
        bench.lines.receive()
        bench.lines.say(1, 0, np.full(160, 500, np.int16))
        bench.lines.send()
    packets = end.received()
    events = [packet for packet in packets if packet.payload_type == 101]
    assert len(events) >= 7 and {packet.payload[0] for packet in events} == {9}
    assert sum(packet.payload[1] >= 0x80 for packet in events) == 3
    assert len({packet.timestamp for packet in events}) == 1
    assert [packet.sequence for packet in packets] == [
        (packets[0].sequence + number) % 65536 for number in range(len(packets))
    ]
    assert not bench.lines.press(1, "?", 800)
    bench.faults.clear()


def test_a_key_whose_end_is_lost_ends_by_itself(bench: Bench) -> None:
    end, local = bench.open(1, event_type=101)
    packet = RtpPacket(101, 1, 160, 7, struct.pack("!BBH", 3, 10, 480), True)
    end.socket.sendto(packet.serialize(), local)
    for _ in range(60):
        bench.tick()
    assert [notice for notice in bench.notices[1] if isinstance(notice, DigitReceived)] == [
        DigitReceived("3", 480)
    ]


def test_the_far_end_is_learnt_and_a_hijacker_is_refused(bench: Bench) -> None:
    end, local = bench.open(1, known=False, jitter_ms=0)
    thief = FarEnd(ssrc=666)
    bench.ends.append(thief)
    bench.lines.receive()
    bench.lines.say(1, 0, np.full(160, 500, np.int16))
    bench.lines.send()  # nobody to send to yet
    for _ in range(10):
        end.say(local, frame(0x90))
        bench.tick()
    for _ in range(20):
        thief.say(local, frame(0x10))
        end.say(local, frame(0x90))
        heard = bench.hear(1)
        assert heard.max() == sounds(0x90) and heard.min() > 0  # the thief's are below zero
        bench.lines.receive()
        bench.lines.say(1, 0, np.full(160, 500, np.int16))
        bench.lines.send()
    assert len(end.received()) == 20 and thief.received() == []
    report = bench.lines.report(1)
    assert report is not None and report.remote == end.address


def test_a_far_end_that_moved_is_found_again_after_silence(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=0)
    for _ in range(10):
        end.say(local, frame(0x90))
        bench.tick()
    for _ in range(180):
        bench.tick()
    moved = FarEnd(ssrc=8)
    bench.ends.append(moved)
    for _ in range(10):
        moved.say(local, frame(0x20))
        bench.tick()
    report = bench.lines.report(1)
    assert report is not None and report.remote == moved.address
    bench.lines.receive()
    bench.lines.say(1, 0, np.full(160, 500, np.int16))
    bench.lines.send()
    assert len(moved.received()) == 1


def test_the_signalling_moves_the_far_end_at_once(bench: Bench) -> None:
    end, local = bench.open(1)
    for _ in range(10):
        end.say(local, frame(0x90))
        bench.tick()
    other = FarEnd()
    bench.ends.append(other)
    bench.lines.change(1, RtpTransport("127.0.0.1", PORTS, other.address, codec="PCMA", payload_type=8))
    bench.lines.receive()
    bench.lines.say(1, 0, np.full(160, 500, np.int16))
    bench.lines.send()
    (packet,) = other.received()
    assert packet.payload_type == 8
    bench.lines.change(
        1, RtpTransport("127.0.0.1", PORTS, other.address, codec="PCMA", payload_type=8, sending=False)
    )
    bench.lines.receive()
    bench.lines.say(1, 0, np.full(160, 500, np.int16))
    bench.lines.send()
    assert other.received() == []


def test_a_stream_that_stops_is_told_once_and_again(bench: Bench) -> None:
    end, local = bench.open(1, timeout_ms=1000)
    for _ in range(20):
        end.say(local, frame(0x90))
        bench.tick()
    for _ in range(200):
        bench.tick()
    assert sum(isinstance(notice, MediaTimeout) for notice in bench.notices[1]) == 1
    for _ in range(80):
        end.say(local, frame(0x90))
        bench.tick()
    for _ in range(100):
        bench.tick()
    assert sum(isinstance(notice, MediaTimeout) for notice in bench.notices[1]) == 2


def test_reports_go_out_and_their_answers_give_the_round_trip(bench: Bench) -> None:
    end, local = bench.open(1, rtcp_interval_ms=1000)
    got: list[bytes] = []
    for _ in range(120):
        end.say(local, frame(0x90), skip=1 if end.sequence == 120 else 0)
        bench.wall += 20_000
        bench.lines.receive()
        bench.lines.say(1, 0, np.full(160, 500, np.int16))
        bench.lines.send()
        try:
            got.append(end.control.recv(2000))
        except BlockingIOError:
            continue
    head = parse(got[-1])[0]
    assert isinstance(head, SenderReport)
    assert head.packets > 20 and head.octets == head.packets * 160
    assert head.blocks[0].ssrc == 7 and sum(block.lost for block in head.blocks) in (0, 1)
    assert head.blocks[0].highest_sequence >= 120
    block = ReportBlock(head.ssrc, 25, 3, 0, 80, middle(head.ntp), 0)
    bench.wall += 60_000
    end.control.sendto(serialize(ReceiverReport(7, (block,))), (local[0], local[1] + 1))
    bench.tick()
    report = bench.lines.report(1)
    assert report is not None and report.round_trip is not None
    assert report.remote_loss == 25 / 256 and report.remote_jitter == 10.0 and report.lost == 1


def test_ports_come_in_pairs_and_none_is_lost(bench: Bench) -> None:
    first_port, last_port = ports = free_ports(20)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    lines = RtpLines(bench.memory, lambda: 0, lambda where, error: None)
    transport = RtpTransport("127.0.0.1", ports, ("127.0.0.1", 9))
    for _ in range(5):
        taken = [lines.open(number, transport, 8000, lambda notice: None)[1] for number in range(10)]
        assert sorted(taken) == list(range(first_port, last_port, 2))
        with pytest.raises(TransportError, match="taken"):
            lines.open(99, transport, 8000, lambda notice: None)
        assert len(lines) == 10
        for number in range(10):
            lines.close(number)
    first = lines.open(1, transport, 8000, lambda notice: None)[1]
    lines.close(1)
    assert lines.open(2, transport, 8000, lambda notice: None)[1] != first  # used last
    lines.close(2)
    lines.release()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(TransportError):
        lines.open(3, RtpTransport("192.0.2.1", PORTS), 8000, lambda notice: None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=400),
            st.builds(
                lambda kind, sequence, stamp, ssrc, payload: RtpPacket(
                    kind, sequence, stamp, ssrc, payload
                ).serialize(),
                st.sampled_from([0, 3, 8, 9, 13, 72, 101, 34]),
                st.integers(0, 65535),
                st.integers(0, 2**32 - 1),
                st.integers(0, 3),
                st.binary(max_size=330),
            ),
        ),
        max_size=12,
    ),
    st.sampled_from(
        [
            {},
            {"rtcp_mux": True, "comfort_noise_type": 13},
            {"codec": "G722", "payload_type": 9, "rtcp_mux": True},
            {"codec": "GSM", "payload_type": 3},
            {"codec": "opus", "payload_type": 101, "event_type": 8},
            {"ptime_ms": 30},
        ]
    ),
    st.booleans(),
)
def test_no_packet_of_one_line_disturbs_another(
    packets: list[bytes], options: dict[str, Any], relayed: bool
) -> None:
    bench = Bench()
    try:
        end, local = bench.open(1, jitter_ms=0)
        wild, target = bench.open(2, **{"event_type": 101, **options})
        bridged, _ = bench.open(3, **{"event_type": 101, **options})
        if relayed:
            bench.lines.relay(3, 2, encoded=True)
        for _ in range(6):
            wild.say(target, frame(0x30), bench.transports[2].payload_type)
            end.say(local, frame(0x90))
            bench.tick()
        for packet in packets:
            wild.socket.sendto(packet, target)
            wild.socket.sendto(packet, (target[0], target[1] + 1))
            end.say(local, frame(0x90))
            assert (bench.hear(1) == sounds(0x90)).all()
            assert len(bench.lines.heard(2, 0, 160)) == 160
        bridged.received()
        report = bench.lines.report(1)
        assert report is not None and report.lost == report.concealed == 0
        assert bench.lines.report(2) is not None
    finally:
        bench.close()
    assert bench.faults == []
