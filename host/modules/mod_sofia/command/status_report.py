"""`sofia status`: profiles, gateways and registrations as FreeSWITCH's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.local_zone import local_zone
from host.modules.mod_sofia.gateway.gateway_registration import State
from host.modules.mod_sofia.running_sofia import aliases_of, find_gateway

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.registration.registrations import Binding
    from host.modules.mod_sofia.running_sofia import RunningProfile, RunningSofia

LINE: Final = "=" * 97
INVALID_GATEWAY: Final = "Invalid Gateway!\n"
INVALID_PROFILE: Final = "Invalid Profile!\n"
INVALID_SYNTAX: Final = "Invalid Syntax!\n"
# States in which it is shown when it is tried again.
RETRYING: Final = frozenset({State.FAILED, State.FAIL_WAIT, State.TRYING})


def status(sofia: RunningSofia, words: list[str]) -> str:
    """Return the answer to `sofia status` and its arguments. May block where registrations are shared.

    FreeSWITCH: a single word, whichever, is the table of all gateways.
    """
    match [word.lower() for word in words[:1]], len(words):
        case [], _:
            return _profiles(sofia)
        case _, 1:
            return _gateways(sofia)
        case ["gateway"], _:
            gateway = find_gateway(sofia, words[1])
            return _gateway(sofia, gateway) if gateway is not None else INVALID_GATEWAY
        case ["profile"], _:
            profile = sofia.find_profile(words[1])
            return _profile(sofia, profile, words[1:]) if profile is not None else INVALID_PROFILE
    return INVALID_SYNTAX


def shows_profile(words: list[str]) -> bool:
    """Return whether `NAME [reg|user|pres …]` asks for the profile itself."""
    return len(words) < 2 or words[1].lower() not in ("reg", "user")


def wanted_registrations(profile: RunningProfile, words: list[str]) -> list[Binding] | None:
    """Return the registrations that `NAME reg [CONTACT]`, `pres TEXT`, `user [USER]@[DOMAIN]` asks for, else None."""
    kind = words[1].lower() if len(words) > 1 else ""
    text = words[2] if len(words) > 2 else ""
    if kind == "reg":
        return [one for one in _all(profile) if text.lower() in one.contact.lower()]
    if kind == "pres" and text:
        return [one for one in _all(profile) if text.lower() in one.presence_hosts.lower()]
    if kind == "user" and text:
        user, at, host = text.partition("@")
        user, host = (user, host) if at else ("", text)
        return [
            one
            for one in _all(profile)
            if (not user or one.sip_user == user) and (not host or one.sip_host == host)
        ]
    return None


def retry_in(sofia: RunningSofia, gateway: Gateway, *, timeout: bool = False) -> str:
    """Return `Ns` until a gateway tries again (with `timeout`: until it gives up waiting), else NEVER."""
    registration = gateway.registration
    left = int((registration.timeout if timeout else registration.retry) - sofia.stack.now())
    return f"{left}s" if left >= 0 else "NEVER"


def expiry(sofia: RunningSofia, binding: Binding) -> tuple[str, int]:
    """Return when a registration ends, local time, and in how many seconds."""
    when = datetime.fromtimestamp(binding.expires, local_zone()).strftime("%Y-%m-%d %H:%M:%S")
    return when, binding.expires - sofia.switch.clock.time() // SECOND


def gateway_facts(sofia: RunningSofia, gateway: Gateway) -> dict[str, object]:
    """Return what reports tell of a gateway, by FreeSWITCH's names in its XML report."""
    settings, registration, counters = gateway.settings, gateway.registration, gateway.counters
    now = sofia.stack.now()
    epoch = sofia.switch.clock.time() // SECOND
    ping_at = registration.ping_at
    return {
        "name": gateway.name,
        "profile": gateway.profile.name,
        "scheme": "Digest",
        "realm": settings.realm,
        "username": settings.username,
        "password": "yes" if settings.password else "no",
        "from": f"<{settings.register_from}>",
        "contact": gateway.contact,
        "exten": settings.destination,
        "to": settings.register_to,
        "proxy": settings.registrar,
        "context": settings.context,
        "expires": settings.expire_seconds,
        "freq": settings.expire_seconds,
        "ping": int(epoch + ping_at - now) if ping_at else 0,
        "pingfreq": settings.ping,
        "pingmin": settings.ping_min if settings.ping else 0,
        "pingcount": registration.ping_count,
        "pingmax": settings.ping_max if settings.ping else 0,
        "pingtime": f"{registration.ping_time:.2f}",
        "pinging": int(registration.pinging),
        "state": gateway.state.value,
        "status": "UP" if gateway.up else "DOWN",
        "uptime-usec": int((now - registration.up_since) * SECOND) if gateway.up else 0,
        "calls-in": counters.calls_in,
        "calls-out": counters.calls_out,
        "failed-calls-in": counters.failed_calls_in,
        "failed-calls-out": counters.failed_calls_out,
    }


