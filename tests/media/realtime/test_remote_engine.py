from __future__ import annotations

import contextlib
import gc
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.beep_detector import Beep, BeepDetector
from media.dtmf import tones
from media.dtmf_detector import DtmfDetector
from media.notice import Detected, DigitReceived, Notice, PlaybackEnded
from media.packet_audio import PacketAudio
from media.realtime.engine_lost import EngineLost
from media.realtime.remote_engine import RemoteEngine
from media.recording import Recording, RecordingError
from media.sndfile import Format, Sndfile
from media.soundfile import load
from media.source import Later, Live, Louder, Repeat, Samples, Sequence, Silence, Speed
from media.speexdsp import PreprocessSettings, SpeexDspUnavailable
from media.tone import ToneSource
from tests.eventually import eventually

RATE = 8000


class Notices:
    """What a line was told."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Notice] = queue.Queue()

    def __call__(self, notice: Notice) -> None:
        self._queue.put(notice)

    def next(self) -> Notice:
        return self._queue.get(timeout=40)


class Ear:
    """A sink in this process."""

    def __init__(self, wanted: int) -> None:
        self.done = threading.Event()
        self._wanted = wanted
        self._parts: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self._parts.append(samples.copy())
        if sum(len(part) for part in self._parts) >= self._wanted:
            self.done.set()

    @property
    def heard(self) -> NDArray[np.int16]:
        assert self.done.wait(40)
        return np.concatenate(self._parts)


def ramp(length: int) -> Samples:
    return Samples(np.arange(length, dtype=np.int16), RATE)


def test_a_playback_ends_where_its_source_does(engine: RemoteEngine) -> None:
    notices = Notices()
    line = engine.line(RATE, notices)
    playback = line.play(Silence(RATE, 800))
    assert notices.next() == PlaybackEnded(playback.number)
    assert (playback.position, playback.played) == (800, 800)
    assert engine.line_count == 1
    line.close()
    assert engine.line_count == 0


def test_shared_sound_arrives_unchanged_and_is_given_back(engine: RemoteEngine) -> None:
    notices, ear = Notices(), Ear(10_000)
    caller, line = engine.line(RATE, lambda notice: None), engine.line(RATE, notices)
    line.connect(caller)
    caller.tap(ear, write=False)
    sound = ramp(4_000)
    line.play(Sequence([Silence(RATE, 1600), Repeat(sound, 2)]))
    assert isinstance(notices.next(), PlaybackEnded)
    heard = ear.heard
    first = int(np.flatnonzero(heard == 3_999)[0]) - 3_999
    assert np.array_equal(heard[first : first + 4_000], np.arange(4_000, dtype=np.int16))
    process = engine._process
    assert process is not None and process._extents.taken > 0
    del sound
    line.close()
    caller.close()
    gc.collect()
    status = engine.status()  # whatever is sent next tells the engine; its answer comes behind
    for _ in range(100):
        if not process._extents.taken:
            break
        engine.status()
    assert process._extents.taken == 0
    assert status.lines == 0 and status.ticks > 0


def test_files_tones_and_speed_play(engine: RemoteEngine, tmp_path: Path) -> None:
    path = str(tmp_path / "a.wav")
    with Recording(path, 16000) as file:
        file.write(np.full(3200, 1000, np.int16))
    for source in (load(path, RATE), ToneSource("%(100,0,440)", RATE), Speed(ramp(800), 1)):
        notices = Notices()
        line = engine.line(RATE, notices)
        playback = line.play(source)
        assert notices.next() == PlaybackEnded(playback.number)
        assert playback.played == -(-(source.length or 0) // 160) * 160
        line.close()


def test_a_long_file_is_opened_by_the_engine(engine: RemoteEngine, tmp_path: Path) -> None:
    path = str(tmp_path / "long.wav")
    file = Sndfile(path, "w", Format("wav", "pcm16"), RATE, 1)
    file.write(np.resize(np.arange(-20_000, 20_000, dtype=np.int16), 301 * RATE))
    file.close()
    notices, ear = Notices(), Ear(8000)
    line, far = engine.line(RATE, notices), engine.line(RATE, lambda notice: None)
    line.connect(far)
    far.tap(ear, write=False)
    line.play(load(path, RATE), start=150 * RATE)
    heard = ear.heard
    first = int(np.flatnonzero(heard)[0])
    expected = (np.arange(150 * RATE, 150 * RATE + len(heard) - first) % 40_000 - 20_000).astype(np.int16)
    assert np.array_equal(heard[first:], expected)


def test_pause_seek_and_stop(engine: RemoteEngine) -> None:
    notices = Notices()
    line = engine.line(RATE, notices)
    playback = line.play(Silence(RATE, 80_000))
    playback.pause(True)
    playback.seek(40_000)
    assert playback.position == 40_000
    playback.seek(79_840)
    playback.pause(False)
    assert notices.next() == PlaybackEnded(playback.number)
    assert playback.position == 80_000 and playback.played < 800
    stopped = line.play(Silence(RATE, None))
    stopped.stop()
    assert stopped.played <= 320


def test_digits_and_detectors(engine: RemoteEngine) -> None:
    notices = Notices()
    line, far = engine.line(RATE, notices), engine.line(RATE, lambda notice: None)
    line.connect(far)
    number = line.listen(DtmfDetector(RATE))
    far.send_digit("7", 800)
    assert notices.next() == DigitReceived("7", 800)
    far.play(Samples(tones("5", 100, RATE), RATE))
    assert notices.next() == Detected(number, "5")


def test_recordings_are_opened_steered_and_closed(engine: RemoteEngine, tmp_path: Path) -> None:
    notices = Notices()
    line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, notices)
    line.connect(far)
    with pytest.raises(RecordingError, match="nowhere"):
        engine.recording(str(tmp_path / "nowhere" / "a.wav"), RATE)
    path = str(tmp_path / "a.wav")
    recording = engine.recording(path, RATE)
    tap = line.tap(recording, write=False)
    far.play(Samples(np.full(4000, 500, np.int16), RATE))
    assert isinstance(notices.next(), PlaybackEnded)
    recording.pause()
    line.untap(tap)
    samples = recording.samples
    recording.close()
    recording.close()
    assert samples == recording.samples >= 4000
    written = load(path, RATE)
    assert written.length == samples
    assert np.count_nonzero(written.render(0, samples)) == 4000


def test_what_the_engine_cannot_have_is_refused(engine: RemoteEngine) -> None:
    class Own:
        rate = RATE
        length = None

        def render(self, start: int, count: int) -> NDArray[np.int16]:
            return np.zeros(count, np.int16)

    line = engine.line(RATE, lambda notice: None)
    with pytest.raises(TypeError, match="cannot go to the media engine's process"):
        line.play(Own())
    with pytest.raises(ValueError, match="16000 Hz"):
        line.play(Silence(16000))
    assert engine.status().lines == 1


def test_packets_go_out_and_come_in(engine: RemoteEngine) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for end in (own, other):
            end.bind(("127.0.0.1", 0))
        own.setblocking(False)
        other.settimeout(10)
        packets = PacketAudio(own, other.getsockname(), RATE)
        line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, lambda notice: None)
        line.connect(far)
        ear = Ear(1600)
        far.tap(ear, write=False)
        line.tap(packets, write=False)
        line.play(packets)
        assert len(other.recv(65536)) == 320
        for _ in range(5):
            other.sendto(np.full(160, 77, np.int16).tobytes(), own.getsockname())
        assert np.count_nonzero(ear.heard == 77) > 0


def test_a_fault_of_one_line_leaves_the_others(tmp_path: Path) -> None:
    told: queue.Queue[str] = queue.Queue()
    engine = RemoteEngine(told.put)
    try:
        notices = Notices()
        line = engine.line(RATE, notices)
        full = engine.recording("/dev/full", RATE) if os.path.exists("/dev/full.wav") else None
        assert full is None
        broken = Repeat(ToneSource("%(100,0,440)", RATE))
        del broken._source  # its next render fails
        bad, worse = Notices(), engine.line(RATE, lambda notice: None)
        sick = engine.line(RATE, bad)
        sick.connect(worse)
        worse.tap(Ear(1), write=False)
        sick.play(broken)
        playback = line.play(Silence(RATE, 1600))
        assert notices.next() == PlaybackEnded(playback.number)
        assert "AttributeError" in told.get(timeout=40)
    finally:
        engine.close()


def test_a_crash_is_told_and_the_next_line_has_a_new_process() -> None:
    lost: queue.Queue[tuple[str, set[int]]] = queue.Queue()
    engine = RemoteEngine(lost=lambda text, lines: lost.put((text, lines)))
    try:
        line = engine.line(RATE, lambda notice: None)
        playback = line.play(Silence(RATE))
        os.kill(engine.status().process, signal.SIGKILL)
        text, lines = lost.get(timeout=40)
        assert "signal 9" in text and lines == {line.number}
        playback.stop()
        line.close()
        assert engine.line_count == 0 and playback.played == 0
        notices = Notices()
        again = engine.line(RATE, notices).play(Silence(RATE, 160))
        assert notices.next() == PlaybackEnded(again.number)
    finally:
        engine.close()


def test_what_browsers_need_is_loaded_before_they_call() -> None:
    pytest.importorskip("OpenSSL")
    engine = RemoteEngine()

    def loaded() -> bool:
        return "cryptography" in Path(f"/proc/{engine.status().process}/maps").read_text()

    try:
        engine.start()
        assert not loaded()
        engine.expect_browsers()
        eventually(loaded)
        line = engine.line(RATE, lambda notice: None)
        os.kill(engine.status().process, signal.SIGKILL)
        eventually(lambda: engine.line_count == 0)
        line.close()
        engine.start()
        eventually(loaded)
    finally:
        engine.close()


def test_a_question_of_a_callback_is_answered(engine: RemoteEngine) -> None:
    answers: queue.Queue[tuple[int, int]] = queue.Queue()
    other = engine.line(RATE, lambda notice: None).play(Silence(RATE))
    line = engine.line(RATE, lambda notice: answers.put((other.played, engine.status().lines)))
    line.play(Silence(RATE, 1600))
    played, lines = answers.get(timeout=40)
    assert played > 0 and lines == 2


def test_nothing_is_left_over() -> None:
    def descriptors() -> int:
        gc.collect()  # mappings of earlier engines go with the last sound in them
        return len(os.listdir("/proc/self/fd"))

    RemoteEngine().close()
    before, threads = descriptors(), threading.active_count()
    for _ in range(3):
        engine = RemoteEngine()
        line = engine.line(RATE, lambda notice: None)
        line.play(ramp(30_000))
        process = engine.status().process
        engine.close()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        with pytest.raises(EngineLost):
            engine.line(RATE, lambda notice: None)
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_the_process_ends_with_a_host_that_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.wav")
    program = f"""
