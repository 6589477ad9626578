"""What all parts of the media engine share: its lines and mixers, who carries their sound, and what has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from media.line_sound import LineSound
from media.notice import Notice, PlaybackEnded
from media.recording import RecordingError
from media.transport_delegation import TransportDelegation

if TYPE_CHECKING:
    from media.line_state import LineState
    from media.mixer import MixerState
    from media.transports import Transports

# Playbacks that have ended, whose position may still be asked for.
_ENDED_KEPT: Final = 4096

# Notices with the line or mixer that they are for.
Deliveries = list[tuple["LineState | MixerState", Notice]]


class EngineParts:
    """`lines` and `mixers` by their numbers; `ended` are the last places of playbacks that are over.

    `attended` are the lines to be looked at in every block: all of them where there are no transports, else those that
    no transport carries by itself and to which something happens. `players` are the lines of the playbacks that last.
    """

    def __init__(
        self, transports: Transports | None, on_fault: Callable[[str, Exception], object] | None
    ) -> None:
        self.lines: dict[int, LineState] = {}
        self.attended: dict[int, LineState] = self.lines if transports is None else {}
        self.mixers: dict[int, MixerState] = {}
        self.players: dict[int, LineState] = {}
        self.ended: dict[int, tuple[int, int]] = {}
        self.sound = LineSound(self.lines, transports)
        self.transports = transports
        self.delegation = (
            None if transports is None else TransportDelegation(self.lines, transports, self.sound)
        )
        self.on_fault = on_fault

    def retire(self, state: LineState) -> None:
        """Remove a line's playback and remember where it was."""
        assert state.playback is not None
        length, position = state.playback.source.length, state.playback.position
        reached = position if length is None else min(position, length)
        self.remember(state.playback.number, (reached, state.playback.played))
        self.players.pop(state.playback.number, None)
        state.playback = None

    def remember(self, playback: int, progress: tuple[int, int]) -> None:
        """Keep where a playback was, and how many samples of it were played, when it ended."""
        self.ended[playback] = progress
        if len(self.ended) > _ENDED_KEPT:
            del self.ended[next(iter(self.ended))]

    def take_over(self, state: LineState) -> None:
        """Take over from the transport of a line what it may have been doing by itself."""
        if self.delegation is not None:
            self.delegation.take_over(state)
            self.attended[state.line.number] = state

    def let_go(self) -> None:
        """Look no longer at lines to which nothing happens."""
        if self.delegation is not None:
            for number in [number for number, state in self.attended.items() if not state.is_at_work]:
                del self.attended[number]

    def end_playback(self, state: LineState, delivered: Deliveries) -> None:
        """End a line's playback by itself, and add the notice of that to `delivered`."""
        assert state.playback is not None
        delivered.append((state, PlaybackEnded(state.playback.number)))
        self.retire(state)
        self.take_over(state)

    def take_fault(self, state: LineState, error: Exception, delivered: Deliveries) -> None:
        """Tell what went wrong with a line, and end what it may have come from."""
        if self.on_fault is None:
            raise error
        self.on_fault(f"line {state.line.number}", error)
        state.taps.clear()
        if isinstance(error, RecordingError):
            return
        state.detectors.clear()
        state.written_detectors.clear()
        state.displacements.clear()
        state.preprocessing.clear()
        if state.playback is not None:
            self.end_playback(state, delivered)
