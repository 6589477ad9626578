from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.notice import FirstPacket
from media.realtime.rtp_lines import RtpLines
from media.rtcp import SenderReport, parse
from media.rtp import RtpPacket
from media.rtp_transport import RtpTransport
from media.srtp import SrtpError
from media.srtp_keys import SUITES, InlineKey, SrtpKeys, new_key
from tests.media.realtime.far_end import PORTS, Bench, FarEnd, frame, sounds

SUITE = "AES_CM_128_HMAC_SHA1_80"


def secured(
    bench: Bench, line: int, suite: str = SUITE, **options: Any
) -> tuple[FarEnd, tuple[str, int], SrtpKeys]:
    keys = SrtpKeys(suite, new_key(suite), new_key(suite))
    end, local = bench.open(line, srtp=keys, **options)
    assert keys.remote is not None
    end.secure(suite, keys.remote, keys.local)
    return end, local, keys


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_both_directions_are_protected(bench: Bench, suite: str) -> None:
    end, local, _ = secured(bench, 1, suite, jitter_ms=0)
    for value in range(30):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
        bench.lines.say(1, 0, np.full(160, 500, np.int16))
        bench.lines.send()
    assert bench.notices[1] == [FirstPacket()]
    bare = end.datagrams()
    bench.speak(1)
    assert len(bare) == 30 and len(bare[0]) > 172
    assert len(end.received()) == 1
    report = bench.lines.report(1)
    assert report is not None
    assert (report.packets_received, report.lost, report.unauthentic, report.replayed) == (30, 0, 0, 0)
    assert report.octets_received == 30 * 160


def test_other_codecs_and_keys_are_protected(bench: Bench) -> None:
    end, _, _ = secured(bench, 1, codec="G722", payload_type=9, rate=16000, event_type=101)
    bench.lines.press(1, "5", 800)
    for _ in range(20):
        bench.speak(1, np.zeros(320, np.int16))
    kinds = [packet.payload_type for packet in end.received()]
    assert kinds.count(101) >= 7 and kinds.count(9) >= 10


def test_what_is_bare_is_refused_before_and_after_the_source_is_known(bench: Bench) -> None:
    end, local, _ = secured(bench, 1, jitter_ms=0)
    sender, end.sender = end.sender, None
    for _ in range(10):
        end.say(local, frame(0x10))
        assert (bench.hear(1) == 0).all()
    assert bench.notices[1] == []
    end.sender = sender
    for _ in range(10):
        end.say(local, frame(0x90))
        bench.tick()
    end.sender = None
    for _ in range(5):
        end.sequence += 1
        end.say(local, frame(0x10))
        bench.tick()
    report = bench.lines.report(1)
    assert report is not None and report.unauthentic == 15 and report.packets_received == 10


def test_a_packet_that_came_before_is_counted_as_replayed(bench: Bench) -> None:
    end, local, _ = secured(bench, 1, jitter_ms=0)
    for value in range(20):
        packet = end.packet(frame(value))
        end.socket.sendto(packet, local)
        end.socket.sendto(packet, local)
        assert bench.hear(1)[0] == sounds(value)
    report = bench.lines.report(1)
    assert report is not None and (report.packets_received, report.replayed) == (20, 20)


def test_a_wrong_key_leaves_other_lines_untouched(bench: Bench) -> None:
    good, good_local, _ = secured(bench, 1, jitter_ms=0)
    bad, bad_local, keys = secured(bench, 2, jitter_ms=0)
    plain, plain_local = bench.open(3, jitter_ms=0)
    bad.secure(SUITE, new_key(SUITE), keys.local)
    for value in range(20):
        good.say(good_local, frame(value))
        bad.say(bad_local, frame(0x10))
        plain.say(plain_local, frame(value))
        bench.lines.receive()
        assert bench.lines.heard(1, 0, 1)[0] == bench.lines.heard(3, 0, 1)[0] == sounds(value)
        assert not bench.lines.heard(2, 0, 160).any()
        bench.lines.send()
    report = bench.lines.report(2)
    assert report is not None and (report.packets_received, report.unauthentic) == (0, 20)


