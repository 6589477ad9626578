"""SIP over UDP: one socket, read and written in the SIP thread, nothing of it blocking."""

from __future__ import annotations

import socket
from collections import deque
from functools import partial
from typing import Final

from host.modules.mod_sofia.message import Source
from host.modules.mod_sofia.transport.listener import (
    Impairment,
    Listener,
    OnData,
    bind,
    bracketed,
    family_of,
    sip_address,
    unbracketed,
    wire_bytes,
)
from host.modules.mod_sofia.transport.stack import SipStack

# Datagrams read before the loop's timers and other sockets get their turn.
DATAGRAMS_A_TURN: Final = 64
# The largest there is (RFC 3261 section 18.1.1).
LARGEST_DATAGRAM: Final = 65_535
# Asked of the kernel, which may give less: a burst of some thousand requests waits here while Python is busy.
_KERNEL_BUFFER: Final = 4 * 1024 * 1024
# Datagrams kept while the kernel's buffer is full; more would be late anyway and are sent again by their timers.
UNSENT: Final = 1_000

_STUN_COOKIE: Final = b"\x21\x12\xa4\x42"  # RFC 8489 section 5


class UdpServer:
    """A bound UDP socket. OSError when the address is not to be had."""

    transport = "udp"

    def __init__(
        self, stack: SipStack, listener: Listener, on_data: OnData, impairment: Impairment | None = None
    ) -> None:
        self.stack = stack
        self.listener = listener
        self.impairment = impairment
        self.dropped = 0  # not sent: the buffers were full, or the kernel refused
        self._on_data = on_data
        self._unsent: deque[tuple[bytes, tuple[str, int]]] = deque()
        self.family = family_of(unbracketed(listener.ip))
        self._socket = socket.socket(
            self.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BUFFER)
            self.local = bind(self._socket, listener, self.transport)
        except BaseException:
            self._socket.close()
            raise
        self._sip_address = sip_address(listener, self.local)
        self._closed = False

    def start(self) -> None:
        """Begin to receive."""
        self.stack.register(self._socket, self._read)

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        """Return what Via says: ((host, port), transport)."""
        return self._sip_address

    def addr2str(self, address: tuple[str, int]) -> str:
        """Return an address for a log line."""
        return f"{self.transport}/{bracketed(address[0])}:{address[1]}"

    def far_end(self, address: tuple[str, int]) -> Source:
        """Return where what is sent to an address goes."""
        return Source(unbracketed(address[0]), address[1], self.transport)

    def send_to(self, data: str | bytes, address: tuple[str, int]) -> None:
        """Send a datagram to a literal address; what the kernel refuses is counted, as if the network had lost it."""
        if self._closed:
            return
        payload = wire_bytes(data)
        if self.impairment is not None:
            fate = self.impairment.fate_out()
            if fate is None:
                return
            if fate:
                self.stack.call_later(fate, lambda: self._send(payload, address))
                return
        self._send(payload, address)

    def shutdown(self) -> None:
        """Close the socket."""
        if not self._closed:
            self._closed = True
            self.stack.unregister(self._socket)
            self._socket.close()

    def _send(self, payload: bytes, address: tuple[str, int]) -> None:
        if self._closed:
            return
        if self._unsent:
            self._keep(payload, address)
            return
        try:
            self._put(payload, address)
        except BlockingIOError:
            self._keep(payload, address)
            self.stack.register(self._socket, self._read, self._write)
        except (OSError, OverflowError, UnicodeError):
            self.dropped += 1

    def _put(self, payload: bytes, address: tuple[str, int]) -> None:
        ip = unbracketed(address[0])
        socket.inet_pton(self.family, ip)  # a name would be looked up, and that blocks: OSError
        self._socket.sendto(payload, (ip, address[1]))

    def _keep(self, payload: bytes, address: tuple[str, int]) -> None:
        if len(self._unsent) >= UNSENT:
            self.dropped += 1
        else:
            self._unsent.append((payload, address))

    def _write(self) -> None:
        while self._unsent:
            try:
                self._put(*self._unsent[0])
            except BlockingIOError:
                return
            except (OSError, OverflowError, UnicodeError):
                self.dropped += 1
            self._unsent.popleft()
        self.stack.register(self._socket, self._read)

    def _read(self) -> None:
        receive = self._socket.recvfrom
        for _ in range(DATAGRAMS_A_TURN):
            if self._closed:
                return
            try:
                data, address = receive(LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of something sent before
                continue
            if keeps_alive(data):
                continue
            source = Source(address[0], address[1], self.transport)
            if self.impairment is not None:
                fate = self.impairment.fate_in()
                if fate is None:
                    continue
                if fate:
                    self.stack.call_later(fate, partial(self._deliver, data, source))
                    continue
            self._deliver(data, source)

    def _deliver(self, data: bytes, source: Source) -> None:
        try:
            self._on_data(data, source, self)
        except Exception as error:
            self.stack.report("a SIP message", error)


def keeps_alive(data: bytes) -> bool:
    """Return whether a datagram is no message but keeps a NAT's mapping open: empty lines, zeros, a STUN message."""
    return not data.strip(b"\r\n\0 ") or (data[0] < 0x40 and data[4:8] == _STUN_COOKIE)
