"""Sorts what arrives on RTP lines: frames of G.711 into the arrays, all else to whom it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from media.comfort_noise import PAYLOAD_TYPE as COMFORT_NOISE
from media.rtp_batch import Headers, parse_many

if TYPE_CHECKING:
    from media.realtime.key_traffic import KeyTraffic
    from media.realtime.reception import Reception
    from media.realtime.rtp_sockets import RtpSockets
    from media.realtime.rtp_wire import RtpWire
    from media.realtime.stream_lines import StreamLines
    from media.rtp_transport import RtpTransport

_CLOCK_RATE: Final = 8000
_TICK: Final = 20_000  # µs
_NO_TYPE: Final = 255  # a payload type that no packet has


class PacketSorter:
    """`received` counts packets of all lines; `repacked` are those that were rows of arrays and became streams."""

    def __init__(
        self,
        capacity: int,
        frame: int,
        silence: Sequence[int],
        incoming: Reception,
        sockets: RtpSockets,
        streams: StreamLines,
        keys: KeyTraffic,
    ) -> None:
        """`frame` is the bytes of a frame, `silence` the byte of each law that means it."""
        self._frame = frame
        self._silence = silence
        self._in = incoming
        self._sockets = sockets
        self._streams = streams
        self._keys = keys
        self._event = np.full(capacity, _NO_TYPE, np.uint8)
        self._media = np.zeros(capacity, np.uint8)
        self._noise = np.full(capacity, _NO_TYPE, np.uint8)
        self._clock = np.full(capacity, _CLOCK_RATE, np.int64)
        self._by_row: Sequence[RtpWire | None] = ()
        self._tick = 0
        self.received = 0
        self.repacked: list[RtpWire] = []

    def expect(self, row: int, transport: RtpTransport, clock_rate: int) -> None:
        """Take what payload types and clock a line's packets have."""
        self._clock[row] = clock_rate
        noise = transport.comfort_noise_type
        self._noise[row] = _NO_TYPE if noise is None else noise
        self._media[row] = transport.expected_type
        event = transport.expected_event_type
        self._event[row] = _NO_TYPE if event is None else event

    def begin(self, by_row: Sequence[RtpWire | None], tick: int) -> None:
        """Begin a tick."""
        self._by_row, self._tick = by_row, tick
        self.repacked = []

    def take(self, rows: NDArray[np.intp], sizes: NDArray[np.int32]) -> None:
        """Take packets in the buffer, one each of different lines."""
        count = len(rows)
        buffer = self._sockets.buffer
        self.received += count
        headers = parse_many(buffer[:count], sizes)
        kind = headers.payload_type
        plain = headers.ok & (kind == self._media[rows])
        plain &= (headers.payload_offset == 12) & (headers.payload_length == self._frame)
        if self._streams.rows:
            plain &= ~np.isin(rows, self._streams.rows)
        if plain.all():
            frames = buffer[:count, 12 : 12 + self._frame]
            ssrc, sequence, timestamp = headers.ssrc, headers.sequence, headers.timestamp
            octets = headers.payload_length
        else:
            for index in np.flatnonzero(~headers.ok).tolist():
                wire = self._by_row[int(rows[index])]
                if wire is not None:
                    self._sockets.take_report(wire, buffer[index, : int(sizes[index])].tobytes())
            known = (kind == self._media[rows]) | (kind == self._event[rows])
            known |= (kind == self._noise[rows]) | (kind == COMFORT_NOISE)
            special = np.flatnonzero(known & headers.ok & ~plain)
            if len(special):
                self._take_special(special, rows[special], headers)
            chosen = np.flatnonzero(plain)
            rows = rows[chosen]
            if not len(rows):
                return
            frames = buffer[chosen, 12 : 12 + self._frame]
            ssrc, sequence = headers.ssrc[chosen], headers.sequence[chosen]
            timestamp, octets = headers.timestamp[chosen], headers.payload_length[chosen]
        self._in.judge(rows, ssrc, sequence, timestamp, octets, self._tick)
        self._in.ring.put(rows, sequence, frames)

    def _take_special(self, places: NDArray[np.intp], rows: NDArray[np.intp], headers: Headers) -> None:
        """Take packets that are no frames of 20 ms of G.711, at `places` of the buffer."""
        sequences, timestamps = headers.sequence[places], headers.timestamp[places]
        octets = headers.payload_length[places]
        clock_rates = self._clock[rows]
        self._in.judge(rows, headers.ssrc[places], sequences, timestamps, octets, self._tick, clock_rates)
        for place, row, sequence, timestamp in zip(
            places.tolist(), rows.tolist(), sequences.tolist(), timestamps.tolist(), strict=True
        ):
            wire = self._by_row[row]
            if wire is not None:
                start = int(headers.payload_offset[place])
                end = start + int(headers.payload_length[place])
                payload = self._sockets.buffer[place, start:end].tobytes()
                kind = int(headers.payload_type[place])
                if kind == self._media[row]:
                    self._take_sound(wire, sequence, timestamp, payload, kind, bool(headers.marker[place]))
                else:
                    self._take_aside(wire, sequence, timestamp, payload, kind)

    def _take_sound(
        self, wire: RtpWire, sequence: int, timestamp: int, payload: bytes, kind: int, marker: bool
    ) -> None:
        # The far end may pack otherwise than was agreed on, which RFC 3551 allows.
        whole = wire.stream is None and payload and len(payload) % (self._frame // 2) == 0
        if whole and self._streams.repack(wire, len(payload) * 1000 // _CLOCK_RATE):
            self.repacked.append(wire)
        if wire.stream is not None:
            wire.stream.put(sequence, timestamp, payload, kind, marker, self._tick * _TICK)

    def _take_aside(self, wire: RtpWire, sequence: int, timestamp: int, payload: bytes, kind: int) -> None:
        """Take a key, or comfort noise."""
        row = wire.row
        self._in.pause(row)
        wire.octets_aside_in += len(payload)
        if kind == self._event[row]:
            wire.key_packets_in += 1
            self._keys.receive(wire, timestamp, payload, self._tick * _TICK)
        else:
            wire.noise_packets_in += 1
        if wire.stream is not None:
            wire.stream.buffer.skip(sequence)
        else:
            silence = np.full((1, self._frame), self._silence[int(self._in.law[row])], np.uint8)
            self._in.ring.put(np.array([row], np.intp), np.array([sequence], np.uint16), silence)
