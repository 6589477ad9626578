"""The certificate that a host shows in DTLS, and its fingerprint, which is all that far ends know it by."""

from __future__ import annotations

import datetime
from types import ModuleType
from typing import Final

from media.dtls_error import DtlsError
from media.webrtc_parameters import Certificate, Fingerprint

# RFC 8122 section 5: digests by which a far end may name its certificate, as the library calls them.
_DIGESTS: Final = {
    "sha-1": "SHA1",
    "sha-224": "SHA224",
    "sha-256": "SHA256",
    "sha-384": "SHA384",
    "sha-512": "SHA512",
}
_LIFE: Final = datetime.timedelta(days=365)
_CLOCKS_APART: Final = datetime.timedelta(days=1)


def _library() -> ModuleType:
    try:
        from cryptography import x509
    except ImportError as error:
        raise DtlsError("WebRTC needs the extra moonline[webrtc]") from error
    return x509


def new_certificate(name: str, now: datetime.datetime) -> Certificate:
    """A self-signed certificate with a new key on the curve P-256, good for a year; DtlsError without the library."""
    x509 = _library()
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)
        .not_valid_after(now + _LIFE)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def read_certificate(pem: str) -> Certificate:
    """The certificate and key of a file that holds both, as FreeSWITCH's `dtls-srtp.pem` does.

    DtlsError where one is missing, cannot be read, or belongs to another.
    """
    x509 = _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = load_pem_private_key(pem.encode(), None)
        fits = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DtlsError(f"no certificate and key: {error}") from None
    if not fits:
        raise DtlsError("the key is not that of the certificate")
    return Certificate(pem, pem)


def fingerprint_of(certificate: Certificate, algorithm: str = "sha-256") -> Fingerprint:
    """What a description tells of a certificate. DtlsError for an algorithm that RFC 8122 does not have."""
    x509 = _library()
    return fingerprint(x509.load_pem_x509_certificate(certificate.certificate.encode()), algorithm)


def fingerprint(certificate: object, algorithm: str) -> Fingerprint:
    """The same of a certificate as the library has it (`cryptography.x509.Certificate`)."""
    x509 = _library()
    from cryptography.hazmat.primitives import hashes

    if algorithm.lower() not in _DIGESTS:
        raise DtlsError(f"the digest {algorithm} is not known")
    assert isinstance(certificate, x509.Certificate)
    digest = certificate.fingerprint(getattr(hashes, _DIGESTS[algorithm.lower()])())
    return Fingerprint(algorithm.lower(), ":".join(f"{byte:02X}" for byte in digest))
