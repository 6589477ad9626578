"""What each line sends and receives between two times: playbacks, bridges, mixers, echoes, spies, displacements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from media.mix import mix, scale
from media.rate_bridge import bridge_rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from media.line_state import LineState
    from media.mixer import Hear
    from media.transports import Transports


class LineSound:
    """Renders int16 samples at a line's rate; changes no line. What is sent is kept until `forget`."""

    def __init__(self, lines: Mapping[int, LineState], transports: Transports | None) -> None:
        """`lines` are all of the engine by their numbers, as they come and go."""
        self._lines = lines
        self._transports = transports
        self._sent: dict[tuple[int, int, int], NDArray[np.int16]] = {}

    def forget(self) -> None:
        """Throw away what was rendered: something is another now, or the time is over."""
        self._sent.clear()

    def is_quiet(self, line: int) -> bool:
        """Whether a line in a mixer certainly says nothing there."""
        state = self._lines[line]
        return state.playback is not None or state.quiet

    def hear(self, start: int, end: int) -> Hear:
        """Return what answers what a line says in its mixer between two times.

        A line that plays something of its own is out of the room meanwhile.
        """

        def hear(line: int) -> NDArray[np.int16] | None:
            state = self._lines[line]
            if state.playback is not None or state.quiet:
                return None
            return self.received(state, start, end, state.index(end) - state.index(start))

        return hear

    def received(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line receives between two times, with what spies say to it."""
        samples = self._from_peer(state, start, end, count)
        return self._with_spies(state, samples, start, end, read=True) if state.spies else samples

    def _with_spies(
        self, state: LineState, samples: NDArray[np.int16], start: int, end: int, *, read: bool
    ) -> NDArray[np.int16]:
        """Return `samples` of a line with what those who eavesdrop on it say into that direction."""
        voices = [samples]
        for spy, how in state.spies.items():
            if how.speaks_read if read else how.speaks_write:
                voice = self._from_peer(spy, start, end, spy.index(end) - spy.index(start))
                voices.append(voice if len(voice) == len(samples) else _stretched(voice, len(samples)))
        return mix(*voices) if len(voices) > 1 else samples

    def _overheard(self, state: LineState, target: LineState, start: int, end: int) -> NDArray[np.int16]:
        """Return what one who eavesdrops on `target` hears: both directions, without what it says itself."""
        how = target.spies[state]
        there = target.index(end) - target.index(start)
        heard = [np.zeros(there, np.int16)]
        if how.hears_read:
            heard.append(self._from_peer(target, start, end, there))
        if how.hears_write and not target.rendering:
            target.rendering = True
            try:
                heard.append(self._shaped(target, self._render(target, start, end, there), start, read=False))
            finally:
                target.rendering = False
        return mix(*heard)

    def _from_peer(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line's far end sends to it."""
        peer = state.peer
        if state.remote:
            assert self._transports is not None
            frame = state.frame
            samples = self._transports.heard(state.line.number, state.index(start) % frame, count)
        elif peer is None:
            samples = np.zeros(count, np.int16)
        else:
            there = peer.index(end) - peer.index(start)
            samples = self.to_send(peer, start, end, there)
            if there != count:
                samples = _stretched(samples, count)
        return self._shaped(state, samples, start, read=True)

    def _shaped(
        self, state: LineState, samples: NDArray[np.int16], start: int, *, read: bool
    ) -> NDArray[np.int16]:
        """Return what a line's preprocessing, displacements and volume make of what it receives or sends."""
        if read in state.preprocessing:
            samples = state.preprocessing[read].through(state.index(start), samples)
        for displacement in state.displacements.values():
            if displacement.read is read:
                samples = displacement.over(samples)
        return scale(samples, state.read_volume if read else state.write_volume)

    def to_send(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        """Return the `count` samples that a line sends between two times."""
        key = (state.line.number, start, end)
        known = self._sent.get(key)
        if known is not None:
            return known
        if state.rendering:  # lines bridged in a ring: nothing comes from outside
            return np.zeros(count, np.int16)
        state.rendering = True
        try:
            samples = self._shaped(state, self._render(state, start, end, count), start, read=False)
            if state.spies:
                samples = self._with_spies(state, samples, start, end, read=False)
        finally:
            state.rendering = False
        self._sent[key] = samples
        return samples

    def _render(self, state: LineState, start: int, end: int, count: int) -> NDArray[np.int16]:
        playback = state.playback
        if playback is not None:
            if playback.paused:
                return np.zeros(count, np.int16)
            samples = playback.source.render(playback.position, count)
            samples = scale(samples, playback.gain)
            if len(samples) < count:
                samples = np.concatenate((samples, np.zeros(count - len(samples), np.int16)))
            return samples
        if state.spied is not None:
            overheard = self._overheard(state, state.spied, start, end)
            return overheard if len(overheard) == count else _stretched(overheard, count)
        if state.echo_delayed is not None:
            return self.echoed(state, state.echo_delayed, start, end)[:count]
        if state.mixer is not None and not state.echo:
            return state.mixer.output(state.line.number, start, end, self.hear(start, end))
        other = state if state.echo else state.bridged
        if other is None:
            return state.idle_sound.render(state.index(start), count)
        there = other.index(end) - other.index(start)
        samples = self.received(other, start, end, there)
        if other.line.rate == state.line.rate:
            return samples
        return _bridged(state, other, samples, start, end, count)

    def echoed(self, state: LineState, delayed: NDArray[np.int16], start: int, end: int) -> NDArray[np.int16]:
        """Return what a delayed echo sends between two times, and behind it what is to be sent later."""
        return np.concatenate(
            (delayed, self.received(state, start, end, state.index(end) - state.index(start)))
        )


def _bridged(
    state: LineState, other: LineState, samples: NDArray[np.int16], start: int, end: int, count: int
) -> NDArray[np.int16]:
    """Return what `other` receives between two times at the rate of `state`, `count` samples.

    A block may be looked ahead to and rendered again, so what went before is kept by the time at which it ended.
    """
    tails = state.bridge_tails
    for time in [time for time in tails if time < start]:
        del tails[time]
    made, tails[end] = bridge_rate(
        tails.get(start, np.zeros(0, np.int16)),
        samples,
        other.line.rate,
        state.line.rate,
        other.index(start),
        state.index(start),
        count,
    )
    return made


def _stretched(samples: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    """Return `samples` brought to `count` samples by interpolation: lines of different rates on one path."""
    if len(samples) == 0:
        return np.zeros(count, np.int16)
    places = np.linspace(0, len(samples) - 1, count)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype(np.int16)
