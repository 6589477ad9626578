"""What a profile's settings have it listen on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.modules.mod_sofia.transport.listener import Listener

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings


def listeners(settings: ProfileSettings) -> list[Listener]:
    """Return the sockets to open: `bind-params`' transports, TLS, WS and WSS.

    Behind NAT (`ext-sip-ip` that is not `autonat:`) Via names the external address.
    """
    found: list[Listener] = []
    outside = settings.ext_sip_ip if settings.ext_sip_ip and not settings.auto_nat else ""
    advertised = (outside, settings.public_port) if outside else None
    for transport in settings.transports:
        found.append(Listener(transport, settings.sip_ip, settings.sip_port, advertised))
    if settings.tls:
        secure = (outside, settings.tls_sip_port) if outside else None
        found.append(Listener("tls", settings.sip_ip, settings.tls_sip_port, secure))
    for transport, binding in (("ws", settings.ws_binding), ("wss", settings.wss_binding)):
        if binding is not None:
            found.append(Listener(transport, binding.ip or settings.sip_ip, binding.port))
    return found
