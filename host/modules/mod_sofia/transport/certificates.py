"""The certificates of a profile: those in `tls-cert-dir`, and one of our own where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_sofia.transport.tls_server import TlsSettings, TlsSettingsError

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_address import LogFunction
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

# FreeSWITCH: what a certificate says that it made itself, and how many days it is good for.
_SUBJECT: Final = "/C=US/CN=FreeSWITCH"
_DAYS: Final = "36500"
_KEY: Final = "rsa:4096"


def tls_settings(settings: ProfileSettings, log: LogFunction) -> TlsSettings | None:
    """Return what TLS and WSS of a profile are opened with, None for a profile without; may block.

    FreeSWITCH: where the certificates are missing it makes its own, signed by itself: `tls.pem`, and `wss.pem` for
    WSS. TlsSettingsError when that cannot be done.
    """
    folder = Path(settings.tls_cert_dir)
    if settings.tls and not all((folder / name).is_file() for name in ("agent.pem", "cafile.pem")):
        _make(folder / "tls.pem", "agent.pem and cafile.pem", log)
    if settings.wss_binding is not None and not all(
        (folder / name).is_file() for name in ("wss.crt", "wss.key")
    ):
        _make(folder / "wss.pem", "wss.crt and wss.key", log)
    if not settings.tls and settings.wss_binding is None:
        return None
    return TlsSettings(
        cert_dir=settings.tls_cert_dir,
        passphrase=settings.tls_passphrase,
        versions=settings.tls_versions,
        ciphers=settings.tls_ciphers,
        verify_policy=settings.tls_verify_policy,
        verify_depth=settings.tls_verify_depth,
        verify_date=settings.tls_verify_date,
        verify_in_subjects=settings.tls_verify_in_subjects,
    )


def _make(file: Path, instead_of: str, log: LogFunction) -> None:
    """Make a key and a certificate in one file that only its owner reads, unless it is there."""
    if file.is_file():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", _KEY, "-nodes", "-days", _DAYS, "-subj", _SUBJECT,
             "-keyout", "-", "-out", "-"],
            stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )  # fmt: skip
        part = file.with_name(f".{file.name}.{os.getpid()}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(made.stdout)
        part.replace(file)
    except FileNotFoundError as error:
        raise TlsSettingsError(
            f"{file.parent} has no {instead_of}, and there is no openssl program to make {file.name} with"
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise TlsSettingsError(f"cannot make {file}: {error}") from error
    log(LogLevel.NOTICE, f"{file.parent} has no {instead_of}: made {file.name}, signed by itself")
