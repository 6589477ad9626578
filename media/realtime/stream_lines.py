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

_Said = tuple["RtpWire", StreamLine, "NDArray[np.int16]"]


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
        self._wires: dict[int, RtpWire] = {}  # by row
        self._said: list[_Said] = []  # frames of this tick that are encoded together
        self.rows: list[int] = []

    def settle(self, changed: Iterable[RtpWire], there: Iterable[RtpWire]) -> None:
        """Take which lines came, went or changed, and which of them are still there."""
        for wire in changed:
            self._wires.pop(wire.row, None)
        self._wires |= {wire.row: wire for wire in there if wire.stream is not None}
        self.rows = list(self._wires)

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
        for wire in self._wires.values():
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
        for frame in wire.stream.say(samples):
            if wire.stream.many is not None:
                self._said.append((wire, wire.stream, frame))
                continue
            try:
                wire.payloads.append(wire.stream.encode(frame))
            except CodecError as error:
                self._tell_fault(f"line {wire.line}", error)

    def send(self, hushed: list[int]) -> None:
        """Send the frames that are full, but not in rows that are `hushed`; time passes in all."""
        while self._said:
            self._encode_together()
        for wire in self._wires.values():
            if wire.stream is not None:
                self._send(wire, wire.stream, hushed=wire.row in hushed)

    def _encode_together(self) -> None:
        """Encode the first frame of each stream that has some, those of one kind of codec together."""
        kinds: dict[tuple[str, int, int], dict[StreamLine, tuple[RtpWire, NDArray[np.int16]]]] = {}
        later: list[_Said] = []
        for wire, stream, frame in self._said:
            if stream.many is None or wire.stream is not stream:
                continue
            group = kinds.setdefault(stream.many.kind, {})
            if stream in group:
                later.append((wire, stream, frame))
            else:
                group[stream] = wire, frame
        self._said = later
        for group in kinds.values():
            codecs = [stream.many for stream in group if stream.many is not None]
            try:
                payloads = codecs[0].encode_many(codecs, np.stack([frame for _, frame in group.values()]))
            except CodecError as error:
                self._tell_fault(f"{len(group)} lines", error)
                continue
            for payload, (stream, (wire, _)) in zip(payloads, group.items(), strict=True):
                wire.payloads.append(stream.encoded(payload))

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
