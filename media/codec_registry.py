"""All codecs by SDP's encoding names, and by the static payload types of RFC 3551."""

from __future__ import annotations

from functools import cache

import numpy as np

from media import g711, g722, gsm, ilbc, l16, opus
from media.codec import Codec, CodecError, CodecInfo, parse_fmtp

_INFOS = (g711.PCMU, g711.PCMA, l16.INFO, g722.INFO, opus.INFO, gsm.INFO, ilbc.INFO)
_BY_NAME = {info.name.lower(): info for info in _INFOS}
_BY_PAYLOAD_TYPE = {number: info for info in _INFOS for number in info.payload_types.values()}


def names() -> tuple[str, ...]:
    """The encoding names, as SDP writes them."""
    return tuple(info.name for info in _INFOS)


def find(name: str) -> CodecInfo | None:
    """The codec of an encoding name, in whatever case (RFC 4855 3)."""
    return _BY_NAME.get(name.lower())


def static(payload_type: int) -> CodecInfo | None:
    """The codec that a payload type means without an rtpmap."""
    return _BY_PAYLOAD_TYPE.get(payload_type)


def create(name: str, *, rate: int | None = None, ptime_ms: int = 20, fmtp: str = "") -> Codec:
    """A codec for one call; `rate` of the samples (not of the RTP clock), `fmtp` the other side's parameters.

    CodecError for a name, rate, ptime or parameters that it has not, and where a library is missing.
    """
    info = find(name)
    if info is None:
        raise CodecError(f"there is no codec {name!r}")
    rate = info.rates[0] if rate is None else rate
    if rate not in info.rates:
        raise CodecError(f"{info.name} has no rate of {rate} Hz")
    if ptime_ms not in info.ptimes:
        raise CodecError(f"{info.name} has no ptime of {ptime_ms} ms")
    return info.make(rate, ptime_ms, parse_fmtp(fmtp))


@cache
def can_speak(name: str) -> bool:
    """Whether a codec's sound can be made here, too: its library is there and encodes a frame of silence."""
    info = find(name)
    if info is None:
        return False
    try:
        # Its own ptime: a codec whose frames are of another length than the first one listed packs those.
        codec = info.make(info.rates[0], info.ptimes[0], {})
        codec.encode(np.zeros(codec.rate * codec.ptime_ms // 1000, np.int16))
    except CodecError:
        return False
    return True
