"""SIP over TLS: certificates by FreeSWITCH's names, and the profile's word on whose are good."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.modules.mod_sofia.transport.listener import Listener, OnData
from host.modules.mod_sofia.transport.stack import SipStack
from host.modules.mod_sofia.transport.stream_connection import Layers, StreamConnection
from host.modules.mod_sofia.transport.stream_framing import StreamFraming
from host.modules.mod_sofia.transport.stream_server import ConnectionCount, StreamLimits, StreamServer
from host.modules.mod_sofia.transport.tls_layer import TlsLayer

_VERSIONS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}


class TlsSettingsError(ValueError):
    """The certificates or the settings of TLS cannot be used; the text tells which and why."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What a profile says of TLS (FreeSWITCH: `tls-*`).

    `cert_dir` holds `agent.pem` (certificate, chain and key) and `cafile.pem`, or `tls.pem` in place of both; for WSS
    `wss.crt` and `wss.key`, or `wss.pem`. `verify_policy` is any of `in`, `out`, `subjects_in`, `subjects_out`;
    `verify_depth` counts the authorities between a certificate and a trusted one.
    """

    cert_dir: str
    passphrase: str = ""
    versions: tuple[str, ...] = tuple(_VERSIONS)
    ciphers: str = ""
    verify_policy: frozenset[str] = frozenset()
    verify_depth: int = 2
    verify_date: bool = True
    verify_in_subjects: tuple[str, ...] = ()


# OpenSSL's flag X509_V_FLAG_NO_CHECK_TIME, which `ssl.VerifyFlags` does not name.
_NO_CHECK_TIME: Final = 0x200000


def server_context(settings: TlsSettings, *, websocket: bool = False) -> ssl.SSLContext:
    """Return the context of the end that is connected to. TlsSettingsError when the files or values are no good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _configure(context, settings, websocket=websocket, verify=not websocket and "in" in _policy(settings))
    return context


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context of the end that connects. TlsSettingsError when the files or values are no good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    _configure(context, settings, websocket=False, verify="out" in _policy(settings))
    return context


def _policy(settings: TlsSettings) -> frozenset[str]:
    """Return the directions in which certificates are verified; checking subjects means verifying."""
    return frozenset(word.removeprefix("subjects_") for word in settings.verify_policy)


def _configure(context: ssl.SSLContext, settings: TlsSettings, *, websocket: bool, verify: bool) -> None:
    certificate, key, authorities = _files(Path(settings.cert_dir), websocket)
    try:
        context.load_cert_chain(certificate, key, password=lambda: settings.passphrase)
        if authorities is not None:
            context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsSettingsError(f"cannot use {certificate}: {error}") from error
    versions = [_VERSIONS[version] for version in settings.versions if version in _VERSIONS]
    if versions:
        with warnings.catch_warnings():  # old versions are the administrator's choice
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = min(versions), max(versions)
    if settings.ciphers:
        try:
            context.set_ciphers(settings.ciphers)
        except ssl.SSLError as error:
            raise TlsSettingsError(f"cannot use the ciphers {settings.ciphers}: {error}") from error
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if not settings.verify_date:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)


def _files(folder: Path, websocket: bool) -> tuple[Path, Path, Path | None]:
    """Return the files of the certificate, of its key and of the authorities."""
    if websocket:
        pair = folder / "wss.crt", folder / "wss.key"
        if all(file.is_file() for file in pair):
            return (*pair, None)
        whole = folder / "wss.pem"
    else:
        whole, authorities = folder / "agent.pem", folder / "cafile.pem"
        if whole.is_file() and authorities.is_file():
            return whole, whole, authorities
        whole = folder / "tls.pem"
    if not whole.is_file():
        wanted = "wss.crt and wss.key, or wss.pem" if websocket else "agent.pem and cafile.pem, or tls.pem"
        raise TlsSettingsError(f"{folder} has no {wanted}")
    return whole, whole, None if websocket else whole


class TlsServer(StreamServer):
    """TLS on TCP. TlsSettingsError when its settings are no good."""

    transport = "tls"

    def __init__(
        self,
        stack: SipStack,
        listener: Listener,
        on_data: OnData,
        on_lost: Callable[[StreamConnection, str], object],
        tls: TlsSettings,
        *,
        limits: StreamLimits | None = None,
        count: ConnectionCount | None = None,
    ) -> None:
        self._settings = tls
        self._server_context = server_context(tls)
        self._client_context = client_context(tls)
        super().__init__(stack, listener, on_data, on_lost, limits=limits, count=count)

    def layers(self, server_side: bool, name: str = "") -> Layers:
        """Return TLS and the framing of a stream."""
        if server_side:
            session = TlsLayer(self._server_context, server_side=True)
            return Layers(StreamFraming(), session, self._accepts)
        session = TlsLayer(self._client_context, server_side=False, server_name=name or None)
        return Layers(StreamFraming(), session, lambda established: self._trusts(established, name))

    def _accepts(self, session: TlsLayer) -> bool:
        """Return whether one who has connected shows what the policy asks for."""
        settings = self._settings
        if "in" not in _policy(settings):
            return True
        if session.chain_length - 2 > settings.verify_depth:
            return False
        if "subjects_in" not in settings.verify_policy:
            return True
        return not session.subjects.isdisjoint(settings.verify_in_subjects)

    def _trusts(self, session: TlsLayer, name: str) -> bool:
        """Return whether the one we have connected to shows what the policy asks for; names as RFC 5922 section 7.2."""
        settings = self._settings
        if "out" not in _policy(settings):
            return True
        if session.chain_length - 2 > settings.verify_depth:
            return False
        return "subjects_out" not in settings.verify_policy or _names_host(session.subjects, name)


def _names_host(subjects: frozenset[str], host: str) -> bool:
    """Return whether one of a certificate's names is a host; no wildcards in SIP."""
    wanted = host.lower()
    return any(subject.lower().removeprefix("sip:").removeprefix("sips:") == wanted for subject in subjects)
