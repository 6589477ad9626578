"""Datagrams that go on as they come, from one far end to another: sockets in pairs, and where each of them sends to."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass, field
from typing import Final

from media.packet_relay import StreamEnd
from media.realtime.port_range import PortRange
from media.rtp_transport import Address, TransportError

# The largest datagram there is.
_LARGEST: Final = 65_535
# Datagrams of one socket that are passed on before the others get their turn.
_ROUND: Final = 32


@dataclass(slots=True)
class _Door:
    """A socket that one far end sends to, and that what is for it goes out of."""

    socket: socket.socket
    signalled: Address | None = None
    latched: Address | None = None  # where it has sent from, which is not where it said
    learning: bool = True
    other: _Door | None = None

    @property
    def target(self) -> Address | None:
        return self.latched or self.signalled

    def takes(self, source: Address) -> bool:
        """Return whether a datagram is the far end's."""
        if source == self.signalled:
            self.latched = None
            self.learning = False
            return True
        if source == self.latched:
            return True
        if not self.learning:
            return False
        self.latched, self.learning = source, False
        return True


@dataclass(slots=True)
class _Stream:
    """A stream's doors, RTP and reports, of either side."""

    sides: tuple[tuple[_Door, _Door], tuple[_Door, _Door]]

    @property
    def doors(self) -> tuple[_Door, ...]:
        return (*self.sides[0], *self.sides[1])

    @property
    def ports(self) -> tuple[int, int]:
        return (
            int(self.sides[0][0].socket.getsockname()[1]),
            int(self.sides[1][0].socket.getsockname()[1]),
        )


@dataclass(slots=True)
class _Relay:
    streams: list[_Stream] = field(default_factory=list)
    ends: dict[int, tuple[StreamEnd, ...]] = field(default_factory=dict)


class PacketRelays:
    """All relays of a process, by the host's numbers; `descriptor` is readable when there is something to pass on."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._ports = PortRange()
        self._relays: dict[int, _Relay] = {}
        self._doors: dict[int, _Door] = {}
        self._buffer = memoryview(bytearray(_LARGEST))
        self.passed = 0  # datagrams so far

    def __len__(self) -> int:
        return len(self._relays)

    @property
    def descriptor(self) -> int:
        """The descriptor to wait for."""
        return self._poll.fileno()

    def widen(
        self, number: int, addresses: tuple[str, str], ports: tuple[int, int], streams: int
    ) -> tuple[tuple[int, int], ...]:
        """Have doors for so many streams; return the ports of each. TransportError, and no new one, without ports."""
        relay = self._relays.setdefault(number, _Relay())
        made: list[_Stream] = []
        try:
            while len(relay.streams) + len(made) < streams:
                made.append(self._open(addresses, ports))
        except TransportError:
            for stream in made:
                self._shut(stream)
            if not relay.streams:
                del self._relays[number]
            raise
        relay.streams += made
        for side, ends in relay.ends.items():
            self._point(relay, side, ends)
        return tuple(stream.ports for stream in relay.streams)

    def set(self, number: int, side: int, ends: tuple[StreamEnd, ...]) -> None:
        """Take where the far end of a side receives."""
        relay = self._relays.get(number)
        if relay is not None:
            relay.ends[side] = ends
            self._point(relay, side, ends)

    def close(self, number: int) -> None:
        """Give the ports of a relay back."""
        relay = self._relays.pop(number, None)
        for stream in relay.streams if relay is not None else ():
            self._shut(stream)

    def release(self) -> None:
        """Close all."""
        for number in list(self._relays):
            self.close(number)
        self._poll.close()

    def forward(self) -> None:
        """Pass on what has come."""
        if not self._doors:
            return
        for descriptor, _ in self._poll.poll(0):
            door = self._doors.get(descriptor)
            if door is not None:
                self._empty(door)

    def _empty(self, door: _Door) -> None:
        for _ in range(_ROUND):
            try:
                size, source = door.socket.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:  # a datagram of ours found nobody: ICMP tells it here
                continue
            other = door.other
            if other is None or not door.takes((source[0], source[1])):
                continue
            target = other.target
            if target is None:
                continue
            try:
                other.socket.sendto(self._buffer[:size], target)
            except OSError:  # nobody there, or no room: datagrams may be lost
                continue
            self.passed += 1

    def _open(self, addresses: tuple[str, str], ports: tuple[int, int]) -> _Stream:
        sides: list[tuple[_Door, _Door]] = []
        for address in addresses:
            try:
                main, reports = self._ports.open(address, ports, rtcp=True)
            except TransportError:
                for made in sides:
                    for door in made:
                        door.socket.close()
                raise
            assert reports is not None
            sides.append((_Door(main), _Door(reports)))
        stream = _Stream((sides[0], sides[1]))
        for one, other in zip(sides[0], sides[1], strict=True):
            one.other, other.other = other, one
        for door in stream.doors:
            self._doors[door.socket.fileno()] = door
            self._poll.register(door.socket.fileno(), select.EPOLLIN)
        return stream

    def _shut(self, stream: _Stream) -> None:
        for door in stream.doors:
            self._poll.unregister(door.socket.fileno())
            del self._doors[door.socket.fileno()]
            door.other = None
            door.socket.close()

    @staticmethod
    def _point(relay: _Relay, side: int, ends: tuple[StreamEnd, ...]) -> None:
        for stream, end in zip(relay.streams, ends, strict=False):
            for door, address in zip(stream.sides[side], (end.main, end.reports), strict=True):
                if address != door.signalled:
                    door.signalled, door.latched = address, None
                    door.learning = end.learning
