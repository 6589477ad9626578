"""Lines that send on what others hear, without anybody having to carry it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media import codec_registry
from media.engine import Engine
from media.g711 import G711
from media.line import Line
from media.notice import Notice
from media.rtp_transport import RtpTransport
from media.source import Samples
from tests.media.ear import Ear
from tests.media.realtime.far_end import PORTS, Bench, FarEnd

RATE = 8000


class Calls:
    """An engine with RTP lines, moved tick by tick."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.engine = Engine(
            on_fault=lambda where, error: bench.faults.append(repr(error)), transports=bench.lines
        )
        self.now = 0

    def open(self, **options: Any) -> tuple[FarEnd, tuple[str, int], Line]:
        end = FarEnd()
        self.bench.ends.append(end)
        number = self.engine.next_number()
        notices: list[Notice] = []
        self.bench.notices[number] = notices
        rate = options.pop("rate", RATE)
        transport = RtpTransport("127.0.0.1", PORTS, end.address, jitter_ms=20, **options)
        local = self.bench.lines.open(number, transport, rate, notices.append)
        return end, local, self.engine.open_line(number, rate, notices.append, remote=True)

    def tick(self) -> None:
        self.now += 20_000
        self.bench.lines.receive()
        self.engine.advance(self.now)

    def relaying(self, line: Line) -> bool:
        return self.engine._lines[line.number].relaying


@pytest.fixture
def calls(bench: Bench) -> Calls:
    return Calls(bench)


def payloads(codec: str, ticks: int, ptime: int = 20, seed: int = 1) -> list[bytes]:
    coder = codec_registry.create(codec, ptime_ms=ptime)
    size = coder.rate * ptime // 1000
    sound = (np.random.default_rng(seed).standard_normal(size * ticks) * 3000).astype(np.int16)
    return [coder.encode(sound[index * size : (index + 1) * size]) for index in range(ticks)]


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_g711_of_one_law_goes_through_unharmed(calls: Calls, law: str) -> None:
    kind = 8 if law == "PCMA" else 0
    a, at_a, line_a = calls.open(codec=law, payload_type=kind)
    b, _, line_b = calls.open(codec=law, payload_type=kind)
    line_a.bridge(line_b)
    coder = G711(law)
    sent = [bytes(np.random.default_rng(number).integers(0, 256, 160, np.uint8)) for number in range(40)]
    for payload in sent:
        a.say(at_a, payload, kind)
        calls.tick()
    assert calls.relaying(line_a) and calls.relaying(line_b)
    got = [packet.payload for packet in b.received()]
    # Two bytes of PCMU mean zero; all others come out as they went in.
    told = [payload.replace(b"\x7f", b"\xff") if law == "PCMU" else payload for payload in sent]
    assert got[-30:] == told[9:39]
    assert all(
        np.array_equal(coder.decode(one), coder.decode(other)) for one, other in zip(sent, told, strict=True)
    )


def test_one_law_becomes_the_other(calls: Calls) -> None:
    a, at_a, line_a = calls.open()
    b, _, line_b = calls.open(codec="PCMA", payload_type=8)
    line_a.bridge(line_b)
    sent = payloads("PCMU", 20)
    for payload in sent:
        a.say(at_a, payload)
        calls.tick()
    got = [packet.payload for packet in b.received()]
    mu, a_law = G711("PCMU"), G711("PCMA")
    assert got[5] in [a_law.encode(mu.decode(payload)) for payload in sent]


@pytest.mark.parametrize(
    ("codec", "kind", "ptime"), [("G722", 9, 20), ("GSM", 3, 20), ("opus", 116, 20), ("PCMU", 0, 30)]
)
def test_payloads_of_one_codec_go_through_as_they_are(
    calls: Calls, codec: str, kind: int, ptime: int
) -> None:
    coder = codec_registry.create(codec, ptime_ms=ptime)
    step = coder.clock_rate * ptime // 1000
    a, at_a, line_a = calls.open(codec=codec, payload_type=kind, ptime_ms=ptime)
    b, _, line_b = calls.open(codec=codec, payload_type=kind + 1, ptime_ms=ptime)
    line_a.bridge(line_b)
    calls.tick()
    b.datagrams()
    sent = payloads(codec, 60, ptime)
    queue = list(sent)
    for tick in range(60):
        while queue and (len(sent) - len(queue)) * ptime <= tick * 20:
            a.say(at_a, queue.pop(0), kind, step=step)
        calls.tick()
    packets = b.received()
    got = [packet.payload for packet in packets]
    first = sent.index(got[0])
    assert first == 0 and len(got) >= 1100 // ptime and got == sent[first : first + len(got)]
    assert {packet.payload_type for packet in packets} == {kind + 1}
    assert set(np.diff([packet.timestamp for packet in packets]) % 2**32) == {step}
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)


