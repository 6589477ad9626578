"""The RTP of all lines of a process: one pass of each kind of work a tick.

Lines that speak G.711 in frames of 20 ms at 8 kHz, which is nearly every call, are rows of arrays: their packets
are parsed, put in order, decoded, encoded and numbered together, and one that only plays sound from shared memory,
or sends on what another one hears, costs no step of its own but its two system calls. Other codecs and frames have a
`StreamLine` each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from media.codec import CodecError
from media.g711 import G711
from media.notice import MediaTimeout, Notice
from media.realtime.idle_noise import IdleNoise
from media.realtime.key_traffic import KeyTraffic
from media.realtime.packet_debug import PacketDebug
from media.realtime.packet_sorter import PacketSorter
from media.realtime.packet_writer import PacketWriter
from media.realtime.reception import Reception
from media.realtime.relays import Relays
from media.realtime.row_playbacks import RowPlaybacks
from media.realtime.row_taps import RowTaps
from media.realtime.rtcp_exchange import RtcpExchange
from media.realtime.rtp_sockets import RtpSockets
from media.realtime.rtp_wire import RtpWire
from media.realtime.stream_line import StreamLine
from media.realtime.stream_lines import StreamLines
from media.realtime.transmission import Transmission
from media.realtime.transport_report import report_of
from media.rtp_transport import Address, RtpTransport, TransportError, TransportReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.line_state import TapState
    from media.source import Source

FRAME: Final = 160
_RATE: Final = 8000
_PTIME_MS: Final = 20
_TICK: Final = 20_000  # µs

# Three times what a core carries; the arrays of lines that are not there take no memory.
CAPACITY: Final = 8192
# FreeSWITCH: a source that was silent for so long may be followed by another one (3 s).
_RELATCH_TICKS: Final = 150
_LOOK_TICKS: Final = 25
_LAWS: Final = ("PCMU", "PCMA")
_EVERYTHING: Final = np.arange(256, dtype=np.uint8)


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
        self._in = Reception(CAPACITY, FRAME, np.stack([law.decode_lines(_EVERYTHING) for law in laws]))
        self._out = Transmission(CAPACITY, FRAME, np.stack([law.encode_lines(words) for law in laws]), memory)
        self._sockets = RtpSockets(CAPACITY, tell_fault, self._take_report, self._mute)
        self._reports = RtcpExchange(CAPACITY, self._in, self._out, wall)
        self._writer = PacketWriter(self._out, self._sockets)
        self._streams = StreamLines(self._out, self._writer, tell_fault)
        self._playbacks = RowPlaybacks(self._out)
        self._taps = RowTaps(self._tell_tap_fault)
        self._relays = Relays(self._out)
        self._keys = KeyTraffic(tell_fault)
        self._noise = IdleNoise(CAPACITY)
        silence = [int(law.encode_lines(np.zeros(1, np.int16))[0]) for law in laws]
        self._sorter = PacketSorter(
            CAPACITY, FRAME, silence, self._in, self._sockets, self._streams, self._keys
        )
        self._tell_fault = tell_fault
        self._wires: dict[int, RtpWire] = {}
        self._by_row: list[RtpWire | None] = [None] * CAPACITY
        self._free = list(range(CAPACITY - 1, -1, -1))
        self._rows = np.zeros(0, np.intp)
        self._hearing = np.zeros(0, np.intp)  # rows that are not on hold
        self._timeout = np.zeros(CAPACITY, np.int64)
        self._timed_out = np.zeros(CAPACITY, bool)
        self._is_row = np.zeros(CAPACITY, bool)  # of lines that are there and are no streams
        self._is_hearing = np.zeros(CAPACITY, bool)
        self._changed: set[RtpWire] = set()  # lines that came, went or changed since they were listed
        self._given_back: list[
            int
        ] = []  # lines that became streams, which play and tap nothing by themselves
        self._tick = 0
        self._debug = PacketDebug()

    def __len__(self) -> int:
        return len(self._wires)

    @property
    def packets_received(self) -> int:
        """How many packets came on all lines so far."""
        return self._sorter.received

    @property
    def packets_sent(self) -> int:
        """How many packets were sent on all lines so far."""
        return self._writer.sent

    # -- lines come and go ---------------------------------------------------------------------------------------

    def open(
        self, line: int, transport: RtpTransport, rate: int, notify: Callable[[Notice], object]
    ) -> Address:
        """Open a line's sockets and return the local address.

        TransportError when there is none, CodecError for a codec that there is not, SrtpError for keys that cannot be
        used.
        """
        if not self._free:
            raise TransportError(f"a process has {CAPACITY} RTP lines at most")
        row = self._free[-1]
        wire = RtpWire(line, row, rate, transport, notify)
        wire.stream = _stream_for(transport, rate)
        self._sockets.open(wire, transport)
        self._free.pop()
        wire.opened = self._tick
        law = _law_of(transport)
        self._in.open(row, law, *_delay_of(transport))
        self._in.heard_at[row] = self._tick
        self._out.open(row, law, transport.payload_type)
        self._wires[line] = self._by_row[row] = wire
        self._timed_out[row] = False
        self._sockets.change(wire, None, transport)
        self._reports.open(wire, self._tick)
        self._set(wire, transport)
        self._debug.watch(wire)
        self._changed.add(wire)
        host, port = wire.rtp.getsockname()[:2]
        return str(host), int(port)

    def change(self, line: int, transport: RtpTransport) -> None:
        """Take what the signalling agreed on meanwhile; the local address stays.

        CodecError for an unknown codec, and then nothing has changed; SrtpError for keys that cannot be used, and then
        nothing goes through any more.
        """
        wire = self._wires.get(line)
        if wire is None:
            return
        former, row = wire.transport, wire.row
        if _coding(former) != _coding(transport):
            self._recode(wire, transport)
        elif wire.stream is not None:
            wire.stream.set_transport(transport)
        if transport.receiving is not former.receiving or transport.timeout_ms != former.timeout_ms:
            self._in.heard_at[row] = self._tick  # a time of silence begins now
            self._timed_out[row] = False
        if transport.receiving is not former.receiving:
            self._resume(wire)
        wire.transport = transport
        self._changed.add(wire)
        try:
            self._sockets.change(wire, former, transport)
        finally:
            self._in.ring.set_delay(row, *_delay_of(transport))
            self._reports.change(wire, self._tick)
            self._set(wire, transport)

    def set_rate(self, line: int, rate: int) -> None:
        """Hear and say samples of another rate from now on. CodecError where the codec cannot be had at it."""
        wire = self._wires.get(line)
        if wire is not None and wire.rate != rate:
            former, wire.rate = wire.rate, rate
            try:
                self._recode(wire, wire.transport)
            except CodecError:
                wire.rate = former
                raise
            self._set(wire, wire.transport)
            self._changed.add(wire)

    def _recode(self, wire: RtpWire, transport: RtpTransport) -> None:
        stream = _stream_for(transport, wire.rate)
        wire.replace_stream(stream)
        self._debug.watch(wire)
        if stream is None:
            self._out.law[wire.row] = self._in.law[wire.row] = _law_of(transport)
            self._in.ring.restart(wire.row)
        self._in.pause(wire.row)
        self._playbacks.stop(wire.row)
        self._taps.set(wire.row, ())

    def debug_codec(self, codec: str, on: bool) -> None:
        """Tell lines of every packet of a codec that is coded or decoded, or no more."""
        self._debug.set(codec, on, self._wires.values())

    def debug_line(self, line: int, on: bool) -> None:
        """The same for one line."""
        wire = self._wires.get(line)
        if wire is not None:
            self._debug.set_line(wire, on)

    def _resume(self, wire: RtpWire) -> None:
        """Begin or end a hold: what comes meanwhile is not heard later."""
        self._in.heard[wire.row] = 0
        self._in.loud[wire.row] = False
        self._in.pause(wire.row)
        self._in.ring.restart(wire.row)
        if wire.stream is not None:
            wire.stream.buffer.reset()
            wire.heard_now = np.zeros(wire.rate * _PTIME_MS // 1000, np.int16)

    def _set(self, wire: RtpWire, transport: RtpTransport) -> None:
        row = wire.row
        self._out.payload_type[row] = transport.payload_type
        self._sorter.expect(row, transport, wire.clock_rate)
        self._timeout[row] = transport.timeout_ms // _PTIME_MS
        self._mute(wire)
        noisy = transport.comfort_noise_type is not None and transport.sending
        self._noise.set(row, transport.ptime_ms if noisy else None)
        self._keys.set_rate(wire, transport.event_rate)

    def _mute(self, wire: RtpWire) -> None:
        """Send on a line, or not: nobody is there yet, or it is on hold."""
        self._out.muted[wire.row] = wire.remote is None or not wire.transport.sending

    def close(self, line: int) -> None:
        """Say BYE, and give the ports back."""
        wire = self._wires.pop(line, None)
        if wire is None:
            return
        row = wire.row
        self._debug.forget(wire)
        self._reports.close(wire)
        self._sockets.close(wire)
        self._by_row[row] = None
        self._playbacks.stop(row)
        self._taps.set(row, ())
        self._noise.set(row, None)
        self._keys.close(wire)
        self._relays.drop(wire)
        self._free.insert(0, row)
        self._changed.add(wire)

    def release(self) -> None:
        """Give back what belongs to no line; all are closed."""
        self._sockets.release()
        self._reports.release()

    def _list_rows(self) -> None:
        changed, self._changed = self._changed, set()
        there = [wire for wire in changed if self._wires.get(wire.line) is wire]
        # A row may have gone from one line to the next.
        self._is_row[[wire.row for wire in changed]] = False
        for wire in there:
            self._is_row[wire.row] = wire.stream is None
            self._is_hearing[wire.row] = wire.transport.receiving
        self._rows = np.flatnonzero(self._is_row)
        self._hearing = np.flatnonzero(self._is_row & self._is_hearing)
        self._streams.settle(changed, there)
        self._relays.settle(changed)

    # -- what arrives --------------------------------------------------------------------------------------------

    def receive(self) -> None:
        """Begin a tick: read what has arrived and have every line hear its next 20 ms."""
        if self._changed:
            self._list_rows()
        self._tick += 1
        now = self._tick * _TICK
        self._sorter.begin(self._by_row, self._tick)
        self._sockets.read(self._sorter.take, now)
        if self._sorter.repacked:
            self._give_back(self._sorter.repacked)
        self._reports.read(now)
        self._in.play(self._hearing)
        self._streams.hear(now)
        self._reports.send_due(self._by_row, self._tick)
        if self._tick % _LOOK_TICKS == 0:
            self._look(now)

    def _give_back(self, wires: list[RtpWire]) -> None:
        """Let the engine carry lines that have just become streams."""
        self._changed.update(wires)
        self._given_back += [wire.line for wire in wires]
        for wire in wires:
            self._taps.set(wire.row, ())
        self._list_rows()

    def given_back(self) -> list[int]:
        """Return the lines that can neither play nor tap by themselves any more, since this was asked last."""
        given, self._given_back = self._given_back, []
        return given

    def heard(self, line: int, first: int, count: int) -> NDArray[np.int16]:
        """Return `count` samples of what a line hears in this tick, from place `first` on."""
        wire = self._wires.get(line)
        if wire is None or not wire.transport.receiving:
            return np.zeros(count, np.int16)
        sound = self._in.heard[wire.row] if wire.stream is None else wire.heard_now
        return sound[first : first + count].copy()

    def _take_report(self, wire: RtpWire, data: bytes) -> None:
        self._reports.take(wire, data, self._tick * _TICK)

    def _look(self, now: int) -> None:
        """Look twice a second for what does not happen: packets that do not come, and ends of keys."""
        everyone = np.array([wire.row for wire in self._wires.values()], np.intp)
        silent = self._tick - self._in.heard_at[everyone]
        limit = self._timeout[everyone]
        late = (limit > 0) & (silent > limit) & ~self._timed_out[everyone]
        for row, ticks in zip(everyone[late].tolist(), silent[late].tolist(), strict=True):
            wire = self._by_row[row]
            if wire is not None:
                self._timed_out[row] = True
                wire.notify(MediaTimeout(ticks * _PTIME_MS))
        self._timed_out[everyone[silent <= _LOOK_TICKS]] = False
        for row in everyone[silent > _RELATCH_TICKS].tolist():
            wire = self._by_row[row]
            if wire is not None and wire.transport.learning:
                self._sockets.relearn(wire)
        for wire in self._wires.values():
            if wire.path is not None:
                authentic = int(self._in.received[wire.row]) + wire.reports.packets_in
                self._sockets.look_after(wire, authentic, now)
        self._in.qualities.look(everyone, self._in.received[everyone])
        self._keys.expire(now)

    # -- what is sent --------------------------------------------------------------------------------------------

    def play(self, line: int, source: Source, position: int) -> bool:
        """Play a source from `position` on as far as it can be known; False where it cannot be played now.

        It goes on to a whole frame, or to the end of the source.
        """
        wire = self._wires.get(line)
        if wire is None or wire.stream is not None:
            return False
        return self._playbacks.begin(wire.row, source, position)

    def moved(self, line: int) -> int:
        """Return how many samples a line has played since `play`."""
        wire = self._wires.get(line)
        return self._out.moved(wire.row) if wire is not None else 0

    def stop(self, line: int) -> int:
        """Have a line play its source no longer; return the samples that were played of it."""
        wire = self._wires.get(line)
        return self._playbacks.stop(wire.row) if wire is not None else 0

    def tap(self, line: int, taps: Sequence[TapState]) -> bool:
        """Give these taps what the line hears and says from now on, none for no more; False where that cannot be."""
        wire = self._wires.get(line)
        if wire is None or wire.stream is not None:
            return False
        self._taps.set(wire.row, taps)
        return True

    def _tell_tap_fault(self, row: int, error: Exception) -> None:
        wire = self._by_row[row]
        if wire is not None:
            self._tell_fault(f"line {wire.line}", error)

    def say(self, line: int, first: int, samples: NDArray[np.int16]) -> None:
        """Send samples in this tick, from place `first` of it on."""
        wire = self._wires.get(line)
        if wire is None:
            return
        if wire.stream is None:
            self._out.say(wire.row, first, samples)
        else:
            self._streams.say(wire, samples)

    def relay(self, line: int, other: int | None, *, encoded: bool = False) -> bool:
        """Send on what `other` hears, from now on; None for no more. False where either is gone.

        With `encoded` nobody else wants to hear it: between lines of one codec payloads then go through as they come.
        """
        wire = self._wires.get(line)
        source = None if other is None else self._wires.get(other)
        if wire is None or (other is not None and source is None):
            return False
        self._relays.set(wire, source, encoded=encoded)
        return True

    def press(self, line: int, digit: str, duration: int) -> bool:
        """Send a key of `duration` samples at 8 kHz; False where the far end takes no telephone-events."""
        wire = self._wires.get(line)
        return wire is not None and self._keys.press(wire, digit, duration)

    def send(self) -> list[int]:
        """End a tick: send what all lines say; return the lines that have played their source as far as they can."""
        if self._changed:
            self._list_rows()
        self._relays.say(self._rows, self._in.heard, self._say_heard)
        due = self._keys.next(lambda row: int(self._out.timestamp[row]))
        hushed = [wire.row for wire, event in due if self._writer.write_key(wire, event)]
        ready, ended = self._out.next(self._rows, hushed)
        self._writer.write_rows(ready)
        self._taps.write(self._in.heard, self._out.said)
        self._streams.send(hushed)
        for row in self._noise.due(self._out.silent):
            idle = self._by_row[row]
            if idle is not None:
                self._writer.write_noise(idle)
        over = [row for row in ended.tolist() if not self._playbacks.go_on(row)]
        return [wire.line for row in over if (wire := self._by_row[row]) is not None]

    def _say_heard(self, wire: RtpWire, source: RtpWire) -> None:
        heard = self.heard(source.line, 0, source.rate * _PTIME_MS // 1000)
        self.say(wire.line, 0, wire.resampler.feed(heard))

    def report(self, line: int) -> TransportReport | None:
        """Return what went over a line's transport so far."""
        wire = self._wires.get(line)
        return None if wire is None else report_of(wire, self._in, self._out, self._tick)


def _coding(transport: RtpTransport) -> tuple[str, int | None, int, str]:
    return transport.codec.upper(), transport.codec_rate, transport.ptime_ms, transport.fmtp


def _law_of(transport: RtpTransport) -> int:
    return _LAWS.index(transport.codec.upper()) if transport.codec.upper() in _LAWS else 0


def _delay_of(transport: RtpTransport) -> tuple[int, int]:
    """Return the jitter buffer's least and greatest length in frames."""
    least = 0 if transport.jitter_paused else transport.jitter_ms // _PTIME_MS
    return least, transport.jitter_limit_ms // _PTIME_MS


def _stream_for(transport: RtpTransport, rate: int) -> StreamLine | None:
    """Return what a transport needs that is no row of arrays; CodecError for a codec that there is not."""
    if transport.codec.upper() in _LAWS and transport.ptime_ms == _PTIME_MS and rate == _RATE:
        return None
    return StreamLine(transport, rate)
