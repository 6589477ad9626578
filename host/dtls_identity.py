"""Who a switch is in DTLS: the certificate of `certs_dir`, or one of its own that lives as long as it does."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from host.log import LogLevel
from media.dtls_error import DtlsError
from media.webrtc_parameters import Certificate, Fingerprint

if TYPE_CHECKING:
    from host.clock import Clock

# Whether the libraries that DTLS, its certificates, ICE and SRTP need are there: the extra `webrtc`.
AVAILABLE: Final = all(find_spec(name) is not None for name in ("OpenSSL", "aioice", "pylibsrtp"))
# FreeSWITCH: certificate and key in one file.
FILE: Final = "dtls-srtp.pem"


class Identity(NamedTuple):
    """A certificate and what descriptions tell of it."""

    certificate: Certificate
    fingerprint: Fingerprint


class DtlsIdentity:
    """Finds the certificate when it is first asked for, since libraries for it load slowly.

    Who expects browsers asks before one calls.
    """

    def __init__(
        self, folder: Callable[[], str | None], clock: Clock, log: Callable[[LogLevel, str], object]
    ) -> None:
        """`folder()` is FreeSWITCH's `certs_dir`."""
        self._folder = folder
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._identity: Identity | None = None

    def get(self) -> Identity | None:
        """Return who this switch is; None where DTLS cannot be spoken, for want of libraries."""
        if not AVAILABLE:
            return None
        with self._lock:
            if self._identity is None:
                self._identity = self._find()
            return self._identity

    @property
    def loaded(self) -> bool:
        """Whether `get` has only to return it."""
        return self._identity is not None

    def _find(self) -> Identity:
        from media.dtls_certificate import fingerprint_of, new_certificate, read_certificate

        certificate = None
        file = Path(self._folder() or ".") / FILE
        if file.is_file():
            try:
                certificate = read_certificate(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, DtlsError) as error:
                self._log(LogLevel.ERR, f"{file} is not used for DTLS: {error}")
        if certificate is None:
            now = datetime.datetime.fromtimestamp(self._clock.time() / 1_000_000, datetime.UTC)
            certificate = new_certificate("moonline", now)
        return Identity(certificate, fingerprint_of(certificate))