def test_a_lost_payload_leaves_its_time_out(calls: Calls) -> None:
    a, at_a, line_a = calls.open(codec="GSM", payload_type=3)
    b, _, line_b = calls.open(codec="GSM", payload_type=3)
    line_a.bridge(line_b)
    sent = payloads("GSM", 30)
    for number, payload in enumerate(sent):
        if number == 15:
            a.sequence += 1
            a.timestamp += 160
        else:
            a.say(at_a, payload, 3)
        calls.tick()
    packets = b.received()
    steps = (np.diff([packet.timestamp for packet in packets]) % 2**32).tolist()
    assert sorted(steps)[-2:] == [160, 320]
    assert (np.diff([packet.sequence for packet in packets]) % 65536 == 1).all()


def test_whoever_listens_gets_sound_and_the_bridge_goes_on(calls: Calls) -> None:
    a, at_a, line_a = calls.open(codec="G722", payload_type=9, rate=16000)
    b, at_b, line_b = calls.open(codec="G722", payload_type=9, rate=16000)
    line_a.bridge(line_b)
    coder = codec_registry.create("G722")
    tone = (np.sin(np.arange(320 * 200) * 2 * np.pi * 500 / 16000) * 8000).astype(np.int16)
    sent = [coder.encode(tone[index * 320 : (index + 1) * 320]) for index in range(200)]
    number = 0

    def go(ticks: int) -> list[bytes]:
        nonlocal number
        for _ in range(ticks):
            a.say(at_a, sent[number], 9)
            b.say(at_b, sent[number], 9)
            number += 1
            calls.tick()
        return [packet.payload for packet in b.received()]

    assert all(payload in sent for payload in go(20)[3:])
    ear = Ear()
    tap = line_a.tap(ear, write=False)
    got = go(40)
    heard = ear.heard[320 * 10 :]
    assert abs(np.argmax(np.abs(np.fft.rfft(heard))) * 16000 / len(heard) - 500) < 20
    assert len(got) == 40
    line_a.untap(tap)
    assert all(payload in sent for payload in go(20)[3:])
    line_b.volume(read=False, factor=0.5)
    assert not any(payload in sent for payload in go(20)[3:])
    assert not calls.relaying(line_b) and calls.relaying(line_a)
    line_b.volume(read=False, factor=1.0)
    go(5)
    assert calls.relaying(line_b)
    prompt = line_b.play(Samples(np.zeros(320 * 10, np.int16), 16000))
    got = go(15)
    assert not any(payload in sent for payload in got[2:9]) and all(payload in sent for payload in got[-3:])
    assert prompt.position == 3200
    line_a.unbridge()
    assert go(10) == []
    assert not calls.relaying(line_a) and not calls.relaying(line_b)


def test_a_new_codec_on_one_side_ends_and_begins_passing(calls: Calls) -> None:
    a, at_a, line_a = calls.open(codec="GSM", payload_type=3)
    b, _, line_b = calls.open(codec="GSM", payload_type=3)
    line_a.bridge(line_b)
    sent = payloads("GSM", 60)

    def go(count: int) -> list[bytes]:
        for _ in range(count):
            a.say(at_a, sent.pop(0), 3)
            calls.tick()
        return [packet.payload for packet in b.received()]

    assert {len(payload) for payload in go(15)} == {33}
    numbers = line_b.number
    calls.bench.lines.change(numbers, RtpTransport("127.0.0.1", PORTS, b.address))
    assert {len(payload) for payload in go(15)} == {160}
    calls.bench.lines.change(
        numbers, RtpTransport("127.0.0.1", PORTS, b.address, codec="GSM", payload_type=3)
    )
    assert {len(payload) for payload in go(15)} == {33}


