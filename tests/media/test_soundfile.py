from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media import soundfile
from media.recording import Recording
from media.resample import resample
from media.soundfile import FileError, LongFile, load, locate

TONE = np.rint(6000 * np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000)).astype(np.int16)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    soundfile.forget()
    yield
    soundfile.forget()


def record(path: Path, sound: NDArray[np.int16], rate: int = 8000) -> str:
    with Recording(str(path), rate, sound.ndim if sound.ndim == 1 else sound.shape[1]) as recording:
        recording.write(sound)
    return str(path)


def heard(path: str, rate: int = 8000) -> NDArray[np.int16]:
    source = load(path, rate)
    assert source.rate == rate
    assert source.length is not None
    return source.render(0, source.length + 100)


@pytest.mark.parametrize("ending", ["wav", "WAV", "w64", "rf64", "aiff", "au", "caf", "flac", "raw", "r8"])
def test_lossless_kinds_are_exact(tmp_path: Path, ending: str) -> None:
    assert np.array_equal(heard(record(tmp_path / f"a.{ending}", TONE)), TONE)


@pytest.mark.parametrize("ending", ["ul", "ulaw", "al", "alaw", "gsm", "vox"])
def test_headerless_telephone_kinds(tmp_path: Path, ending: str) -> None:
    sound = heard(record(tmp_path / f"a.{ending}", TONE))
    assert len(sound) == len(TONE)
    assert np.abs(sound[400:].astype(int) - TONE[400:]).mean() < 700


@pytest.mark.parametrize("ending", ["ogg", "oga", "mp3", "opus"])
def test_compressed_kinds(tmp_path: Path, ending: str) -> None:
    sound = heard(record(tmp_path / f"a.{ending}", TONE))
    assert abs(len(sound) - len(TONE)) < 100
    spectrum = np.abs(np.fft.rfft(sound[:8000], 8000))
    assert spectrum.argmax() == 440
    # Vorbis and Opus are scaled to fill the 16 bits, mp3 is not.
    assert np.abs(sound).max() == pytest.approx(6000 if ending == "mp3" else 32767, rel=0.15)


@pytest.mark.parametrize(
    ("ending", "rate", "width"), [("r16", 16000, 2), ("r24", 24000, 3), ("r32", 32000, 4)]
)
def test_headerless_kinds_have_their_own_rate_and_width(
    tmp_path: Path, ending: str, rate: int, width: int
) -> None:
    path = record(tmp_path / f"a.{ending}", TONE)
    assert os.path.getsize(path) == 8000 * width
    assert len(heard(path, 8000)) == 8000 * 8000 // rate + (8000 * 8000 % rate > 0)
    assert np.array_equal(heard(path, rate), TONE)


