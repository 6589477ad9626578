"""The RTP of all lines of a process: sockets, and one pass of each kind of work a tick.

Lines that speak G.711 in frames of 20 ms at 8 kHz, which is nearly every call, are rows of arrays: their packets
are parsed, put in order, decoded, encoded and numbered together, and one that only plays sound from shared memory
costs no step of its own but its two system calls. Other codecs and frames have a `StreamLine` each.
"""

from __future__ import annotations

import contextlib
import ctypes
import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from media.call_quality import estimate_mos
from media.codec import CodecError
from media.g711 import G711
from media.notice import DigitReceived, FirstPacket, MediaTimeout, Notice
from media.realtime.placed_samples import stretch
from media.realtime.port_range import PortRange
from media.realtime.reception import Reception
from media.realtime.stream_line import StreamLine
from media.realtime.transmission import Transmission
from media.rtcp import RtcpError, RtcpSession
from media.rtp import RtpError, RtpPacket
from media.rtp_batch import Headers, parse_many
from media.rtp_latch import SourceLatch
from media.rtp_transport import Address, RtpTransport, TransportError, TransportReport
from media.telephone_event import TelephoneEventError, TelephoneEventReceiver, TelephoneEventSender

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.source import Source

FRAME: Final = 160
_RATE: Final = 8000
_PTIME_MS: Final = 20
_TICK: Final = 20_000  # µs

# Three times what a core carries; the arrays of lines that are not there take no memory.
CAPACITY: Final = 8192
# What a datagram may hold on any usual network; what is longer is cut, and then no RTP of ours.
_DATAGRAM: Final = 1500
# Packets read of one line in a tick at most, so that a flood at one costs the others little: ten times what is due.
_ROUNDS: Final = 10
# FreeSWITCH: a source that was silent for so long may be followed by another one (3 s).
_RELATCH_TICKS: Final = 150
_LOOK_TICKS: Final = 25
_NEVER: Final = 1 << 62
_LAWS: Final = ("PCMU", "PCMA")
_EVERYTHING: Final = np.arange(256, dtype=np.uint8)

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
# struct sockaddr of the family AF_UNSPEC: connecting to it undoes a UDP socket's connection.
_NOWHERE: Final = bytes(16)


class _Wire:
    """What belongs to one line and is no number: its sockets, and what few of its packets need."""

    def __init__(self, line: int, row: int, rate: int, notify: Callable[[Notice], object]) -> None:
        self.line = line
        self.row = row
        self.rate = rate
        self.notify = notify
        self.transport = RtpTransport()
        self.rtp: socket.socket
        self.rtcp: socket.socket | None = None
        self.remote: Address | None = None
        self.connected = False
        self.heard = False
        self.latch = SourceLatch()
        self.events = TelephoneEventReceiver()
        self.keys = TelephoneEventSender()
        self.reports = RtcpSession(0, "", _RATE)
        self.stream: StreamLine | None = None
        self.payloads: list[bytes] = []
        self.heard_now = np.zeros(0, np.int16)
        self.silent = True  # the next packet is the first after silence
        self.saying = False


