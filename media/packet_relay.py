"""The host's handle on a relay: datagrams of two far ends go through this machine, and nobody looks into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from media.rtp_transport import Address

# What a session has of streams at most: sound, picture, slides, fax and text, and each of them once more.
MAX_STREAMS = 10


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """Where one far end receives a stream: RTP (or what else it is) and its reports, None for not known, or not at all.

    What comes from another address than these is taken where nothing has come from these yet (NAT), with `learning`.
    """

    main: Address | None = None
    reports: Address | None = None
    learning: bool = True


class RelayCarrier(Protocol):
    """What a handle needs of an engine."""

    def widen_relay(
        self, relay: int, addresses: tuple[str, str], ports: tuple[int, int], streams: int
    ) -> tuple[tuple[int, int], ...]:
        """Have sockets for so many streams; return each one's port for either side."""

    def set_relay(self, relay: int, side: int, ends: tuple[StreamEnd, ...]) -> None:
        """Take where the far end of a side receives its streams."""

    def close_relay(self, relay: int) -> None:
        """Give the ports back."""


class PacketRelay:
    """Two sides, 0 and 1: what comes to the ports of one goes from those of the other to its far end."""

    def __init__(
        self, engine: RelayCarrier, number: int, addresses: tuple[str, str], ports: tuple[int, int]
    ) -> None:
        """`addresses` are what the ports of each side are bound to, `ports` the range that they come from."""
        self._engine = engine
        self._number = number
        self._addresses = addresses
        self._ports = ports
        self._taken: tuple[tuple[int, int], ...] = ()
        self.closed = False

    def widen(self, streams: int) -> tuple[tuple[int, int], ...]:
        """Return the ports (side 0, side 1) of each stream, at least so many; the next one is that of its reports.

        ValueError for more than MAX_STREAMS, TransportError where there is no port, or when it is closed.
        """
        if streams > MAX_STREAMS:
            raise ValueError(f"a relay has at most {MAX_STREAMS} streams, not {streams}")
        if streams > len(self._taken):
            self._taken = self._engine.widen_relay(self._number, self._addresses, self._ports, streams)
        return self._taken

    def set_end(self, side: int, ends: tuple[StreamEnd, ...]) -> None:
        """Take where the far end of a side receives its streams."""
        self._engine.set_relay(self._number, side, ends)

    def close(self) -> None:
        """Give the ports back."""
        if not self.closed:
            self.closed = True
            self._engine.close_relay(self._number)