def test_a_line_that_is_gone_is_sent_on_no_more(calls: Calls) -> None:
    a, at_a, line_a = calls.open()
    b, _, line_b = calls.open()
    c, at_c, line_c = calls.open()
    line_a.bridge(line_b)
    for value in range(10):
        a.say(at_a, bytes([value]) * 160)
        calls.tick()
    b.datagrams()
    line_a.close()
    calls.tick()
    assert b.datagrams() == []
    line_b.bridge(line_c)
    for value in range(10):
        c.say(at_c, bytes([value]) * 160)
        calls.tick()
    assert bytes([7]) * 160 in [packet.payload for packet in b.received()]


@pytest.mark.parametrize("carried", [False, True])
def test_lines_of_different_rates_hear_each_other_without_what_the_lower_one_cannot_carry(
    calls: Calls, carried: bool
) -> None:
    narrow, at_narrow, line_narrow = calls.open()
    wide, at_wide, line_wide = calls.open(codec="L16", codec_rate=16000, payload_type=98, rate=16000)
    line_narrow.bridge(line_wide)
    if carried:  # what is changed on the way is the engine's business
        line_narrow.volume(read=False, factor=0.5)
        line_wide.volume(read=False, factor=0.5)
    mu, linear = G711("PCMU"), codec_registry.create("L16", rate=16000)
    time = np.arange(16000) / 16000
    # 6 kHz would come back as 2 kHz where it is only left out.
    both = (8000 * (np.sin(2 * np.pi * 1000 * time) + np.sin(2 * np.pi * 6000 * time))).astype(np.int16)
    low = (8000 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)).astype(np.int16)
    for tick in range(50):
        wide.say(at_wide, linear.encode(both[tick * 320 : (tick + 1) * 320]), 98, step=320)
        narrow.say(at_narrow, mu.encode(low[tick * 160 : (tick + 1) * 160]))
        calls.tick()
    assert calls.relaying(line_narrow) is not carried

    def level(sound: NDArray[np.int16], rate: int, hertz: int) -> float:
        whole = sound.astype(float)
        return float(
            2 * np.abs(np.exp(-2j * np.pi * hertz * np.arange(len(whole)) / rate) @ whole) / len(whole)
        )

    expected = 4000 if carried else 8000
    at_the_narrow = np.concatenate([mu.decode(packet.payload) for packet in narrow.received()])[1600:]
    assert level(at_the_narrow, 8000, 1000) == pytest.approx(expected, rel=0.05)
    assert level(at_the_narrow, 8000, 2000) < expected / 100
    at_the_wide = np.concatenate([linear.decode(packet.payload) for packet in wide.received()])[3200:]
    assert level(at_the_wide, 16000, 1000) == pytest.approx(expected, rel=0.05)
    assert level(at_the_wide, 16000, 7000) < expected / 100


def test_a_rate_is_changed_unless_something_counts_in_it(calls: Calls) -> None:
    a, _, line = calls.open()
    ear = Ear()
    tap = line.tap(ear)
    assert not calls.engine.set_rate(line.number, 16000)
    line.untap(tap)
    assert calls.engine.set_rate(line.number, 16000)
    calls.bench.lines.change(
        line.number, RtpTransport("127.0.0.1", PORTS, a.address, codec="G722", payload_type=9)
    )
    line = Line(calls.engine, line.number, 16000)
    tone = (np.sin(np.arange(320 * 50) * 2 * np.pi * 3000 / 16000) * 8000).astype(np.int16)
    line.play(Samples(tone, 16000))
    for _ in range(60):
        calls.tick()
    told = codec_registry.create("G722")
    sound = np.concatenate([told.decode(packet.payload) for packet in a.received()])
    assert len(sound) == 16000
    assert abs(np.argmax(np.abs(np.fft.rfft(sound))) * 16000 / len(sound) - 3000) < 5
    assert not calls.engine.set_rate(999, 8000)
