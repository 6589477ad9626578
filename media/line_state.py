"""The state of one line in the media engine: what it plays, who hears and displaces it, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from media import command as commands
from media.mix import mix
from media.source import ComfortNoise, Silence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.command import Detector, Sink
    from media.line import Line
    from media.mixer import MixerState
    from media.notice import Notice
    from media.preprocessing import Preprocessing
    from media.source import Source

_SECOND: Final = 1_000_000

# Sound goes out in frames of so many ms.
_FRAME_MS: Final = 20


@dataclass(slots=True)
class PlaybackState:
    """One playback: its source, where it is, and where it ends."""

    number: int
    source: Source
    position: int
    end: int | None
    played: int = 0
    paused: bool = False
    gain: float = 1.0

    def remaining(self) -> int | None:
        """Return the samples left, None when endless or paused."""
        if self.paused or self.end is None:
            return None
        return max(0, self.end - self.position)


@dataclass(slots=True)
class TapState:
    """A tap: its sink, and which of the two directions it gets."""

    sink: Sink
    read: bool
    write: bool
    stereo: bool


@dataclass(slots=True)
class Displacement:
    """A sound in the place of what a line hears or says, or over it."""

    source: Source
    read: bool
    mux: bool
    end: int | None
    position: int = 0

    def over(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return `samples` with this in their place or over them; what is behind the end stays."""
        count = len(samples) if self.end is None else max(0, min(len(samples), self.end - self.position))
        sound = self.source.render(self.position, count)
        if self.mux:
            return mix(samples, sound)
        return np.concatenate((sound, samples[len(sound) :]))


@dataclass(slots=True)
class Ahead:
    """What was heard when listening ahead, so that advancing over the same block need not listen again."""

    start: int
    end: int
    detectors: dict[int, Detector]


@dataclass(slots=True, eq=False)
class LineState:
    """Everything the engine knows of one line."""

    line: Line
    notify: Callable[[Notice], object]
    peer: LineState | None = None
    playback: PlaybackState | None = None
    bridged: LineState | None = None
    mixer: MixerState | None = None
    spies: dict[LineState, commands.Eavesdrop] = field(default_factory=dict)
    spied: LineState | None = None
    echo: bool = False
    echo_delayed: NDArray[np.int16] | None = None  # received, and to be sent after the delay of the echo
    idle: int = 0  # what it sends where that is nothing else: see `media.command.Idle`
    taps: dict[int, TapState] = field(default_factory=dict)
    detectors: dict[int, Detector] = field(default_factory=dict)
    written_detectors: set[int] = field(default_factory=set)
    read_volume: float = 1.0
    write_volume: float = 1.0
    displacements: dict[int, Displacement] = field(default_factory=dict)
    preprocessing: dict[bool, Preprocessing] = field(default_factory=dict)  # of what is read (True), written
    ahead: Ahead | None = None
    rendering: bool = False
    # What went before in the bridge, by the time (µs) that a block begins at: for lines of different rates.
    bridge_tails: dict[int, NDArray[np.int16]] = field(default_factory=dict)
    remote: bool = False  # its far end is reached by a transport
    plain: bool = False  # the transport plays the playback by itself
    tapped: bool = False  # the transport gives the taps what they are to hear
    relaying: bool = False  # the transport sends on by itself what the line in the bridge receives

    def index(self, time: int) -> int:
        """Return the line's sample index at `time` (µs)."""
        return time * self.line.rate // _SECOND

    @property
    def frame(self) -> int:
        """The samples of a frame of 20 ms."""
        return max(1, self.line.rate * _FRAME_MS // 1000)

    def end_of(self, source: Source, position: int) -> int | None:
        """Return where a playback from `position` ends: a last frame that is not full is filled with silence."""
        if source.length is None:
            return None
        return position + -(-max(0, source.length - position) // self.frame) * self.frame

    @property
    def idle_sound(self) -> Source:
        """What the line sends where that is nothing else."""
        rate = self.line.rate
        return ComfortNoise(rate, None, self.idle) if self.idle > 0 else Silence(rate)

    def time_of(self, index: int) -> int:
        """Return the earliest time (µs) at which `index(time)` has reached `index`."""
        return -(-index * _SECOND // self.line.rate)

    @property
    def sends_as_it_is(self) -> bool:
        """Whether nobody hears or changes what the line sends."""
        return self.write_volume == 1 and self.sends_unseen

    @property
    def sends_unseen(self) -> bool:
        """Whether nobody hears what the line sends, and nobody changes it but for its volume."""
        return (
            not self.displacements
            and not self.preprocessing
            and not self.spies
            and not self.written_detectors
            and (self.tapped or not any(tap.write for tap in self.taps.values()))
        )

    @property
    def receives_as_it_is(self) -> bool:
        """Whether nobody changes what the line receives."""
        return self.read_volume == 1 and not self.displacements and not self.preprocessing and not self.spies

    @property
    def is_listened_to(self) -> bool:
        """Whether anybody besides the line in the bridge hears what the line receives."""
        return (
            len(self.detectors) > len(self.written_detectors)
            or any(tap.read for tap in self.taps.values())
            or self.mixer is not None
            or self.echo
        )

    @property
    def is_at_work(self) -> bool:
        """Whether time does anything to the line that its transport does not look after."""
        return bool(
            self.detectors
            or self.displacements
            or (self.taps and not self.tapped)
            or (self.playback is not None and not self.plain)
            or self.echo_delayed is not None
        )

    @property
    def counts_samples(self) -> bool:
        """Whether there is something on the line that is at its rate."""
        return bool(
            self.playback is not None
            or self.taps
            or self.detectors
            or self.displacements
            or self.preprocessing
            or self.mixer is not None
            or self.echo_delayed is not None
        )

    @property
    def quiet(self) -> bool:
        """Whether the line certainly receives silence."""
        if self.spies or self.displacements or self.remote:
            return False
        peer = self.peer
        return peer is None or not (
            peer.playback is not None
            or peer.bridged is not None
            or peer.mixer is not None
            or peer.echo
            or peer.idle > 0
            or peer.spied is not None
            or peer.displacements
            or peer.spies
        )
