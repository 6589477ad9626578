"""A jitter buffer that finds its own length: packets go in as they arrive, one comes out at each tick.

Playing is late by a delay that is measured against the quickest packets of the last seconds. Between two
talk-spurts the delay moves to what the jitter asks for; while somebody talks it grows when a packet is late, and
shrinks by leaving out a quiet frame. Times are integers in microseconds, lengths in milliseconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from media.jitter_spec import JitterSpec
from media.rtp import sequence_difference, timestamp_difference

# Packets from which the jitter is taken: five seconds of 20 ms, so that an outlier is forgotten in a while.
_WINDOW = 250
# How many of them shall be in time.
_QUANTILE = 0.97
# Packets between two looks at the whole window.
_LOOK_EVERY = 25
# Packets in a row that could all have been played earlier before the delay shrinks: two seconds of 20 ms.
_SHRINK_AFTER = 100
# A timestamp or sequence that jumps so far is a new stream.
_JUMP_MS = 10_000
_JUMP_PACKETS = 1000
# Nothing came for so long: no loss any more but silence. Whoever conceals has faded out long before.
_GIVE_UP_MS = 200
# Sequence numbers known not to be sound.
_MAX_SKIPPED = 256


class Kind(Enum):
    """What a tick plays: a packet, something in the place of a lost one, or silence."""

    MEDIA = "media"
    CONCEAL = "conceal"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Playout:
    """One tick's worth: `payload` is empty unless it is MEDIA; `spurt` on the first packet after silence.

    With CONCEAL, `payload` is that of the packet which is played next where that is here already: Opus may carry
    a copy of the lost one in it.
    """

    kind: Kind
    payload: bytes = b""
    timestamp: int = 0
    payload_type: int = 0
    spurt: bool = False


class Put(Enum):
    """What became of a packet."""

    QUEUED = "queued"
    LATE = "late"
    DUPLICATE = "duplicate"
    OVERFLOW = "overflow"
    RESTART = "restart"


@dataclass(slots=True)
class JitterStatistics:
    """Counts of packets; `grown` and `shrunk` count frames by which the delay changed while somebody talked."""

    played: int = 0
    late: int = 0
    duplicates: int = 0
    overflows: int = 0
    lost: int = 0
    concealed: int = 0
    silent: int = 0
    reordered: int = 0
    restarts: int = 0
    grown: int = 0
    shrunk: int = 0
    spurts: int = 0
    largest_ms: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    sequence: int
    timestamp: int
    payload: bytes
    payload_type: int
    marker: bool
    arrived: int


@dataclass(slots=True)
class JitterBuffer:
    """`put` what arrives, `get` once for each packet's time. `clock_rate` is the RTP clock in hertz and
    `ptime_ms` what one packet of the other side holds.
    """

    spec: JitterSpec
    ptime_ms: int = 20
    clock_rate: int = 8000
    paused: bool = False
    statistics: JitterStatistics = field(default_factory=JitterStatistics)

    # Sequences and timestamps are unwrapped, so that they can be compared.
    _packets: dict[int, _Waiting] = field(default_factory=dict)
    _skipped: deque[int] = field(default_factory=lambda: deque(maxlen=_MAX_SKIPPED))
    _newest: tuple[int, int] | None = None
    # The packet that is to be played next; None while nothing is being played.
    _next: tuple[int, int] | None = None
    # Sequences below were played or given up.
    _floor: int | None = None
    # When the spurt that waits shall begin, and ticks that passed without any packet.
    _begin: int | None = None
    _starved: int = 0
    _was_silent: bool = True
    _transits: deque[int] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _since_look: int = 0
    _target_ms: float = 0.0
    _slack: int | None = None
    _slack_over: int = 0
    _last_get: int = 0
    # Whether a packet was late since the delay last grew.
    _too_short: bool = False
    # Whether the delay is on its way to other lengths.
    _moving: bool = False

    def __post_init__(self) -> None:
        if self.ptime_ms <= 0 or self.clock_rate <= 0:
            raise ValueError(f"packets of {self.ptime_ms} ms at {self.clock_rate} Hz")
        self._target_ms = float(self.spec.length_ms)

    @property
    def target_ms(self) -> float:
        """The delay that the jitter asks for, within the lengths of `spec`."""
        return self._target_ms

    @property
    def current_ms(self) -> float:
        """How late the next packet will be played, against the quickest of the last packets."""
        if self._next is None or not self._transits:
            return self._target_ms
        due = self._last_get + self.ptime_ms * 1000
        return max(0.0, (due - self._microseconds(self._next[1]) - min(self._transits)) / 1000)

    @property
    def waiting(self) -> int:
        """Packets in the buffer."""
        return len(self._packets)

    def set_spec(self, spec: JitterSpec) -> None:
        """Take other lengths; the delay moves there at once, a frame a tick."""
        self.spec = spec
        self._aim()
        self._moving = True

    def put(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: int,
        *,
        payload_type: int = 0,
        marker: bool = False,
    ) -> Put:
        """Take in a packet that arrived at `now` (µs)."""
        if self._newest is None or self._is_jump(sequence, timestamp):
            return self._restart(_Waiting(sequence, timestamp, payload, payload_type, marker, now))
        newest_sequence, newest_timestamp = self._newest
        ahead = sequence_difference(sequence, newest_sequence & 0xFFFF)
        sequence = newest_sequence + ahead
        timestamp = newest_timestamp + timestamp_difference(timestamp, newest_timestamp & 0xFFFF_FFFF)
        self._measure(now - self._microseconds(timestamp))
        if ahead > 0:
            self._newest = (sequence, timestamp)
        elif sequence in self._packets:
            self.statistics.duplicates += 1
            return Put.DUPLICATE
        else:
            self.statistics.reordered += 1
        if self._floor is not None and sequence < self._floor:
            self.statistics.late += 1
            # What comes too late to be played says that the delay is too short.
            self._since_look = _LOOK_EVERY
            self._too_short = True
            return Put.LATE
        self._packets[sequence] = _Waiting(sequence, timestamp, payload, payload_type, marker, now)
        if len(self._packets) * self.ptime_ms > self.spec.maximum_ms + self.ptime_ms:
            self._drop_oldest()
            return Put.OVERFLOW
        self.statistics.largest_ms = max(self.statistics.largest_ms, len(self._packets) * self.ptime_ms)
        return Put.QUEUED

    def skip(self, sequence: int) -> None:
        """Tell of a packet of the stream that is no sound (telephone-event, comfort noise), lest it counts as lost."""
        if self._newest is not None:
            ahead = sequence_difference(sequence, self._newest[0] & 0xFFFF)
            self._skipped.append(self._newest[0] + ahead)

    def get(self, now: int, *, quiet: bool = False) -> Playout:
        """What is to be played in the tick at `now` (µs). `quiet` tells that what was played last could not be
        heard anyway: the place to become shorter.
        """
        self._last_get = now
        if self.paused:
            return self._play_oldest()
        if self._next is None:
            return self._begin_spurt(now)
        packet = self._packets.get(self._next[0])
        if packet is None or packet.timestamp > self._next[1]:
            return self._gap(now)
        if self._starved:
            return self._resume(packet, 0, 0, now)
        if self._moving:
            beyond = self._delay(packet, now) - self._target_ms * 1000
            following = self._packets.get(packet.sequence + 1)
            if beyond <= -self.ptime_ms * 1000:
                self.statistics.grown += 1
                return self._conceal(packet.payload)
            if beyond >= self.ptime_ms * 1000 and following is not None:
                del self._packets[packet.sequence]
                self.statistics.shrunk += 1
                return self._play(following, now)
            self._moving = False
        if self._too_short:
            self._too_short = False
            if self._target_ms * 1000 - self._delay(packet, now) >= self.ptime_ms * 1000:
                # One frame more than the other side sent: everything after it is that much later.
                self.statistics.grown += 1
                return self._conceal(packet.payload)
        return self._play(self._shorten(packet, now, quiet), now)

    def reset(self) -> None:
        """Forget the stream and its timing; the statistics stay."""
        self._packets.clear()
        self._skipped.clear()
        self._transits.clear()
        self._newest = self._next = self._floor = self._begin = self._slack = None
        self._starved = self._since_look = self._slack_over = 0
        self._too_short = self._moving = False
        self._was_silent = True
        self._target_ms = float(self.spec.length_ms)

    # Arrival

    def _is_jump(self, sequence: int, timestamp: int) -> bool:
        if self._newest is None:
            return True
        far = _JUMP_MS * self.clock_rate // 1000
        moved = timestamp_difference(timestamp, self._newest[1] & 0xFFFF_FFFF)
        ahead = sequence_difference(sequence, self._newest[0] & 0xFFFF)
        # A long silence moves the timestamp far and the sequence by one; that is no jump.
        backwards = ahead > 0 and moved < 0
        return abs(ahead) > _JUMP_PACKETS or backwards or (abs(moved) > far and abs(ahead) != 1)

    def _restart(self, packet: _Waiting) -> Put:
        first = self._newest is None
        self.reset()
        self.statistics.restarts += not first
        self._newest = (packet.sequence, packet.timestamp)
        self._packets[packet.sequence] = packet
        self._measure(packet.arrived - self._microseconds(packet.timestamp))
        return Put.QUEUED if first else Put.RESTART

    def _measure(self, transit: int) -> None:
        self._transits.append(transit)
        self._since_look += 1
        if self._since_look < _LOOK_EVERY:
            return
        self._aim()

    def _aim(self) -> None:
        """Find out how long the delay has to be."""
        self._since_look = 0
        ordered = sorted(self._transits) or [0]
        late = ordered[min(len(ordered) - 1, int(len(ordered) * _QUANTILE))] - ordered[0]
        # Ticks are as far apart as packets, and a packet waits for the next one: half of that on the average.
        wanted = late / 1000 + self.ptime_ms / 2
        self._target_ms = float(min(self.spec.maximum_ms, max(self.spec.length_ms, wanted)))

    def _drop_oldest(self) -> None:
        oldest = min(self._packets)
        dropped = self._packets.pop(oldest)
        self.statistics.overflows += 1
        self._floor = oldest + 1
        if self._next is not None:
            self._next = (oldest + 1, dropped.timestamp + self._step)

    # Playing

    @property
    def _step(self) -> int:
        return self.ptime_ms * self.clock_rate // 1000

    def _microseconds(self, timestamp: int) -> int:
        return timestamp * 1_000_000 // self.clock_rate

    def _begin_spurt(self, now: int) -> Playout:
        """Nothing is being played: wait until the first packet is as late as the jitter asks for."""
        if not self._packets:
            return self._silence()
        first = self._packets[min(self._packets)]
        if self._begin is None:
            # Against the quickest packets, not against this one, which may be late itself; but no later than
            # the delay after its arrival: the other side's clock may have been set.
            quickest = self._microseconds(first.timestamp) + min(self._transits)
            delay = int(self._target_ms * 1000)
            self._begin = max(first.arrived, min(quickest, first.arrived) + delay)
        if now < self._begin:
            return self._silence()
        self._begin = None
        self.statistics.spurts += 1
        return self._play(first, now)

    def _play(self, packet: _Waiting, now: int) -> Playout:
        del self._packets[packet.sequence]
        self._next = (packet.sequence + 1, packet.timestamp + self._step)
        self._floor = packet.sequence + 1
        self._starved = 0
        self.statistics.played += 1
        spurt, self._was_silent = self._was_silent, False
        slack = now - packet.arrived
        self._slack = slack if self._slack is None else min(self._slack, slack)
        self._slack_over += 1
        return Playout(
            Kind.MEDIA,
            packet.payload,
            packet.timestamp & 0xFFFF_FFFF,
            packet.payload_type,
            spurt or packet.marker,
        )

    def _gap(self, now: int) -> Playout:
        """The packet whose turn it is is not here."""
        assert self._next is not None
        if not self._packets:
            self._starved += 1
            if self._starved * self.ptime_ms > _GIVE_UP_MS:
                self._next = None
                return self._silence()
            return self._conceal(b"")
        sequence, timestamp = self._next
        head = self._packets[min(self._packets)]
        skipped = [number for number in self._skipped if sequence <= number < head.sequence]
        missing = head.sequence - sequence - len(set(skipped))
        ticks = -(-(head.timestamp - timestamp) // self._step)
        if missing <= 0 and ticks > 0:
            # Nothing was lost, and yet time has passed: the other side was silent. Its next words may come with
            # another delay.
            self._next = None
            self._slack, self._slack_over = None, 0
            return self._begin_spurt(now)
        if ticks <= self._starved or ticks <= 0:
            # While nothing came, the time of what is missing was filled already.
            return self._resume(head, max(0, ticks), max(0, missing), now)
        self.statistics.lost += 1
        self._next = (sequence + (missing > 0), timestamp + self._step)
        self._floor = self._next[0]
        return self._conceal(head.payload if ticks == 1 else b"")

    def _resume(self, head: _Waiting, ticks: int, missing: int, now: int) -> Playout:
        """Go on after nothing was there to play: the ticks beyond what was lost have made the delay longer."""
        self.statistics.lost += missing
        self.statistics.grown += self._starved - ticks
        self._starved = 0
        playing = head
        while (
            self._delay(playing, now) > self.spec.maximum_ms * 1000 and playing.sequence + 1 in self._packets
        ):
            del self._packets[playing.sequence]
            self.statistics.overflows += 1
            playing = self._packets[playing.sequence + 1]
        self._slack, self._slack_over = None, 0
        return self._play(playing, now)

    def _delay(self, packet: _Waiting, now: int) -> int:
        return now - self._microseconds(packet.timestamp) - min(self._transits)

    def _shorten(self, packet: _Waiting, now: int, quiet: bool) -> _Waiting:
        """Leave a packet out where all of the last ones have waited for longer than one."""
        following = self._packets.get(packet.sequence + 1)
        if following is None or self._slack is None:
            return packet
        step = self.ptime_ms * 1000
        # Longer than allowed, and by packets that are here: not only measured against a lucky one.
        too_long = len(self._packets) * self.ptime_ms > self.spec.maximum_ms
        if not too_long and self._slack_over < _SHRINK_AFTER:
            return packet
        spare = self._delay(packet, now) - self._target_ms * 1000
        if too_long or (quiet and self._slack >= step and spare >= step):
            del self._packets[packet.sequence]
            self.statistics.shrunk += 1
            self._slack, self._slack_over = None, 0
            return following
        if self._slack_over >= 2 * _SHRINK_AFTER:
            # Begin a new window; what was needed long ago may not be needed now.
            self._slack, self._slack_over = None, 0
        return packet

    def _play_oldest(self) -> Playout:
        """Paused: no delay is kept, whatever is here is played in its order."""
        if not self._packets:
            return self._silence()
        return self._play(self._packets[min(self._packets)], self._last_get)

    def _conceal(self, following: bytes) -> Playout:
        self.statistics.concealed += 1
        return Playout(Kind.CONCEAL, following)

    def _silence(self) -> Playout:
        self.statistics.silent += 1
        self._was_silent = True
        return Playout(Kind.SILENCE)
