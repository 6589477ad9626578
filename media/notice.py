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


Notice = PlaybackEnded | DigitReceived | Detected
