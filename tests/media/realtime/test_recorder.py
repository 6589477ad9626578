"""The process that writes recordings: order, answers, faults, ends, and that a slow disk holds nobody up."""

from __future__ import annotations

import functools
import importlib
import os
import select
import signal
import statistics
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.realtime import recorder as module
from media.realtime.recorder import Open, Recorder, start_recorder
from media.recording import Recording, RecordingError
from media.soundfile import load

RATE = 8000
_SERVER = get_context("forkserver")
_LONGEST_S = 60


def _run(name: str, tmp_path: Path) -> None:
    test = getattr(importlib.import_module(__name__), name)
    test.__wrapped__(tmp_path)


def alone(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """Have a test run in a process of one thread: a lock that another holds while the recorder is forked stays held."""

    @functools.wraps(test)
    def run(tmp_path: Path) -> None:
        process = _SERVER.Process(target=_run, args=(test.__name__, tmp_path))
        process.start()
        process.join(_LONGEST_S)
        if process.exitcode is None:
            process.kill()
        assert process.exitcode == 0, "see the error output"

    return run


class Answers:
    """What the recorder answered, in order; `wait` until there are so many."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.came: list[tuple[int, RecordingError | None]] = []

    def take(self, value: int, error: RecordingError | None) -> None:
        self.came.append((value, error))

    def wait(self, count: int) -> list[tuple[int, RecordingError | None]]:
        while len(self.came) < count:
            self.recorder.flush()
            assert select.select(self.recorder.descriptors, (), (), 40)[0]
            self.recorder.receive()
        return self.came


def heard(path: Path) -> NDArray[np.int16]:
    source = load(str(path), RATE)
    return source.render(0, source.length or 0)


@alone
def test_what_is_written_paused_and_masked_is_there_in_order(tmp_path: Path) -> None:
    recorder = start_recorder()
    answers = Answers(recorder)
    path = tmp_path / "a.wav"
    recorder.open(Open(1, str(path), RATE, 1, False), answers.take)
    recording = recorder[1]
    for number in range(50):  # before it is known whether it could be opened
        recording.write(np.full(160, number, np.int16))
    recording.steer("mask")
    recording.write(np.full(160, 99, np.int16))
    recording.steer("unmask")
    recording.steer("pause")
    recording.write(np.full(160, 98, np.int16))
    recording.steer("resume")
    recording.write(np.full(160, 97, np.int16))
    assert recording.samples == 52 * 160
    recorder.close(1, answers.take)
    assert answers.wait(2) == [(0, None), (52 * 160, None)]
    assert heard(path)[::160].tolist() == [*range(50), 0, 97]
    assert recorder.get(1) is None
    with pytest.raises(RecordingError, match="is closed"):
        recording.write(np.zeros(160, np.int16))
    recorder.end()


@alone
def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    recorder = start_recorder()
    answers = Answers(recorder)
    recorder.open(Open(1, str(tmp_path / "none" / "a.wav"), RATE, 1, False), answers.take)
    [(_, error)] = answers.wait(1)
    assert error is not None and "No such file" in error.reason
    assert recorder.get(1) is None
    recorder.end()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@alone
def test_a_full_disk_is_told_with_the_next_block(tmp_path: Path) -> None:
    (tmp_path / "full.raw").symlink_to("/dev/full")
    recorder = start_recorder()
    answers = Answers(recorder)
    recorder.open(Open(1, str(tmp_path / "full.raw"), RATE, 1, False), answers.take)
    answers.wait(1)
    recording = recorder[1]
    with pytest.raises(RecordingError):
        for _ in range(500):
            recording.write(np.ones(16000, np.int16))
            recorder.flush()
            select.select(recorder.descriptors, (), (), 0.02)
            recorder.receive()
    recorder.end()


@alone
def test_wrong_blocks_are_refused(tmp_path: Path) -> None:
    recorder = start_recorder()
    recorder.open(Open(1, str(tmp_path / "a.wav"), RATE, 2, False), lambda value, error: None)
    with pytest.raises(RecordingError, match="2 channels"):
        recorder[1].write(np.zeros(5, np.int16))
    with pytest.raises(KeyError):
        recorder.close(2, lambda value, error: None)
    recorder.end()


@alone
def test_all_is_completed_when_the_engine_ends_or_is_killed(tmp_path: Path) -> None:
    recorder = start_recorder()
    for number in range(20):
        recorder.open(
            Open(number, str(tmp_path / f"{number}.wav"), RATE, 1, False), lambda value, error: None
        )
        recorder[number].write(np.full(8000, number, np.int16))
    recorder.end()
    assert [heard(tmp_path / f"{number}.wav").mean() for number in range(20)] == list(range(20))


@alone
def test_a_recorder_that_was_killed_fails_what_it_wrote(tmp_path: Path) -> None:
    recorder = start_recorder()
    answers = Answers(recorder)
    recorder.open(Open(1, str(tmp_path / "a.wav"), RATE, 1, False), answers.take)
    answers.wait(1)
    os.kill(recorder.process, signal.SIGKILL)
    os.waitpid(recorder.process, 0)
    recorder.receive()
    assert recorder.descriptors == ()
    with pytest.raises(RecordingError, match="is gone"):
        recorder[1].write(np.zeros(5, np.int16))
    recorder.open(Open(2, str(tmp_path / "b.wav"), RATE, 1, False), answers.take)
    recorder.receive()
    assert isinstance(answers.came[-1][1], RecordingError)
    recorder.end()


class SlowRecording(Recording):
    """A recording on a disk that takes 10 ms for each write."""

    def write(self, samples: NDArray[np.int16]) -> None:
        threading.Event().wait(0.01)
        super().write(samples)


@alone
def test_a_slow_disk_holds_nobody_up_and_loses_nothing(tmp_path: Path) -> None:
    module.Recording = SlowRecording  # type: ignore[attr-defined]
    recorder = start_recorder()
    for number in range(40):
        recorder.open(
            Open(number, str(tmp_path / f"{number}.raw"), RATE, 1, False), lambda value, error: None
        )
    lasted = []
    for tick in range(40):
        began = time.monotonic()
        for number in range(40):
            recorder[number].write(np.full(160, tick, np.int16))
        recorder.flush()
        lasted.append(time.monotonic() - began)
    recorder.end()
    assert statistics.median(lasted) < 0.2  # one tick's writes alone take the disk 0.4 s
    for number in range(40):
        sound = np.fromfile(tmp_path / f"{number}.raw", np.int16)
        assert sound[::160].tolist() == list(range(40))


@alone
def test_what_waits_for_the_disk_is_bounded(tmp_path: Path) -> None:
    module.MOST_WAITING = 1 << 16  # type: ignore[misc]
    recorder = start_recorder()
    recorder.open(Open(1, str(tmp_path / "a.raw"), RATE, 1, False), lambda value, error: None)
    os.kill(recorder.process, signal.SIGSTOP)
    try:
        with pytest.raises(RecordingError, match="the disk is too slow"):
            for _ in range(1000):
                recorder[1].write(np.zeros(16000, np.int16))
                recorder.flush()
    finally:
        os.kill(recorder.process, signal.SIGCONT)
    recorder.end()
