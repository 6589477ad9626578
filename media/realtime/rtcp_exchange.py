"""The reports of all RTP lines (RTCP): read as they come, sent when they are due, some at every tick."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from media.realtime.rtp_sockets import DATAGRAM
from media.rtcp import RtcpError, RtcpSession
from media.srtp import SrtpError

if TYPE_CHECKING:
    from media.realtime.reception import Reception
    from media.realtime.rtp_wire import RtpWire
    from media.realtime.transmission import Transmission

_TICK: Final = 20_000  # µs
_NEVER: Final = 1 << 62
# Octets of media a second from which RFC 3550 takes RTCP's share: G.711's.
_BANDWIDTH: Final = 8000.0
# What is read of one line in a tick at most: reports come every few seconds.
_ROUNDS: Final = 4


class RtcpExchange:
    """Tells of what comes in by `incoming` and goes out by `outgoing`; `wall()` is µs since the Unix epoch."""

    def __init__(
        self, capacity: int, incoming: Reception, outgoing: Transmission, wall: Callable[[], int]
    ) -> None:
        self._in = incoming
        self._out = outgoing
        self._wall = wall
        self._capacity = capacity
        self._due_at = np.full(capacity, _NEVER, np.int64)
        self._listening: dict[int, RtpWire] = {}
        self._poll = select.epoll()

    def open(self, wire: RtpWire, tick: int) -> None:
        """Begin with a line whose sockets are open."""
        row = wire.row
        wire.reports = RtcpSession(int(self._out.ssrc[row]), wire.transport.cname, wire.clock_rate)
        if wire.rtcp is not None:
            self._listening[wire.rtcp.fileno()] = wire
            self._poll.register(wire.rtcp.fileno(), select.EPOLLIN)
        self._due_at[row] = tick + self._interval(wire, initial=True) if wire.transport.rtcp else _NEVER

    def change(self, wire: RtpWire, tick: int) -> None:
        """Take what the signalling agreed on: whether there are reports, how often, and the other clock."""
        wire.reports.cname, wire.reports.clock_rate = wire.transport.cname, wire.clock_rate
        row = wire.row
        if not wire.transport.rtcp:
            self._due_at[row] = _NEVER
        elif self._due_at[row] == _NEVER:
            self._due_at[row] = tick + self._interval(wire, initial=True)

    def close(self, wire: RtpWire) -> None:
        """Say BYE, while the sockets are still open."""
        row = wire.row
        if wire.transport.rtcp and (self._in.ssrc[row] >= 0 or self._out.packets[row]):
            self._send(wire, wire.reports.bye())
        self._due_at[row] = _NEVER
        if wire.rtcp is not None:
            self._poll.unregister(wire.rtcp.fileno())
            del self._listening[wire.rtcp.fileno()]

    def release(self) -> None:
        """Give back what belongs to no line; all are closed."""
        self._poll.close()

    def read(self, now: int) -> None:
        """Read the reports that have arrived on ports of their own; `now` is in µs."""
        for _ in range(_ROUNDS):
            events = self._poll.poll(0, self._capacity)
            for descriptor, _ in events:
                wire = self._listening[descriptor]
                assert wire.rtcp is not None
                with contextlib.suppress(OSError):  # what is read is only that our own reports reach nobody
                    data, source = wire.rtcp.recvfrom(DATAGRAM)
                    # Only the far end's host reports: what anybody else says of the call is not believed.
                    if wire.remote is not None and source[0] == wire.remote[0]:
                        self.take(wire, data if wire.guard is None else wire.guard.unprotect(data), now)
            if not events:
                break

    def take(self, wire: RtpWire, data: bytes, now: int) -> None:
        """Take a compound of the far end; what is none is left out."""
        with contextlib.suppress(RtcpError):
            wire.reports.receive(data, now, self._wall())

    def send_due(self, by_row: Sequence[RtpWire | None], tick: int) -> None:
        """Send the reports that are due."""
        for row in np.flatnonzero(self._due_at <= tick).tolist():
            wire = by_row[row]
            if wire is None:
                self._due_at[row] = _NEVER
                continue
            self._due_at[row] = tick + self._interval(wire)
            sender, receiver = self._out.sender(row), self._in.receiver(row)
            self._send(wire, wire.reports.report(sender, receiver, tick * _TICK, self._wall()))

    def _send(self, wire: RtpWire, data: bytes) -> None:
        remote = wire.remote
        if remote is None:
            return
        with contextlib.suppress(OSError, SrtpError):  # a report that is lost is followed by the next
            protected = data if wire.guard is None else wire.guard.protect_rtcp(data)
            if wire.transport.rtcp_mux:
                if wire.connected:
                    wire.rtp.send(protected)
                else:
                    wire.rtp.sendto(protected, remote)
            elif wire.rtcp is not None:
                told = wire.transport.remote_rtcp
                target = (remote[0], remote[1] + 1) if told is None or wire.latch.locked else told
                wire.rtcp.sendto(protected, target)

    def _interval(self, wire: RtpWire, *, initial: bool = False) -> int:
        """Return the ticks to the next report: spread, so that the lines of a process do not report together."""
        draw = (wire.row * 0.618_034) % 1  # the golden ratio spreads any number of rows evenly
        minimum = wire.transport.rtcp_interval_ms * 1000
        interval = wire.reports.next_interval(draw, _BANDWIDTH, initial=initial, minimum=minimum)
        return max(1, interval // _TICK)
