"""`sofia xmlstatus`: the same as `sofia status`, in FreeSWITCH's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.escape import url_encode
from host.modules.mod_sofia.command.status_report import (
    INVALID_GATEWAY,
    INVALID_PROFILE,
    INVALID_SYNTAX,
    RETRYING,
    expiry,
    gateway_facts,
    profile_facts,
    retry_in,
    shows_profile,
    wanted_registrations,
)
from host.modules.mod_sofia.running_sofia import aliases_of, find_gateway

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.registration.registrations import Binding
    from host.modules.mod_sofia.running_sofia import RunningProfile, RunningSofia

HEAD: Final = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'


def xml_status(sofia: RunningSofia, words: list[str]) -> str:
    """Return the answer to `sofia xmlstatus` and its arguments. May block where registrations are shared."""
    match [word.lower() for word in words[:1]], len(words):
        case [], _:
            return f"{HEAD}<profiles>\n{''.join(_summary(sofia, p) for p in sofia.profiles.values())}</profiles>\n"
        case _, 1:
            gateways = [g for profile in sofia.profiles.values() for g in list(profile.gateways.values())]
            return f"{HEAD}<gateways>\n{''.join(_gateway(sofia, g) for g in gateways)}</gateways>\n"
        case ["gateway"], _:
            gateway = find_gateway(sofia, words[1])
            return HEAD + _gateway(sofia, gateway) if gateway is not None else INVALID_GATEWAY
        case ["profile"], _:
            profile = sofia.find_profile(words[1])
            return HEAD + _profile(sofia, profile, words[1:]) if profile is not None else INVALID_PROFILE
    return INVALID_SYNTAX


def _entry(tag: str, name: str, kind: str, data: str, state: str) -> str:
    rows = (("name", name), ("type", kind), ("data", data), ("state", state))
    lines = "".join(f"<{key}>{escaped(value)}</{key}>\n" for key, value in rows)
    return f"<{tag}>\n{lines}</{tag}>\n"


def _summary(sofia: RunningSofia, profile: RunningProfile) -> str:
    settings, running = profile.settings, f"RUNNING ({len(profile.legs)})"
    text = ""
    if not settings.tls or not settings.tls_only:
        text += _entry("profile", profile.name, "profile", settings.url, running)
    if settings.tls:
        text += _entry("profile", profile.name, "profile", settings.tls_url, f"{running} (TLS)")
    if settings.ws_binding is not None:
        url = settings.websocket_bind_url(settings.ws_binding, secure=False)
        text += _entry("profile", profile.name, "profile", url, f"{running} (WS)")
    if settings.wss_binding is not None:
        url = settings.websocket_bind_url(settings.wss_binding, secure=True)
        text += _entry("profile", profile.name, "profile", url, f"{running} (WSS)")
    for gateway in list(profile.gateways.values()):
        text += _entry("gateway", gateway.name, "gateway", gateway.settings.register_to, gateway.state.value)
        text += f" (retry: {retry_in(sofia, gateway)})\n" if gateway.state in RETRYING else "\n"
    for alias in aliases_of(sofia, profile):
        text += _entry("alias", alias, "alias", profile.name, "ALIASED")
    return text


def _gateway(sofia: RunningSofia, gateway: Gateway) -> str:
    facts = gateway_facts(sofia, gateway)
    rows = [(name, escaped(str(value))) for name, value in facts.items()]
    rows += [("retry", retry_in(sofia, gateway))] if gateway.state in RETRYING else []
    return (
        "  <gateway>\n"
        + "".join(f"    <{name}>{value}</{name}>\n" for name, value in rows)
        + "  </gateway>\n"
    )


def _profile(sofia: RunningSofia, profile: RunningProfile, words: list[str]) -> str:
    text = "<profile>\n"
    if shows_profile(words):
        facts = profile_facts(sofia, profile, words[0])
        rows = "".join(f"    <{name}>{escaped(str(value))}</{name}>\n" for name, value in facts)
        text += f"  <profile-info>\n{rows}  </profile-info>\n"
    found = wanted_registrations(profile, words)
    if found is not None:
        rows = "".join(_registration(sofia, one) for one in found)
        text += f"  <registrations>\n{rows}  </registrations>\n"
    return f"{text}</profile>\n"


def _registration(sofia: RunningSofia, one: Binding) -> str:
    when, seconds = expiry(sofia, one)
    rows = (
        ("call-id", escaped(one.call_id)),
        ("user", escaped(f"{one.sip_user}@{one.sip_host}")),
        ("contact", escaped(one.contact)),
        ("agent", escaped(one.user_agent)),
        ("status", escaped(f"{one.status}({one.rpid}) exp({when}) expsecs({seconds})")),
        ("ping-status", escaped(one.ping_status)),
        ("ping-time", f"{one.ping_time / 1000:.2f}"),
        ("host", escaped(one.hostname)),
        ("network-ip", escaped(one.network_ip)),
        ("network-port", escaped(one.network_port)),
        ("sip-auth-user", url_encode(one.sip_username)),
        ("sip-auth-realm", escaped(one.sip_realm)),
        ("mwi-account", escaped(f"{one.mwi_user}@{one.mwi_host}")),
    )
    lines = "".join(f"        <{name}>{value}</{name}>\n" for name, value in rows)
    return f"    <registration>\n{lines}    </registration>\n"


def escaped(text: str) -> str:
    """Return a text as it may stand between tags. FreeSWITCH: quotes are escaped, too."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;")
