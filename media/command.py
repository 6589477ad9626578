"""What the host tells the media engine: frozen values that name lines, playbacks, taps and detectors by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.rtp_transport import RtpTransport
    from media.source import Source
    from media.speexdsp import PreprocessSettings


class Sink(Protocol):
    """Where a tap's audio goes: a recording."""

    def write(self, samples: NDArray[np.int16]) -> None:
        """Take int16 samples, shape (n,), or (n, 2) from a stereo tap."""


class Detector(Protocol):
    """Listens to what a line receives."""

    def feed(self, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Take int16 samples, shape (n,); return (offset into them, what was found), in order."""

    def copy(self) -> Detector:
        """Return an independent copy, so that the engine may listen ahead and come back."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Make two lines each other's far end, in this process."""

    line: int
    peer: int


@dataclass(frozen=True, slots=True)
class Play:
    """Play `source` (at the line's rate) from sample `start`; a playback that runs is replaced without a notice."""

    line: int
    playback: int
    source: Source
    start: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a playback, without a notice."""

    line: int
    playback: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold a playback where it is (`paused`), or let it go on."""

    line: int
    playback: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to sample `position` of a playback's source; beyond the end is the end."""

    line: int
    playback: int
    position: int


@dataclass(frozen=True, slots=True)
class Gain:
    """Scale a playback by `factor` (1.0 as it is)."""

    line: int
    playback: int
    factor: float


@dataclass(frozen=True, slots=True)
class Tap:
    """Give `sink` what the line receives (`read`) and sends (`write`): mixed, or as (read, write) when `stereo`."""

    line: int
    tap: int
    sink: Sink
    read: bool = True
    write: bool = True
    stereo: bool = False


@dataclass(frozen=True, slots=True)
class Untap:
    """Take a tap away; its sink gets nothing more and is not closed."""

    line: int
    tap: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Let `detector` hear what the line receives, or (`written`) what it sends."""

    line: int
    detector_id: int
    detector: Detector
    written: bool = False


@dataclass(frozen=True, slots=True)
class Unlisten:
    """Take a detector away."""

    line: int
    detector_id: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """Send on each line what the other receives, while it plays nothing of its own."""

    line: int
    other: int


@dataclass(frozen=True, slots=True)
class Unbridge:
    """End a line's bridge."""

    line: int


@dataclass(frozen=True, slots=True)
class Echo:
    """Send back what the line receives while it plays nothing of its own (`on`), or no more.

    What is sent was received `delay` samples ago.
    """

    line: int
    on: bool
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """Send noise (full-scale noise divided by `divisor`) while the line has nothing else to send.

    -1 is digital silence; 0 is to send nothing, as before.
    """

    line: int
    divisor: int


@dataclass(frozen=True, slots=True)
class Volume:
    """Scale all that a line receives (`read`) or sends by `factor`: 1.0 as it is, 0.0 mutes."""

    line: int
    read: bool
    factor: float


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Suppress noise and regulate the gain in what a line receives (`read`) or sends, or (None) no more."""

    line: int
    read: bool
    settings: PreprocessSettings | None


@dataclass(frozen=True, slots=True)
class Displace:
    """Put `source` (at the line's rate) in place of what a line receives (`read`) or sends, or, `mux`, over it."""

    line: int
    displacement: int
    source: Source
    read: bool = False
    mux: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Undisplace:
    """Take a displacement away."""

    line: int
    displacement: int


@dataclass(frozen=True, slots=True)
class Eavesdrop:
    """Send on `line` what `target` receives (`hears_read`) and sends (`hears_write`), mixed; again to change it.

    What `line` receives is put over what `target` receives (`speaks_read`: who is bridged with it hears that) or
    sends (`speaks_write`).
    """

    line: int
    target: int
    hears_read: bool = True
    hears_write: bool = True
    speaks_read: bool = False
    speaks_write: bool = False


@dataclass(frozen=True, slots=True)
class StopEavesdrop:
    """End an eavesdropping."""

    line: int


@dataclass(frozen=True, slots=True)
class SendDigit:
    """Send a telephone-event to the far end; `duration` in samples at 8 kHz."""

    line: int
    digit: str
    duration: int


@dataclass(frozen=True, slots=True)
class Regulation:
    """Automatic gain: frames with a score above `low` count; after `period` of them the gain moves by `step` dB.

    It moves towards the score `target`, unless that is met within `margin`.
    """

    target: int
    low: int = 0
    margin: int = 100
    step: int = 2
    period: int = 25


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """How a line takes part in a mixer.

    `gain_in` scales what it says, `gain_out` what it hears. `energy` is the score (`media.talk_gate`) above which it
    is heard at all, 0 lets everything through; `detects` tells of its talking although it does not speak. Above the
    score `loudest` for more than `loud_trigger` frames it is silenced for `hush` frames. `regulation` is its automatic
    gain.
    """

    speaks: bool = True
    hears: bool = True
    detects: bool = False
    energy: int = 0
    gain_in: float = 1.0
    gain_out: float = 1.0
    loudest: int = 0
    loud_trigger: int = 0
    hush: int = 0
    regulation: Regulation | None = None


@dataclass(frozen=True, slots=True)
class CloseMixer:
    """Let all lines out of a mixer and forget it."""

    mixer: int


@dataclass(frozen=True, slots=True)
class SetMixer:
    """Keep what members say from each other (`closed`), or let it through although they do not talk (`always`)."""

    mixer: int
    closed: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """Send on a line, while it plays nothing of its own, what the others in a mixer say."""

    line: int
    mixer: int
    settings: MemberSettings


@dataclass(frozen=True, slots=True)
class Leave:
    """Take a line out of its mixer."""

    line: int


@dataclass(frozen=True, slots=True)
class SetMember:
    """Change how a line takes part in its mixer."""

    line: int
    settings: MemberSettings


@dataclass(frozen=True, slots=True)
class Relate:
    """Replace the pairs (who speaks, who does not hear it), line numbers, of a mixer."""

    mixer: int
    pairs: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SetFloor:
    """Give the floor of a mixer to a line, or take it from whoever has it (None)."""

    mixer: int
    holder: int | None


@dataclass(frozen=True, slots=True)
class MixerPlay:
    """Play `source` (at the mixer's rate) to all members, or to one `line`, after `delay` samples of nothing.

    To one line it is put over what it hears (`mux`), or in its place.
    """

    mixer: int
    playback: int
    source: Source
    line: int | None = None
    delay: int = 0
    mux: bool = True


@dataclass(frozen=True, slots=True)
class MixerStop:
    """Stop a playback of a mixer, without a notice."""

    mixer: int
    playback: int


@dataclass(frozen=True, slots=True)
class MixerPause:
    """Hold a playback of a mixer, or let it go on."""

    mixer: int
    playback: int
    paused: bool


@dataclass(frozen=True, slots=True)
class MixerSeek:
    """Go to sample `position` of a source that a mixer plays."""

    mixer: int
    playback: int
    position: int


@dataclass(frozen=True, slots=True)
class MixerGain:
    """Scale a playback of a mixer by `factor`."""

    mixer: int
    playback: int
    factor: float


@dataclass(frozen=True, slots=True)
class MixerTap:
    """Give `sink` the sum of all that is said and played in a mixer."""

    mixer: int
    tap: int
    sink: Sink


@dataclass(frozen=True, slots=True)
class MixerUntap:
    """Take a mixer's tap away."""

    mixer: int
    tap: int


@dataclass(frozen=True, slots=True)
class SetTransport:
    """Change how a line sends and receives RTP; its local address stays."""

    line: int
    transport: RtpTransport


@dataclass(frozen=True, slots=True)
class Close:
    """Forget a line and all that belongs to it."""

    line: int


Command = (
    Connect
    | Play
    | Stop
    | Pause
    | Seek
    | Gain
    | Tap
    | Untap
    | Listen
    | Unlisten
    | Bridge
    | Unbridge
    | Echo
    | Idle
    | Volume
    | Preprocess
    | Displace
    | Undisplace
    | Eavesdrop
    | StopEavesdrop
    | SendDigit
    | SetTransport
    | Join
    | Leave
    | SetMember
    | Close
)

MixerCommand = (
    CloseMixer
    | SetMixer
    | Relate
    | SetFloor
    | MixerPlay
    | MixerStop
    | MixerPause
    | MixerSeek
    | MixerGain
    | MixerTap
    | MixerUntap
)
