"""What the media engine tells its host: small, frozen, and serialisable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """A playback reached the end of its source and was removed."""

    playback: int


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The far end sent a telephone-event; `duration` in samples at 8 kHz."""

    digit: str
    duration: int


@dataclass(frozen=True, slots=True)
class Detected:
    """A detector on the line found what it listens for, `detail` being the detector's own word for it."""

    detector: int
    detail: str


@dataclass(frozen=True, slots=True)
class TalkStatistics:
    """What a talk that ended was like, in frames and scores: those above the member's energy level are hits."""

    frames: int
    hits: int
    misses: int
    score_sum: int
    change_sum: int


@dataclass(frozen=True, slots=True)
class Talking:
    """A line in a mixer began to talk, or stopped; then `statistics` tell of the talk."""

    line: int
    statistics: TalkStatistics | None = None


@dataclass(frozen=True, slots=True)
class FloorTaken:
    """A line in a mixer has the floor now, because nobody had it or its holder fell silent."""

    line: int


@dataclass(frozen=True, slots=True)
class FirstPacket:
    """The first RTP packet arrived on a line's transport."""


@dataclass(frozen=True, slots=True)
class MediaTimeout:
    """No RTP packet arrived for so many ms, as the transport asked to be told; once until there is one again."""

    ms: int


@dataclass(frozen=True, slots=True)
class KeysAgreed:
    """A line's DTLS handshake is through: from now on there is sound, protected by a suite of `media.srtp_keys`."""

    suite: str


@dataclass(frozen=True, slots=True)
class KeysRefused:
    """A line's DTLS handshake failed: there will be no sound."""

    reason: str


@dataclass(frozen=True, slots=True)
class CodecReport:
    """What a packet that was coded or decoded is like, where that was asked for (`Engine.debug_codec`)."""

    text: str


Notice = (
    PlaybackEnded
    | DigitReceived
    | Detected
    | Talking
    | FloorTaken
    | FirstPacket
    | MediaTimeout
    | KeysAgreed
    | KeysRefused
    | CodecReport
)