def test_stereo_is_added_up_and_resampled(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", np.stack([TONE, TONE // 2], axis=1), 16000)
    assert np.array_equal(heard(path, 8000), resample(TONE + TONE // 2, 16000, 8000))


def test_a_file_is_decoded_once_until_it_changes(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", TONE)
    os.symlink(path, tmp_path / "b.wav")
    first = load(path, 8000)
    assert load(str(tmp_path / "b.wav"), 8000) is first
    assert load(path, 16000) is not first
    record(tmp_path / "a.wav", TONE[:100])
    assert heard(path).tolist() == TONE[:100].tolist()
    assert len(first.render(0, 8000)) == 8000


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "_cache", soundfile._Cache(40_000))
    paths = [record(tmp_path / f"{name}.wav", TONE) for name in "abc"]
    first, second = load(paths[0], 8000), load(paths[1], 8000)
    assert load(paths[0], 8000) is first
    load(paths[2], 8000)  # 48 kB by now: the least recently played goes
    assert load(paths[0], 8000) is first
    assert load(paths[1], 8000) is not second


def test_a_folder_for_the_rate_comes_first(tmp_path: Path) -> None:
    plain = record(tmp_path / "7.wav", TONE)
    assert locate(plain, 8000) == plain
    for rate in (8000, 16000, 32000):
        (tmp_path / str(rate)).mkdir()
        record(tmp_path / str(rate) / "7.wav", TONE[: rate // 100])
    assert len(heard(plain, 8000)) == 80
    assert locate(plain, 48000) == str(tmp_path / "32000" / "7.wav")
    assert locate(plain, 16000) == str(tmp_path / "16000" / "7.wav")


def test_missing_and_broken_files(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "junk.wav").write_bytes(b"junk" * 100)
    os.mkfifo(tmp_path / "pipe.wav")
    for name, reason in [
        ("none.wav", "System error : No such file or directory."),
        ("empty.wav", "Format not recognised"),
        ("junk.wav", "Format not recognised"),
        ("pipe.wav", "is not a regular file"),
        ("", "is a directory not a file"),
        ("\0.wav", "System error : "),
    ]:
        path = os.path.join(tmp_path, name)
        with pytest.raises(FileError) as caught:
            load(path, 8000)
        assert caught.value.path == path
        assert reason in str(caught.value)
        assert str(caught.value).startswith(f"Error Opening File [{path}] [")


def test_a_truncated_file_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", TONE)
    os.truncate(path, 44 + 2000)
    assert np.array_equal(heard(path), TONE[:1000])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.sampled_from(["wav", "flac", "ogg", "mp3", "au"]), st.data())
def test_damaged_files_are_played_or_refused(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    intact = tmp_path / f"intact.{ending}"
    if not intact.exists():
        record(intact, TONE[:2000])
    content = bytearray(intact.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, min(len(content), 200) - 1))] = data.draw(st.integers(0, 255))
    damaged = tmp_path / f"damaged.{ending}"
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        source = load(str(damaged), 8000)
    except FileError:
        return
    source.render(0, 8000)


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    path = record(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xc3\xbc.wav")), TONE)
    assert np.array_equal(heard(path), TONE)


@pytest.mark.parametrize(("own", "rate"), [(8000, 8000), (8000, 16000), (11025, 8000), (44100, 8000)])
def test_long_files_are_rendered_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: int, rate: int
) -> None:
    monkeypatch.setattr(soundfile, "BLOCK_SECONDS", 1)
    noise = np.random.default_rng(1).integers(-9000, 9000, own * 5 + 777).astype(np.int16)
    path = record(tmp_path / "a.wav", noise, own)
    whole = heard(path, rate)
    soundfile.forget()
    monkeypatch.setattr(soundfile, "HELD_SECONDS", 2)
    long = load(path, rate)
    assert isinstance(long, LongFile)
    assert long.length == len(whole)
    assert np.abs(long.render(0, len(whole)).astype(int) - whole).max() <= 1
    late = len(whole) - 100
    assert np.array_equal(long.render(late, 500), long.render(0, len(whole))[late:])
    assert len(long.render(len(whole), 10)) == 0


def test_threads_share_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "HELD_SECONDS", 1)
    monkeypatch.setattr(soundfile, "BLOCK_SECONDS", 1)
    path = record(tmp_path / "a.flac", np.resize(np.arange(-9000, 9000, 7, dtype=np.int16), 80_000))
    expected = load(path, 8000).render(0, 80_000)
    good: list[bool] = []

    def listen(seed: int) -> None:
        for start in np.random.default_rng(seed).integers(0, 79_000, 40).tolist():
            good.append(np.array_equal(load(path, 8000).render(start, 500), expected[start : start + 500]))

    threads = [threading.Thread(target=listen, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [True] * 160


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "HELD_SECONDS", 2)
    long = record(tmp_path / "long.wav", np.tile(TONE, 3))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        load(record(tmp_path / "a.wav", TONE), 8000)
        load(long, 8000).render(0, 10)
        soundfile.forget()
    assert len(os.listdir("/proc/self/fd")) == before


def test_mp3_without_libsndfile_is_decoded_by_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    path = record(tmp_path / "a.mp3", TONE)
    (tmp_path / "junk.mp3").write_bytes(b"junk" * 100)
    monkeypatch.setattr("media.sndfile.knows", lambda major: False)
    sound = heard(path, 16000)
    assert abs(len(sound) - 16000) < 5000
    assert np.abs(np.fft.rfft(sound[2000:10000])).argmax() * 2 == 440
    with pytest.raises(FileError, match=r"junk\.mp3"):
        load(str(tmp_path / "junk.mp3"), 8000)
