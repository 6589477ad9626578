"""RTP lines as the host uses them, over real sockets and in real time."""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from media.dtmf import tones
from media.dtmf_detector import DtmfDetector
from media.g711 import G711
from media.notice import Detected, DigitReceived, FirstPacket, Notice, PlaybackEnded
from media.realtime.remote_engine import RemoteEngine
from media.rtp import RtpPacket
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport, TransportError
from media.soundfile import load
from media.source import Samples, Sequence, Silence
from media.srtp import SrtpError
from media.srtp_keys import InlineKey, SrtpKeys, new_key
from media.tone import ToneSource
from tests.eventually import eventually
from tests.media.realtime.far_end import port_pair

RATE = 8000
PCMU = G711("PCMU")


class Phone:
    """A far end that sends a packet for each that it gets, and keeps what it got."""

    def __init__(self, engine: RemoteEngine, **options: object) -> None:
        self.notices: queue.Queue[Notice] = queue.Queue()
        self._socket, self._control = port_pair()
        transport = RtpTransport(
            "127.0.0.1",
            (44_000, 45_000),
            self._socket.getsockname(),
            event_type=101,
            **options,  # type: ignore[arg-type]
        )
        self.line: RtpLine = engine.rtp_line(RATE, self.notices.put, transport)
        self.packets: list[RtpPacket] = []
        self._speech = np.zeros(0, np.int16)
        self._ended = False
        self._threads = [threading.Thread(target=run) for run in (self._receive, self._send)]
        self._pause = threading.Event()
        for thread in self._threads:
            thread.start()

    def say(self, speech: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self._speech = speech

    def heard(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        payloads = [packet.payload for packet in list(self.packets) if packet.payload_type == 0]
        return np.frombuffer(PCMU.decode(b"".join(payloads)).tobytes(), np.int16)

    def _receive(self) -> None:
        while not self._ended:
            data = self._socket.recv(2000)
            if len(data) >= 12:
                self.packets.append(RtpPacket.parse(data))

    def _send(self) -> None:
        number = 0
        while not self._ended:
            sound, self._speech = self._speech[:160], self._speech[160:]
            payload = PCMU.encode(np.pad(sound, (0, 160 - len(sound))))
            packet = RtpPacket(0, number % 65536, number * 160, 5, payload)
            self._socket.sendto(packet.serialize(), self.line.local)
            number += 1
            self._pause.wait(0.02)

    def next(self, kind: type[Notice]) -> Notice:
        while True:
            notice = self.notices.get(timeout=40)
            if isinstance(notice, kind):
                return notice

    def close(self) -> None:
        self._ended = True
        self.line.close()
        self._socket.sendto(b"", self._socket.getsockname())
        for thread in self._threads:
            thread.join()
        self._socket.close()
        self._control.close()


def quieter(sound: np.ndarray[tuple[int], np.dtype[np.int16]]) -> int:
    """Return how many samples were said at half of 1000."""
    return int(np.count_nonzero(np.abs(sound - 500) < 30))


def test_prompts_in_a_row_arrive_without_a_seam(engine: RemoteEngine) -> None:
    rng = np.random.default_rng(5)
    parts = [Samples(rng.integers(-9000, 9000, size).astype(np.int16), RATE) for size in (4130, 5000, 2070)]
    row = Sequence([parts[0], Silence(RATE, 333), parts[1], ToneSource("%(50,0,440)", RATE), parts[2]])
    assert row.length is not None
    phone = Phone(engine)
    try:
        playback = phone.line.play(row)
        assert phone.next(PlaybackEnded) == PlaybackEnded(playback.number)
        assert playback.position == row.length and playback.played == -(-row.length // 160) * 160
        eventually(lambda: len(phone.heard()) >= playback.played)
        told = PCMU.decode(PCMU.encode(row.render(0, row.length)))
        heard = phone.heard()
        assert np.array_equal(heard[: row.length], told) and len(heard) == playback.played
        numbers = [packet.timestamp for packet in phone.packets]
        assert set(np.diff(numbers) % 2**32) == {160}
    finally:
        phone.close()


def test_a_prompt_is_stopped_paused_and_changed_while_it_plays(engine: RemoteEngine) -> None:
    phone = Phone(engine)
    try:
        sound = Samples(np.full(RATE * 20, 1000, np.int16), RATE)
        playback = phone.line.play(sound)
        phone.next(FirstPacket)
        eventually(lambda: playback.position > 1000)
        playback.pause(True)
        position = playback.position
        assert 1000 < position < RATE * 20 - 800 and playback.played == position
        threading.Event().wait(0.1)
        assert playback.position == position
        playback.seek(RATE * 20 - 800)
        playback.gain(0.5)
        playback.pause(False)
        assert phone.next(PlaybackEnded) == PlaybackEnded(playback.number)
        eventually(lambda: quieter(phone.heard()) >= 800)
        assert quieter(phone.heard()) == 800
    finally:
        phone.close()


def test_bridged_lines_hear_each_other_and_are_recorded(engine: RemoteEngine, tmp_path: Path) -> None:
    a, b = Phone(engine), Phone(engine)
    try:
        path = str(tmp_path / "both.wav")
        recording = engine.recording(path, RATE, 2)
        tap = a.line.tap(recording, stereo=True)
        number = b.line.listen(DtmfDetector(RATE))
        a.line.bridge(b.line)
        time = np.arange(RATE) / RATE
        a.say((np.sin(2 * np.pi * 500 * time) * 6000).astype(np.int16))
        b.say(np.concatenate((tones("8", 200, RATE), np.zeros(RATE, np.int16))))
        assert b.next(Detected) == Detected(number, "8")
        eventually(
            lambda: (
                recording.samples > RATE
                and len(b.heard()) > RATE
                and (report := a.line.report()) is not None
                and report.packets_received > 50
            )
        )
        a.line.untap(tap)
        recording.close()
        at_b = b.heard().astype(float)
        spectrum = np.abs(np.fft.rfft(at_b))
        assert abs(np.argmax(spectrum) * RATE / len(at_b) - 500) < 5
        both = load(path, RATE)  # mixed down
        assert (both.length or 0) > RATE
        report = a.line.report()
        assert report is not None and report.packets_received > 50 and report.lost == 0
        a.line.send_digit("3", 800)
        a.say(np.zeros(0, np.int16))
        eventually(lambda: any(packet.payload_type == 101 for packet in a.packets))
        assert {packet.payload[0] for packet in a.packets if packet.payload_type == 101} == {3}
    finally:
        a.close()
        b.close()


def test_a_call_between_two_lines_of_one_engine(engine: RemoteEngine) -> None:
    left: queue.Queue[Notice] = queue.Queue()
    right: queue.Queue[Notice] = queue.Queue()
    transport = RtpTransport("127.0.0.1", (44_000, 45_000), event_type=101)
    a = engine.rtp_line(RATE, left.put, transport)
    b = engine.rtp_line(RATE, right.put, RtpTransport("127.0.0.1", (44_000, 45_000), a.local, event_type=101))
    a.set_transport(RtpTransport("127.0.0.1", (44_000, 45_000), b.local, event_type=101))
    a.play(Silence(RATE))
    b.send_digit("6", 800)
    notices = [left.get(timeout=40) for _ in range(2)]
    assert FirstPacket() in notices and DigitReceived("6", 800) in notices
    assert engine.status().transports == 2
    a.close()
    b.close()
    assert engine.status().transports == 0 and a.report() is None


def test_a_bridge_that_nobody_listens_to_and_a_change_of_rate(engine: RemoteEngine) -> None:
    suite = "AES_CM_128_HMAC_SHA1_80"
    here, there = new_key(suite), new_key(suite)
    ports = ("127.0.0.1", (44_000, 45_000))
    left: queue.Queue[Notice] = queue.Queue()
    # Two calls of two lines each, by SRTP: caller -> a = b <- callee.
    caller = engine.rtp_line(RATE, left.put, RtpTransport(*ports, srtp=SrtpKeys(suite, here, there)))
    a = engine.rtp_line(RATE, left.put, RtpTransport(*ports, caller.local, srtp=SrtpKeys(suite, there, here)))
    caller.set_transport(replace(caller.transport, remote=a.local))
    callee = engine.rtp_line(RATE, left.put, RtpTransport(*ports, codec="G722", payload_type=9))
    b = engine.rtp_line(RATE, left.put, RtpTransport(*ports, callee.local, codec="G722", payload_type=9))
    callee.set_transport(replace(callee.transport, remote=b.local))
    assert callee.set_rate(16000) and callee.rate == 16000
    lines = (caller, a, callee, b)
    try:
        a.bridge(b)
        heard: queue.Queue[np.ndarray[tuple[int, ...], np.dtype[np.int16]]] = queue.Queue()

        class Ear:
            def write(self, samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
                heard.put(samples)

        callee.tap(Ear(), write=False)
        assert not callee.set_rate(8000)
        caller.play(ToneSource("%(5000,0,440)", RATE))
        sound = np.concatenate([heard.get(timeout=40) for _ in range(100)])[-16000:].astype(float)
        spectrum = np.abs(np.fft.rfft(sound))
        assert abs(np.argmax(spectrum) * 16000 / len(sound) - 440) < 5 and np.abs(sound).max() > 3000
        report = a.report()
        assert report is not None and report.packets_received > 50 and report.unauthentic == 0
    finally:
        for line in lines:
            line.close()


def test_what_cannot_be_opened_is_told_at_once(engine: RemoteEngine) -> None:
    with pytest.raises(TransportError):
        engine.rtp_line(RATE, lambda notice: None, RtpTransport("192.0.2.1"))
    with pytest.raises(ValueError, match="NOSUCH"):
        engine.rtp_line(RATE, lambda notice: None, RtpTransport("127.0.0.1", codec="NOSUCH"))
    with pytest.raises(SrtpError):
        keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", InlineKey(b"short"))
        engine.rtp_line(RATE, lambda notice: None, RtpTransport("127.0.0.1", srtp=keys))
    assert engine.line_count == 0
