"""TCP sockets of the rock socket: one object that is a master first, then a client or a server."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.byte_stream import Answer, ByteStream
from lua_bindings.rocks.crossing import Made, Plain
from lua_bindings.rocks.network import READ, WRITE, Address, NetworkError, Timeout, describe, resolve

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

FAMILIES: Final = {b"inet": socket.AF_INET, b"inet4": socket.AF_INET, b"inet6": socket.AF_INET6}

BOOLEAN_OPTIONS: Final = {
    b"keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    b"reuseaddr": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    b"reuseport": (socket.SOL_SOCKET, socket.SO_REUSEPORT),
    b"dontroute": (socket.SOL_SOCKET, socket.SO_DONTROUTE),
    b"broadcast": (socket.SOL_SOCKET, socket.SO_BROADCAST),
    b"tcp-nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    b"ipv6-v6only": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}
NUMBER_OPTIONS: Final = {
    b"recv-buffer-size": (socket.SOL_SOCKET, socket.SO_RCVBUF),
    b"send-buffer-size": (socket.SOL_SOCKET, socket.SO_SNDBUF),
    b"tcp-keepidle": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    b"tcp-keepcnt": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    b"tcp-keepintvl": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
}
_LINGER: Final = struct.Struct("ii")


def open_socket(family: int, kind: socket.SocketKind) -> socket.socket:
    """Return a new socket that does not block. Raises OSError."""
    made = socket.socket(family, kind)
    made.setblocking(False)
    return made


def address_of(name: tuple[object, ...], family: int) -> Answer:
    """Return address, port as text, and family as LuaSocket tells them."""
    return str(name[0]).encode(), str(name[1]).encode(), b"inet6" if family == socket.AF_INET6 else b"inet"


class Tcp(ByteStream):
    """A TCP socket; the system's socket is made when its family is known."""

    def __init__(self, run: ScriptRun, family: bytes | None, connection: socket.socket | None = None) -> None:
        super().__init__(run, connection, Timeout())
        self._family = FAMILIES.get(family or b"", 0)
        self._open = True
        if family is not None and connection is None:
            self._socket = open_socket(self._family, socket.SOCK_STREAM)

    def detach(self) -> socket.socket | None:
        """Hand the system's socket over to an encrypted connection."""
        connection, self._socket = self._socket, None
        return connection

    def close(self) -> int:
        self._open = False
        return super().close()

    # -- connecting ----------------------------------------------------------------------------------------------

    def connect(self, host: bytes, port: bytes) -> Answer:
        """Connect to the first address that answers."""
        self.timeout.begin()
        try:
            addresses = resolve(self._run, _name(host), _service(port), socket.SOCK_STREAM, self._family)
            self._connect_one(addresses)
        except NetworkError as error:
            return None, error.text.encode()
        return 1, None

    def _connect_one(self, addresses: list[Address]) -> None:
        failure = NetworkError("host or service not provided, or not known")
        for family, address in addresses:
            try:
                if self._socket is None or (self._family == 0 and self._socket.family != family):
                    if not self._open:
                        raise NetworkError("closed")
                    if self._socket is not None:
                        self._socket.close()
                    self._socket = open_socket(family, socket.SOCK_STREAM)
                self._establish(self._socket, address)
                return
            except NetworkError as error:
                failure = error
                if error.text == "timeout":
                    break
            except OSError as error:
                failure = NetworkError(describe(error))
        raise failure

    def _establish(self, connection: socket.socket, address: tuple[object, ...]) -> None:
        try:
            connection.connect(address)
            return
        except BlockingIOError:
            pass
        self._await(connection, WRITE)
        number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, "")

    def bind(self, host: bytes, port: bytes) -> Answer:
        """Take a local address; `*` is any."""
        wanted = None if host == b"*" else _name(host)
        try:
            addresses = resolve(
                self._run, wanted, _service(port), socket.SOCK_STREAM, self._family, socket.AI_PASSIVE
            )
        except NetworkError as error:
            return None, error.text.encode()
        failure = b"host or service not provided, or not known"
        for family, address in addresses:
            try:
                if self._socket is None:
                    self._socket = open_socket(family, socket.SOCK_STREAM)
                self._socket.bind(address)
                return 1, None
            except OSError as error:
                failure = describe(error).encode()
        return None, failure

    def listen(self, backlog: float) -> Answer:
        """Wait for callers; the script makes this a server."""
        try:
            if self._socket is None:
                self._socket = open_socket(self._family or socket.AF_INET, socket.SOCK_STREAM)
            self._socket.listen(int(backlog))
        except OSError as error:
            return None, describe(error).encode()
        return 1, None

    def accept(self) -> Answer | Made:
        """Return a new client, or nil and the error."""
        if self._socket is None:
            return None, b"closed"
        self.timeout.begin()
        while True:
            try:
                connection, _ = self._socket.accept()
                connection.setblocking(False)
                return Made(b"tcp{client}", Tcp(self._run, None, connection))
            except BlockingIOError:
                pass
            except OSError as error:
                return None, describe(error).encode()
            try:
                self._await(self._socket, READ)
            except NetworkError as error:
                return None, error.text.encode()

    def shutdown(self, how: bytes) -> Answer:
        """Shut the connection down, one way or `both`."""
        ways = {b"both": socket.SHUT_RDWR, b"send": socket.SHUT_WR, b"receive": socket.SHUT_RD}
        try:
            if self._socket is not None:
                self._socket.shutdown(ways[how])
        except OSError:
            pass  # LuaSocket tells of no failure here
        return 1, None

    # -- octets --------------------------------------------------------------------------------------------------

    def _take(self, size: int) -> bytes:
        assert self._socket is not None
        while True:
            try:
                return self._socket.recv(size)
            except BlockingIOError:
                self._await(self._socket, READ)
            except OSError as error:
                raise NetworkError(describe(error)) from None

    def _give(self, data: memoryview) -> int:
        assert self._socket is not None
        while True:
            try:
                return self._socket.send(data)
            except BlockingIOError:
                self._await(self._socket, WRITE)
            except OSError as error:
                raise NetworkError(describe(error)) from None

    # -- facts ---------------------------------------------------------------------------------------------------

    def getsockname(self) -> Answer:
        """Return the local address, port and family."""
        if self._socket is None:
            return (None, b"Bad file descriptor") if not self._open else (b"0.0.0.0", b"0", b"inet")
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

    def setoption(self, name: bytes, value: Plain, seconds: float | None) -> Answer:
        """Set an option; `linger` takes on or off and seconds."""
        if self._socket is None:
            self._socket = open_socket(self._family or socket.AF_INET, socket.SOCK_STREAM)
        return set_option(self._socket, name, value, seconds)

    def getoption(self, name: bytes) -> Answer:
        """Return an option's value."""
        return (None, b"closed") if self._socket is None else get_option(self._socket, name)


