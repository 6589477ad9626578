"""Sends the packets of RTP lines: those that are ready in the rows of an array, and others one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.realtime import idle_noise
from media.rtp import RtpPacket

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.realtime.rtp_sockets import RtpSockets
    from media.realtime.rtp_wire import RtpWire
    from media.realtime.transmission import Transmission
    from media.telephone_event import EventPacket


class PacketWriter:
    """`sent` and `dropped` count packets; what the kernel does not take is dropped."""

    def __init__(self, outgoing: Transmission, sockets: RtpSockets) -> None:
        self._out = outgoing
        self._sockets = sockets
        self.sent = 0
        self.dropped = 0

    def write_rows(self, rows: NDArray[np.intp]) -> None:
        """Send what is ready in these rows."""
        senders, views = self._sockets.senders, self._out.views
        sent = 0
        for row in rows.tolist():
            sender = senders[row]
            if sender is not None:
                try:
                    sender(views[row])
                    sent += 1
                except OSError:  # the kernel's buffer is full, or nobody is there
                    self.dropped += 1
        self.sent += sent

    def write(self, wire: RtpWire, timestamp: int, payload: bytes, kind: int, *, marker: bool) -> None:
        """Send a packet of a line with the next number of its stream."""
        row, out = wire.row, self._out
        packet = RtpPacket(kind, int(out.sequence[row]), timestamp, int(out.ssrc[row]), payload, marker)
        out.count(row, len(payload))
        if self._sockets.send(wire, packet.serialize()):
            self.sent += 1
        else:
            self.dropped += 1

    def write_key(self, wire: RtpWire, event: EventPacket) -> bool:
        """Send a telephone-event; False on hold, and where the far end takes none."""
        kind = wire.transport.event_type
        if kind is None or self._out.muted[wire.row]:
            return False
        self.write(wire, event.timestamp, event.payload, kind, marker=event.marker)
        wire.key_packets_out += 1
        wire.octets_aside_out += len(event.payload)
        return True

    def write_noise(self, wire: RtpWire) -> None:
        """Send comfort noise on a line that has said something before, and sends no key now."""
        kind = wire.transport.comfort_noise_type
        if kind is None or wire.keys.busy or not self._out.packets[wire.row]:
            return
        payload = idle_noise.PAYLOAD
        self.write(wire, int(self._out.timestamp[wire.row]), payload, kind, marker=False)
        wire.noise_packets_out += 1
        wire.octets_aside_out += len(payload)