def test_numbers_roll_over_and_sources_change(bench: Bench) -> None:
    end, local, _ = secured(bench, 1, jitter_ms=0)
    end.sequence = 65_530
    for value in range(20):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
    end.ssrc, end.sequence = 9, 65_535
    heard = []
    for value in range(20):
        end.say(local, frame(value))
        heard.append(bench.hear(1)[0])
    assert heard[2:] == [sounds(value) for value in range(2, 20)]
    report = bench.lines.report(1)
    assert report is not None
    assert (report.packets_received, report.remote_ssrc, report.unauthentic) == (40, 9, 0)


def test_what_is_sent_rolls_over(bench: Bench) -> None:
    end, _, _ = secured(bench, 1)
    bench.lines._out.sequence[0] = 65_530
    for _ in range(20):
        bench.speak(1)
    assert [packet.sequence for packet in end.received()] == [*range(65_530, 65_536), *range(14)]


def test_a_change_of_keys_loses_nothing(bench: Bench) -> None:
    end, local, keys = secured(bench, 1, jitter_ms=20)
    for value in range(10):
        end.say(local, frame(value))
        bench.speak(1)
    assert len(end.received()) == 10
    on_the_way = end.packet(frame(10))
    renewed = SrtpKeys(SUITE, keys.local, new_key(SUITE))
    assert renewed.remote is not None
    bench.change(1, srtp=renewed)
    end.socket.sendto(on_the_way, local)
    bench.speak(1)
    assert len(end.received()) == 1  # our key is the same, and its numbers go on
    end.secure(SUITE, renewed.remote, keys.local)
    for value in range(11, 20):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value - 1)
    other = SrtpKeys("AES_CM_128_HMAC_SHA1_32", new_key(SUITE), renewed.remote)
    bench.change(1, srtp=other)
    bench.speak(1)
    end.secure("AES_CM_128_HMAC_SHA1_32", renewed.remote, other.local)
    assert len(end.received()) == 1
    report = bench.lines.report(1)
    assert report is not None and report.lost == report.unauthentic == report.concealed == 0


