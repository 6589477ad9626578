"""The sockets of all RTP lines: one `epoll` tells who has packets, and a latch or the kernel who is listened to.

A line whose far end is certain has a connected socket: the kernel keeps all others out, and sending needs no address.
Until then every packet is looked at by the line's `media.rtp_latch.SourceLatch`, after SRTP has found it authentic.
"""

from __future__ import annotations

import contextlib
import ctypes
import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from media.comfort_noise import PAYLOAD_TYPE as COMFORT_NOISE
from media.dtls_error import DtlsError
from media.ice_lite import IceError
from media.notice import FirstPacket, KeysAgreed, KeysRefused
from media.realtime.port_range import PortRange
from media.realtime.webrtc_path import WebRtcPath, is_somebody_else
from media.rtcp import is_rtcp
from media.rtp import RtpError, RtpPacket
from media.rtp_latch import SourceLatch
from media.srtp import SrtpError
from media.srtp_guard import SrtpGuard

if TYPE_CHECKING:
    from media.realtime.rtp_wire import RtpWire
    from media.rtp_transport import Address, RtpTransport

# What a datagram may hold on any usual network; what is longer is cut, and then no RTP of ours.
DATAGRAM: Final = 1500
# RFC 7983: what begins with less is STUN or DTLS, no RTP.
_RTP_BEGINS: Final = 128
# Checks and handshakes of all lines that a tick has time for (0.1 to 0.3 ms each): what is left out is repeated by who
# sent it, and 1,500 browsers send some twelve.
_PATH_DATAGRAMS: Final = 64
# Packets read of one line in a tick at most, so that a flood at one costs the others little: ten times what is due.
_ROUNDS: Final = 10

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
# struct sockaddr of the family AF_UNSPEC: connecting to it undoes a UDP socket's connection.
_NOWHERE: Final = bytes(16)

Send = Callable[[memoryview], int]
Read = Callable[[memoryview], int]
# Takes packets in the buffer, one each of different rows, with their sizes.
Take = Callable[[NDArray[np.intp], NDArray[np.int32]], None]


