"""What comes in on many RTP lines at once: who sends, in what order, how evenly. Arrays over lines."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.realtime.arrival_qualities import ArrivalQualities
from media.realtime.frame_ring import CONCEAL, MEDIA, SILENCE, FrameRing
from media.realtime.row_concealment import HISTORY, RowConcealment
from media.rtcp import ReceivedStream

_TICKS_A_SECOND: Final = 50


class Reception:
    """`capacity` incoming streams of frames of `frame` samples, one byte each, at 8 kHz."""

    def __init__(self, capacity: int, frame: int, decode: NDArray[np.int16]) -> None:
        """`decode` holds the tables of the laws, int16 of shape (laws, 256)."""
        self.ring = FrameRing(capacity, frame)
        self.heard = np.zeros((capacity, frame), np.int16)
        self.law = np.zeros(capacity, np.uint8)
        self.ssrc = np.full(capacity, -1, np.int64)
        self.received = np.zeros(capacity, np.int64)
        self.octets = np.zeros(capacity, np.int64)
        self.heard_at = np.zeros(capacity, np.int64)  # tick of the last packet
        self.highest = np.zeros(capacity, np.int64)
        self.base = np.zeros(capacity, np.int64)
        self.earlier_lost = np.zeros(capacity, np.int64)
        self.jitter = np.zeros(capacity)
        self.qualities = ArrivalQualities(capacity)
        self.loud = np.zeros(capacity, bool)  # whether `heard` is anything but silence
        self._base_received = np.zeros(capacity, np.int64)
        self._transit = np.zeros(capacity, np.int64)
        self._timed = np.zeros(capacity, bool)
        self._reported = np.zeros((capacity, 2), np.int64)
        self._decode = decode
        self._concealment = RowConcealment(capacity, frame)

    def open(self, line: int, law: int, delay: int, maximum: int) -> None:
        """Begin a stream on a line; `delay` and `maximum` of the jitter buffer in frames."""
        self.ring.open(line, delay, maximum)
        self.heard[line] = 0
        self.law[line] = law
        self.ssrc[line] = -1
        self._timed[line] = self.loud[line] = False
        self._concealment.forget(line)
        for counts in (
            self.received,
            self.octets,
            self.highest,
            self.base,
            self.earlier_lost,
            self.jitter,
            self._base_received,
        ):
            counts[line] = 0
        self._reported[line] = 0
        self.qualities.open(line)

    def judge(
        self,
        lines: NDArray[np.intp],
        ssrc: NDArray[np.uint32],
        sequence: NDArray[np.uint16],
        timestamp: NDArray[np.uint32],
        octets: NDArray[np.int32],
        tick: int,
        clock_rate: int | NDArray[np.int64] = 8000,
    ) -> None:
        """Count a packet each of different lines; a source that is new makes the line's ring start anew.

        Jitter is that of RFC 3550 A.8, between the ticks that packets were read in.
        """
        strange = self.ssrc[lines] != ssrc
        if strange.any():
            for line in lines[strange].tolist():
                if self.ssrc[line] >= 0:
                    self.earlier_lost[line] += self.source_lost(line)
                    self.ring.restart(line)
                self.pause(line)
                self._base_received[line] = self.received[line]
                self._reported[line] = 0
            begun = lines[strange]
            self.ssrc[begun] = ssrc[strange]
            self.base[begun] = self.highest[begun] = sequence[strange]
        highest = self.highest[lines]
        ahead = (sequence.astype(np.int64) - (highest & 0xFFFF) + 0x8000 & 0xFFFF) - 0x8000
        self.highest[lines] = np.maximum(highest, highest + ahead)
        received = self.received[lines] + 1
        self.received[lines] = received
        self.octets[lines] += octets
        self.qualities.heard(lines, ahead, tick - self.heard_at[lines], received)
        self.heard_at[lines] = tick
        transit = tick * clock_rate // _TICKS_A_SECOND - timestamp.astype(np.int64) & 0xFFFF_FFFF
        moved = np.abs((transit - self._transit[lines] + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000)
        # A timestamp that jumps by more than half a second tells of a new beginning, not of the network.
        usable = self._timed[lines] & (moved < clock_rate // 2) & (ahead > 0)
        jitter = self.jitter[lines]
        self.jitter[lines] = np.where(usable, jitter + (moved - jitter) / 16, jitter)
        self._transit[lines] = transit
        self._timed[lines] = True

    def pause(self, line: int) -> None:
        """Judge how evenly packets come anew: the stream has a reason to pause."""
        self._timed[line] = False
        self.qualities.pause(line, int(self.received[line]))

    def play(self, lines: NDArray[np.intp]) -> None:
        """Move the lines on by a frame: `heard` is then what each of them hears."""
        if not len(lines):
            return
        kinds = self.ring.take(lines, ~self.loud[lines])
        media = kinds == MEDIA
        if media.any():
            rows = lines[media]
            frames = self.ring.frames(lines, media)
            laws = self.law[rows]
            if laws.any():
                self.heard[rows] = self._decode[laws[:, np.newaxis], frames]
            else:
                self.heard[rows] = self._decode[0].take(frames)
            self.loud[rows] = True
            self._concealment.join(rows, self.heard)
        if len(rows := lines[kinds == CONCEAL]):
            lost = self.ring.lost_in_row[rows]
            for index in np.flatnonzero((kinds == CONCEAL) & (self.ring.lost_in_row[lines] == 1)).tolist():
                self._begin_concealment(index, int(lines[index]))
            self._concealment.conceal(rows, lost, self.heard)
        self._concealment.forget_all(lines[kinds == SILENCE])
        silent = lines[(kinds == SILENCE) & self.loud[lines]]
        self.heard[silent] = 0
        self.loud[silent] = False

    def _begin_concealment(self, index: int, line: int) -> None:
        # What follows silence is silence: comfort noise has come, or a key.
        if self._concealment.has_room(line) and self.heard[line].any():
            frames = self.ring.before(index, line, HISTORY)
            if len(frames):
                self._concealment.begin(line, self._decode[self.law[line], frames].reshape(-1))

    def source_lost(self, line: int) -> int:
        """Return how many packets of a line's present source did not come."""
        if self.ssrc[line] < 0:
            return 0
        expected = int(self.highest[line] - self.base[line]) + 1
        return expected - int(self.received[line] - self._base_received[line])

    def lost(self, line: int) -> int:
        """Return how many packets of a line did not come, of all its sources."""
        return int(self.earlier_lost[line]) + self.source_lost(line)

    def fraction_lost(self, line: int) -> int:
        """Return the loss since the last call in 1/256 (RFC 3550 A.3)."""
        expected = int(self.highest[line] - self.base[line]) + 1
        received = int(self.received[line] - self._base_received[line])
        before_expected, before_received = self._reported[line].tolist()
        self._reported[line] = expected, received
        expected, lost = (
            expected - before_expected,
            (expected - before_expected) - (received - before_received),
        )
        return min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0

    def receiver(self, line: int) -> ReceivedStream | None:
        """Return a line's stream as what RTCP reports on, None when nothing came yet."""
        return _RowReceiver(self, line) if self.ssrc[line] >= 0 else None


class _RowReceiver(ReceivedStream):
    """A row of the arrays, as `media.rtcp.RtcpSession.report` looks at it."""

    def __init__(self, reception: Reception, line: int) -> None:
        self._row = reception, line

    @property
    def ssrc(self) -> int:
        reception, line = self._row
        return int(reception.ssrc[line])

    @property
    def jitter(self) -> float:
        reception, line = self._row
        return float(reception.jitter[line])

    @property
    def highest_sequence(self) -> int:
        reception, line = self._row
        return int(reception.highest[line]) & 0xFFFF_FFFF

    @property
    def source_lost(self) -> int:
        reception, line = self._row
        return max(-0x80_0000, min(0x7F_FFFF, reception.source_lost(line)))

    def fraction_lost(self) -> int:
        reception, line = self._row
        return reception.fraction_lost(line)
