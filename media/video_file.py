"""Files with pictures and sound (mp4, mkv, …), through PyAV: their sound as a source, and single pictures of them."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from media.soundfile import FileError
from media.source import Samples, Silence, Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

# An hour at 8 kHz is 58 MB; what plays longer in a call is a stream.
LONGEST_SECONDS: Final = 3600
# A picture of 8192 times 8192; what says that it is larger is no picture of a call.
_MOST_PIXELS: Final = 1 << 26

Picture = NDArray[np.uint8]


def load_sound(path: str, rate: int) -> Source:
    """The sound of a file as a source of `rate`, channels averaged; silence for as long as a video without sound.

    Raises FileError for a file that is missing, unreadable or longer than an hour.
    """
    import av

    parts: list[NDArray[np.int16]] = []
    count = 0
    with _open(path) as container:
        try:
            if not container.streams.audio:
                return Silence(rate, min(_seconds(container), LONGEST_SECONDS) * rate)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in (*container.decode(audio=0), None):
                made = [part.to_ndarray()[0] for part in resampler.resample(frame)]
                count += sum(map(len, made))
                if count > LONGEST_SECONDS * rate:
                    raise FileError(path, "it is longer than an hour")
                parts += made
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise FileError(path, str(error)) from None
    return Samples(np.concatenate(parts) if parts else np.zeros(0, np.int16), rate)


def has_pictures(path: str) -> bool:
    """Whether a file is a video; False for whatever cannot be opened."""
    try:
        with _open(path) as container:
            return bool(container.streams.video)
    except FileError:
        return False


def picture_at(path: str, seconds: float) -> Picture:
    """Return what a video shows after so many seconds, the last picture beyond its end: RGB, shape (height, width, 3).

    Raises FileError.
    """
    import av

    with _open(path) as container:
        if not container.streams.video:
            raise FileError(path, "it has no pictures")
        stream = container.streams.video[0]
        if stream.width * stream.height > _MOST_PIXELS:
            raise FileError(path, f"its pictures of {stream.width} times {stream.height} are too large")
        try:
            # To the key picture before it; where that cannot be, all is decoded from the beginning.
            container.seek(max(0, int(seconds * 1_000_000)), backward=True)
        except av.FFmpegError:
            pass  # a stream that cannot be sought in
        shown: VideoFrame | None = None
        try:
            for frame in container.decode(stream):
                if shown is not None and frame.time is not None and frame.time > seconds:
                    break
                shown = frame
        except av.FFmpegError as error:
            if shown is None:
                raise FileError(path, str(error)) from None
        if shown is None:
            raise FileError(path, "it has no pictures")
        return shown.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def beside(left: Picture, right: Picture) -> Picture:
    """Return two pictures beside each other, the lower one filled up with black."""
    height = max(left.shape[0], right.shape[0])
    filled = [np.pad(each, ((0, height - each.shape[0]), (0, 0), (0, 0))) for each in (left, right)]
    return np.hstack(filled)


def write_png(picture: Picture, path: str) -> None:
    """Write a picture as a PNG file. Raises OSError where that cannot be written."""
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    context = av.CodecContext.create("png", "w")
    context.width, context.height = frame.width, frame.height
    context.pix_fmt, context.time_base = "rgb24", Fraction(1, 25)
    packets = [*context.encode(frame), *context.encode(None)]
    Path(path).write_bytes(b"".join(map(bytes, packets)))


def _open(path: str) -> InputContainer:
    try:
        import av
    except ImportError:
        raise FileError(path, "it needs the extra moonline[av]") from None
    if not os.path.isfile(path):
        raise FileError(path, "System error : No such file or directory.")
    try:
        container: InputContainer = av.open(os.fsencode(path).decode("utf-8", "surrogateescape"))
    except (av.FFmpegError, OSError, UnicodeError, ValueError) as error:
        raise FileError(path, str(error)) from None
    return container


def _seconds(container: InputContainer) -> int:
    return int((container.duration or 0) / 1_000_000)