def set_option(connection: socket.socket, name: bytes, value: Plain, seconds: float | None) -> Answer:
    """Set a socket's option by LuaSocket's name; 1, or nil and the error."""
    try:
        if name == b"linger":
            packed = _LINGER.pack(bool(value), int(seconds or 0))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, packed)
        else:
            level, option = BOOLEAN_OPTIONS.get(name) or NUMBER_OPTIONS[name]
            assert isinstance(value, int | float)
            connection.setsockopt(level, option, int(value))
    except OSError:
        return None, b"setsockopt failed"
    return 1, None


def get_option(connection: socket.socket, name: bytes) -> Answer:
    """Return a socket's option by LuaSocket's name: a boolean, a number, for `linger` on or off and seconds."""
    try:
        if name == b"linger":
            on, seconds = _LINGER.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size)
            )
            return bool(on), seconds
        if name == b"error":
            number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            return (describe(OSError(number, "")).encode() if number else None), None
        if name in BOOLEAN_OPTIONS:
            return bool(connection.getsockopt(*BOOLEAN_OPTIONS[name])), None
        return connection.getsockopt(*NUMBER_OPTIONS[name]), None
    except OSError:
        return None, b"getsockopt failed"


def _name(host: bytes) -> str:
    return host.decode("utf-8", "surrogateescape")


def _service(port: bytes) -> str:
    return port.decode("utf-8", "surrogateescape")
