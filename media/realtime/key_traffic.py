"""Keys of all RTP lines as telephone-events (RFC 4733): those that come in, and those that go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from media.notice import DigitReceived
from media.telephone_event import Digit, EventPacket, TelephoneEventError, TelephoneEventReceiver

if TYPE_CHECKING:
    from media.realtime.rtp_wire import RtpWire


class KeyTraffic:
    """`tell_fault` is told of a key that there is not."""

    def __init__(self, tell_fault: Callable[[str, Exception], object]) -> None:
        self._tell_fault = tell_fault
        self._pressing: dict[int, RtpWire] = {}  # by row: keys that are being sent
        self._pressed: dict[int, RtpWire] = {}  # keys that are being received

    def close(self, wire: RtpWire) -> None:
        """Forget a line."""
        self._pressing.pop(wire.row, None)
        self._pressed.pop(wire.row, None)

    def set_rate(self, wire: RtpWire, rate: int) -> None:
        """Count durations by another clock; keys that wait to be sent stay."""
        if wire.events.clock_rate != rate:
            wire.events = TelephoneEventReceiver(rate)
            wire.keys.clock_rate = rate

    def receive(self, wire: RtpWire, timestamp: int, payload: bytes, now: int) -> None:
        """Take a packet that arrived at `now` (µs)."""
        try:
            digits = wire.events.receive(timestamp, payload, now)
        except TelephoneEventError:
            wire.events.ignored += 1
            return
        self._tell(wire, digits)
        self._pressed[wire.row] = wire

    def expire(self, now: int) -> None:
        """Tell of the keys whose end did not come."""
        for wire in list(self._pressed.values()):
            self._tell(wire, wire.events.expire(now))
            if wire.events.deadline is None:
                del self._pressed[wire.row]

    def press(self, wire: RtpWire, digit: str, duration: int) -> bool:
        """Send a key of `duration` samples at 8 kHz; False where the far end takes no telephone-events."""
        if wire.transport.event_type is None:
            return False
        try:
            wire.keys.press(digit, max(1, duration // 8))
        except TelephoneEventError as error:
            self._tell_fault(f"line {wire.line}", error)
            return False
        self._pressing[wire.row] = wire
        return True

    def next(self, timestamp_of: Callable[[int], int]) -> list[tuple[RtpWire, EventPacket]]:
        """Return what is to be sent in this tick, by lines that send no sound in it.

        `timestamp_of(row)` is the one that the line's sound would have.
        """
        due: list[tuple[RtpWire, EventPacket]] = []
        for row, wire in list(self._pressing.items()):
            event = wire.keys.tick(timestamp_of(row))
            if event is not None:
                due.append((wire, event))
            elif not wire.keys.busy:
                del self._pressing[row]
        return due

    def _tell(self, wire: RtpWire, digits: list[Digit]) -> None:
        for digit in digits:
            wire.notify(DigitReceived(digit.digit, digit.duration * 8000 // digit.clock_rate))