class RtpSockets:
    """Reads into `buffer`, uint8 of shape (capacity, DATAGRAM). `tell_fault` is told what goes wrong with a line.

    `take_report(wire, data)` gets what came as RTCP to the port of RTP, of the far end's address; `tell_remote(wire)`
    is called when it is another where a line sends to.
    """

    def __init__(
        self,
        capacity: int,
        tell_fault: Callable[[str, Exception], object],
        take_report: Callable[[RtpWire, bytes], object],
        tell_remote: Callable[[RtpWire], object],
    ) -> None:
        self._capacity = capacity
        self._tell_fault = tell_fault
        self._hand_report = take_report
        self._tell_remote = tell_remote
        self._ports = PortRange()
        self._readers: dict[int, tuple[int, Read]] = {}
        self._open: dict[int, RtpWire] = {}  # sockets whose source is not certain
        self._path_datagrams = 0  # that this tick still has time for
        self._shaking: set[RtpWire] = set()  # lines whose keys are being agreed on
        self._poll, self._open_poll = select.epoll(), select.epoll()
        self.buffer = np.zeros((capacity, DATAGRAM), np.uint8)
        self._views = [memoryview(row) for row in self.buffer]  # type: ignore[arg-type]
        self.senders: list[Send | None] = [None] * capacity  # None where it is not known where to

    def open(self, wire: RtpWire, transport: RtpTransport) -> None:
        """Open a line's sockets; TransportError when there are none, SrtpError for keys that cannot be used."""
        self._secure(wire, transport)
        wire.rtp, wire.rtcp = self._ports.open(transport.address, transport.ports, rtcp=transport.rtcp)
        self._open[wire.rtp.fileno()] = wire
        self._open_poll.register(wire.rtp.fileno(), select.EPOLLIN)

    def close(self, wire: RtpWire) -> None:
        """Give a line's ports back."""
        descriptor = wire.rtp.fileno()
        (self._poll if wire.connected else self._open_poll).unregister(descriptor)
        self._shaking.discard(wire)
        self._readers.pop(descriptor, None)
        self._open.pop(descriptor, None)
        self.senders[wire.row] = None
        wire.rtp.close()
        if wire.rtcp is not None:
            wire.rtcp.close()

    def release(self) -> None:
        """Give back what belongs to no line; all are closed."""
        self._poll.close()
        self._open_poll.close()

    def change(self, wire: RtpWire, former: RtpTransport | None, transport: RtpTransport) -> None:
        """Take what the signalling says of the far end's address and keys. `former` is None for a line just opened.

        SrtpError for keys that cannot be used: then nothing goes through any more.
        """
        try:
            if former is not None and _security_of(transport) != _security_of(former):
                if is_somebody_else(former.dtls, transport.dtls) and wire.guard is not None:
                    wire.guard.forget()  # what is said from now on is not for who was there before
                self._secure(wire, transport)
        finally:
            self._signal(wire, None if former is None else former.remote, transport)
            if wire.path is not None:
                if wire.connected:  # what is no sound may come from elsewhere, and nobody would look at it
                    self._disconnect(wire)
                wire.path.begin()
                self._follow(wire, wire.path)
            self._wire_up(wire)

    def _secure(self, wire: RtpWire, transport: RtpTransport) -> None:
        try:
            self._lay_path(wire, transport)
        except (DtlsError, IceError) as error:
            wire.guard = SrtpGuard()  # never in the clear
            raise SrtpError(str(error)) from error
        if transport.dtls is not None:
            wire.guard = wire.guard or SrtpGuard()
        elif transport.srtp is None:
            wire.guard = None
        else:
            wire.guard = wire.guard or SrtpGuard()
            wire.guard.change(transport.srtp)

    # -- browsers ------------------------------------------------------------------------------------------------

    def _lay_path(self, wire: RtpWire, transport: RtpTransport) -> None:
        """Have what browsers need beside sound; nothing where neither ICE nor DTLS is wanted."""
        if transport.dtls is None and transport.ice is None:
            wire.path = None
        elif wire.path is None:
            wire.path = WebRtcPath(transport, lambda datagram, target: _tell(wire, datagram, target))
        else:
            wire.path.change(transport)
        if wire.path is not None and wire.path.waits:
            self._shaking.add(wire)
        else:
            self._shaking.discard(wire)

    def _follow(self, wire: RtpWire, path: WebRtcPath) -> None:
        """Do what has come of a check or a handshake: another address, keys, or the end of all."""
        moved = path.moved()
        if moved is not None and moved != wire.remote:
            refused = wire.latch.refused
            wire.latch = SourceLatch(moved, learning=wire.transport.learning)
            wire.latch.refused = refused
            self._aim(wire, moved)
            self._wire_up(wire)
        if wire not in self._shaking or path.waits:
            return
        self._shaking.discard(wire)
        if path.keys is None:
            wire.notify(KeysRefused(path.failure))
            return
        assert wire.guard is not None
        try:
            wire.guard.change(path.keys)
        except SrtpError as error:
            wire.notify(KeysRefused(str(error)))
            return
        wire.notify(KeysAgreed(path.keys.suite))

    def look_after(self, wire: RtpWire, authentic: int, now: int) -> None:
        """Send no more to a browser that has left; to be asked some times a minute. See `WebRtcPath.has_left`.

        What comes of it again, a check or sound, has it sent to again.
        """
        path = wire.path
        if path is not None and wire.remote is not None and path.has_left(authentic, now):
            self._aim(wire, None)
            self._wire_up(wire)

    def _signal(self, wire: RtpWire, signalled: Address | None, transport: RtpTransport) -> None:
        latch, remote = wire.latch, transport.remote
        relearn = latch.learning is not transport.learning
        if remote is None or (remote == signalled and not relearn):
            return
        if wire.connected:
            self._disconnect(wire)
        if relearn or (signalled is None and not latch.locked):
            wire.latch = SourceLatch(remote, learning=transport.learning)
            wire.latch.refused = latch.refused
        else:
            latch.signal(remote)
        self._aim(wire, remote)

    def _aim(self, wire: RtpWire, remote: Address | None) -> None:
        """Send to an address from now on."""
        wire.remote = remote
        self._tell_remote(wire)

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, wire: RtpWire, packet: bytes) -> bool:
        """Send an RTP packet; False where the kernel's buffer is full or nobody is there."""
        sender = self.senders[wire.row]
        if sender is None:
            return False
        try:
            sender(memoryview(packet))
        except OSError:
            return False
        return True

    def _wire_up(self, wire: RtpWire) -> None:
        """Put together how a line's packets are sent and read from now on."""
        guard, rtp, remote = wire.guard, wire.rtp, wire.remote
        if wire.connected:
            self._readers[rtp.fileno()] = wire.row, rtp.recv_into if guard is None else _checked(guard, rtp)
        send: Send | None = None
        if wire.connected:
            send = rtp.send
        elif remote is not None:

            def send(packet: memoryview) -> int:
                return rtp.sendto(packet, remote)

        self.senders[wire.row] = send if send is None or guard is None else _protected(guard, send)

    # -- reading -------------------------------------------------------------------------------------------------

    def read(self, take: Take, now: int) -> None:
        """Read all that has arrived; `now` is in µs. `take` gets packets as often as there are any."""
        self._path_datagrams = _PATH_DATAGRAMS
        for wire in list(self._shaking):
            if wire.path is not None:
                wire.path.tick()
                self._follow(wire, wire.path)
        for _ in range(_ROUNDS):
            if not self._read_known(take):
                break
        for _ in range(_ROUNDS):
            if not self._read_unknown(take, now):
                break

    def _read_known(self, take: Take) -> int:
        """Read one packet each of the lines whose source is certain; return how many there were."""
        events = self._poll.poll(0, self._capacity)
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
            take(np.array(rows, np.intp), np.array(sizes, np.int32))
        return count

    def _read_unknown(self, take: Take, now: int) -> int:
        """Read one packet each of the lines whose source is not certain; return how many there were."""
        events = self._open_poll.poll(0, self._capacity)
        rows: list[int] = []
        sizes: list[int] = []
        for descriptor, _ in events:
            wire = self._open[descriptor]
            view = self._views[len(rows)]
            try:
                size, source = wire.rtp.recvfrom_into(view)
            except OSError:
                continue
            packet = view[:size].tobytes()
            if wire.path is not None and size and packet[0] < _RTP_BEGINS:
                if self._path_datagrams:
                    self._path_datagrams -= 1
                    wire.path.receive(packet, (str(source[0]), int(source[1])))
                    self._follow(wire, wire.path)
                continue
            if wire.guard is not None:
                packet = wire.guard.unprotect(packet)
                size = len(packet)
                view[:size] = packet
            if self._is_taken(wire, packet, (str(source[0]), int(source[1])), now):
                rows.append(wire.row)
                sizes.append(size)
        if rows:
            take(np.array(rows, np.intp), np.array(sizes, np.int32))
        return len(events)

    def _is_taken(self, wire: RtpWire, data: bytes, source: Address, now: int) -> bool:
        """Let the latch judge a packet, and follow what it finds."""
        transport = wire.transport
        if is_rtcp(data):
            if source == wire.remote:
                self.take_report(wire, data)
            return False
        try:
            packet = RtpPacket.parse(data)
        except RtpError:
            return False
        expected = (
            transport.expected_type,
            transport.expected_event_type,
            transport.comfort_noise_type,
            COMFORT_NOISE,
        )
        if packet.payload_type not in expected:
            return False
        if not wire.latch.offer(source, packet.sequence, packet.ssrc, now):
            return False
        if wire.latch.remote != wire.remote:
            self._aim(wire, wire.latch.remote)
            self._wire_up(wire)
        if wire.latch.locked and wire.path is None:  # a browser may come another way at any time
            self._connect(wire)
        if not wire.heard:
            wire.heard = True
            wire.notify(FirstPacket())
        return True

    def take_report(self, wire: RtpWire, data: bytes) -> None:
        """Hand on what came to a line's port of RTP, if that is a report and belongs there."""
        if wire.transport.rtcp_mux and is_rtcp(data):
            self._hand_report(wire, data)

    # -- certainty -----------------------------------------------------------------------------------------------

    def _connect(self, wire: RtpWire) -> None:
        assert wire.remote is not None
        try:
            wire.rtp.connect(wire.remote)
        except OSError as error:
            self._tell_fault(f"line {wire.line}", error)
            return
        descriptor = wire.rtp.fileno()
        self._open_poll.unregister(descriptor)
        del self._open[descriptor]
        self._poll.register(descriptor, select.EPOLLIN)
        wire.connected = True
        self._wire_up(wire)

    def _disconnect(self, wire: RtpWire) -> None:
        descriptor = wire.rtp.fileno()
        _LIBC.connect(descriptor, _NOWHERE, len(_NOWHERE))
        self._poll.unregister(descriptor)
        self._readers.pop(descriptor, None)
        self._open[descriptor] = wire
        self._open_poll.register(descriptor, select.EPOLLIN)
        wire.connected = False

    def relearn(self, wire: RtpWire) -> None:
        """Take packets from anybody again, for the latch to judge: the source has been silent for long."""
        if wire.connected:
            self._disconnect(wire)
            self._wire_up(wire)


def _security_of(transport: RtpTransport) -> tuple[object, ...]:
    addressed = None if transport.dtls is None and transport.ice is None else transport.remote
    return transport.srtp, transport.dtls, transport.ice, addressed


def _tell(wire: RtpWire, datagram: bytes, target: Address) -> None:
    with contextlib.suppress(OSError):  # nobody there, or no room: it is repeated
        wire.rtp.sendto(datagram, target)


def _protected(guard: SrtpGuard, send: Send) -> Send:
    def protect(packet: memoryview) -> int:
        try:
            return send(memoryview(guard.protect(bytes(packet))))
        except SrtpError as error:
            raise OSError(str(error)) from None

    return protect


def _checked(guard: SrtpGuard, rtp: socket.socket) -> Read:
    def check(view: memoryview) -> int:
        packet = guard.unprotect(bytes(view[: rtp.recv_into(view)]))
        view[: len(packet)] = packet
        return len(packet)

    return check
