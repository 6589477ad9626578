"""Which codecs of a far end's audio section are taken, and with which ptime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from host.sdp.codec_choice import CodecChoice, ilbc_mode
from host.sdp.rtp_map import RtpMap


class Negotiation(Enum):
    """FreeSWITCH: `inbound-codec-negotiation` of a profile, the variable `rtp_codec_negotiation`.

    Generous follows the far end's order, greedy this side's, and scrooge this side's ptime too.
    """

    GENEROUS = "generous"
    GREEDY = "greedy"
    SCROOGE = "scrooge"


@dataclass(frozen=True, slots=True)
class RemoteAudio:
    """What a far end says of its sound: payload types in its order, their parameters, ptimes in ms."""

    maps: tuple[RtpMap, ...]
    parameters: dict[int, str]
    ptime: int | None = None
    maxptime: int | None = None


@dataclass(frozen=True, slots=True)
class CodecMatch:
    """A codec of both sides: the far end's map and parameters, this side's choice, the ptime to send with."""

    rtp_map: RtpMap
    choice: CodecChoice
    ptime_ms: int
    fmtp: str


def match_codecs(
    remote: RemoteAudio,
    choices: Sequence[CodecChoice],
    negotiation: Negotiation,
    *,
    offered_ilbc_mode: int = 0,
) -> tuple[CodecMatch, ...]:
    """All codecs of both sides, the one to use first.

    FreeSWITCH: codecs whose ptime is as the far end asks go before all others; where there is none the first other
    one is taken, with the far end's ptime where the codec has it. No ptime is longer than `maxptime`.
    `offered_ilbc_mode` is what this side offered, if it did: where one side says 30, both use it (RFC 3952 5).
    """
    exact: list[CodecMatch] = []
    near: list[CodecMatch] = []
    for rtp_map in remote.maps:
        for choice in choices:
            if not is_codec(rtp_map, choice):
                continue
            fmtp = remote.parameters.get(rtp_map.payload_type, "")
            if choice.name.lower() == "ilbc":
                mode = max(ilbc_mode(fmtp), offered_ilbc_mode)
                fmtp = f"mode={mode}"
                asked = mode if remote.ptime is None or remote.ptime % mode else remote.ptime
                possible = tuple(ptime for ptime in choice.info.ptimes if ptime % mode == 0)
            else:
                asked = remote.ptime or 0
                if remote.maxptime and asked > remote.maxptime:
                    asked = remote.maxptime
                possible = choice.info.ptimes
            sticks = negotiation is Negotiation.SCROOGE and choice.ptime_ms in possible
            wanted = choice.ptime_ms if sticks or asked not in possible else asked
            if remote.maxptime and wanted > remote.maxptime:
                wanted = max((ptime for ptime in possible if ptime <= remote.maxptime), default=0)
            if wanted not in possible:
                continue
            match = CodecMatch(rtp_map, choice, wanted, fmtp)
            (exact if sticks or asked in (0, choice.ptime_ms) else near).append(match)
    if not exact:
        return tuple(near[:1])
    if negotiation is not Negotiation.GENEROUS:
        exact.sort(key=lambda match: choices.index(match.choice))
    return tuple(exact)


def is_codec(rtp_map: RtpMap, choice: CodecChoice) -> bool:
    """Whether a map is of the codec that a choice speaks; sound is mono, but for Opus, which does not tell."""
    if not rtp_map.names(choice.name):
        return False
    return _clock(rtp_map) == choice.clock_rate and (rtp_map.names("opus") or rtp_map.channels == 1)


def same_encoding(one: RtpMap, other: RtpMap) -> bool:
    """Whether two maps mean the same, whatever their numbers."""
    return one.names(other.encoding) and _clock(one) == _clock(other) and _channels(one) == _channels(other)


def find_event_type(maps: Iterable[RtpMap], clock_rate: int) -> RtpMap | None:
    """The telephone-event to use beside a codec.

    RFC 4733 section 2.1: that of the codec's clock. FreeSWITCH: where there is none any other, and 8000 Hz first,
    which is what the far ends that have one alone beside Opus mean.
    """
    found = [each for each in maps if each.names("telephone-event")]
    found.sort(key=lambda each: (each.clock_rate != clock_rate, each.clock_rate != 8000))
    return found[0] if found else None


def find_comfort_noise(maps: Iterable[RtpMap], clock_rate: int) -> RtpMap | None:
    """The comfort noise of a codec's clock (RFC 3389 section 5)."""
    return next((each for each in maps if each.names("CN") and each.clock_rate == clock_rate), None)


def _clock(rtp_map: RtpMap) -> int:
    # RFC 3551 section 4.5.2: G.722's clock is half of what one would think, and so some think.
    return 8000 if rtp_map.names("G722") and rtp_map.clock_rate == 16000 else rtp_map.clock_rate


def _channels(rtp_map: RtpMap) -> int:
    # Opus without its /2 is a slip of the pen that FreeSWITCH takes.
    return 2 if rtp_map.names("opus") else rtp_map.channels
