"""mod_av and mod_png: the sound of a video, and pictures of it while it is played."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from host.session import Session
from host.switch import Switch
from media.soundfile import FileError
from media.video_file import LONGEST_SECONDS, beside, has_pictures, load_sound, picture_at, write_png
from tests.host.one_call import in_call

COLOURS = ((200, 20, 20), (20, 200, 20), (20, 20, 200))  # a second each


def make_video(
    path: Path, *, sound: bool = True, pictures: bool = True, size: tuple[int, int] = (64, 48)
) -> Path:
    """Write three seconds of colours, with a tone of 440 Hz."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=10) if pictures else None
        audio: Any = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        if video is not None:
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
        for number in range(30) if video is not None else ():
            picture = np.full((size[1], size[0], 3), COLOURS[number // 10], np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if video is not None:
            container.mux(video.encode(None))
        if audio is not None:
            times = np.arange(48_000) / 16_000
            tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
            for start in range(0, len(tone), 1024):
                frame = av.AudioFrame.from_ndarray(tone[np.newaxis, start : start + 1024], "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def colour(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return [int(part) for part in picture.reshape(-1, 3).mean(axis=0)]


def near(found: object, wanted: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.asarray(found, int) - wanted).max() < 30)


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    for name in ("mod_av", "mod_png"):
        virtual_switch.modules.load(name)
    return virtual_switch


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_sound_of_a_video(tmp_path: Path, ending: str) -> None:
    source = load_sound(str(make_video(tmp_path / f"a.{ending}")), 8000)
    assert source.length is not None and abs(source.length - 24_000) < 1200
    spectrum = np.abs(np.fft.rfft(source.render(4000, 8000)))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_a_video_without_sound_is_silent(tmp_path: Path) -> None:
    source = load_sound(str(make_video(tmp_path / "a.mp4", sound=False)), 8000)
    assert source.length == 24_000 <= LONGEST_SECONDS * 8000 and not source.render(0, 100).any()


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_picture_at_a_time(tmp_path: Path, ending: str) -> None:
    path = str(make_video(tmp_path / f"a.{ending}"))
    for seconds, wanted in ((0.0, 0), (0.85, 0), (1.05, 1), (2.5, 2), (99.0, 2)):
        picture = picture_at(path, seconds)
        assert picture.shape == (48, 64, 3) and near(picture[24, 32], COLOURS[wanted]), seconds


def test_what_has_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    sound = make_video(tmp_path / "a.m4a", pictures=False)
    for path in (tmp_path / "text.mp4", tmp_path / "nosuch.mp4", sound, tmp_path):
        assert not has_pictures(str(path))
        with pytest.raises(FileError):
            picture_at(str(path), 0)


def test_pictures_beside_each_other(tmp_path: Path) -> None:
    left, right = np.full((4, 6, 3), 100, np.uint8), np.full((2, 3, 3), 200, np.uint8)
    both = beside(left, right)
    assert both.shape == (4, 9, 3) and both[0, 8, 0] == 200 and both[3, 8, 0] == 0
    write_png(both, str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_picture_of_the_video_that_is_played(switch: Switch, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    images = tmp_path / "pictures"
    images.mkdir()
    switch.global_variables.set("images_dir", str(images))

    def do(session: Session) -> object:
        replies: list[str] = []

        def write(text: str) -> None:
            replies.append(switch.api("uuid_write_png", f"{session.uuid} {text}"))

        write("before.png")
        session.clock.call_later(500_000, lambda: write("first.png"))
        session.clock.call_later(1_500_000, lambda: write(f"{tmp_path}/second.png write"))
        session.clock.call_later(1_600_000, lambda: write("both.png concat"))
        session.clock.call_later(1_700_000, lambda: write("nosuchfolder/x.png"))
        session.clock.call_later(1_800_000, lambda: write("x.png nosuch"))
        session.execute("playback", str(video))
        return replies

    outcome = in_call(switch, do)
    assert outcome.values == [
        [
            "-ERR Session does not have video.\n",
            "+OK\n",
            "+OK\n",
            "-ERR Session must be bridged and other leg must have video.\n",
            "-ERR Could not attach bug.\n",
            "-USAGE: <uuid> <path> [concat | split <other_path>]\n",
        ]
    ]
    assert near(colour(images / "first.png"), COLOURS[0])
    assert near(colour(tmp_path / "second.png"), COLOURS[1])


def test_sound_under_a_picture(switch: Switch, tmp_path: Path) -> None:
    write_png(np.zeros((2, 2, 3), np.uint8), str(tmp_path / "a.png"))

    def do(session: Session) -> object:
        began = session.clock.now()
        session.execute("playback", f"{{audio_file=silence_stream://700}}{tmp_path}/a.png")
        took = session.clock.now() - began
        session.execute("playback", f"{tmp_path}/a.png")
        return took // 1000

    outcome = in_call(switch, do)
    assert outcome.values == [700]
    assert any("Channel has no video and audio_file is not set!" in line for line in outcome.logs)
