"""Where requests within a call go when the far end's Contact cannot be reached."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from host.modules.mod_sofia.message import Message, Source, contact_of, source_of, uri_host

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

STREAMS: Final = frozenset({"tcp", "tls", "ws", "wss"})


class WayBack(NamedTuple):
    """Where a dialog's requests go in place of its Contact, None for there; and why that is behind NAT, or empty."""

    source: Source | None
    nat: str = ""


def route_back(
    settings: ProfileSettings, request: Message, check: Callable[[str, str], bool] = lambda ip, acl: False
) -> WayBack:
    """Return the way back to whoever sent a request; `check(ip, list)` asks an access list.

    A request that came through proxies says itself how to get back. One over a stream is answered over that stream.
    FreeSWITCH: behind NAT is who comes over a WebSocket; with `aggressive-nat-detection` (and, over streams, with
    `tls-always-nat`) one whose Via is not where it came from; and one whose Via names an address of an
    `apply-nat-acl` that the source is in none of. A private Contact of a source that is not can never be reached, so
    that is one, too.
    """
    source = source_of(request)
    nat = _nat(settings, request, source, check)
    if request.countHFs("record-route") or request.countHFs("via") > 1:
        direct = source.transport in STREAMS and request.countHFs("via") == 1
        return WayBack(source if direct else None, nat)
    contact = contact_of(request)
    if source.transport in STREAMS or contact is None:
        return WayBack(source, nat)
    host = uri_host(contact.url).strip("[]")
    if not nat and (host.endswith(".invalid") or (is_private(host) and not is_private(source.ip))):
        nat = "contact host"
    return WayBack(source if nat else None, nat)


def _nat(
    settings: ProfileSettings, request: Message, source: Source, check: Callable[[str, str], bool]
) -> str:
    if source.transport in ("ws", "wss"):
        return "websockets"
    via = request.getHFBody("via")
    host = str(via.hostname).strip("[]")
    if settings.aggressive_nat_detection or (settings.tls_always_nat and source.transport in ("tcp", "tls")):
        if host != source.ip:
            return "via host"
        if via.port and int(via.port) != source.port:
            return "via port"
    for acl in settings.apply_nat_acl:
        if check(host, acl):
            inside = any(check(source.ip, one) for one in settings.apply_nat_acl)
            return "" if inside else acl
    return ""


def is_private(host: str) -> bool:
    """Return whether a host is an address that is not reached from everywhere; names are not."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return False