def test_an_answer_brings_the_key_or_none(bench: Bench) -> None:
    keys = SrtpKeys(SUITE, new_key(SUITE))
    end, local = bench.open(1, srtp=keys, known=False, jitter_ms=0)
    remote = new_key(SUITE)
    end.secure(SUITE, remote, keys.local)
    for _ in range(5):
        end.say(local, frame(0x90))
        assert not bench.hear(1).any()
    bench.change(1, srtp=SrtpKeys(SUITE, keys.local, remote), remote=end.address)
    for value in range(5):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
    bench.change(1, srtp=None)
    end.sender = end.receiver = None
    for value in range(5, 9):
        end.say(local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
    bench.speak(1)
    assert len(end.received()) == 1


def test_keys_that_cannot_be_used_never_let_anything_through_in_the_clear(bench: Bench) -> None:
    short = SrtpKeys(SUITE, InlineKey(b"short"), new_key(SUITE))
    with pytest.raises(SrtpError):
        bench.open(1, srtp=short)
    del bench.notices[1]
    end, local = bench.open(2, jitter_ms=0)
    end.say(local, frame(0x90))
    bench.speak(2)
    assert len(end.received()) == 1
    with pytest.raises(SrtpError):
        bench.change(2, srtp=short)
    end.say(local, frame(0x90))
    bench.speak(2)
    assert end.datagrams() == []
    report = bench.lines.report(2)
    assert report is not None and (report.packets_received, report.unauthentic) == (1, 1)
    assert "short" not in repr(short)


@pytest.mark.parametrize("mux", [False, True])
def test_reports_are_protected_too(bench: Bench, mux: bool) -> None:
    keys = SrtpKeys(SUITE, new_key(SUITE), new_key(SUITE))
    end, local = bench.open(1, srtp=keys, rtcp_mux=mux, rtcp_interval_ms=1000)
    assert keys.remote is not None
    end.secure(SUITE, keys.remote, keys.local)
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    control.bind(("127.0.0.1", 0))
    control.setblocking(False)
    try:
        bench.change(1, remote_rtcp=None if mux else control.getsockname())
        for _ in range(3):
            end.say(local, frame(0x90))
        for _ in range(100):
            bench.speak(1)
        got = end.datagrams() if mux else [control.recv(2000)]
        reports = [data for data in got if 192 <= data[1] <= 223]
        assert reports and end.receiver is not None and end.sender is not None
        head = parse(end.receiver.unprotect_rtcp(reports[0]))[0]
        assert isinstance(head, SenderReport) and head.packets > 10
        from media.rtcp import RtcpSession

        session = RtcpSession(7, "far@end", 8000)
        compound = session.report(None, None, 0, bench.wall)
        target = local if mux else (local[0], local[1] + 1)
        source = end.socket if mux else control
        source.sendto(end.sender.protect_rtcp(compound), target)
        source.sendto(compound, target)
        bench.tick()
        wire = bench.lines._wires[1]
        assert wire.reports.packets_in == 1
        report = bench.lines.report(1)
        assert report is not None and report.unauthentic == 1
    finally:
        control.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=400),
            st.tuples(st.integers(0, 19), st.integers(0, 180), st.integers(1, 255)),
            st.builds(
                lambda kind, sequence, ssrc, payload: RtpPacket(kind, sequence, 0, ssrc, payload).serialize(),
                st.sampled_from([0, 8, 13, 101, 72]),
                st.integers(0, 65535),
                st.integers(0, 3),
                st.binary(max_size=1600),
            ),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_no_packet_of_a_secured_line_disturbs_another(
    attacks: list[bytes | tuple[int, int, int]], mux: bool
) -> None:
    bench = Bench()
    try:
        end, local, _ = secured(bench, 1, jitter_ms=0)
        plain, plain_local = bench.open(3, jitter_ms=0)
        wild, target, _ = secured(bench, 2, event_type=101, rtcp_mux=mux)
        genuine = [wild.packet(frame(value)) for value in range(20)]
        for packet in genuine[:6]:
            wild.socket.sendto(packet, target)
            end.say(local, frame(0x90))
            plain.say(plain_local, frame(0x90))
            bench.tick()
        for attack in attacks:
            if isinstance(attack, tuple):  # a packet that was sent before or not yet, a byte of it changed
                number, place, change = attack
                changed = bytearray(genuine[number])
                changed[place % len(changed)] ^= change
                attack = bytes(changed)
            wild.socket.sendto(attack, target)
            wild.socket.sendto(attack, (target[0], target[1] + 1))
            end.say(local, frame(0x90))
            plain.say(plain_local, frame(0x90))
            bench.lines.receive()
            for line in (1, 3):
                assert (bench.lines.heard(line, 0, 160) == sounds(0x90)).all()
            bench.lines.send()
        report = bench.lines.report(2)
        assert report is not None and report.packets_received == 6
        for line in (1, 3):
            report = bench.lines.report(line)
            assert report is not None and report.lost == report.concealed == report.unauthentic == 0
        wild.socket.sendto(genuine[6], target)
        bench.tick()
        report = bench.lines.report(2)
        assert report is not None and report.packets_received == 7
    finally:
        bench.close()
    assert bench.faults == []


def test_without_the_library_the_line_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pylibsrtp", None)
    lines = RtpLines(np.zeros(1000, np.int16), lambda: 0, lambda where, error: None)
    keys = SrtpKeys(SUITE, new_key(SUITE), new_key(SUITE))
    with pytest.raises(SrtpError, match="extra"):
        lines.open(1, RtpTransport("127.0.0.1", PORTS, srtp=keys), 8000, lambda notice: None)
    assert len(lines) == 0
    lines.release()
