"""Proxy media: streams of two legs that go through this host as they come, whatever they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from host.sdp.description import parse
from host.sdp.passed_on import readdressed, stream_ends

if TYPE_CHECKING:
    from media.packet_relay import PacketRelay


@dataclass(frozen=True, slots=True)
class RelayEnd:
    """One leg: what its ports are bound to, the address that its far end is told, and whether that may send from
    elsewhere than it says.
    """

    bound: str
    advertised: str
    learning: bool


class RelayMaker(Protocol):
    """What makes relays: the media engine."""

    def packet_relay(self, addresses: tuple[str, str], ports: tuple[int, int]) -> PacketRelay:
        """Return a relay that has no ports yet."""


class MediaRelay:
    """The relay of two legs: side 0 is the caller's, 1 that of the one called."""

    def __init__(self, maker: RelayMaker, ends: tuple[RelayEnd, RelayEnd], ports: tuple[int, int]) -> None:
        """`ports` is the range that ports are taken from, once there are descriptions."""
        self._relay = maker.packet_relay((ends[0].bound, ends[1].bound), ports)
        self._ends = ends

    def describe(self, description: str, to: int) -> str:
        """Return the description of one far end as that of side `to` gets it: with the relay's address and ports.

        SdpError for what is no description; ValueError, TransportError where it has more streams than are relayed.
        """
        parsed = parse(description)
        ports = self._relay.widen(len(parsed.media))
        self._relay.set_end(1 - to, stream_ends(parsed, learning=self._ends[1 - to].learning))
        return readdressed(description, self._ends[to].advertised, [pair[to] for pair in ports])

    def close(self) -> None:
        """Give the ports back."""
        self._relay.close()
