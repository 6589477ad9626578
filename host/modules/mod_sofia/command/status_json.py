"""`sofia jsonstatus` and the JSON commands `sofia.status` and `sofia.status.info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.json_text import pretty
from host.modules.mod_sofia.gateway.gateway_registration import State
from host.modules.mod_sofia.running_sofia import aliases_of

if TYPE_CHECKING:
    from host.modules.mod_sofia.running_sofia import RunningProfile, RunningSofia

_RETRYING = frozenset({State.FAILED, State.TRYING})


def json_status(sofia: RunningSofia) -> str:
    """Return the text of `sofia jsonstatus`."""
    return f"{pretty(status_object(sofia, info=True))}\n"


def status_object(sofia: RunningSofia, *, info: bool = False) -> dict[str, object]:
    """Return `{"profiles": {name or alias: {"status": …[, "gateways": …][, "info": …]}}}`."""
    found: dict[str, object] = {}
    for profile in sofia.profiles.values():
        found[profile.name] = _profile(sofia, profile, profile.name, info=info)
        for alias in aliases_of(sofia, profile):
            found[alias] = _alias(profile, alias, info=info)
    return {"profiles": found}


def _profile(sofia: RunningSofia, profile: RunningProfile, name: str, *, info: bool) -> dict[str, object]:
    settings = profile.settings
    status: dict[str, object] = {"type": "profile", "state": "RUNNING", "in-use": len(profile.legs)}
    if settings.tls and settings.tls_only:
        status |= {"data": settings.tls_url, "transport": "tls"}
    else:
        status["data"] = settings.url
    entry: dict[str, object] = {"status": status}
    gateways = {g.name: _gateway(sofia, profile, g.name) for g in list(profile.gateways.values())}
    if gateways:
        entry["gateways"] = gateways
    if info:
        entry["info"] = _info(profile, name)
    return entry


def _alias(profile: RunningProfile, alias: str, *, info: bool) -> dict[str, object]:
    entry: dict[str, object] = {"status": {"type": "alias", "data": profile.name, "state": "ALIASED"}}
    if info:
        entry["info"] = _info(profile, alias)
    return entry


def _gateway(sofia: RunningSofia, profile: RunningProfile, name: str) -> dict[str, object]:
    gateway = profile.gateways[name]
    entry: dict[str, object] = {
        "type": "gateway",
        "data": gateway.settings.register_to,
        "state": gateway.state.value,
    }
    if gateway.state in _RETRYING:
        left = int(gateway.registration.retry - sofia.stack.now())
        entry["retry"] = left if left > 0 else "never"
    return entry


def _info(profile: RunningProfile, name: str) -> dict[str, object]:
    settings = profile.settings
    info: dict[str, object] = {"domain-name": settings.domain or "N/A"}
    if name.lower() != profile.name.lower():
        info["alias-of"] = profile.name
    info |= {
        "auto-nat": "true" if settings.auto_nat else "false",
        "db-name": settings.dbname or settings.odbc_dsn,
        "pres-hosts": settings.presence_hosts,
        "dialplan": settings.dialplan,
        "context": settings.context,
        "challenge-realm": settings.challenge_realm or "auto_to",
        "rtp-ip": list(settings.rtp_ips),
    }
    if settings.ext_rtp_ip:
        info["ext-rtp-ip"] = settings.ext_rtp_ip
    info["sip-ip"] = settings.sip_ip
    info["ext-sip-ip"] = settings.ext_sip_ip
    if not settings.tls or not settings.tls_only:
        info |= {"url": settings.url, "bind-url": settings.bind_url}
    if settings.tls:
        info |= {"tls-url": settings.tls_url, "tls-bind-url": settings.tls_bind_url}
    if settings.ws_binding is not None:
        info["ws-bind-url"] = settings.websocket_bind_url(settings.ws_binding, secure=False)
    if settings.wss_binding is not None:
        info["wss-bind-url"] = settings.websocket_bind_url(settings.wss_binding, secure=True)
    return info | {
        "hold-music": settings.hold_music,
        "outbound-proxy": settings.outbound_proxy or "N/A",
    }
