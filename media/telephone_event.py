"""Telephone-events (RFC 4733): keys as packets of their own beside the sound.

Durations and timestamps are in units of the RTP clock, times in microseconds.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from media.rtp import timestamp_difference

# RFC 4733 3.2, and 16 for the hook flash.
KEYS = "0123456789*#ABCDF"
FLASH = 16

# RFC 4733 2.5.1.4: the end is sent three times.
END_PACKETS = 3
# RFC 4733 2.3.5: longer events are reported in segments.
MAX_SEGMENT = 0xFFFF
# A key whose end does not come: over after so long without a word (RFC 4733 2.5.2.2: three intervals and more).
LOST_END_MICROSECONDS = 150_000
# ITU-T Q.24: between two keys there are 40 ms at least.
GAP_MS = 40
# Keys that wait to be sent; a script that presses on and on must not fill the memory.
MAX_QUEUED = 1000
# How far back an event may lie to be a repetition of an ended one and not a jump of the timestamp, in seconds.
_STALE_SECONDS = 5

_PAYLOAD = struct.Struct("!BBH")


class TelephoneEventError(ValueError):
    """A payload that is no telephone-event, or a key that has none."""


@dataclass(frozen=True, slots=True)
class EventPayload:
    """One report of an event: `volume` in -dBm0 (0 to 63), `duration` so far in clock units (0 to 65535)."""

    event: int
    end: bool
    volume: int
    duration: int

    @classmethod
    def parse(cls, data: bytes) -> EventPayload:
        """The first event of a payload; TelephoneEventError where it is too short. The reserved bit is ignored."""
        if len(data) < _PAYLOAD.size:
            raise TelephoneEventError(f"a telephone-event takes {_PAYLOAD.size} bytes, not {len(data)}")
        event, flags, duration = _PAYLOAD.unpack_from(data)
        return cls(event, flags >= 0x80, flags & 0x3F, duration)

    def serialize(self) -> bytes:
        """The payload; TelephoneEventError for a field that does not fit."""
        if not 0 <= self.volume <= 63:
            raise TelephoneEventError(f"a volume of {self.volume}")
        try:
            return _PAYLOAD.pack(self.event, self.end << 7 | self.volume, self.duration)
        except struct.error as error:
            raise TelephoneEventError(f"a field of a telephone-event is out of range: {error}") from None


@dataclass(frozen=True, slots=True)
class Digit:
    """A key that was pressed: `duration` in clock units of `clock_rate` hertz."""

    digit: str
    duration: int
    clock_rate: int

    @property
    def milliseconds(self) -> int:
        return self.duration * 1000 // self.clock_rate


@dataclass(slots=True)
class _Current:
    """The event that is being received; `done` is the length of its earlier segments."""

    event: int
    timestamp: int
    duration: int
    done: int
    heard: int


class TelephoneEventReceiver:
    """Gives each key once, when it is over: by its end, by the next event, or by silence (`expire`)."""

    def __init__(self, clock_rate: int = 8000, lost_end: int = LOST_END_MICROSECONDS) -> None:
        self.clock_rate = clock_rate
        self.ignored = 0
        self._lost_end = lost_end
        self._current: _Current | None = None
        self._ended: int | None = None

    @property
    def pressed(self) -> str | None:
        """The key that is down now."""
        current = self._current
        return None if current is None or current.event >= len(KEYS) else KEYS[current.event]

    @property
    def deadline(self) -> int | None:
        """When `expire` has something to do (µs)."""
        return None if self._current is None else self._current.heard + self._lost_end

    def receive(self, timestamp: int, payload: bytes, now: int) -> list[Digit]:
        """Take in a packet that arrived at `now` (µs); TelephoneEventError for a payload that is none.

        `timestamp` is the packet's: the start of the event or of its segment. What comes late, again or out of
        order adds to a key but never makes another one.
        """
        report = EventPayload.parse(payload)
        digits = self.expire(now)
        current = self._current
        if current is not None and timestamp != current.timestamp:
            step = timestamp_difference(timestamp, current.timestamp)
            if -_STALE_SECONDS * self.clock_rate < step < 0:
                self.ignored += 1
                return digits
            if self._continues(current, report, step):
                current.done += step
                current.timestamp, current.duration = timestamp, 0
            else:
                digits += self._finish()
                current = None
        if current is None:
            if self._is_over(timestamp):
                self.ignored += 1
                return digits
            current = self._current = _Current(report.event, timestamp, 0, 0, now)
        if report.event != current.event:
            # The same timestamp and another key: one of the two is wrong, and the first was believed.
            self.ignored += 1
            return digits
        current.duration = max(current.duration, report.duration)
        current.heard = now
        if report.end:
            digits += self._finish()
        return digits

    def expire(self, now: int) -> list[Digit]:
        """The key whose end did not come."""
        if self._current is not None and now - self._current.heard >= self._lost_end:
            return self._finish()
        return []

    def _continues(self, current: _Current, report: EventPayload, step: int) -> bool:
        """Whether a packet with a later timestamp is the next segment of a long key (RFC 4733 2.5.1.3)."""
        # Within the last reports of a segment packets may be lost, hence the tolerance of two of 60 ms.
        tolerance = 120 * self.clock_rate // 1000
        return (
            report.event == current.event
            and step <= MAX_SEGMENT
            and MAX_SEGMENT - current.duration <= tolerance
            and MAX_SEGMENT - step <= tolerance
        )

    def _is_over(self, timestamp: int) -> bool:
        if self._ended is None:
            return False
        return -_STALE_SECONDS * self.clock_rate < timestamp_difference(timestamp, self._ended) <= 0

    def _finish(self) -> list[Digit]:
        current, self._current = self._current, None
        if current is None:
            return []
        self._ended = current.timestamp
        if current.event >= len(KEYS):
            self.ignored += 1
            return []
        return [Digit(KEYS[current.event], current.done + current.duration, self.clock_rate)]


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What goes into an RTP packet: the event's own timestamp, its payload, the marker on the first."""

    timestamp: int
    payload: bytes
    marker: bool


