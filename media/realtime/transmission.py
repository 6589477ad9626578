"""What goes out on many RTP lines at once: sound from shared memory or of the engine, encoded and numbered together."""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.rtcp import SentStream
from media.rtp import HEADER_SIZE
from media.rtp_batch import build_many

_TIMESTAMP: Final = 0xFFFF_FFFF

# How many frames a line may keep that were made ahead: a second. It takes memory once it is used.
_AHEAD_FRAMES: Final = 50


class Transmission:
    """`capacity` outgoing streams of frames of `frame` samples, one byte each.

    A line plays a stretch of `memory`, or of what it keeps itself (`play`), or says what is given to it for one tick
    (`say`), or nothing. Places beyond the end of `memory` are those of what lines keep.
    """

    def __init__(
        self, capacity: int, frame: int, encode: NDArray[np.uint8], memory: NDArray[np.int16]
    ) -> None:
        """`encode` holds the tables of the laws, uint8 of shape (laws, 65536)."""
        self.frame = frame
        self.ahead_frames = _AHEAD_FRAMES
        self._encode = encode
        self._windows = np.lib.stride_tricks.sliding_window_view(memory, frame)
        self._shared = len(memory)
        self._kept = np.zeros((capacity, _AHEAD_FRAMES * frame), np.int16)
        # Nobody looks beyond the end of the last line's.
        self._kept_windows = np.lib.stride_tricks.sliding_window_view(self._kept.reshape(-1), frame)
        self.law = np.zeros(capacity, np.uint8)
        self.payload_type = np.zeros(capacity, np.uint8)
        self.ssrc = np.zeros(capacity, np.uint32)
        self.sequence = np.zeros(capacity, np.int64)
        self.timestamp = np.zeros(capacity, np.int64)
        self.packets = np.zeros(capacity, np.int64)
        self.octets = np.zeros(capacity, np.int64)
        self.muted = np.zeros(capacity, bool)
        self.silent = np.ones(capacity, bool)  # nothing was sent in the last tick
        self._playing = np.zeros(capacity, bool)
        self._place = np.zeros(capacity, np.int64)
        self._left = np.zeros(capacity, np.int64)
        self._moved = np.zeros(capacity, np.int64)
        self._saying = np.zeros(capacity, bool)
        self._said = np.zeros((capacity, frame), np.int16)
        self._spoke = np.zeros(capacity, bool)  # in the last tick, be it sent or not
        self._relayed = np.full(capacity, -1, np.intp)  # whose sound a line sends on
        self.out = np.zeros((capacity, HEADER_SIZE + frame), np.uint8)
        self.views = [memoryview(row) for row in self.out]  # type: ignore[arg-type]

    def open(self, line: int, law: int, payload_type: int) -> None:
        """Begin a stream with random numbers (RFC 3550 5.1)."""
        self.law[line], self.payload_type[line] = law, payload_type
        self.ssrc[line] = secrets.randbits(32)
        self.sequence[line] = secrets.randbits(15)
        self.timestamp[line] = secrets.randbits(32)
        self.packets[line] = self.octets[line] = 0
        self._relayed[line] = -1
        self.silent[line] = True
        self.muted[line] = self._playing[line] = self._saying[line] = False
        self._said[line] = 0

    def play(self, line: int, place: int, count: int) -> None:
        """Play `count` samples from `place` on."""
        self._moved[line] = 0
        self.play_on(line, place, count)

    def play_on(self, line: int, place: int, count: int) -> None:
        """Play these samples behind those that were played."""
        self._playing[line] = True
        self._place[line], self._left[line] = place, count

    def keep(self, line: int, samples: NDArray[np.int16]) -> int:
        """Keep a line's next samples, at most `ahead_frames`, in the place of its last ones; return their place."""
        self._kept[line, : len(samples)] = samples
        return self._shared + line * self._kept.shape[1]

    def moved(self, line: int) -> int:
        """Return how many samples a line has played since `play`, whole frames."""
        return int(self._moved[line])

    def stop(self, line: int) -> int:
        """Play no longer; return the samples that were played since `play`."""
        self._playing[line] = False
        return int(self._moved[line])

    def say(self, line: int, first: int, samples: NDArray[np.int16]) -> None:
        """Send these samples in this tick, from place `first` of its frame on."""
        self._said[line, first : first + len(samples)] = samples
        self._saying[line] = True

    def relay(self, line: int, other: int | None) -> None:
        """Send on what line `other` hears, from now on, or no more (None)."""
        self._relayed[line] = -1 if other is None else other

    def say_relayed(self, lines: NDArray[np.intp], heard: NDArray[np.int16]) -> None:
        """Have those `lines` that send on what others hear say it: `heard` int16 of shape (capacity, frame)."""
        others = self._relayed[lines]
        relaying = others >= 0
        if relaying.any():
            rows = lines[relaying]
            self._said[rows] = heard[others[relaying]]
            self._saying[rows] = True

    def next(self, lines: NDArray[np.intp], hushed: list[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Move all `lines` on by a frame; return those whose packet is ready in `out`, and whose stretch is played.

        Lines in `hushed` send something else in this tick; what they play moves on.
        """
        playing = lines[self._playing[lines]]
        ended = playing[:0]
        if len(playing):
            left = self._left[playing]
            sound = self._sound(self._place[playing])
            for index in np.flatnonzero(left < self.frame).tolist():
                sound[index, left[index] :] = 0
            self._said[playing] = sound
            self._place[playing] += self.frame
            self._left[playing] = left - self.frame
            self._moved[playing] += self.frame
            ended = playing[left <= self.frame]
            self._playing[ended] = False
            self._saying[playing] = True
        self._spoke[lines] = self._saying[lines]
        self._saying[hushed] = False
        sending = lines[self._saying[lines] & ~self.muted[lines]]
        if len(sending):
            self._pack(sending)
        self._saying[lines] = False
        self.silent[lines] = True
        self.silent[sending] = False
        self.timestamp[lines] = self.timestamp[lines] + self.frame & _TIMESTAMP
        return sending, ended

    def said(self, lines: NDArray[np.intp]) -> NDArray[np.int16]:
        """Return what lines said in the last tick, also where it was not sent: int16 of shape (lines, frame)."""
        said = self._said[lines]
        said[~self._spoke[lines]] = 0
        return said

    def _sound(self, places: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return a frame from each place on."""
        own = places >= self._shared
        if not own.any():
            return self._windows[places]
        if own.all():
            return self._kept_windows[places - self._shared]
        sound = np.empty((len(places), self.frame), np.int16)
        sound[~own] = self._windows[places[~own]]
        sound[own] = self._kept_windows[places[own] - self._shared]
        return sound

    def _pack(self, lines: NDArray[np.intp]) -> None:
        samples = self._said[lines].view(np.uint16)
        laws = self.law[lines]
        packets = np.empty((len(lines), self.out.shape[1]), np.uint8)
        if laws.any():
            packets[:, HEADER_SIZE:] = self._encode[laws[:, np.newaxis], samples]
        else:
            packets[:, HEADER_SIZE:] = self._encode[0].take(samples)
        build_many(
            packets,
            self.payload_type[lines],
            self.silent[lines],
            self.sequence[lines],
            self.timestamp[lines],
            self.ssrc[lines],
        )
        self.out[lines] = packets
        self.count(lines, self.frame)

    def count(self, lines: NDArray[np.intp] | int, octets: int) -> None:
        """Count a packet each of lines that are sent."""
        self.sequence[lines] = self.sequence[lines] + 1 & 0xFFFF
        self.packets[lines] += 1
        self.octets[lines] += octets

    def sender(self, line: int) -> SentStream:
        """Return a line's stream as what RTCP reports on."""
        return SentStream(int(self.timestamp[line]), int(self.packets[line]), int(self.octets[line]))
