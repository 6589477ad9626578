"""Tell of every packet of a codec that is coded or decoded, while somebody looks for a fault (`opus_debug`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from media import opus_packet
from media.notice import CodecReport, Notice

if TYPE_CHECKING:
    from media.realtime.rtp_wire import RtpWire

# By codec: the line of what was done ("decode", "encode"), the payload and the samples' rate.
_DESCRIBE: Final[dict[str, Callable[[str, bytes, int], str]]] = {"OPUS": opus_packet.described}


class PacketDebug:
    """Which codecs' and which lines' packets are told of."""

    def __init__(self) -> None:
        self._codecs: set[str] = set()
        self._lines: set[int] = set()

    def set(self, codec: str, on: bool, wires: Iterable[RtpWire]) -> None:
        """Tell of a codec's packets on all lines, or no more."""
        (self._codecs.add if on else self._codecs.discard)(codec.upper())
        for wire in wires:
            self.watch(wire)

    def set_line(self, wire: RtpWire, on: bool) -> None:
        """Tell of one line's packets, or no more than its codec is told of."""
        (self._lines.add if on else self._lines.discard)(wire.line)
        self.watch(wire)

    def forget(self, wire: RtpWire) -> None:
        """Take that a line is closed."""
        self._lines.discard(wire.line)

    def watch(self, wire: RtpWire) -> None:
        """See to a line whose codec is new."""
        if wire.stream is None:
            return
        codec = wire.stream.transport.codec.upper()
        watched = codec in self._codecs or wire.line in self._lines
        describe = _DESCRIBE.get(codec) if watched else None
        wire.stream.on_packet = None if describe is None else _teller(wire.notify, describe)


def _teller(
    notify: Callable[[Notice], object], describe: Callable[[str, bytes, int], str]
) -> Callable[[str, bytes, int], object]:
    return lambda what, payload, rate: notify(CodecReport(describe(what, payload, rate)))