class TelephoneEventSender:
    """Turns keys into packets, one at each tick of `ptime_ms`, one key after the other with a gap between them.

    `clock_rate` may be changed while no key is on its way.
    """

    def __init__(
        self, clock_rate: int = 8000, ptime_ms: int = 20, volume: int = 10, gap_ms: int = GAP_MS
    ) -> None:
        self.clock_rate = clock_rate
        self.ptime_ms = ptime_ms
        self._volume = volume
        self._gap_ticks = -(-gap_ms // ptime_ms)
        self._queue: deque[tuple[int, int]] = deque()
        self._event = 0
        self._length = 0
        self._start = 0
        self._sent = 0
        self._ends = 0
        self._pause = 0
        self._active = False
        self._first = False

    @property
    def busy(self) -> bool:
        """Whether a key is on its way or waits; sound is not sent while one is on its way."""
        return self._active or bool(self._queue)

    def press(self, digit: str, duration_ms: int) -> None:
        """Queue a key. TelephoneEventError for what is no key, for no duration, and when too many wait."""
        event = KEYS.find(digit.upper()) if len(digit) == 1 else -1
        if event < 0:
            raise TelephoneEventError(f"{digit!r} is no telephone-event")
        if duration_ms <= 0:
            raise TelephoneEventError(f"a key cannot be pressed for {duration_ms} ms")
        if len(self._queue) >= MAX_QUEUED:
            raise TelephoneEventError(f"{MAX_QUEUED} keys wait already")
        self._queue.append((event, duration_ms))

    def clear(self) -> None:
        """Forget the keys that wait; the one on its way is finished."""
        self._queue.clear()

    def tick(self, timestamp: int) -> EventPacket | None:
        """The packet to send in the tick whose sound would have `timestamp`; None where there is no key."""
        if not self._active:
            if self._pause > 0:
                self._pause -= 1
                return None
            if not self._queue:
                return None
            self._event, milliseconds = self._queue.popleft()
            self._length = milliseconds * self.clock_rate // 1000
            self._start = timestamp
            self._sent = 0
            self._ends = 0
            self._active = self._first = True
        step = self.clock_rate * self.ptime_ms // 1000
        marker, self._first = self._first, False
        if self._sent >= MAX_SEGMENT and self._length > MAX_SEGMENT:
            # RFC 4733 2.5.1.3: the next segment begins where the last one was full, without a marker.
            self._start = (self._start + MAX_SEGMENT) & 0xFFFF_FFFF
            self._length -= MAX_SEGMENT
            self._sent -= MAX_SEGMENT
        if self._ends:
            return self._packet(True, marker)
        self._sent += step
        ended = self._sent >= self._length
        if ended:
            self._sent = self._length
        return self._packet(ended and self._length <= MAX_SEGMENT, marker)

    def _packet(self, end: bool, marker: bool) -> EventPacket:
        start = self._start
        payload = EventPayload(self._event, end, self._volume, min(self._sent, MAX_SEGMENT))
        if end:
            self._ends += 1
            if self._ends == END_PACKETS:
                self._active = False
                # The repetitions of the end have taken two ticks of the gap already.
                self._pause = max(0, self._gap_ticks - (END_PACKETS - 1))
        return EventPacket(start, payload.serialize(), marker)
