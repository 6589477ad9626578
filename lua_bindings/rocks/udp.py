"""UDP sockets of the rock socket."""

from __future__ import annotations

import ctypes
import socket
from typing import TYPE_CHECKING, Final

from host.byte_text import to_text
from lua_bindings.rocks.crossing import Answer, Plain
from lua_bindings.rocks.network import READ, WRITE, NetworkError, Timeout, describe, resolve
from lua_bindings.rocks.system_socket import FAMILIES, NamedSocket, address_of, open_socket, set_option

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


# What `connect` takes to forget a peer (udp(7)): an address of no family, 16 octets long.
_NO_ADDRESS: Final = bytes(16)


def _forget_peer(connection: socket.socket) -> None:
    """Undo `connect`, which Python's own cannot."""
    if ctypes.CDLL(None, use_errno=True).connect(connection.fileno(), _NO_ADDRESS, len(_NO_ADDRESS)) < 0:
        raise OSError(ctypes.get_errno(), "")


def _refusal(error: OSError) -> bytes:
    """Return LuaSocket's words for a datagram that did not go or come."""
    text = describe(error)
    return b"refused" if text in ("connection refused", "closed") else text.encode()


class Udp(NamedSocket):
    """A UDP socket, with or without a peer; the system's socket is made when its family is known."""

    def __init__(self, run: ScriptRun, family: bytes | None) -> None:
        super().__init__(run, None, Timeout())
        self._family = FAMILIES.get(family or b"", 0)
        self._open = True
        if self._family:
            self._socket = open_socket(self._family, socket.SOCK_DGRAM)

    def _made(self, family: int = 0) -> socket.socket:
        if self._socket is None:
            if not self._open:
                raise NetworkError("closed")
            self._socket = open_socket(family or self._family or socket.AF_INET, socket.SOCK_DGRAM)
        return self._socket

    def _addresses(
        self, host: str | None, port: bytes, flags: int = 0
    ) -> list[tuple[int, tuple[object, ...]]]:
        family = self._family or (self._socket.family if self._socket is not None else 0)
        found = resolve(self._run, host, to_text(port), socket.SOCK_DGRAM, family, flags)
        return [(int(each), address) for each, address in found]

    def setsockname(self, host: bytes, port: bytes) -> Answer:
        """Take a local address; `*` is any."""
        try:
            name = None if host == b"*" else to_text(host)
            family, address = self._addresses(name, port, socket.AI_PASSIVE)[0]
            self._made(family).bind(address)
        except NetworkError as error:
            return None, error.text.encode()
        except OSError as error:
            return None, describe(error).encode()
        return 1, None

    def setpeername(self, host: bytes, port: bytes) -> Answer:
        """Set the peer that datagrams go to and come from; `*` for none."""
        try:
            if host == b"*":
                if self._socket is not None:
                    _forget_peer(self._socket)
                return 1, None
            family, address = self._addresses(to_text(host), port)[0]
            self._made(family).connect(address)
        except NetworkError as error:
            return None, error.text.encode()
        except OSError as error:
            return None, describe(error).encode()
        return 1, None

    def send(self, data: bytes) -> Answer:
        """Send a datagram to the peer."""
        return self._sent(data, None)

    def sendto(self, data: bytes, host: bytes, port: bytes) -> Answer:
        """Send a datagram to an address."""
        try:
            family, address = self._addresses(to_text(host), port)[0]
            self._made(family)
        except NetworkError as error:
            return None, error.text.encode()
        return self._sent(data, address)

    def _sent(self, data: bytes, address: tuple[object, ...] | None) -> Answer:
        self.timeout.begin()
        try:
            connection = self._made()
            while True:
                try:
                    count = connection.send(data) if address is None else connection.sendto(data, address)
                    return count, None
                except BlockingIOError:
                    self._await(connection, WRITE)
        except NetworkError as error:
            return None, error.text.encode()
        except OSError as error:
            return None, _refusal(error)

    def receivefrom(self, size: float) -> Answer:
        """Receive a datagram, cut to `size`; data, address and port, or nil and the error."""
        self.timeout.begin()
        try:
            connection = self._made()
            while True:
                try:
                    data, address = connection.recvfrom(int(size))
                    return data, *address_of(address, connection.family)[:2]
                except BlockingIOError:
                    self._await(connection, READ)
        except NetworkError as error:
            return None, error.text.encode()
        except OSError as error:
            return None, _refusal(error)

    def dirty(self) -> bool:
        """Return False: a datagram is read whole."""
        return False

    def setoption(self, name: bytes, value: Plain, seconds: float | None) -> Answer:
        """Set an option."""
        return set_option(self._made(), name, value, seconds)
