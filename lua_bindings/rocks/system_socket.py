"""The system's socket under each of LuaSocket's: its end, its time-outs and options, and what is told of it."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.crossing import Answer, Plain
from lua_bindings.rocks.network import NetworkError, Timeout, describe, wait_for

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
_FOREVER: Final = -1.0


def open_socket(family: int, kind: socket.SocketKind) -> socket.socket:
    """Return a new socket that does not block. Raises OSError."""
    made = socket.socket(family, kind)
    made.setblocking(False)
    return made


def address_of(name: tuple[object, ...], family: int) -> Answer:
    """Return address, port as text, and family as LuaSocket tells them."""
    return str(name[0]).encode(), str(name[1]).encode(), b"inet6" if family == socket.AF_INET6 else b"inet"


class SystemSocket:
    """A socket of the system's, None before it is made and once it is closed; a script's end closes it."""

    def __init__(self, run: ScriptRun, connection: socket.socket | None, timeout: Timeout) -> None:
        self._run = run
        self._socket = connection
        self.timeout = timeout
        run.resources.add(self)

    def getfd(self) -> int:
        """Return the file's number, -1 without one."""
        return -1 if self._socket is None else self._socket.fileno()

    def settimeout(self, seconds: float | None, total: bool) -> int:
        """Set the time-out of each wait, or of the whole call; without a number or with a negative one: none."""
        limit = None if seconds is None or seconds < 0 else float(seconds)
        if total:
            self.timeout.total = limit
        else:
            self.timeout.block = limit
        return 1

    def gettimeout(self) -> Answer:
        """Return both time-outs, -1 for none."""
        return tuple(
            _FOREVER if limit is None else limit for limit in (self.timeout.block, self.timeout.total)
        )

    def close(self) -> int:
        """Close the socket."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        return 1

    def release(self) -> None:
        """Close the socket at the script's end."""
        self.close()

    def __del__(self) -> None:
        connection = getattr(self, "_socket", None)
        if connection is not None:
            connection.close()

    def _await(self, connection: socket.socket, event: int) -> None:
        if not wait_for(self._run, {connection.fileno(): event}, self.timeout.deadline()):
            raise NetworkError("timeout")


class NamedSocket(SystemSocket):
    """A socket with addresses: the system's is made when its family (0: not known yet) is known."""

    _family: int
    _open: bool

    def close(self) -> int:
        self._open = False
        return super().close()

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
