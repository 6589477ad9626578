"""What a profile's settings have it listen on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_sofia.transport.listener import Listener
from host.own_name import is_own_page
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.variables import Variables

# Characters of a header that the log shows.
_SHOWN: Final = 80


def listeners(settings: ProfileSettings, log: Callable[[LogLevel, str], object]) -> list[Listener]:
    """Return the sockets to open: `bind-params`' transports, TLS, WS and WSS.

    Behind NAT (`ext-sip-ip` that is not `autonat:`) Via names the external address. A page that may not connect
    (`ws-page-port`) has a line in the log.
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
            where = binding.ip or settings.sip_ip
            found.append(Listener(transport, where, binding.port, admits=_page_rule(settings, log)))
    return found


def expects_browsers(settings: ProfileSettings, variables: Variables) -> bool:
    """Whether browsers can connect, or by the global `variables` all who are called are offered WebRTC."""
    bound = settings.ws_binding or settings.wss_binding
    return bound is not None or is_true(variables.get("media_webrtc"))


def _page_rule(
    settings: ProfileSettings, log: Callable[[LogLevel, str], object]
) -> Callable[[str, str], bool] | None:
    port = settings.ws_page_port
    if not port:
        return None

    def admits(origin: str, host: str) -> bool:
        admitted = is_own_page(origin, host, port, socket.gethostname())
        if not admitted:
            log(
                LogLevel.WARNING,
                f"{settings.name}: a page of {origin[:_SHOWN]!r} may not connect to {host[:_SHOWN]!r}; "
                f"only the page at port {port} of the same host may",
            )
        return admitted

    return admits
