"""TCP sockets of the rock socket: one object that is a master first, then a client or a server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from host.byte_text import to_text
from lua_bindings.rocks.byte_stream import ByteStream
from lua_bindings.rocks.crossing import Answer, Made, Plain
from lua_bindings.rocks.network import READ, WRITE, Address, NetworkError, Timeout, describe, resolve
from lua_bindings.rocks.system_socket import FAMILIES, NamedSocket, open_socket, set_option

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class Tcp(NamedSocket, ByteStream):
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

    # -- connecting ----------------------------------------------------------------------------------------------

    def connect(self, host: bytes, port: bytes) -> Answer:
        """Connect to the first address that answers."""
        self.timeout.begin()
        try:
            addresses = resolve(self._run, to_text(host), to_text(port), socket.SOCK_STREAM, self._family)
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
            pass  # it is on its way, and waited for by the switch's clock
        self._await(connection, WRITE)
        number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, "")

    def bind(self, host: bytes, port: bytes) -> Answer:
        """Take a local address; `*` is any."""
        wanted = None if host == b"*" else to_text(host)
        try:
            addresses = resolve(
                self._run, wanted, to_text(port), socket.SOCK_STREAM, self._family, socket.AI_PASSIVE
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
                pass  # nobody waits yet
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

    def setoption(self, name: bytes, value: Plain, seconds: float | None) -> Answer:
        """Set an option; `linger` takes on or off and seconds."""
        if self._socket is None:
            self._socket = open_socket(self._family or socket.AF_INET, socket.SOCK_STREAM)
        return set_option(self._socket, name, value, seconds)