import sys, time
from media.realtime.remote_engine import RemoteEngine
engine = RemoteEngine()
line = engine.line(8000, lambda notice: None)
recording = engine.recording({path!r}, 8000)
line.tap(recording)
while recording.samples < 1600: pass
print(engine.status().process, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        process = int(host.stdout.readline())
        host.kill()
    eventually(lambda: not os.path.exists(f"/proc/{process}") or _is_dead(process))
    assert (load(path, RATE).length or 0) >= 1600


def _is_dead(process: int) -> bool:
    """Whether a process that nobody waits for has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_live_source_changes_while_it_is_heard(engine: RemoteEngine) -> None:
    live = Live(Repeat(Samples(np.full(8000, 100, np.int16), RATE)))
    line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, lambda notice: None)
    line.connect(far)
    ear = Ear(8000)
    far.tap(ear, write=False)
    line.play(Later(live, 80_000))
    eventually(lambda: any(part.any() for part in ear._parts))
    live.become(Louder(Repeat(Samples(np.full(8000, 50, np.int16), RATE)), 0))
    late = Ear(8000)
    far.tap(late, write=False)
    assert np.count_nonzero(late.heard == 50) > 1000
    line.close()
    del live
    gc.collect()
    assert engine.status().lines == 1


def test_beeps_are_heard_and_noise_is_suppressed_in_the_engines_process(engine: RemoteEngine) -> None:
    told = Notices()
    line, far = engine.line(RATE, told), engine.line(RATE, lambda notice: None)
    line.connect(far)
    line.listen(BeepDetector(RATE))
    with contextlib.suppress(SpeexDspUnavailable):
        line.preprocess(PreprocessSettings(agc_level=8000), read=True)
    places = np.arange(RATE)
    far.play(Samples((4000 * np.sin(places * 2 * np.pi * 1000 / RATE)).astype(np.int16), RATE))
    notice = told.next()
    assert isinstance(notice, Detected)
    assert abs(Beep.parse(notice.detail).frequency - 1000) < 2
