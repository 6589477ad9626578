"""What the passing of time does to lines and mixers: playbacks move on and end, echoes come back, frames are mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.mixer_playback import notices_of_ends
from media.stream_source import is_over

if TYPE_CHECKING:
    from media.engine_parts import Deliveries, EngineParts
    from media.line_state import LineState
    from media.mixer import MixerState
    from media.mixer_playback import MixerPlayback


class LineMovement:
    """Moves the lines and mixers of an engine, and adds the notices that come of it to `delivered`."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts

    def move(self, start: int, end: int, delivered: Deliveries) -> None:
        """Move all over a block between two times that taps and detectors have heard."""
        parts = self._parts
        if parts.delegation is not None:
            for state in parts.delegation.speaking.values():
                try:
                    parts.delegation.speak(state, start, end)
                except Exception as error:
                    parts.take_fault(state, error, delivered)
        self._move_echoes(start, end)
        self._move_mixers(start, end, delivered)
        for state in parts.attended.values():
            if state.playback is not None and not state.plain:
                try:
                    self._move_playback(state, start, end, delivered)
                except Exception as error:
                    parts.take_fault(state, error, delivered)
            if state.displacements:
                self._move_displacements(state, start, end)
            state.ahead = None
        parts.let_go()
        parts.sound.forget()

    def end_what_is_over(self, delivered: Deliveries) -> None:
        """End the playbacks of which nothing is left, though no time has passed."""
        parts = self._parts
        for state in parts.attended.values():
            if state.playback is not None and state.playback.remaining() == 0:
                parts.end_playback(state, delivered)
        for mixer in parts.mixers.values():
            self._end_in_mixer(mixer, mixer.end_playbacks(), delivered)

    def end_tick(self, delivered: Deliveries) -> None:
        """Have transports send what all lines say, and look after what they have played as far as they could."""
        parts = self._parts
        for number in parts.transports.send() if parts.transports is not None else ():
            state = parts.lines.get(number)
            if state is None or not state.plain:
                continue
            parts.take_over(state)
            if state.playback is not None and state.playback.remaining() == 0:
                parts.end_playback(state, delivered)

    def _move_playback(self, state: LineState, start: int, end: int, delivered: Deliveries) -> None:
        playback = state.playback
        assert playback is not None
        if not playback.paused:
            moved = state.index(end) - state.index(start)
            if playback.end is not None:  # in real time a tick may reach beyond the end
                moved = min(moved, max(0, playback.end - playback.position))
            playback.position += moved
            playback.played += moved
            if playback.end is None and is_over(playback.source, playback.position):
                playback.end = playback.position
        if playback.remaining() == 0:
            self._parts.end_playback(state, delivered)

    def _move_echoes(self, start: int, end: int) -> None:
        # All are heard before any is moved on: one may be another's far end.
        rests = [
            (
                state,
                self._parts.sound.echoed(state, state.echo_delayed, start, end)[
                    state.index(end) - state.index(start) :
                ],
            )
            for state in self._parts.attended.values()
            if state.echo_delayed is not None
        ]
        for state, rest in rests:
            state.echo_delayed = rest

    def _move_displacements(self, state: LineState, start: int, end: int) -> None:
        for number, displacement in list(state.displacements.items()):
            displacement.position += state.index(end) - state.index(start)
            if displacement.end is not None and displacement.position >= displacement.end:
                del state.displacements[number]
        if not state.displacements:
            self._parts.take_over(state)  # perhaps its transport can carry it again

    def _move_mixers(self, start: int, end: int, delivered: Deliveries) -> None:
        # All are rendered before any is moved on: one may hear another.
        hear = self._parts.sound.hear(start, end)
        for mixer in self._parts.mixers.values():
            mixer.block(start, end, hear)
            try:
                mixer.tap(start, end, hear)
            except Exception as error:
                if self._parts.on_fault is None:
                    raise
                self._parts.on_fault(f"mixer {mixer.number}", error)
                mixer.taps.clear()
        for mixer in self._parts.mixers.values():
            notices, ended = mixer.advance(start, end, hear)
            delivered.extend((mixer, notice) for notice in notices)
            self._end_in_mixer(mixer, ended, delivered)

    def _end_in_mixer(
        self,
        mixer: MixerState,
        ended: list[MixerPlayback],
        delivered: Deliveries,
    ) -> None:
        for playback in ended:
            self._parts.remember(playback.number, playback.progress)
        delivered.extend((mixer, notice) for notice in notices_of_ends(ended))
