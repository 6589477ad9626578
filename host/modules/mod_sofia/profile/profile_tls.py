"""The words of a profile's TLS and WebSocket parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_parameter_table import MAX_PORT
from host.modules.mod_sofia.profile.profile_settings import TLS_VERSIONS, Binding

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_address import LogFunction

_TRANSPORT: Final = "transport=tls"

_VERIFY_POLICIES: Final[Mapping[str, frozenset[str]]] = {
    "in": frozenset({"in"}),
    "out": frozenset({"out"}),
    "all": frozenset({"in", "out"}),
    "subjects_in": frozenset({"in", "subjects_in"}),
    "subjects_out": frozenset({"out", "subjects_out"}),
    "subjects_all": frozenset({"in", "out", "subjects_in", "subjects_out"}),
}


def tls_bind_params(value: str) -> str:
    """Return the parameters of the URI to bind for TLS: those given, with the transport among them."""
    parts = [value] if value else []
    parts += [] if _TRANSPORT in value.lower() else [_TRANSPORT]
    return ";".join(parts)


def tls_versions(value: str, invalid: Callable[[str], object]) -> tuple[str, ...]:
    """Return the versions that `tlsv1.2,tlsv1.3` names, all where it names none; `invalid` gets other words."""
    words = [word.strip().lower() for word in value.split(",") if word.strip()]
    for word in words:
        if word not in TLS_VERSIONS:
            invalid(word)
    return tuple(version for version in TLS_VERSIONS if version in words) or TLS_VERSIONS


def verify_policy(value: str, log: LogFunction) -> frozenset[str]:
    """Return whose certificates `in|subjects_out` has verified. FreeSWITCH: `none` ends the list, with nothing."""
    policy: frozenset[str] = frozenset()
    for word in value.lower().split("|") if value else ():
        if word == "none":
            return frozenset()
        if word not in _VERIFY_POLICIES:
            log(LogLevel.ERR, f"Invalid tls-verify-policy value: {word}")
        policy |= _VERIFY_POLICIES.get(word, frozenset())
    return policy


def websocket_binding(value: str) -> Binding | None:
    """Return the address of `[ip]:port`, an empty one for that of SIP; None for what is none."""
    ip, colon, port = value.rpartition(":")
    if not colon or not 0 < leading_int(port) <= MAX_PORT:
        return None
    return Binding(ip.strip("[]"), leading_int(port))
