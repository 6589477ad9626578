"""Who carries a line's sound: its transport by itself, or the engine at every tick.

A transport plays sound from shared memory and sends on what another line hears, as long as nobody has a hand in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.source import Scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from media.line_sound import LineSound
    from media.line_state import LineState
    from media.source import Source
    from media.transports import Transports


class TransportDelegation:
    """`speaking` are the lines with a transport that have to be asked what they send."""

    def __init__(self, lines: Mapping[int, LineState], transports: Transports, sound: LineSound) -> None:
        """`lines` are all of the engine by their numbers, as they come and go."""
        self._lines = lines
        self._transports = transports
        self._sound = sound
        self._unsettled: dict[int, LineState] = {}  # of which it is not known who carries them
        self._refused: dict[
            int, LineState
        ] = {}  # whose transport could not play what they play when it was asked
        self.speaking: dict[int, LineState] = {}

    @property
    def settled(self) -> bool:
        """Whether it is known of all lines who carries them."""
        return not self._unsettled

    def forget(self, line: int) -> None:
        """Forget a line that is gone."""
        self.speaking.pop(line, None)
        self._unsettled.pop(line, None)
        self._refused.pop(line, None)

    def take_over(self, state: LineState) -> None:
        """Take over from the transport of a line what it may have been doing by itself."""
        other = state.bridged
        if other is not None and other.relaying:
            self._end_relay(other)
        elif other is not None and other.remote and not other.plain:
            self._unsettled[other.line.number] = other  # perhaps it can relay now
        if not state.remote:
            return
        if state.relaying:
            self._end_relay(state)
        if state.plain:
            moved = self._transports.stop(state.line.number)
            if state.playback is not None:
                state.playback.position += moved
                state.playback.played += moved
            state.plain = False
        if state.tapped:
            self._transports.tap(state.line.number, ())
            state.tapped = False
        self._unsettled[state.line.number] = state

    def _end_relay(self, state: LineState) -> None:
        self._transports.relay(state.line.number, None)
        state.relaying = False
        self._unsettled[state.line.number] = state

    def ask_again(self) -> None:
        """Ask transports once more to play what they could not play: perhaps that is behind a stream now."""
        self._unsettled |= self._refused
        self._refused.clear()

    def settle(self) -> None:
        """Find out which lines their transport can serve by itself, and which have to be asked at every tick."""
        waiting, self._unsettled = self._unsettled, {}
        for number, state in waiting.items():
            self.speaking.pop(number, None)
            self._refused.pop(number, None)
            if number not in self._lines:
                continue
            if state.taps and state.receives_as_it_is:
                state.tapped = self._transports.tap(number, tuple(state.taps.values()))
            playback = state.playback
            if playback is not None and not playback.paused and state.sends_unseen:
                source = _at_volume(playback.source, playback.gain, state.write_volume)
                if self._transports.play(number, source, playback.position):
                    state.plain = True
                    continue
                self._refused[number] = state
            if self._is_relay(state):
                continue
            mute = playback is None and self._is_mute(state)
            if mute and state.idle and state.sends_unseen:
                source = _at_volume(state.idle_sound, state.write_volume)
                if self._transports.play(number, source, 0):
                    state.plain = True
                    continue
            if state.idle or not mute:
                self.speaking[number] = state

    def _is_relay(self, state: LineState) -> bool:
        """Have the transport send on what the line in the bridge receives, where nobody has a hand in it."""
        other = state.bridged
        if (
            other is None
            or not other.remote
            or state.playback is not None
            or state.spied is not None
            or state.mixer is not None
            or state.echo
            or not state.sends_as_it_is
            or not other.receives_as_it_is
        ):
            return False
        state.relaying = self._transports.relay(
            state.line.number, other.line.number, encoded=not other.is_listened_to
        )
        return state.relaying

    def _is_mute(self, state: LineState) -> bool:
        """Whether a line that plays nothing has nothing else to send."""
        return (
            state.bridged is None
            and state.mixer is None
            and state.spied is None
            and not state.echo
            and not state.displacements
            and not state.spies
        )

    def speak(self, state: LineState, start: int, end: int) -> None:
        """Give a line's transport what the line sends between two times."""
        first, last = state.index(start), state.index(end)
        samples = self._sound.to_send(state, start, end, last - first)
        self._transports.say(state.line.number, first % state.frame, samples)


def _at_volume(source: Source, *factors: float) -> Source:
    for factor in factors:
        if factor != 1:
            source = Scaled(source, factor)
    return source
