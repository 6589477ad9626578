"""What commands do to lines: each changes the state of one, or of two that have to do with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from media import command as commands
from media.line_state import Displacement, LineState, PlaybackState, TapState
from media.notice import DigitReceived
from media.preprocessing import Preprocessing

if TYPE_CHECKING:
    from media.command import Command
    from media.engine_parts import Deliveries, EngineParts


class LineCommands:
    """Carries out commands for the lines of an engine."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts

    def execute(self, state: LineState, command: Command, delivered: Deliveries) -> None:
        """Do what `command` says to a line; add notices to `delivered`. ValueError for a source of another rate."""
        playback = state.playback
        match command:
            case commands.Play():
                if playback is not None:
                    self._parts.retire(state)
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                start = max(0, command.start)
                end = state.end_of(command.source, start)
                state.playback = PlaybackState(command.playback, command.source, start, end)
                self._parts.players[command.playback] = state
            case commands.Stop() if playback is not None and playback.number == command.playback:
                self._parts.retire(state)
            case commands.Pause() if playback is not None and playback.number == command.playback:
                playback.paused = command.paused
            case commands.Seek() if playback is not None and playback.number == command.playback:
                length = playback.source.length
                playback.position = max(
                    0, command.position if length is None else min(command.position, length)
                )
                playback.end = state.end_of(playback.source, playback.position)
            case commands.Gain() if playback is not None and playback.number == command.playback:
                playback.gain = command.factor
            case commands.Tap():
                state.taps[command.tap] = TapState(command.sink, command.read, command.write, command.stereo)
            case commands.Untap():
                state.taps.pop(command.tap, None)
            case commands.Listen():
                state.detectors[command.detector_id] = command.detector
                if command.written:
                    state.written_detectors.add(command.detector_id)
            case commands.Unlisten():
                state.detectors.pop(command.detector_id, None)
                state.written_detectors.discard(command.detector_id)
            case commands.Volume():
                if command.read:
                    state.read_volume = command.factor
                else:
                    state.write_volume = command.factor
            case commands.Preprocess():
                if command.settings is None:
                    state.preprocessing.pop(command.read, None)
                elif command.read in state.preprocessing:
                    state.preprocessing[command.read].change(command.settings)
                else:
                    state.preprocessing[command.read] = Preprocessing(state.line.rate, command.settings)
            case commands.Displace():
                if command.source.rate != state.line.rate:
                    raise ValueError(f"source at {command.source.rate} Hz on a line at {state.line.rate} Hz")
                ends = [end for end in (command.source.length, command.limit) if end is not None]
                state.displacements[command.displacement] = Displacement(
                    command.source, command.read, command.mux, min(ends, default=None)
                )
            case commands.Undisplace():
                state.displacements.pop(command.displacement, None)
            case commands.Connect():
                peer = self._parts.lines.get(command.peer)
                if peer is not None:
                    state.peer, peer.peer = peer, state
            case commands.Bridge():
                other = self._parts.lines.get(command.other)
                if other is not None:
                    self._unbridge(state)
                    self._unbridge(other)
                    state.bridged, other.bridged = other, state
            case commands.Unbridge():
                self._unbridge(state)
            case commands.Idle():
                state.idle = command.divisor
            case commands.Echo():
                state.echo = command.on
                delayed = command.on and command.delay > 0
                state.echo_delayed = np.zeros(command.delay, np.int16) if delayed else None
            case commands.Eavesdrop():
                self._stop_eavesdrop(state)
                target = self._parts.lines.get(command.target)
                if target is not None and target is not state:
                    state.spied = target
                    target.spies[state] = command
            case commands.StopEavesdrop():
                self._stop_eavesdrop(state)
            case commands.Join():
                mixer = self._parts.mixers.get(command.mixer)
                if mixer is not None:
                    self._leave_mixer(state)
                    state.mixer = mixer
                    mixer.join(state.line.number, state.line.rate, command.settings)
            case commands.Leave():
                self._leave_mixer(state)
            case commands.SetMember() if state.mixer is not None:
                state.mixer.set_member(state.line.number, command.settings)
            case commands.SetTransport():
                if self._parts.transports is not None:
                    self._parts.transports.change(command.line, command.transport)
            case commands.SendDigit() if state.remote:
                if self._parts.transports is not None:
                    self._parts.transports.press(command.line, command.digit, command.duration)
            case commands.SendDigit():
                if state.peer is not None:
                    delivered.append((state.peer, DigitReceived(command.digit, command.duration)))
            case commands.Close():
                if playback is not None:
                    self._parts.retire(state)
                self._unbridge(state)
                self._leave_mixer(state)
                self._stop_eavesdrop(state)
                for spy in list(state.spies):
                    self._stop_eavesdrop(spy)
                if state.peer is not None:
                    state.peer.peer = None
                del self._parts.lines[state.line.number]
                self._parts.attended.pop(state.line.number, None)
                if state.remote and self._parts.transports is not None and self._parts.delegation is not None:
                    self._parts.delegation.forget(state.line.number)
                    self._parts.transports.close(state.line.number)

    def _unbridge(self, state: LineState) -> None:
        if state.bridged is not None:
            self._parts.take_over(state.bridged)
            state.bridged.bridged = None
            state.bridged = None

    def _leave_mixer(self, state: LineState) -> None:
        if state.mixer is not None:
            state.mixer.leave(state.line.number)
            state.mixer = None

    def _stop_eavesdrop(self, state: LineState) -> None:
        if state.spied is not None:
            self._parts.take_over(state.spied)
            state.spied.spies.pop(state, None)
            state.spied = None
