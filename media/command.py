"""What the host tells the media engine: frozen values that name lines, playbacks, taps and detectors by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.source import Source


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
    """Send back what the line receives while it plays nothing of its own (`on`), or no more."""

    line: int
    on: bool


@dataclass(frozen=True, slots=True)
class Volume:
    """Scale all that a line receives (`read`) or sends by `factor`: 1.0 as it is, 0.0 mutes."""

    line: int
    read: bool
    factor: float


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
    | Volume
    | Displace
    | Undisplace
    | Eavesdrop
    | StopEavesdrop
    | SendDigit
    | Close
)
