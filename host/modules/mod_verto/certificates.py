"""TLS of a profile: `secure-combined`, or `secure-cert`, `secure-key` and `secure-chain`."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.modules.mod_verto.settings import ProfileSettings

# FreeSWITCH's words and versions.
_CIPHERS: Final = "HIGH:!DSS:!aNULL@STRENGTH"


class CertificateError(Exception):
    """A profile has no certificate to listen with."""


def server_context(settings: ProfileSettings) -> ssl.SSLContext:
    """Return what the secure listeners of a profile are opened with; CertificateError in FreeSWITCH's words.

    FreeSWITCH: one file may hold the key, the certificate and its chain (`wss.pem`); a chain goes before the
    certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    context.set_ciphers(_CIPHERS)
    _load(context, settings)
    return context


def reload_certificate(context: ssl.SSLContext, settings: ProfileSettings) -> None:
    """Show the certificate that is there now to who connects from now on; CertificateError, and the former stays."""
    server_context(settings)  # what cannot be used must not be half taken
    _load(context, settings)


def _load(context: ssl.SSLContext, settings: ProfileSettings) -> None:
    certificate = settings.chain or settings.certificate
    for file, what in (
        (settings.chain or settings.certificate, "CHAIN" if settings.chain else "CERT"),
        (settings.certificate, "CERT"),
        (settings.key, "KEY"),
    ):
        if not file or not Path(file).is_file():
            raise CertificateError(f"SUPPLIED {what} FILE NOT FOUND")
    try:
        context.load_cert_chain(certificate, settings.key, password=lambda: "")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise CertificateError(f"CERT FILE ERROR ({error})") from error