class RtpLines:
    """All transports of a process, each a row. `tell_fault` is told what goes wrong with one of them."""

    def __init__(
        self,
        memory: NDArray[np.int16],
        wall: Callable[[], int],
        tell_fault: Callable[[str, Exception], object],
    ) -> None:
        """`memory` is the shared memory of sounds, `wall()` the time since the Unix epoch in µs."""
        laws = [G711(law) for law in _LAWS]
        words = np.arange(0x10000, dtype=np.uint16).view(np.int16)
        self._silence = [int(law.encode_lines(np.zeros(1, np.int16))[0]) for law in laws]
        self._in = Reception(CAPACITY, FRAME, np.stack([law.decode_lines(_EVERYTHING) for law in laws]))
        self._out = Transmission(CAPACITY, FRAME, np.stack([law.encode_lines(words) for law in laws]), memory)
        self._wall = wall
        self._tell_fault = tell_fault
        self._ports = PortRange()
        self._wires: dict[int, _Wire] = {}
        self._by_row: list[_Wire | None] = [None] * CAPACITY
        self._free = list(range(CAPACITY - 1, -1, -1))
        self._readers: dict[int, tuple[int, Callable[[memoryview], int]]] = {}
        self._senders: list[Callable[[memoryview], int] | None] = [None] * CAPACITY
        self._open: dict[int, _Wire] = {}  # sockets whose source is not certain
        self._reporting: dict[int, _Wire] = {}
        self._poll, self._open_poll, self._report_poll = select.epoll(), select.epoll(), select.epoll()
        self._rows = np.zeros(0, np.intp)
        self._streams: dict[int, _Wire] = {}
        self._pressing: dict[int, _Wire] = {}  # keys that are being sent
        self._pressed: dict[int, _Wire] = {}  # keys that are being received
        self._buffer = np.zeros((CAPACITY, _DATAGRAM), np.uint8)
        self._views = [memoryview(row) for row in self._buffer]  # type: ignore[arg-type]
        self._event_type = np.full(CAPACITY, 255, np.uint8)
        self._media_type = np.zeros(CAPACITY, np.uint8)
        self._timeout = np.zeros(CAPACITY, np.int64)
        self._timed_out = np.zeros(CAPACITY, bool)
        self._report_at = np.full(CAPACITY, _NEVER, np.int64)
        self._tick = 0
        self.packets_received = 0
        self.packets_sent = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._wires)

    # -- lines come and go ---------------------------------------------------------------------------------------

    def open(
        self, line: int, transport: RtpTransport, rate: int, notify: Callable[[Notice], object]
    ) -> Address:
        """Open a line's sockets and return the local address; TransportError when there is none, CodecError."""
        if not self._free:
            raise TransportError(f"a process has {CAPACITY} RTP lines at most")
        row = self._free[-1]
        wire = _Wire(line, row, rate, notify)
        stream = _stream_for(transport, rate)
        wire.rtp, wire.rtcp = self._ports.open(transport.address, transport.ports, rtcp=transport.rtcp)
        self._free.pop()
        wire.stream = stream
        law = _LAWS.index(transport.codec.upper()) if stream is None else 0
        self._in.open(row, law, transport.jitter_ms // _PTIME_MS, transport.jitter_limit_ms // _PTIME_MS)
        self._in.heard_at[row] = self._tick
        self._out.open(row, law, transport.payload_type)
        wire.reports = RtcpSession(int(self._out.ssrc[row]), transport.cname, _RATE)
        self._wires[line] = self._by_row[row] = wire
        self._open[wire.rtp.fileno()] = wire
        self._open_poll.register(wire.rtp.fileno(), select.EPOLLIN)
        if wire.rtcp is not None:
            self._reporting[wire.rtcp.fileno()] = wire
            self._report_poll.register(wire.rtcp.fileno(), select.EPOLLIN)
        if transport.rtcp:
            self._report_at[row] = self._tick + self._report_interval(wire, initial=True)
        self._timed_out[row] = False
        self._set(wire, transport)
        self._list_rows()
        host, port = wire.rtp.getsockname()[:2]
        return str(host), int(port)

    def change(self, line: int, transport: RtpTransport) -> None:
        """Take what the signalling agreed on meanwhile; the local address stays. CodecError for an unknown codec."""
        wire = self._wires.get(line)
        if wire is None:
            return
        former, row = wire.transport, wire.row
        if (former.codec, former.ptime_ms, former.fmtp) != (
            transport.codec,
            transport.ptime_ms,
            transport.fmtp,
        ):
            wire.stream = _stream_for(transport, wire.rate)
            if wire.stream is None:
                law = _LAWS.index(transport.codec.upper())
                self._out.law[row] = self._in.law[row] = law
                self._in.ring.restart(row)
            self._out.stop(row)
            self._list_rows()
        self._in.ring.set_delay(row, transport.jitter_ms // _PTIME_MS, transport.jitter_limit_ms // _PTIME_MS)
        self._set(wire, transport)

    def _set(self, wire: _Wire, transport: RtpTransport) -> None:
        row, signalled = wire.row, wire.transport.remote
        wire.transport = transport
        self._out.payload_type[row] = self._media_type[row] = transport.payload_type
        self._event_type[row] = 255 if transport.event_type is None else transport.event_type
        self._timeout[row] = transport.timeout_ms // _PTIME_MS
        self._out.muted[row] = not transport.sending
        if transport.remote is not None and transport.remote != signalled:
            if wire.connected:
                self._disconnect(wire)
            if signalled is None and not wire.latch.locked:
                wire.latch = SourceLatch(transport.remote, learning=transport.learning)
            else:
                wire.latch.signal(transport.remote)
            self._aim(wire, transport.remote)

    def close(self, line: int) -> None:
        """Say BYE, and give the ports back."""
        wire = self._wires.pop(line, None)
        if wire is None:
            return
        row = wire.row
        if wire.rtcp is not None:
            if self._in.ssrc[row] >= 0 or self._out.packets[row]:
                self._send_report(wire, wire.reports.bye())
            self._report_poll.unregister(wire.rtcp.fileno())
            del self._reporting[wire.rtcp.fileno()]
            wire.rtcp.close()
        descriptor = wire.rtp.fileno()
        (self._poll if wire.connected else self._open_poll).unregister(descriptor)
        self._readers.pop(descriptor, None)
        self._open.pop(descriptor, None)
        wire.rtp.close()
        self._senders[row] = self._by_row[row] = None
        self._out.stop(row)
        self._streams.pop(row, None)
        self._pressing.pop(row, None)
        self._pressed.pop(row, None)
        self._report_at[row] = _NEVER
        self._free.insert(0, row)
        self._list_rows()

    def _list_rows(self) -> None:
        self._streams = {wire.row: wire for wire in self._wires.values() if wire.stream is not None}
        self._rows = np.array(
            sorted(wire.row for wire in self._wires.values() if wire.stream is None), np.intp
        )

    # -- what arrives --------------------------------------------------------------------------------------------

    def receive(self) -> None:
        """Begin a tick: read what has arrived and have every line hear its next 20 ms."""
        self._tick += 1
        for _ in range(_ROUNDS):
            if not self._read_known():
                break
        for _ in range(_ROUNDS):
            if not self._read_unknown():
                break
        self._read_reports()
        self._in.play(self._rows)
        now = self._tick * _TICK
        for wire in self._streams.values():
            assert wire.stream is not None
            wire.heard_now = wire.stream.hear(wire.rate * _PTIME_MS // 1000, now)
        self._report_due(now)
        if self._tick % _LOOK_TICKS == 0:
            self._look(now)

    def heard(self, line: int, first: int, count: int) -> NDArray[np.int16]:
        """Return `count` samples of what a line hears in this tick, from place `first` on."""
        wire = self._wires.get(line)
        if wire is None or not wire.transport.receiving:
            return np.zeros(count, np.int16)
        sound = self._in.heard[wire.row] if wire.stream is None else wire.heard_now
        return sound[first : first + count].copy()

    def _read_known(self) -> int:
        """Read one packet each of the lines whose source is certain; return how many there were."""
        events = self._poll.poll(0, CAPACITY)
        readers, views = self._readers, self._views
        rows: list[int] = []
        sizes: list[int] = []
        count = 0
        for descriptor, _ in events:
            row, read = readers[descriptor]
            try:
                sizes.append(read(views[count]))
            except OSError:  # nothing there after all, or the far end's port is closed
                continue
            rows.append(row)
            count += 1
        if count:
            self._take(np.array(rows, np.intp), np.array(sizes, np.int32))
        return count

    def _take(self, rows: NDArray[np.intp], sizes: NDArray[np.int32]) -> None:
        """Take packets in the buffer, one each of different lines."""
        count = len(rows)
        self.packets_received += count
        headers = parse_many(self._buffer[:count], sizes)
        kind = headers.payload_type
        plain = headers.ok & (kind == self._media_type[rows])
        plain &= (headers.payload_offset == 12) & (headers.payload_length == FRAME)
        if self._streams:
            plain &= ~np.isin(rows, list(self._streams))
        if not plain.all():
            for index in np.flatnonzero(~plain & headers.ok).tolist():
                self._take_special(int(rows[index]), index, headers)
            chosen = np.flatnonzero(plain)
            rows = rows[chosen]
            if not len(rows):
                return
            frames = self._buffer[chosen, 12 : 12 + FRAME]
            ssrc, sequence, timestamp = (
                headers.ssrc[chosen],
                headers.sequence[chosen],
                headers.timestamp[chosen],
            )
            octets = headers.payload_length[chosen]
        else:
            frames = self._buffer[:count, 12 : 12 + FRAME]
            ssrc, sequence, timestamp = headers.ssrc, headers.sequence, headers.timestamp
            octets = headers.payload_length
        self._in.judge(rows, ssrc, sequence, timestamp, octets, self._tick * FRAME, self._tick)
        self._in.ring.put(rows, sequence, frames)

    def _take_special(self, row: int, index: int, headers: Headers) -> None:
        """Take a packet that is no frame of 20 ms: a key, comfort noise, another codec's."""
        wire = self._by_row[row]
        if wire is None:
            return
        kind, now = int(headers.payload_type[index]), self._tick * _TICK
        start = int(headers.payload_offset[index])
        payload = self._buffer[index, start : start + int(headers.payload_length[index])].tobytes()
        sequence, timestamp = int(headers.sequence[index]), int(headers.timestamp[index])
        one = np.array([row], np.intp)
        ssrc, numbers = headers.ssrc[index : index + 1], headers.sequence[index : index + 1]
        octets = headers.payload_length[index : index + 1]
        is_sound = kind == self._media_type[row]
        if is_sound and wire.stream is None and payload and len(payload) % (FRAME // 2) == 0:
            # The far end packs otherwise than was agreed on, which RFC 3551 allows.
            self._to_stream(wire, len(payload) * 1000 // _RATE)
        if not is_sound and kind not in (self._event_type[row], wire.transport.comfort_noise_type):
            return
        stamps = headers.timestamp[index : index + 1]
        self._in.judge(one, ssrc, numbers, stamps, octets, self._tick * FRAME, self._tick)
        if kind == self._event_type[row]:
            try:
                for digit in wire.events.receive(timestamp, payload, now):
                    wire.notify(DigitReceived(digit.digit, digit.duration * 8000 // digit.clock_rate))
            except TelephoneEventError as error:
                self._tell_fault(f"line {wire.line}", error)
            self._pressed[row] = wire
        if wire.stream is not None:
            if is_sound:
                wire.stream.put(sequence, timestamp, payload, kind, bool(headers.marker[index]), now)
            else:
                wire.stream.buffer.skip(sequence)
        elif not is_sound:
            silence = np.full((1, FRAME), self._silence[int(self._in.law[row])], np.uint8)
            self._in.ring.put(one, numbers, silence)

    def _to_stream(self, wire: _Wire, ptime_ms: int) -> None:
        try:
            wire.stream = StreamLine(wire.transport, wire.rate, ptime_ms)
        except (CodecError, ValueError) as error:
            self._tell_fault(f"line {wire.line}", error)
            return
        self._list_rows()

    def _read_unknown(self) -> int:
        """Read one packet each of the lines whose source is not certain; return how many there were."""
        events = self._open_poll.poll(0, CAPACITY)
        rows: list[int] = []
        sizes: list[int] = []
        now = self._tick * _TICK
        for descriptor, _ in events:
            wire = self._open[descriptor]
            try:
                size, source = wire.rtp.recvfrom_into(self._views[len(rows)])
            except OSError:
                continue
            try:
                packet = RtpPacket.parse(self._buffer[len(rows), :size].tobytes())
            except RtpError:
                continue
            transport = wire.transport
            expected = (transport.payload_type, transport.event_type, transport.comfort_noise_type)
            if packet.payload_type not in expected:
                continue
            address = (str(source[0]), int(source[1]))
            if not wire.latch.offer(address, packet.sequence, packet.ssrc, now):
                continue
            if wire.latch.remote != wire.remote and wire.latch.remote is not None:
                self._aim(wire, wire.latch.remote)
            if wire.latch.locked:
                self._connect(wire)
            if not wire.heard:
                wire.heard = True
                wire.notify(FirstPacket())
            rows.append(wire.row)
            sizes.append(size)
        if rows:
            self._take(np.array(rows, np.intp), np.array(sizes, np.int32))
        return len(events)

    # -- where from and where to ---------------------------------------------------------------------------------

    def _aim(self, wire: _Wire, remote: Address) -> None:
        """Send to an address from now on."""
        wire.remote = remote
        rtp = wire.rtp
        self._senders[wire.row] = lambda packet: rtp.sendto(packet, remote)

    def _connect(self, wire: _Wire) -> None:
        """The source is certain: the kernel keeps all others out, and sending needs no address."""
        assert wire.latch.remote is not None
        try:
            wire.rtp.connect(wire.latch.remote)
        except OSError as error:
            self._tell_fault(f"line {wire.line}", error)
            return
        descriptor = wire.rtp.fileno()
        self._open_poll.unregister(descriptor)
        del self._open[descriptor]
        self._poll.register(descriptor, select.EPOLLIN)
        self._readers[descriptor] = wire.row, wire.rtp.recv_into
        self._senders[wire.row] = wire.rtp.send
        wire.connected = True
        wire.remote = wire.latch.remote

    def _disconnect(self, wire: _Wire) -> None:
        """Take packets from anybody again, for the latch to judge."""
        descriptor = wire.rtp.fileno()
        _LIBC.connect(descriptor, _NOWHERE, len(_NOWHERE))
        self._poll.unregister(descriptor)
        self._readers.pop(descriptor, None)
        self._open[descriptor] = wire
        self._open_poll.register(descriptor, select.EPOLLIN)
        wire.connected = False
        if wire.remote is not None:
            self._aim(wire, wire.remote)

    def _look(self, now: int) -> None:
        """Look twice a second for what does not happen: packets that do not come, and ends of keys."""
        everyone = np.array([wire.row for wire in self._wires.values()], np.intp)
        silent = self._tick - self._in.heard_at[everyone]
        limit = self._timeout[everyone]
        late = (limit > 0) & (silent > limit) & ~self._timed_out[everyone]
        for row, ticks in zip(everyone[late].tolist(), silent[late].tolist(), strict=True):
            wire = self._by_row[row]
            if wire is not None and wire.transport.receiving:
                self._timed_out[row] = True
                wire.notify(MediaTimeout(ticks * _PTIME_MS))
        self._timed_out[everyone[silent <= _LOOK_TICKS]] = False
        for row in everyone[silent > _RELATCH_TICKS].tolist():
            wire = self._by_row[row]
            if wire is not None and wire.connected and wire.transport.learning:
                self._disconnect(wire)
        for wire in list(self._pressed.values()):
            for digit in wire.events.expire(now):
                wire.notify(DigitReceived(digit.digit, digit.duration * 8000 // digit.clock_rate))
            if wire.events.deadline is None:
                del self._pressed[wire.row]

    def _report_due(self, now: int) -> None:
        """Send the reports that are due: some of all lines at every tick."""
        for row in np.flatnonzero(self._report_at <= self._tick).tolist():
            wire = self._by_row[row]
            if wire is None or wire.rtcp is None:
                self._report_at[row] = _NEVER
                continue
            self._report_at[row] = self._tick + self._report_interval(wire)
            sender, receiver = self._out.sender(row), self._in.receiver(row)
            self._send_report(wire, wire.reports.report(sender, receiver, now, self._wall()))

    # -- what is sent --------------------------------------------------------------------------------------------

    def play(self, line: int, source: Source, position: int, frame: int) -> bool:
        """Play a source from `position` on as far as the shared memory holds it; False where it does not.

        It goes on to a whole frame, or to the end of the source.
        """
        wire = self._wires.get(line)
        if wire is None or wire.stream is not None:
            return False
        found = stretch(source, position, frame)
        if found is None:
            return False
        self._out.play(wire.row, *found)
        return True

    def moved(self, line: int) -> int:
        """Return how many samples of its stretch a line has played."""
        wire = self._wires.get(line)
        return self._out.moved(wire.row) if wire is not None else 0

    def stop(self, line: int) -> int:
        """Have a line play its stretch no longer; return the samples that were played of it."""
        wire = self._wires.get(line)
        return self._out.stop(wire.row) if wire is not None else 0

    def say(self, line: int, first: int, samples: NDArray[np.int16]) -> None:
        """Send samples in this tick, from place `first` of it on."""
        wire = self._wires.get(line)
        if wire is None:
            return
        if wire.stream is None:
            self._out.say(wire.row, first, samples)
        else:
            wire.saying = True
            try:
                wire.payloads += wire.stream.say(samples)
            except CodecError as error:
                self._tell_fault(f"line {line}", error)

    def press(self, line: int, digit: str, duration: int) -> bool:
        """Send a key of `duration` samples at 8 kHz; False where the far end takes no telephone-events."""
        wire = self._wires.get(line)
        if wire is None or wire.transport.event_type is None:
            return False
        try:
            wire.keys.press(digit, max(1, duration // 8))
        except TelephoneEventError as error:
            self._tell_fault(f"line {line}", error)
            return False
        self._pressing[wire.row] = wire
        return True

    def send(self) -> list[int]:
        """End a tick: send what all lines say; return the lines whose stretch is played to its end."""
        hushed = self._send_keys() if self._pressing else []
        ready, ended = self._out.next(self._rows, hushed)
        senders, views = self._senders, self._out.views
        sent = 0
        for row in ready.tolist():
            sender = senders[row]
            if sender is not None:
                try:
                    sender(views[row])
                    sent += 1
                except OSError:  # the kernel's buffer is full, or nobody is there
                    self.dropped += 1
        for wire in self._streams.values():
            self._send_stream(wire)
        self.packets_sent += sent
        return [wire.line for row in ended.tolist() if (wire := self._by_row[row]) is not None]

    def _send_keys(self) -> list[int]:
        hushed: list[int] = []
        for row, wire in list(self._pressing.items()):
            event = wire.keys.tick(int(self._out.timestamp[row]))
            if event is not None and wire.transport.event_type is not None:
                self._send_one(wire, event.timestamp, event.payload, wire.transport.event_type, event.marker)
                hushed.append(row)
                wire.payloads.clear()
            elif not wire.keys.busy:
                del self._pressing[row]
        return hushed

    def _send_stream(self, wire: _Wire) -> None:
        row, stream = wire.row, wire.stream
        assert stream is not None
        for payload in wire.payloads:
            if not self._out.muted[row]:
                stamp, kind = int(self._out.timestamp[row]), wire.transport.payload_type
                self._send_one(wire, stamp, payload, kind, wire.silent)
            wire.silent = False
            self._out.timestamp[row] = int(self._out.timestamp[row]) + stream.step & 0xFFFF_FFFF
        if not wire.payloads and not wire.saying:
            wire.silent = True
            self._out.timestamp[row] = (
                int(self._out.timestamp[row]) + stream.clock_rate * _PTIME_MS // 1000 & 0xFFFF_FFFF
            )
        wire.saying = False
        wire.payloads.clear()

    def _send_one(self, wire: _Wire, timestamp: int, payload: bytes, kind: int, marker: bool) -> None:
        row = wire.row
        packet = RtpPacket(
            kind, int(self._out.sequence[row]), timestamp, int(self._out.ssrc[row]), payload, marker
        )
        self._out.count(row, len(payload))
        sender = self._senders[row]
        if sender is not None:
            try:
                sender(memoryview(packet.serialize()))
                self.packets_sent += 1
            except OSError:
                self.dropped += 1

    # -- reports -------------------------------------------------------------------------------------------------

    def report(self, line: int) -> TransportReport | None:
        """Return what went over a line's transport so far."""
        wire = self._wires.get(line)
        if wire is None:
            return None
        row, stream, reports = wire.row, wire.stream, wire.reports
        incoming, ring = self._in, self._in.ring
        clock_rate = stream.clock_rate if stream is not None else _RATE
        jitter = float(incoming.jitter[row]) * 1000 / clock_rate
        received, lost = int(incoming.received[row]), incoming.lost(row)
        loss = max(0, lost) / max(1, received + max(0, lost))
        host, port = wire.rtp.getsockname()[:2]
        delay = (reports.round_trip or 0.0) * 500 + wire.transport.jitter_ms
        return TransportReport(
            (str(host), int(port)),
            wire.remote,
            int(self._out.ssrc[row]),
            int(incoming.ssrc[row]) if incoming.ssrc[row] >= 0 else None,
            int(self._out.packets[row]),
            int(self._out.octets[row]),
            received,
            int(incoming.octets[row]),
            lost,
            int(ring.late[row]) if stream is None else stream.buffer.statistics.late,
            int(ring.concealed[row]) if stream is None else stream.buffer.statistics.concealed,
            int(ring.skipped[row]) if stream is None else stream.buffer.statistics.shrunk,
            wire.latch.refused,
            jitter,
            reports.round_trip,
            reports.remote_fraction_lost / 256,
            reports.remote_jitter * 1000 / clock_rate,
            estimate_mos(loss, delay, jitter, wire.transport.codec),
        )

    def _read_reports(self) -> None:
        for descriptor, _ in self._report_poll.poll(0, CAPACITY):
            wire = self._reporting[descriptor]
            assert wire.rtcp is not None
            with contextlib.suppress(OSError):
                data, source = wire.rtcp.recvfrom(_DATAGRAM)
                # Only the far end's host reports: what anybody else says of the call is not believed.
                if wire.remote is not None and source[0] == wire.remote[0]:
                    with contextlib.suppress(RtcpError):
                        wire.reports.receive(data, self._tick * _TICK, self._wall())

    def _send_report(self, wire: _Wire, data: bytes) -> None:
        target = wire.transport.remote_rtcp
        if target is None or wire.latch.locked:
            target = None if wire.remote is None else (wire.remote[0], wire.remote[1] + 1)
        if target is not None and wire.rtcp is not None:
            with contextlib.suppress(OSError):
                wire.rtcp.sendto(data, target)

    def _report_interval(self, wire: _Wire, *, initial: bool = False) -> int:
        """Return the ticks to the next report: spread, so that the lines of a process do not report together."""
        draw = (wire.row * 0.618_034) % 1  # the golden ratio spreads any number of rows evenly
        minimum = wire.transport.rtcp_interval_ms * 1000
        interval = wire.reports.next_interval(draw, 8000.0, initial=initial, minimum=minimum)
        return max(1, interval // _TICK)


def _stream_for(transport: RtpTransport, rate: int) -> StreamLine | None:
    """Return what a transport needs that is no row of arrays; CodecError for a codec that there is not."""
    if transport.codec.upper() in _LAWS and transport.ptime_ms == _PTIME_MS and rate == _RATE:
        return None
    return StreamLine(transport, rate)
