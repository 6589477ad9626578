"""The host's handle on one mixer of the media engine: methods that become commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from media import command
from media.line import CommandTaker, Played

if TYPE_CHECKING:
    from media.command import MemberSettings, MixerCommand, Sink
    from media.line import Line
    from media.source import Source


class MixerCommandTaker(CommandTaker, Protocol):
    """What a mixer's handle needs of an engine, wherever that runs."""

    def execute_in_mixer(self, command: MixerCommand) -> None:
        """Do what `command` says to a mixer."""

    def member_status(self, line: int) -> tuple[bool, int, int | None]:
        """Return whether a line in a mixer talks, its last score, and how long ago (µs) it was heard talking."""


class Mixer:
    """A mixer of `rate` samples a second: the lines in it hear each other, and what is played to all or to one."""

    def __init__(self, engine: MixerCommandTaker, number: int, rate: int) -> None:
        self._engine = engine
        self.number = number
        self.rate = rate

    def join(self, line: Line, settings: MemberSettings) -> None:
        """Let a line in; it leaves the mixer that it was in."""
        self._engine.execute(command.Join(line.number, self.number, settings))

    def leave(self, line: Line) -> None:
        """Let a line out."""
        self._engine.execute(command.Leave(line.number))

    def set_member(self, line: Line, settings: MemberSettings) -> None:
        """Change how a line takes part."""
        self._engine.execute(command.SetMember(line.number, settings))

    def status(self, line: Line) -> tuple[bool, int, int | None]:
        """Return whether a line talks, its last score, and how long ago (µs) it was heard talking, None for never."""
        return self._engine.member_status(line.number)

    def set(self, *, closed: bool, always: bool) -> None:
        """Keep what members say from each other, or let it through although they do not talk."""
        self._engine.execute_in_mixer(command.SetMixer(self.number, closed, always))

    def relate(self, pairs: frozenset[tuple[int, int]]) -> None:
        """Replace the pairs (who speaks, who does not hear it) of lines' numbers."""
        self._engine.execute_in_mixer(command.Relate(self.number, pairs))

    def set_floor(self, line: Line | None) -> None:
        """Give the floor to a line, or take it from whoever has it."""
        holder = line.number if line is not None else None
        self._engine.execute_in_mixer(command.SetFloor(self.number, holder))

    def play(
        self, source: Source, line: Line | None = None, *, delay: int = 0, mux: bool = True
    ) -> MixerSound:
        """Play `source` to all, or to one line over or (not `mux`) in place of the others, `delay` samples later."""
        number = self._engine.next_number()
        self._engine.execute_in_mixer(
            command.MixerPlay(
                self.number, number, source, line.number if line is not None else None, delay, mux
            )
        )
        return MixerSound(self._engine, self, number)

    def tap(self, sink: Sink) -> int:
        """Give `sink` all that is said and played from now on; return the tap's number for `untap`."""
        number = self._engine.next_number()
        self._engine.execute_in_mixer(command.MixerTap(self.number, number, sink))
        return number

    def untap(self, number: int) -> None:
        """Take a tap away."""
        self._engine.execute_in_mixer(command.MixerUntap(self.number, number))

    def close(self) -> None:
        """Let all lines out and give the mixer back."""
        self._engine.execute_in_mixer(command.CloseMixer(self.number))


class MixerSound(Played):
    """The host's handle on something that a mixer plays."""

    _engine: MixerCommandTaker

    def __init__(self, engine: MixerCommandTaker, mixer: Mixer, number: int) -> None:
        super().__init__(engine, number)
        self._mixer = mixer

    def stop(self) -> None:
        """Stop, without a notice."""
        self._engine.execute_in_mixer(command.MixerStop(self._mixer.number, self.number))

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""
        self._engine.execute_in_mixer(command.MixerPause(self._mixer.number, self.number, paused))

    def seek(self, position: int) -> None:
        """Go to a sample of the source."""
        self._engine.execute_in_mixer(command.MixerSeek(self._mixer.number, self.number, position))

    def gain(self, factor: float) -> None:
        """Scale by `factor`."""
        self._engine.execute_in_mixer(command.MixerGain(self._mixer.number, self.number, factor))