def profile_facts(sofia: RunningSofia, profile: RunningProfile, name: str) -> Iterator[tuple[str, object]]:
    """Yield what reports tell of a profile that was asked for by `name`, by the names of the XML report."""
    settings, counters = profile.settings, profile.counters
    yield "name", name
    yield "domain-name", settings.domain or "N/A"
    if name.lower() != profile.name.lower():
        yield "alias-of", profile.name
    yield "auto-nat", _truth(settings.auto_nat)
    yield "db-name", settings.dbname or settings.odbc_dsn
    yield "pres-hosts", settings.presence_hosts
    yield "dialplan", settings.dialplan
    yield "context", settings.context
    yield "challenge-realm", settings.challenge_realm or "auto_to"
    for ip in (*settings.rtp_ips, *settings.rtp_ips6):
        yield "rtp-ip", ip
    if settings.ext_rtp_ip:
        yield "ext-rtp-ip", settings.ext_rtp_ip
    yield "sip-ip", settings.sip_ip
    if settings.ext_sip_ip:
        yield "ext-sip-ip", settings.ext_sip_ip
    if not settings.tls or not settings.tls_only:
        yield "url", settings.url
        yield "bind-url", settings.bind_url
    if settings.tls:
        yield "tls-url", settings.tls_url
        yield "tls-bind-url", settings.tls_bind_url
    if settings.ws_binding is not None:
        yield "ws-bind-url", settings.websocket_bind_url(settings.ws_binding, secure=False)
    if settings.wss_binding is not None:
        yield "wss-bind-url", settings.websocket_bind_url(settings.wss_binding, secure=True)
    yield "hold-music", settings.hold_music or "N/A"
    yield "outbound-proxy", settings.outbound_proxy or "N/A"
    yield "inbound-codecs", settings.inbound_codec_prefs
    yield "outbound-codecs", settings.outbound_codec_prefs
    yield "tel-event", settings.rfc2833_pt
    yield "dtmf-mode", settings.dtmf_type
    yield "cng", settings.cng_pt
    yield "session-to", settings.session_timeout
    yield "max-dialog", settings.max_proceeding
    yield "max-recv-rps", settings.max_recv_requests_per_second
    yield "nomedia", _truth(settings.inbound_bypass_media)
    yield "late-neg", _truth(settings.inbound_late_negotiation)
    yield "proxy-media", _truth(settings.inbound_proxy_media)
    yield "aggressive-nat", _truth(settings.aggressive_nat_detection)
    if settings.user_agent_filter:
        yield "user-agent-filter", settings.user_agent_filter
    if settings.max_registrations_per_extension > 0:
        yield "max-registrations-per-extension", settings.max_registrations_per_extension
    yield "calls-in", counters.calls_in
    yield "failed-calls-in", counters.failed_calls_in
    yield "calls-out", counters.calls_out
    yield "failed-calls-out", counters.failed_calls_out
    yield "registrations", profile.registrar.registrations.count()


