"""Encoders and decoders of FFmpeg, through PyAV: one frame in, one payload out."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from media.codec import CodecError

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext


def library() -> ModuleType:
    """PyAV; CodecError that names the extra where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise CodecError("this codec needs the extra moonline[av]") from error
    return av


def _context(names: tuple[str, ...], mode: str) -> AudioCodecContext:
    av: Any = library()
    for name in names:
        try:
            context: AudioCodecContext = av.CodecContext.create(av.codec.Codec(name, mode))
            return context
        except av.codec.codec.UnknownCodecError:
            continue
    doing = "encode" if mode == "w" else "decode"
    raise CodecError(f"this PyAV cannot {doing} {names[0]}: its FFmpeg was built without")


class AvEncoder:
    """An encoder with frames of `frame_size` samples; the first of `names` that FFmpeg has.

    CodecError where it has none, or not with these parameters.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        rate: int,
        frame_size: int,
        *,
        bit_rate: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._av: Any = library()
        self._context = _context(names, "w")
        self._context.sample_rate = rate
        self._context.layout = "mono"
        self._context.format = "s16"
        if bit_rate is not None:
            self._context.bit_rate = bit_rate
        self._context.options = dict(options or {})
        self._rate = rate
        self._frame_size = frame_size
        try:
            self._context.open()
        except self._av.FFmpegError as error:
            raise CodecError(f"{names[0]} does not take these parameters: {error}") from None
        if self._context.frame_size not in (0, frame_size):
            raise CodecError(f"{names[0]} packs {self._context.frame_size} samples, not {frame_size}")

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """The payload of `frame_size` samples."""
        if samples.shape != (self._frame_size,):
            raise CodecError(f"a frame has {self._frame_size} samples, not {samples.shape}")
        frame = self._av.AudioFrame(format="s16", layout="mono", samples=self._frame_size)
        frame.planes[0].update(np.ascontiguousarray(samples))
        frame.sample_rate = self._rate
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


class AvDecoder:
    """A decoder; `rate` as FFmpeg wants to be told, `bit_rate` where a mode follows from it."""

    def __init__(self, names: tuple[str, ...], rate: int, *, bit_rate: int | None = None) -> None:
        self._av: Any = library()
        self._context = _context(names, "r")
        self._context.sample_rate = rate
        self._context.layout = "mono"
        if bit_rate is not None:
            self._context.bit_rate = bit_rate

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """The samples of a payload; CodecError for a damaged one, after which the next is decoded as ever."""
        if not payload:
            # FFmpeg would take an empty packet for the end of everything.
            raise CodecError("an empty payload")
        try:
            frames = self._context.decode(self._av.Packet(payload))
        except self._av.FFmpegError as error:
            raise CodecError(f"a payload of {len(payload)} bytes: {error}") from None
        blocks = [_mono(frame.to_ndarray(), len(frame.layout.channels)) for frame in frames]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks or [np.zeros(0, np.int16)])


def _mono(block: NDArray[Any], channels: int) -> NDArray[np.int16]:
    """One channel of int16, from FFmpeg's planes (planes, samples) or (1, samples * channels)."""
    if len(block) == 1 and channels > 1:
        block = block.reshape(-1, channels).T
    if block.dtype == np.int16 and len(block) == 1:
        mono: NDArray[np.int16] = block[0]
        return mono
    wide = block.mean(axis=0)
    if block.dtype.kind == "f":
        wide = wide * 32768
    mixed: NDArray[np.int16] = np.clip(np.rint(wide), -32768, 32767).astype(np.int16)
    return mixed
