"""What the host's process and the media engine's say to each other, besides commands and notices.

All are pickled between processes of one program, so they need not be the same from version to version.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.notice import Notice
from media.packet_relay import StreamEnd
from media.recording_form import PLAIN, RecordingForm
from media.rtp_transport import RtpTransport
from media.source import Source


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Open a line without a transport; the host gives it its number."""

    line: int
    rate: int


@dataclass(frozen=True, slots=True)
class OpenTransport:
    """Open a line with RTP, or its ports again; answered with its local (host, port), TransportError, CodecError."""

    line: int
    rate: int
    transport: RtpTransport


@dataclass(frozen=True, slots=True)
class ReleaseTransport:
    """Give a line's ports back, the line stays (`OpenTransport` takes new ones); answered with None when done."""

    line: int


@dataclass(frozen=True, slots=True)
class WidenRelay:
    """Have a relay's ports for so many streams; answered with (port, port) of each, or TransportError."""

    relay: int
    addresses: tuple[str, str]
    ports: tuple[int, int]
    streams: int


@dataclass(frozen=True, slots=True)
class SetRelay:
    """Tell where the far end of a relay's side receives."""

    relay: int
    side: int
    ends: tuple[StreamEnd, ...]


@dataclass(frozen=True, slots=True)
class CloseRelay:
    """Give a relay's ports back."""

    relay: int


@dataclass(frozen=True, slots=True)
class SetRate:
    """Ask for another rate of a line; answered with whether it has that now (bool), or CodecError."""

    line: int
    rate: int


@dataclass(frozen=True, slots=True)
class AskTransport:
    """Ask for a line's `TransportReport`, None for a line without a transport."""

    line: int


@dataclass(frozen=True, slots=True)
class OpenMixer:
    """Open a mixer; the host gives it its number."""

    mixer: int
    rate: int
    interval: int
    comfort: int


@dataclass(frozen=True, slots=True)
class SteerRecording:
    """Pause, resume, mask or unmask a recording."""

    recording: int
    what: str


@dataclass(frozen=True, slots=True)
class LiveIs:
    """What a `Live` source of the host's is, from now on."""

    number: int
    source: Source


@dataclass(frozen=True, slots=True)
class LiveGone:
    """Nobody can play a `Live` source any more that does not yet."""

    number: int


@dataclass(frozen=True, slots=True)
class DebugCodec:
    """Tell of every packet of a codec that is coded or decoded, with `CodecReport`, or no more."""

    codec: str
    on: bool


@dataclass(frozen=True, slots=True)
class DebugLine:
    """The same for one line, whatever its codec is."""

    line: int
    on: bool


@dataclass(frozen=True, slots=True)
class ExpectBrowsers:
    """Load what lines to browsers need, so that no tick waits for it."""


@dataclass(frozen=True, slots=True)
class SoundGone:
    """The host needs a shared sound no longer; `SoundFree` answers once nobody plays it."""

    sound: int


@dataclass(frozen=True, slots=True)
class End:
    """Close all recordings and end the process."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Ask where a playback is and how many samples were played: (int, int)."""

    playback: int


@dataclass(frozen=True, slots=True)
class Displaced:
    """Ask whether a displacement still lasts: bool."""

    line: int
    displacement: int


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """Ask for `Engine.member_status`: (bool, int, int or None)."""

    line: int


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """Open a recording under a number; answered with the samples it holds (0) or RecordingError."""

    recording: int
    path: str
    rate: int
    channels: int
    append: bool
    form: RecordingForm = PLAIN


@dataclass(frozen=True, slots=True)
class Recorded:
    """Ask how many samples were recorded: int."""

    recording: int


@dataclass(frozen=True, slots=True)
class CloseRecording:
    """Complete a recording; answered with its samples or RecordingError."""

    recording: int


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Ask for the engine's `EngineStatus`; with `renew` its figures of lateness begin anew afterwards."""

    renew: bool = False


Question = (
    Progress
    | Displaced
    | MemberStatus
    | OpenRecording
    | Recorded
    | CloseRecording
    | AskStatus
    | OpenTransport
    | ReleaseTransport
    | WidenRelay
    | SetRate
    | AskTransport
)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask something; `Answer` or `Failure` of the same ticket comes back."""

    ticket: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for."""

    ticket: int
    value: object


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question cannot be answered."""

    ticket: int
    error: Exception


@dataclass(frozen=True, slots=True)
class Noticed:
    """A notice of a line; for a playback that ended, `progress` is where it was and what it played."""

    line: int
    notice: Notice
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tap heard whose sink is in the host's process: int16 samples, interleaved."""

    tap: int
    samples: bytes
    channels: int


@dataclass(frozen=True, slots=True)
class SoundFree:
    """Nobody plays a shared sound any more that the host needs no longer."""

    sound: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong in the engine that no question asked for."""

    text: str
