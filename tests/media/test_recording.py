from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from media.recording import Recording, RecordingError
from media.recording_form import RecordingForm, Side
from media.sndfile import LONGEST_TAG, Sndfile
from media.soundfile import load

BLOCK = np.arange(-80, 80, dtype=np.int16)


def frames(path: Path) -> int:
    """What an ordinary WAV reader finds."""
    with wave.open(str(path), "rb") as file:
        count = file.getnframes()
        assert len(file.readframes(count)) == 2 * count * file.getnchannels()
        return count


def test_a_wav_is_valid_between_any_two_writes(tmp_path: Path) -> None:
    path, taken = tmp_path / "a.wav", tmp_path / "taken.wav"
    recording = Recording(str(path), 8000)
    for written in range(5):
        shutil.copy(path, taken)
        assert frames(taken) == 160 * written
        recording.write(BLOCK)
    recording.close()
    assert frames(path) == 800
    assert recording.samples == 800
    assert recording.seconds == 0.1


@pytest.mark.parametrize("ending", ["au", "aiff", "caf", "w64", "raw", "ul"])
def test_other_kinds_can_be_read_meanwhile(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    with Recording(str(path), 8000) as recording:
        recording.write(BLOCK)
        assert load(str(path), 8000).length == 160


def test_a_killed_process_leaves_a_playable_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    script = (
        "import sys, numpy\n"
        "from media.recording import Recording\n"
        "recording = Recording(sys.argv[1], 8000)\n"
        "while True:\n"
        "    recording.write(numpy.ones(160, numpy.int16))\n"
        "    if recording.samples == 16000: print('on', flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"on\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert frames(path) >= 16000
    source = load(str(path), 8000)
    assert source.render(0, 16000).tolist() == [1] * 16000


def test_pause_and_mask(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with Recording(str(path), 8000) as recording:
        recording.write(BLOCK)
        recording.pause()
        recording.write(BLOCK)
        recording.resume()
        recording.mask()
        recording.write(BLOCK)
        recording.unmask()
        recording.write(BLOCK[:10])
        assert recording.samples == 330
    assert load(str(path), 8000).render(0, 999).tolist() == [*BLOCK, *[0] * 160, *BLOCK[:10]]


def test_stereo(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with Recording(str(path), 16000, channels=2) as recording:
        recording.write(np.stack([BLOCK, BLOCK], axis=1))
        with pytest.raises(RecordingError, match="shape"):
            recording.write(BLOCK)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 16000, 160)


@pytest.mark.parametrize("ending", ["wav", "au", "raw"])
def test_append_continues_a_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    for number in range(3):
        with Recording(str(path), 8000, append=True) as recording:
            recording.write(BLOCK)
            assert recording.samples == 160
            shutil.copy(path, tmp_path / f"taken.{ending}")
            assert load(str(tmp_path / f"taken.{ending}"), 8000).length == 160 * (number + 1)
    assert load(str(path), 8000).render(0, 999).tolist() == [*BLOCK] * 3
    with Recording(str(path), 8000) as recording:
        recording.write(BLOCK)
    assert load(str(path), 8000).length == 160


def test_append_keeps_the_rate_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    for rate in (8000, 16000):
        with Recording(str(path), rate, append=True) as recording:
            for _ in range(10):
                recording.write(np.full(rate // 10, 1000, np.int16))
            assert recording.seconds == 1
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 16000)
    assert np.abs(load(str(path), 8000).render(8100, 7800) - 1000).max() < 20


def test_what_cannot_be_recorded_to(tmp_path: Path) -> None:
    stereo = tmp_path / "stereo.wav"
    Recording(str(stereo), 8000, channels=2).close()
    flac = tmp_path / "a.flac"
    with Recording(str(flac), 8000) as recording:
        recording.write(BLOCK)
    os.mkfifo(tmp_path / "pipe.wav")
    for path, channels, append in [
        (tmp_path / "pipe.wav", 1, False),
        (tmp_path / "\0.wav", 1, False),
        (tmp_path / "none" / "a.wav", 1, False),
        (tmp_path, 1, False),
        (tmp_path / "a.xyz", 1, False),
        (tmp_path / "a", 1, False),
        (tmp_path / "a.gsm", 2, False),
        (stereo, 1, True),
        (flac, 1, True),
        (Path("/proc/a.wav"), 1, False),
    ]:
        with pytest.raises(RecordingError) as caught:
            Recording(str(path), 8000, channels, append)
        assert caught.value.path == str(path)
    with pytest.raises(RecordingError, match="No such file or directory"):
        Recording(str(tmp_path / "none" / "a.wav"), 8000)
    assert load(str(flac), 8000).length == 160


def test_closing_twice_and_writing_afterwards(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path / "a.wav"), 8000)
    recording.close()
    recording.close()
    assert recording.closed
    with pytest.raises(RecordingError, match="closed"):
        recording.write(BLOCK)


def test_a_full_disk_is_told() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    link = Path("/tmp") / f"moonline-full-{os.getpid()}.raw"
    link.symlink_to("/dev/full")
    try:
        with pytest.raises(RecordingError):
            recording = Recording(str(link), 8000)
            recording.write(BLOCK)
    finally:
        link.unlink()


def test_no_file_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        with Recording(str(tmp_path / f"{number}.wav"), 8000) as recording:
            recording.write(BLOCK)
        with pytest.raises(RecordingError):
            Recording(str(tmp_path / "none" / "a.wav"), 8000)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_hour_in_one_write_is_quick(tmp_path: Path) -> None:
    hour = np.zeros(8000 * 3600, np.int16)
    began = time.process_time()
    with Recording(str(tmp_path / "a.wav"), 8000) as recording:
        recording.write(hour)
    assert time.process_time() - began < 2
    assert frames(tmp_path / "a.wav") == len(hour)


TAGS = {
    "title": "Grüße",
    "copyright": "c",
    "software": "Moonline",
    "artist": "An Artist",
    "comment": "x" * 3000,
    "date": "2026-11-24",
}


@pytest.mark.parametrize(
    ("ending", "missing"),
    [
        ("wav", set()),
        ("wavex", set()),
        ("rf64", set()),
        ("caf", set()),
        ("flac", set()),
        ("ogg", set()),
        ("aiff", {"date"}),
        ("au", set(TAGS)),
        ("w64", set(TAGS)),
    ],
)
def test_tags_are_in_the_file(tmp_path: Path, ending: str, missing: set[str]) -> None:
    path = str(tmp_path / f"a.{ending}")
    with Recording(path, 8000, form=RecordingForm(tags=TAGS)) as recording:
        for _ in range(50):
            recording.write(BLOCK)
    file = Sndfile(path)
    tags = file.tags()
    file.close()
    assert tags.keys() == TAGS.keys() - missing
    for name in tags.keys() - {"software", "comment"}:
        assert tags[name] == TAGS[name]
    if "software" in tags:
        assert tags["software"].startswith("Moonline")  # libsndfile names itself behind it
    if "comment" in tags:
        assert tags["comment"] == "x" * LONGEST_TAG
    assert load(path, 8000).length == 8000


def test_a_tagged_wav_is_valid_between_any_two_writes_and_can_be_continued(tmp_path: Path) -> None:
    path, taken = tmp_path / "a.wav", tmp_path / "taken.wav"
    for number, tags in enumerate([{"title": "one", "artist": "a"}, {}, {"title": "three"}]):
        with Recording(str(path), 8000, append=True, form=RecordingForm(tags=tags)) as recording:
            for written in range(3):
                shutil.copy(path, taken)
                assert frames(taken) == 160 * (3 * number + written)
                recording.write(BLOCK)
            recording.pause()
            recording.write(BLOCK)
    assert frames(path) == 160 * 9
    assert load(str(path), 8000).render(0, 160 * 9).tolist() == [*BLOCK] * 9
    file = Sndfile(str(path))
    assert file.tags() == {"title": "three", "artist": "a"}
    file.close()


def test_a_file_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    for sample, blocks in ((1, 5), (2, 2)):
        with Recording(str(path), 8000, form=RecordingForm(over=True)) as recording:
            for _ in range(blocks):
                recording.write(np.full(160, sample, np.int16))
    assert load(str(path), 8000).render(0, 800).tolist() == [2] * 320 + [1] * 480


def test_a_file_of_another_rate_than_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with Recording(str(path), 8000, form=RecordingForm(rate=16000)) as recording:
        for _ in range(50):
            recording.write(np.full(160, 1000, np.int16))
        assert recording.samples == 8000
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnframes()) == (16000, 16000)


def test_the_second_channel_first(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with Recording(str(path), 8000, channels=2, form=RecordingForm(swapped=True)) as recording:
        recording.write(np.stack([BLOCK, -BLOCK], axis=1))
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(160), np.int16).reshape(-1, 2)
    assert samples.tolist() == np.stack([-BLOCK, BLOCK], axis=1).tolist()


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_of_two_channels(tmp_path: Path, side: Side) -> None:
    path = tmp_path / "a.wav"
    with Recording(str(path), 8000, form=RecordingForm(side=side)) as recording:
        recording.write(BLOCK)
        assert recording.samples == 160
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(160), np.int16).reshape(-1, 2)
    own = 0 if side == "left" else 1
    assert samples[:, own].tolist() == BLOCK.tolist()
    assert not samples[:, 1 - own].any()
