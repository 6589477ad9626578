"""UDP sockets of the rock socket."""

from __future__ import annotations

import ctypes
import socket
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.byte_stream import Answer
from lua_bindings.rocks.crossing import Plain
from lua_bindings.rocks.network import READ, WRITE, NetworkError, Timeout, describe, resolve, wait_for
from lua_bindings.rocks.tcp import FAMILIES, address_of, get_option, open_socket, set_option

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


# What `connect` takes to forget a peer (udp(7)): an address of no family, 16 octets long.
_NO_ADDRESS: Final = bytes(16)


def _forget_peer(connection: socket.socket) -> None:
    """Undo `connect`, which Python's own cannot."""
    if ctypes.CDLL(None, use_errno=True).connect(connection.fileno(), _NO_ADDRESS, len(_NO_ADDRESS)) < 0:
        raise OSError(ctypes.get_errno(), "")


class Udp:
    """A UDP socket, with or without a peer; the system's socket is made when its family is known."""

    def __init__(self, run: ScriptRun, family: bytes | None) -> None:
        self._run = run
        self._family = FAMILIES.get(family or b"", 0)
        self._socket: socket.socket | None = None
        self._open = True
        self.timeout = Timeout()
        run.resources.add(self)
        if self._family:
            self._socket = open_socket(self._family, socket.SOCK_DGRAM)

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Close the socket at the script's end."""
        self.close()

    def close(self) -> int:
        """Close the socket."""
        self._open = False
        connection = getattr(self, "_socket", None)
        self._socket = None
        if connection is not None:
            connection.close()
        return 1

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
        found = resolve(
            self._run, host, port.decode("utf-8", "surrogateescape"), socket.SOCK_DGRAM, family, flags
        )
        return [(int(each), address) for each, address in found]

    def setsockname(self, host: bytes, port: bytes) -> Answer:
        """Take a local address; `*` is any."""
        try:
            name = None if host == b"*" else host.decode("utf-8", "surrogateescape")
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
            family, address = self._addresses(host.decode("utf-8", "surrogateescape"), port)[0]
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
            family, address = self._addresses(host.decode("utf-8", "surrogateescape"), port)[0]
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
            text = describe(error)
            return None, b"refused" if text in ("connection refused", "closed") else text.encode()

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
            text = describe(error)
            return None, b"refused" if text in ("connection refused", "closed") else text.encode()

    def _await(self, connection: socket.socket, event: int) -> None:
        if not wait_for(self._run, {connection.fileno(): event}, self.timeout.deadline()):
            raise NetworkError("timeout")

    def getsockname(self) -> Answer:
        """Return the local address, port and family."""
        if self._socket is None:
            return (b"0.0.0.0", b"0", b"inet") if self._open else (None, b"Bad file descriptor")
        return address_of(self._socket.getsockname(), self._socket.family)

    def getpeername(self) -> Answer:
        """Return the peer's address, port and family."""
        try:
            if self._socket is None:
                return None, b"Bad file descriptor"
            return address_of(self._socket.getpeername(), self._socket.family)
        except OSError as error:
            return None, describe(error).encode()

    def getfamily(self) -> bytes:
        """Return `inet4`, `inet6` or `unspec`."""
        family = self._socket.family if self._socket is not None else self._family
        return b"inet6" if family == socket.AF_INET6 else b"inet4" if family else b"unspec"

    def getfd(self) -> int:
        """Return the file's number, -1 without one."""
        return -1 if self._socket is None else self._socket.fileno()

    def dirty(self) -> bool:
        """Return False: a datagram is read whole."""
        return False

    def settimeout(self, seconds: float | None, total: bool) -> int:
        """Set the time-out; without a number or with a negative one: none."""
        limit = None if seconds is None or seconds < 0 else float(seconds)
        if total:
            self.timeout.total = limit
        else:
            self.timeout.block = limit
        return 1

    def gettimeout(self) -> Answer:
        """Return both time-outs, -1 for none."""
        return tuple(-1.0 if limit is None else limit for limit in (self.timeout.block, self.timeout.total))

    def setoption(self, name: bytes, value: Plain, seconds: float | None) -> Answer:
        """Set an option."""
        return set_option(self._made(), name, value, seconds)

    def getoption(self, name: bytes) -> Answer:
        """Return an option's value."""
        return (None, b"closed") if self._socket is None else get_option(self._socket, name)