# The titles of the tables for the names above, as wide as FreeSWITCH's.
_PROFILE_TITLES: Final = {
    "name": "Name             ",
    "domain-name": "Domain Name      ",
    "alias-of": "Alias Of         ",
    "auto-nat": "Auto-NAT         ",
    "db-name": "DBName           ",
    "pres-hosts": "Pres Hosts       ",
    "dialplan": "Dialplan         ",
    "context": "Context          ",
    "challenge-realm": "Challenge Realm  ",
    "rtp-ip": "RTP-IP           ",
    "ext-rtp-ip": "Ext-RTP-IP       ",
    "sip-ip": "SIP-IP           ",
    "ext-sip-ip": "Ext-SIP-IP       ",
    "url": "URL              ",
    "bind-url": "BIND-URL         ",
    "tls-url": "TLS-URL          ",
    "tls-bind-url": "TLS-BIND-URL     ",
    "ws-bind-url": "WS-BIND-URL     ",
    "wss-bind-url": "WSS-BIND-URL     ",
    "hold-music": "HOLD-MUSIC       ",
    "outbound-proxy": "OUTBOUND-PROXY   ",
    "inbound-codecs": "CODECS IN        ",
    "outbound-codecs": "CODECS OUT       ",
    "tel-event": "TEL-EVENT        ",
    "dtmf-mode": "DTMF-MODE        ",
    "cng": "CNG              ",
    "session-to": "SESSION-TO       ",
    "max-dialog": "MAX-DIALOG       ",
    "max-recv-rps": "MAX-RECV-RPS     ",
    "nomedia": "NOMEDIA          ",
    "late-neg": "LATE-NEG         ",
    "proxy-media": "PROXY-MEDIA      ",
    "aggressive-nat": "AGGRESSIVENAT    ",
    "user-agent-filter": "USER-AGENT-FILTER",
    "max-registrations-per-extension": "MAX-REG-PEREXT   ",
    "calls-in": "CALLS-IN         ",
    "failed-calls-in": "FAILED-CALLS-IN  ",
    "calls-out": "CALLS-OUT        ",
    "failed-calls-out": "FAILED-CALLS-OUT ",
    "registrations": "REGISTRATIONS    ",
}
_GATEWAY_TITLES: Final = {
    "name": "Name    ",
    "profile": "Profile ",
    "scheme": "Scheme  ",
    "realm": "Realm   ",
    "username": "Username",
    "password": "Password",
    "from": "From    ",
    "contact": "Contact ",
    "exten": "Exten   ",
    "to": "To      ",
    "proxy": "Proxy   ",
    "context": "Context ",
    "expires": "Expires ",
    "freq": "Freq    ",
    "ping": "Ping    ",
    "pingfreq": "PingFreq",
    "pingtime": "PingTime",
}


def _profiles(sofia: RunningSofia) -> str:
    lines = [f"{'Name':>25}\t   Type\t  {'Data':>40}\tState", LINE]
    profiles = list(sofia.profiles.values())
    aliases = 0
    for profile in profiles:
        settings, running = profile.settings, f"RUNNING ({len(profile.legs)})"
        if not settings.tls or not settings.tls_only:
            lines.append(f"{profile.name:>25}\tprofile\t  {settings.url:>40}\t{running}")
        if settings.tls:
            lines.append(f"{profile.name:>25}\tprofile\t  {settings.tls_url:>40}\t{running} (TLS)")
        for gateway in list(profile.gateways.values()):
            name = f"{profile.name}::{gateway.name}"
            retry = f" (retry: {retry_in(sofia, gateway)})" if gateway.state in RETRYING else ""
            data = gateway.settings.register_to
            lines.append(f"{name:>25}\tgateway\t  {data:>40}\t{gateway.state.value}{retry}")
        for alias in aliases_of(sofia, profile):
            aliases += 1
            lines.append(f"{alias:>25}\t  alias\t  {profile.name:>40}\tALIASED")
    count = len(profiles)
    lines += [
        LINE,
        f"{count} profile{'' if count == 1 else 's'} {aliases} alias{'' if aliases == 1 else 'es'}",
    ]
    return "\n".join(lines) + "\n"


