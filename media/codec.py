"""What a codec is to the rest: int16 mono in, payload bytes out, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

# What SDP negotiates in telephony; codecs name those of them that they can pack.
PTIMES = (10, 20, 30, 40, 50, 60)


class CodecError(ValueError):
    """A payload that cannot be decoded, sound that cannot be encoded, or a codec that is not there."""


class Codec(Protocol):
    """One direction of one call, or both, of a codec.

    `name` is SDP's encoding name, `payload_type` the static one (RFC 3551) or None, `rate` of the samples and
    `clock_rate` of RTP timestamps in hertz, `ptime_ms` what a payload of `encode` holds. One that is `stateless`
    may be shared by all calls.
    """

    @property
    def name(self) -> str: ...
    @property
    def payload_type(self) -> int | None: ...
    @property
    def rate(self) -> int: ...
    @property
    def clock_rate(self) -> int: ...
    @property
    def ptime_ms(self) -> int: ...
    @property
    def stateless(self) -> bool: ...

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """The payload of `rate * ptime_ms // 1000` samples, int16 of shape (n,); CodecError for another n."""
        ...

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """The samples of a payload, of any number of frames; CodecError for one that is damaged."""
        ...


@runtime_checkable
class ManyCodec(Codec, Protocol):
    """A codec whose encoders remember something, and that has many of them encode at once for little more than one.

    Those of one `kind` go together.
    """

    @property
    def kind(self) -> tuple[str, int, int]: ...

    def encode_many(self, codecs: Sequence[Self], samples: NDArray[np.int16]) -> list[bytes]:
        """The next payload of each of some codecs of this kind, none of them twice, of int16 (codecs, samples).

        They are as `encode` of each would have made them; CodecError for another shape.
        """
        ...


Maker = Callable[[int, int, Mapping[str, str]], Codec]


@dataclass(frozen=True, slots=True)
class CodecInfo:
    """What is known of a codec before one is made: `rates` (the first is the default), `ptimes` in ms, `bit_rate`.

    `make(rate, ptime_ms, fmtp)` gives a new one, or raises CodecError. Where `clock_rate` is None RTP counts in
    the samples' rate.
    """

    name: str
    payload_types: Mapping[int, int]
    rates: tuple[int, ...]
    clock_rate: int | None
    ptimes: tuple[int, ...]
    bit_rate: int
    stateless: bool
    make: Maker

    def payload_type(self, rate: int) -> int | None:
        """The static payload type at a rate of samples."""
        return self.payload_types.get(rate)


def parse_fmtp(text: str) -> dict[str, str]:
    """SDP's format parameters `mode=20; useinbandfec=1` by their names in small letters; others are left out."""
    parameters = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip()
    return parameters


def expect_frame(samples: NDArray[np.int16], rate: int, ptime_ms: int) -> None:
    """Raise CodecError unless `samples` are one frame of shape (rate * ptime_ms // 1000,)."""
    wanted = rate * ptime_ms // 1000
    if samples.shape != (wanted,):
        raise CodecError(f"a frame of {ptime_ms} ms has {wanted} samples, not {samples.shape}")
