"""What a recording is to be like: settings of its own and the channel's variables (FreeSWITCH: RECORD_…)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.escape import url_decode
from host.leading_number import leading_int
from host.sound_file import split_parameters
from host.truth import is_true
from media.recording_form import TAGS, RecordingForm, Side

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: the rates that `record_sample_rate` may ask for; others are not looked at.
_RATES: Final = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
# FreeSWITCH: below which mean of the samples a frame is silence where only times of silence are given.
_SILENCE: Final = 200


def own_settings(text: str) -> dict[str, str]:
    """Return the settings of `{name=value,…}`, which may be URL-encoded: those of one recording only."""
    found, _ = split_parameters(url_decode(text))
    return {name: value.strip("'") for name, value in found.items()}


class Settings:
    """Settings of its own before the variables of the channel."""

    def __init__(self, session: Session, own: Mapping[str, str] | None = None) -> None:
        self.own = {name.lower(): value for name, value in (own or {}).items()}
        self._get = session.channel.get_variable

    def get(self, name: str) -> str | None:
        """Return a setting, None where there is none."""
        value = self.own.get(name.lower())
        return self._get(name) if value is None else value

    def is_true(self, name: str) -> bool:
        """Return whether a setting holds one of FreeSWITCH's words for true."""
        return is_true(self.get(name))

    def number(self, name: str) -> int | None:
        """Return a setting as a whole number, None where there is none or one below 0."""
        value = self.get(name)
        number = -1 if value is None else leading_int(value)
        return None if number < 0 else number

    @property
    def sample_rate(self) -> int | None:
        """`record_sample_rate`, the rate of the file; None for that of the call."""
        rate = self.number("record_sample_rate")
        return rate if rate in _RATES else None

    @property
    def tags(self) -> dict[str, str]:
        """What RECORD_TITLE, RECORD_COPYRIGHT, … put into the file, by the names of `media.recording_form.TAGS`."""
        found = {name: self.get(f"record_{name}") for name in TAGS}
        return {name: text for name, text in found.items() if text}

    @property
    def silence(self) -> Silence:
        """When silence ends a recording that runs beside the call."""
        initial, final = (self.number(f"RECORD_{which}_TIMEOUT_MS") for which in ("INITIAL", "FINAL"))
        threshold = self.number("RECORD_SILENCE_THRESHOLD")
        if threshold is None:
            threshold = 0 if initial is None and final is None else _SILENCE
        return Silence(threshold, initial or 0, final or 0)


@dataclass(frozen=True, slots=True)
class Silence:
    """Below which mean of the samples it is silent (0: nobody listens), and how many ms of it end a recording.

    `initial_ms` are those before the first sound, `final_ms` those after one; 0 are none.
    """

    threshold: int
    initial_ms: int
    final_ms: int


@dataclass(frozen=True, slots=True)
class Directions:
    """Which directions of a call are recorded, and whether each has a channel of the file."""

    read: bool
    write: bool
    stereo: bool
    swapped: bool

    @classmethod
    def wanted(cls, settings: Settings) -> Directions:
        """Return what RECORD_READ_ONLY, RECORD_WRITE_ONLY, RECORD_STEREO and RECORD_STEREO_SWAP ask for.

        FreeSWITCH: of both the first two the first one holds; a file with two channels has both, one of them silent,
        where only one direction is recorded.
        """
        read_only, write_only = settings.is_true("RECORD_READ_ONLY"), settings.is_true("RECORD_WRITE_ONLY")
        swapped = settings.is_true("RECORD_STEREO_SWAP")
        return cls(
            read_only or not write_only, not read_only, swapped or settings.is_true("RECORD_STEREO"), swapped
        )

    @property
    def channels(self) -> int:
        """How many channels the recording is given."""
        return 2 if self.stereo and self.read and self.write else 1

    @property
    def side(self) -> Side | None:
        """The channel of two that the only direction goes to."""
        if not self.stereo or self.channels == 2:
            return None
        return "left" if self.read is not self.swapped else "right"

    def form(self, settings: Settings) -> RecordingForm:
        """Return how the file is written."""
        return RecordingForm(
            rate=settings.sample_rate,
            swapped=self.swapped and self.channels == 2,
            side=self.side,
            tags=settings.tags,
        )
