"""Keys for SRTP agreed on by DTLS over the port of the sound itself (RFC 5764).

Sans-IO: datagrams go in, datagrams and at last the keys come out. pyOpenSSL speaks the protocol.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

from media.dtls_certificate import fingerprint
from media.dtls_error import DtlsError
from media.srtp_keys import SUITES, InlineKey, SrtpKeys
from media.webrtc_parameters import DtlsParameters, Fingerprint

# RFC 5764 section 4.1.2 and RFC 7714 section 14.2, the best first: OpenSSL's name of a profile, and SDP's of its suite.
PROFILES: Final = {
    "SRTP_AEAD_AES_256_GCM": "AEAD_AES_256_GCM",
    "SRTP_AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
    "SRTP_AES128_CM_SHA1_80": "AES_CM_128_HMAC_SHA1_80",
}
# Datagrams that pass every usual network, tunnels included.
MTU: Final = 1200
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
# type, version, epoch, sequence number, length (RFC 6347 section 4.1)
_RECORD_HEADER: Final = 13
# OpenSSL doubles its waits from 1 s on; a far end that has not answered after these is gone.
MAX_TIMEOUTS: Final = 6
_BUFFER: Final = 0x10000
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"


def is_dtls(datagram: bytes) -> bool:
    """Whether a datagram that shares a port with RTP and STUN is DTLS's (RFC 7983)."""
    return len(datagram) >= _RECORD_HEADER and 20 <= datagram[0] < 64


class DtlsHandshake:
    """One association. `keys` are there once it stands; then `finished` is true.

    `receive`, `start` and `tick` return the datagrams to be sent, and raise DtlsError when all is over.
    """

    def __init__(self, parameters: DtlsParameters) -> None:
        """DtlsError without the library, and for a certificate that OpenSSL does not take."""
        self._ssl = ssl = _library()
        self._parameters = parameters
        self.keys: SrtpKeys | None = None
        self.started = False
        self._timeouts = 0
        self._connection = ssl.Connection(_context(ssl, parameters), None)
        self._connection.set_ciphertext_mtu(MTU)
        if parameters.active:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    @property
    def finished(self) -> bool:
        return self.keys is not None

    def start(self) -> list[bytes]:
        """Send the first message, where that is this side's part."""
        self.started = True
        return self._go_on() if self._parameters.active else []

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take a datagram: of the handshake, or of its end or repetition once it stands."""
        self.started = True
        ssl = self._ssl
        try:
            self._connection.bio_write(datagram)
        except ssl.Error as error:
            raise _failure(error) from None
        if not self.finished:
            return self._go_on()
        try:
            self._connection.recv(_BUFFER)
        except ssl.WantReadError:
            pass  # a repeated last flight is answered by OpenSSL itself
        except ssl.ZeroReturnError:
            raise DtlsError("the far end has closed the association") from None
        except ssl.Error as error:
            raise _failure(error) from None
        return self._outgoing()

    def tick(self) -> list[bytes]:
        """Repeat what was not answered in time; to be called some times a second while the handshake goes on."""
        if not self.started or self.finished:
            return []
        try:
            if not self._connection.DTLSv1_handle_timeout():
                return []
        except self._ssl.Error as error:
            raise _failure(error) from None
        self._timeouts += 1
        if self._timeouts > MAX_TIMEOUTS:
            raise DtlsError("the far end does not answer")
        return self._outgoing()

    def _go_on(self) -> list[bytes]:
        ssl = self._ssl
        try:
            self._connection.do_handshake()
        except ssl.WantReadError:
            return self._outgoing()
        except ssl.Error as error:
            raise _failure(error) from None
        self._check_certificate()
        self.keys = self._exported()
        return self._outgoing()

    def _check_certificate(self) -> None:
        """RFC 8122 section 5: the certificate must be one that was told; by its best digest that is known here."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            raise DtlsError("the far end shows no certificate")
        told = [one for one in self._parameters.remote if _is_known(one)]
        best = max((one.algorithm.lower() for one in told), key=lambda name: int(name[4:]), default=None)
        if best is None or not any(
            one.value.upper() == fingerprint(certificate, best).value
            for one in told
            if one.algorithm.lower() == best
        ):
            raise DtlsError("the far end's certificate is not the one that was told")

    def _exported(self) -> SrtpKeys:
        """RFC 5764 section 4.2: both keys, then both salts, the client's first."""
        profile = self._connection.get_selected_srtp_profile().decode()
        suite = PROFILES.get(profile)
        if suite is None:
            raise DtlsError("the far end takes no SRTP profile")
        key, salt = SUITES[suite]
        material = self._connection.export_keying_material(_EXPORTER, 2 * (key + salt))
        client = InlineKey(material[:key] + material[2 * key : 2 * key + salt])
        server = InlineKey(material[key : 2 * key] + material[2 * key + salt :])
        local, remote = (client, server) if self._parameters.active else (server, client)
        return SrtpKeys(suite, local, remote)

    def _outgoing(self) -> list[bytes]:
        try:
            return datagrams_of(self._connection.bio_read(_BUFFER))
        except self._ssl.WantReadError:
            return []


def datagrams_of(records: bytes) -> list[bytes]:
    """Records one after another, put into as few datagrams of MTU bytes as hold whole ones."""
    datagrams: list[bytes] = []
    current = b""
    position = 0
    while position + _RECORD_HEADER <= len(records):
        end = position + _RECORD_HEADER + int.from_bytes(records[position + 11 : position + 13])
        record = records[position:end]
        if current and len(current) + len(record) > MTU:
            datagrams.append(current)
            current = b""
        current += record
        position = end
    return [*datagrams, current] if current else datagrams


def _library() -> ModuleType:
    try:
        from OpenSSL import SSL
    except ImportError as error:
        raise DtlsError("WebRTC needs the extra moonline[webrtc]") from error
    return SSL


def _context(ssl: ModuleType, parameters: DtlsParameters) -> object:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    context = ssl.Context(ssl.DTLS_METHOD)
    context.set_options(ssl.OP_NO_TICKET)
    context.set_cipher_list(_CIPHERS)
    # Certificates are self-signed: the fingerprint decides.
    context.set_verify(ssl.VERIFY_PEER | ssl.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    try:
        context.use_certificate(x509.load_pem_x509_certificate(parameters.certificate.certificate.encode()))
        context.use_privatekey(load_pem_private_key(parameters.certificate.private_key.encode(), None))
        context.check_privatekey()
    except (ValueError, TypeError, ssl.Error) as error:
        raise DtlsError(f"the certificate cannot be used: {error}") from None
    context.set_tlsext_use_srtp(":".join(PROFILES).encode())
    return context


def _is_known(told: Fingerprint) -> bool:
    return told.algorithm.lower() in ("sha-1", "sha-224", "sha-256", "sha-384", "sha-512")


def _failure(error: Exception) -> DtlsError:
    reasons = (
        [reason for *_, reason in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    )
    return DtlsError(", ".join(str(reason) for reason in reasons if reason) or type(error).__name__)
