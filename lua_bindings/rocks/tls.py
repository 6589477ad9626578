"""TLS for the rock ssl (LuaSec): contexts, and connections that take over a TCP socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.byte_stream import ByteStream
from lua_bindings.rocks.crossing import Answer, Made, crossings
from lua_bindings.rocks.network import READ, WRITE, NetworkError, Timeout, describe
from lua_bindings.rocks.tcp import Tcp

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# LuaSec's names; those without a version take the newest that both ends know.
_ANY: Final = frozenset({b"any", b"sslv23", b"tls"})
_VERSIONS: Final = {
    b"tlsv1": ssl.TLSVersion.TLSv1,
    b"tlsv1_1": ssl.TLSVersion.TLSv1_1,
    b"tlsv1_2": ssl.TLSVersion.TLSv1_2,
    b"tlsv1_3": ssl.TLSVersion.TLSv1_3,
}
_METHODS: Final = (
    "close dirty dohandshake getfd getstats gettimeout info peer receive send setstats settimeout sni want"
)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        if isinstance(error, ssl.SSLCertVerificationError):
            return "certificate verify failed"
        return (error.reason or "ssl error").replace("_", " ").lower()
    return describe(error) if isinstance(error, OSError) else str(error)


class Context:
    """A context: what a connection is to be like."""

    def __init__(self, context: ssl.SSLContext, server: bool) -> None:
        self.context = context
        self.server = server


class Tls(ByteStream):
    """An encrypted connection."""

    def __init__(self, run: ScriptRun, plain: socket.socket, context: Context, timeout: Timeout) -> None:
        super().__init__(run, plain, timeout)
        self._plain: socket.socket | None = plain
        self._context = context
        self._name: str | None = None
        self._want = b"nothing"

    def _secured(self) -> ssl.SSLSocket:
        connection = self._socket
        if connection is None:
            raise NetworkError("closed")
        if isinstance(connection, ssl.SSLSocket):
            return connection
        secured = self._context.context.wrap_socket(
            connection,
            server_side=self._context.server,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=True,
            server_hostname=self._name,
        )
        self._socket = secured
        return secured

    def _retry(self, work: Callable[[ssl.SSLSocket], bytes | int | None]) -> bytes | int | None:
        while True:
            connection = self._secured()
            try:
                done = work(connection)
                self._want = b"nothing"
                return done
            except ssl.SSLWantReadError:
                event, self._want = READ, b"read"
            except ssl.SSLWantWriteError:
                event, self._want = WRITE, b"write"
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise NetworkError("closed") from None
            except OSError as error:
                raise NetworkError(_reason(error)) from None
            try:
                self._await(connection, event)
            except NetworkError as error:
                if self.timeout.block == 0:  # LuaSec tells a script that polls what to wait for
                    raise NetworkError("want" + self._want.decode()) from None
                raise error

    def dohandshake(self) -> Answer:
        """Shake hands; True, or False and the error."""
        self.timeout.begin()
        try:
            self._retry(lambda connection: connection.do_handshake())
        except NetworkError as error:
            return False, error.text.encode()
        return True, None

    def _take(self, size: int) -> bytes:
        taken = self._retry(lambda connection: connection.recv(size))
        assert isinstance(taken, bytes)
        return taken

    def _give(self, data: memoryview) -> int:
        given = self._retry(lambda connection: connection.send(data))
        assert isinstance(given, int)
        return given

    def dirty(self) -> bool:
        connection = self._socket
        return super().dirty() or (isinstance(connection, ssl.SSLSocket) and connection.pending() > 0)

    def sni(self, name: bytes) -> None:
        """Set the server's name that the handshake tells."""
        self._name = name.decode("utf-8", "replace")

    def want(self) -> bytes:
        """Return what the last call waited for: `read`, `write` or `nothing`."""
        return self._want

    def info(self) -> Answer:
        """Return protocol, cipher and its bits; nothing before the handshake."""
        connection = self._socket
        cipher = connection.cipher() if isinstance(connection, ssl.SSLSocket) else None
        if cipher is None or not isinstance(connection, ssl.SSLSocket):
            return (None,)
        return (connection.version() or "").encode(), cipher[0].encode(), cipher[2]

    def peer(self) -> bytes | None:
        """Return the peer's certificate as PEM."""
        connection = self._socket
        der = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
        return ssl.DER_cert_to_PEM_cert(der).encode() if der else None


def _file(name: bytes | None) -> str | None:
    return None if name is None else name.decode("utf-8", "surrogateescape")


def new_context(  # one argument for each of LuaSec's parameters that count
    mode: bytes,
    protocol: bytes,
    verify: bytes,
    cafile: bytes | None = None,
    capath: bytes | None = None,
    certificate: bytes | None = None,
    key: bytes | None = None,
    password: bytes | None = None,
    ciphers: bytes | None = None,
    alpn: bytes | None = None,
) -> Answer | Made:
    """Return a context, or nil and the error. `verify` and `alpn` are lists with commas between."""
    if protocol not in _ANY and protocol not in _VERSIONS:
        return None, b"invalid protocol (%s)" % protocol
    server = mode == b"server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # LuaSec compares no names
    wanted = verify.split(b",")
    if b"peer" not in wanted:
        context.verify_mode = ssl.CERT_NONE
    elif not server or b"fail_if_no_peer_cert" in wanted:
        context.verify_mode = ssl.CERT_REQUIRED
    else:
        context.verify_mode = ssl.CERT_OPTIONAL
    if protocol in _VERSIONS:
        context.minimum_version = context.maximum_version = _VERSIONS[protocol]
    if cafile is not None or capath is not None:
        try:
            context.load_verify_locations(_file(cafile), _file(capath))
        except OSError as error:
            return None, b"error loading CA locations (%s)" % _reason(error).encode()
    if certificate is not None:
        try:
            context.load_cert_chain(_file(certificate) or "", _file(key), _file(password))
        except OSError as error:
            return None, b"error loading certificate (%s)" % _reason(error).encode()
    if ciphers is not None:
        try:
            context.set_ciphers(ciphers.decode("ascii", "replace"))
        except ssl.SSLError as error:
            return None, b"error setting cipher list (%s)" % _reason(error).encode()
    if alpn:
        context.set_alpn_protocols(alpn.decode("ascii", "replace").split(","))
    return Made(b"SSL context", Context(context, server))


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions."""

    def wrap(connection: Tcp, context: Context) -> Answer | Made:
        plain = connection.detach()
        if plain is None:
            return None, b"closed"
        return Made(b"SSL connection", Tls(run, plain, context, connection.timeout))

    implementations: dict[str, Callable[..., object]] = {"newcontext": new_context, "wrap": wrap}
    for name in _METHODS.split():
        implementations[name] = getattr(Tls, name)
    return crossings(run, "ssl", implementations)
