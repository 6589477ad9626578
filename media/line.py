"""The host's handle on one line of the media engine: methods that become commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from media import command
from media.speexdsp import require as require_speexdsp

if TYPE_CHECKING:
    from media.command import Command, Detector, Sink
    from media.source import Source
    from media.speexdsp import PreprocessSettings


class CommandTaker(Protocol):
    """What a line's handle needs of an engine, wherever that runs."""

    def next_number(self) -> int:
        """Return a number that no line, playback, tap or detector has."""

    def execute(self, command: Command) -> None:
        """Do what `command` says."""

    def progress(self, playback: int) -> tuple[int, int]:
        """Return where a playback is and how many samples were played."""

    def displaced(self, line: int, displacement: int) -> bool:
        """Return whether a line's displacement still lasts."""


class Line:
    """A line: `rate` samples a second, a far end, at most one playback, any number of taps and detectors."""

    def __init__(self, engine: CommandTaker, number: int, rate: int) -> None:
        self._engine = engine
        self.number = number
        self.rate = rate
        self.idle = 0

    def connect(self, peer: Line) -> None:
        """Make `peer` the far end."""
        self._engine.execute(command.Connect(self.number, peer.number))

    def play(self, source: Source, start: int = 0) -> Playback:
        """Play `source`, which must be at the line's rate, from sample `start`."""
        playback = Playback(self._engine, self, self._engine.next_number())
        self._engine.execute(command.Play(self.number, playback.number, source, start))
        return playback

    def tap(self, sink: Sink, *, read: bool = True, write: bool = True, stereo: bool = False) -> int:
        """Give `sink` the line's audio from now on; return the tap's number for `untap`."""
        number = self._engine.next_number()
        self._engine.execute(command.Tap(self.number, number, sink, read, write, stereo))
        return number

    def untap(self, number: int) -> None:
        """Take a tap away."""
        self._engine.execute(command.Untap(self.number, number))

    def listen(self, detector: Detector, *, written: bool = False) -> int:
        """Let `detector` hear what is received, or what is sent; return its number, which `Detected` notices name."""
        number = self._engine.next_number()
        self._engine.execute(command.Listen(self.number, number, detector, written))
        return number

    def unlisten(self, number: int) -> None:
        """Take a detector away."""
        self._engine.execute(command.Unlisten(self.number, number))

    def bridge(self, other: Line) -> None:
        """Bridge with `other`, in both directions."""
        self._engine.execute(command.Bridge(self.number, other.number))

    def unbridge(self) -> None:
        """End the bridge."""
        self._engine.execute(command.Unbridge(self.number))

    def echo(self, on: bool, delay: int = 0) -> None:
        """Send back what is received, `delay` samples later."""
        self._engine.execute(command.Echo(self.number, on, delay))

    def set_idle(self, divisor: int) -> None:
        """Send noise divided by `divisor` while there is nothing else to send; -1 is digital silence, 0 nothing."""
        if divisor != self.idle:
            self.idle = divisor
            self._engine.execute(command.Idle(self.number, divisor))

    def volume(self, *, read: bool, factor: float) -> None:
        """Scale all that is received (`read`) or sent by `factor`."""
        self._engine.execute(command.Volume(self.number, read, factor))

    def preprocess(self, settings: PreprocessSettings | None, *, read: bool) -> None:
        """Suppress noise and regulate the gain in what is received (`read`) or sent; None ends it.

        Raises SpeexDspUnavailable.
        """
        if settings is not None:
            require_speexdsp()
        self._engine.execute(command.Preprocess(self.number, read, settings))

    def displace(
        self, source: Source, *, read: bool = False, mux: bool = False, limit: int | None = None
    ) -> int:
        """Put `source` in place of what is sent (`read`: received), or over it, for at most `limit` samples.

        Return the displacement's number for `undisplace`. It ends with its source.
        """
        number = self._engine.next_number()
        self._engine.execute(command.Displace(self.number, number, source, read, mux, limit))
        return number

    def displaced(self, number: int) -> bool:
        """Return whether a displacement still lasts."""
        return self._engine.displaced(self.number, number)

    def undisplace(self, number: int) -> None:
        """Take a displacement away."""
        self._engine.execute(command.Undisplace(self.number, number))

    def eavesdrop(
        self,
        target: Line,
        *,
        hears_read: bool = True,
        hears_write: bool = True,
        speaks_read: bool = False,
        speaks_write: bool = False,
    ) -> None:
        """Hear what `target` receives and sends, and speak into either; again to change it."""
        self._engine.execute(
            command.Eavesdrop(self.number, target.number, hears_read, hears_write, speaks_read, speaks_write)
        )

    def stop_eavesdrop(self) -> None:
        """End an eavesdropping."""
        self._engine.execute(command.StopEavesdrop(self.number))

    def send_digit(self, digit: str, duration: int) -> None:
        """Send a telephone-event; `duration` in samples at 8 kHz."""
        self._engine.execute(command.SendDigit(self.number, digit, duration))

    def close(self) -> None:
        """Give the line back."""
        self._engine.execute(command.Close(self.number))


class Played:
    """The host's handle on something that an engine plays; harmless once it has ended."""

    def __init__(self, engine: CommandTaker, number: int) -> None:
        self._engine = engine
        self.number = number

    @property
    def position(self) -> int:
        """Where it is in its source, or was when it ended, in samples."""
        return self._engine.progress(self.number)[0]

    @property
    def played(self) -> int:
        """How many samples were played in all, pauses not counted and what was played twice counted twice."""
        return self._engine.progress(self.number)[1]


class Playback(Played):
    """The host's handle on one playback of a line."""

    def __init__(self, engine: CommandTaker, line: Line, number: int) -> None:
        super().__init__(engine, number)
        self._line = line
        self.paused = False

    def stop(self) -> None:
        """Stop, without a notice."""
        self._engine.execute(command.Stop(self._line.number, self.number))

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""
        self.paused = paused
        self._engine.execute(command.Pause(self._line.number, self.number, paused))

    def seek(self, position: int) -> None:
        """Go to a sample of the source."""
        self._engine.execute(command.Seek(self._line.number, self.number, position))

    def gain(self, factor: float) -> None:
        """Scale by `factor`."""
        self._engine.execute(command.Gain(self._line.number, self.number, factor))
