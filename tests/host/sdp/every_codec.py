"""All codecs there are, whether their libraries are here or not."""

from __future__ import annotations

from media import codec_registry
from media.codec import CodecInfo


def every_codec() -> tuple[CodecInfo, ...]:
    infos = (codec_registry.find(name) for name in codec_registry.names())
    return tuple(info for info in infos if info is not None)