def _gateways(sofia: RunningSofia) -> str:
    titles = "IB Calls(F/T)\tOB Calls(F/T)"
    lines = [f"{'Profile::Gateway-Name':>25}\t{'    Data    ':>32}\tState\tPing Time\t{titles}", LINE]
    gateways = [gateway for profile in sofia.profiles.values() for gateway in list(profile.gateways.values())]
    for gateway in gateways:
        counters = gateway.counters
        name = f"{gateway.profile.name}::{gateway.name}"
        retry = f" (retry: {retry_in(sofia, gateway, timeout=True)})" if gateway.state in RETRYING else ""
        lines.append(
            f"{name:>25}\t{gateway.settings.register_to:>32}\t{gateway.state.value}\t"
            f"{gateway.registration.ping_time:6.2f}\t{counters.failed_calls_in}/{counters.calls_in}\t"
            f"{counters.failed_calls_out}/{counters.calls_out}{retry}"
        )
    all_counters = [gateway.counters for gateway in gateways]
    inbound = f"{sum(c.failed_calls_in for c in all_counters)}/{sum(c.calls_in for c in all_counters)}"
    outbound = f"{sum(c.failed_calls_out for c in all_counters)}/{sum(c.calls_out for c in all_counters)}"
    count = f"{len(gateways)} gateway{'' if len(gateways) == 1 else 's'}"
    lines += [LINE, f"{count}: Inbound(Failed/Total): {inbound},Outbound(Failed/Total):{outbound}"]
    return "\n".join(lines) + "\n"


def _gateway(sofia: RunningSofia, gateway: Gateway) -> str:
    facts = gateway_facts(sofia, gateway)
    lines = [LINE, *(f"{title}\t{facts[name]}" for name, title in _GATEWAY_TITLES.items())]
    pinging = " (ping)" if gateway.registration.pinging else ""
    lines += [
        f"PingState\t{facts['pingmin']}/{facts['pingcount']}/{facts['pingmax']}",
        f"State   \t{facts['state']}",
        f"Status  \t{facts['status']}{pinging}",
        f"Uptime  \t{gateway_uptime(sofia, gateway)}s",
        f"CallsIN \t{facts['calls-in']}",
        f"CallsOUT\t{facts['calls-out']}",
        f"FailedCallsIN\t{facts['failed-calls-in']}",
        f"FailedCallsOUT\t{facts['failed-calls-out']}",
        LINE,
    ]
    return "\n".join(lines) + "\n"


def gateway_uptime(sofia: RunningSofia, gateway: Gateway) -> int:
    """Return for how many seconds calls may go to a gateway."""
    return int(sofia.stack.now() - gateway.registration.up_since) if gateway.up else 0


def _profile(sofia: RunningSofia, profile: RunningProfile, words: list[str]) -> str:
    text = ""
    if shows_profile(words):
        facts = profile_facts(sofia, profile, words[0])
        text = f"{LINE}\n" + "".join(f"{_PROFILE_TITLES[name]}\t{value}\n" for name, value in facts)
    found = wanted_registrations(profile, words)
    if found is not None:
        text += f"\nRegistrations:\n{LINE}\n{registrations_text(sofia, found)}"
        text += f"Total items returned: {len(found)}\n{LINE}\n"
    return text


def registrations_text(sofia: RunningSofia, found: Iterable[Binding]) -> str:
    """Return registrations in FreeSWITCH's blocks of lines."""
    text = ""
    for one in found:
        when, seconds = expiry(sofia, one)
        text += (
            f"Call-ID:    \t{one.call_id}\n"
            f"User:       \t{one.sip_user}@{one.sip_host}\n"
            f"Contact:    \t{one.contact}\n"
            f"Agent:      \t{one.user_agent}\n"
            f"Status:     \t{one.status}({one.rpid}) EXP({when}) EXPSECS({seconds})\n"
            f"Ping-Status:\t{one.ping_status}\n"
            f"Ping-Time:\t{one.ping_time / 1000:.2f}\n"
            f"Host:       \t{one.hostname}\n"
            f"IP:         \t{one.network_ip}\n"
            f"Port:       \t{one.network_port}\n"
            f"Auth-User:  \t{one.sip_username}\n"
            f"Auth-Realm: \t{one.sip_realm}\n"
            f"MWI-Account:\t{one.mwi_user}@{one.mwi_host}\n\n"
        )
    return text


def _all(profile: RunningProfile) -> list[Binding]:
    return profile.registrar.registrations.all()


def _truth(value: bool) -> str:
    return "true" if value else "false"
