"""The RTP lines that are no rows of arrays: each has a `StreamLine`, and hears and speaks by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from media.codec import CodecError
from media.realtime.stream_line import StreamLine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.realtime.packet_writer import PacketWriter
    from media.realtime.rtp_wire import RtpWire
    from media.realtime.transmission import Transmission

_TICK_MS: Final = 20


class StreamLines:
    """`tell_fault` is told of what a codec cannot encode."""

    def __init__(
        self,
        outgoing: Transmission,
        writer: PacketWriter,
        tell_fault: Callable[[str, Exception], object],
    ) -> None:
        self._out = outgoing
        self._writer = writer
        self._tell_fault = tell_fault
        self._wires: list[RtpWire] = []
        self.rows: list[int] = []

    def settle(self, wires: Iterable[RtpWire]) -> None:
        """Find out which of all lines they are."""
        self._wires = [wire for wire in wires if wire.stream is not None]
        self.rows = [wire.row for wire in self._wires]

    def repack(self, wire: RtpWire, ptime_ms: int) -> bool:
        """Have a stream for a line whose far end packs `ptime_ms`, otherwise than was agreed on."""
        try:
            stream = StreamLine(wire.transport, wire.rate, ptime_ms)
        except (CodecError, ValueError) as error:
            self._tell_fault(f"line {wire.line}", error)
            return False
        wire.replace_stream(stream)
        return True

    def hear(self, now: int) -> None:
        """Have each hear its next 20 ms, or give the payloads to the line that sends them on."""
        for wire in self._wires:
            stream, follower = wire.stream, wire.passes_on
            if stream is None or not wire.transport.receiving:
                continue
            if follower is not None and follower.stream is not None and stream.fits(follower.stream):
                follower.payloads += stream.pass_on(_TICK_MS, now)
                follower.saying = True
                wire.heard_now = np.zeros(wire.rate * _TICK_MS // 1000, np.int16)
            else:
                wire.heard_now = stream.hear(wire.rate * _TICK_MS // 1000, now)

    def say(self, wire: RtpWire, samples: NDArray[np.int16]) -> None:
        """Send samples in this tick, behind those that are to be sent already."""
        if wire.stream is None:
            return
        wire.saying = True
        try:
            wire.payloads += wire.stream.say(samples)
        except CodecError as error:
            self._tell_fault(f"line {wire.line}", error)

    def send(self, hushed: list[int]) -> None:
        """Send the frames that are full, but not in rows that are `hushed`; time passes in all."""
        for wire in self._wires:
            if wire.stream is not None:
                self._send(wire, wire.stream, hushed=wire.row in hushed)

    def _send(self, wire: RtpWire, stream: StreamLine, *, hushed: bool) -> None:
        row, out = wire.row, self._out
        stamp = int(out.timestamp[row])
        for payload in wire.payloads:
            quiet = payload is None or hushed or bool(out.muted[row])
            if payload is not None and not quiet:
                kind = wire.transport.payload_type
                self._writer.write(wire, stamp & 0xFFFF_FFFF, payload, kind, marker=bool(out.silent[row]))
            out.silent[row] = quiet
            stamp += stream.step
        if not wire.saying:
            stream.hush()
            out.silent[row] = True
            stamp += stream.clock_rate * _TICK_MS // 1000
        out.timestamp[row] = stamp & 0xFFFF_FFFF
        wire.saying = False
        wire.payloads.clear()
