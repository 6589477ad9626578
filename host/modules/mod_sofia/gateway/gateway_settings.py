"""Gateways of a profile as their configuration says: `<gateway>` in profiles and in the directory's users."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.transport.listener import bracketed
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.modules.mod_sofia.profile.profile_address import LogFunction

DEFAULT_EXPIRE: Final = 3600  # seconds
DEFAULT_RETRY: Final = 30
DEFAULT_TIMEOUT: Final = 60
_LEAST_SECONDS: Final = 5  # FreeSWITCH: of expire-, retry- and timeout-seconds, and of ping
_LEAST_SUBSCRIPTION_RETRY: Final = 10
_NAME: Final = re.compile(r"[\w.\-]+")
_SECURE: Final = frozenset({"tls", "wss"})
_TRANSPORTS: Final = ("udp", "tcp", "tls")
# Instances of RFC 5626 stay the same over restarts (section 4.1).
_INSTANCES: Final = uuid.UUID("8c6a2f5e-3f0b-4c1e-9c35-0f4a6f7e2d10")

# RFC 1918, RFC 4193, loopback and link-local.
_LOCAL: Final = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)

_TEXTS: Final = {
    "realm": "realm",
    "username": "username",
    "auth-username": "auth_username",
    "password": "password",
    "from-user": "from_user",
    "from-domain": "from_domain",
    "extension": "extension",
    "proxy": "proxy",
    "register-proxy": "register_proxy",
    "outbound-proxy": "outbound_proxy",
    "contact-host": "contact_host",
    "contact-params": "contact_params",
    "context": "context",
    "ping-user-agent": "ping_user_agent",
    "destination-prefix": "destination_prefix",
    "reg-id": "reg_id",
    "gw-auth-acl": "gw_auth_acl",
    "cid-type": "cid_type",
    "sip_cid_type": "cid_type",
    "dtmf-type": "dtmf_type",
}
_TRUTHS: Final = {
    "register": "register",
    "caller-id-in-from": "caller_id_in_from",
    "extension-in-contact": "extension_in_contact",
    "contact-in-ping": "contact_in_ping",
    "ping-monitoring": "ping_monitoring",
    "distinct-to": "distinct_to",
    "rfc-5626": "rfc_5626",
}
_NUMBERS: Final = {
    "expire-seconds": "expire_seconds",
    "retry-seconds": "retry_seconds",
    "retry_seconds": "retry_seconds",
    "fail-908-retry-seconds": "fail_908_retry_seconds",
    "908-retry-seconds": "fail_908_retry_seconds",
    "timeout-seconds": "timeout_seconds",
    "ping": "ping",
    "ping-max": "ping_max",
    "ping-min": "ping_min",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySubscription:
    """What a gateway subscribes to at its provider; times in seconds."""

    event: str
    expire_seconds: int = DEFAULT_EXPIRE
    retry_seconds: int = DEFAULT_RETRY
    content_type: str = ""
    username_in_request: bool = False


@dataclass(slots=True, kw_only=True)
class GatewaySettings:
    """One gateway; names are FreeSWITCH's parameters with `_` for `-`, times seconds, empty what is not said."""

    name: str
    profile: str
    username: str = "FreeSWITCH"
    auth_username: str = ""
    password: str = ""
    realm: str = ""
    from_user: str = ""
    from_domain: str = ""
    extension: str = ""
    proxy: str = ""
    register_proxy: str = ""  # a SIP URI: where requests go, whatever the registrar's name
    outbound_proxy: str = ""  # a SIP URI: the same for calls
    register: bool = True
    register_transport: str = "udp"
    expire_seconds: int = DEFAULT_EXPIRE
    retry_seconds: int = DEFAULT_RETRY
    fail_908_retry_seconds: int = 0  # after no answer at all; 0: as after any failure
    timeout_seconds: int = DEFAULT_TIMEOUT
    caller_id_in_from: bool = False
    contact_host: str = ""  # a host, or `sip-ip`
    contact_params: str = ""
    extension_in_contact: bool = False
    context: str = "default"
    cid_type: str = ""  # rpid, pid, none
    dtmf_type: str = ""  # rfc2833, info, none
    destination_prefix: str = ""
    gw_auth_acl: str = ""
    distinct_to: bool = False
    rfc_5626: bool = False
    reg_id: str = ""
    ping: int = 0  # 0: none
    ping_min: int = 1
    ping_max: int = 1
    ping_user_agent: str = ""
    ping_monitoring: bool = False
    contact_in_ping: bool = False
    inbound_variables: tuple[tuple[str, str], ...] = ()
    outbound_variables: tuple[tuple[str, str], ...] = ()
    subscriptions: tuple[GatewaySubscription, ...] = ()

    @property
    def host(self) -> str:
        """The proxy without `sip:`: host, port and parameters."""
        return re.sub(r"^sips?:", "", self.proxy, flags=re.IGNORECASE)

    @property
    def destination(self) -> str:
        """The extension that calls of the gateway go to in the dialplan."""
        return self.extension or self.username

    @property
    def registrar(self) -> str:
        """The registrar's URI."""
        return f"sip:{self.host}"

    @property
    def register_url(self) -> str:
        """The URI that REGISTER and OPTIONS ask."""
        transport = "" if "transport=" in self.proxy.lower() else f";transport={self.register_transport}"
        return f"sip:{self.host}{transport}"

    @property
    def register_from(self) -> str:
        """The address of record."""
        return f"sip:{self.from_user}@{self.from_domain or self.host}"

    @property
    def register_to(self) -> str:
        """The To of REGISTER with `distinct-to`, and what is shown as such."""
        return f"sip:{self.username}@{self.host}"

    @property
    def options_uri(self) -> str:
        """The From and To of pings."""
        return f"sip:{self.from_domain or self.host}"

    def register_contact(self, profile: ProfileSettings) -> str:
        """Return the whole Contact that is registered: `<sip:gw+NAME@host:port;transport=…;gw=NAME>`."""
        user = self.destination if self.extension_in_contact else f"gw+{self.name}"
        port = profile.tls_sip_port if self.register_transport in _SECURE else profile.public_port
        params = self.contact_params
        if params and not params.startswith(";"):
            params = f";{params}"
        params += f";transport={self.register_transport};gw={self.name}"
        outbound = ""
        if self.rfc_5626 and profile.enable_rfc_5626:
            instance = uuid.uuid5(_INSTANCES, f"{self.profile}/{self.name}/{self.register_from}")
            outbound = f';reg-id={self.reg_id or "1"};+sip.instance="<urn:uuid:{instance}>"'
        return f"<sip:{user}@{bracketed(self._contact_ip(profile))}:{port}{params}>{outbound}"

    def _contact_ip(self, profile: ProfileSettings) -> str:
        if self.contact_host and self.contact_host != "sip-ip":
            return self.contact_host
        if self.contact_host or not profile.ext_sip_ip:
            return profile.sip_ip
        return profile.sip_ip if profile.auto_nat and _is_local(self.host) else profile.ext_sip_ip


def parse_gateways(
    profile: ProfileSettings, elements: Iterator[etree._Element], log: LogFunction
) -> list[GatewaySettings]:
    """Return the gateways of `<gateway>` elements; those that cannot be are left out with a line in the log."""
    found: dict[str, GatewaySettings] = {}
    for element in elements:
        name = element.get("name") or ""
        if not _NAME.fullmatch(name):
            log(LogLevel.ERR, f"Ignoring invalid name '{name}'")
        elif name in found:
            log(LogLevel.WARNING, f"Ignoring duplicate gateway '{name}'")
        else:
            gateway = _gateway(profile, name, element, log)
            if gateway is not None:
                found[name] = gateway
    return list(found.values())


def _gateway(
    profile: ProfileSettings, name: str, element: etree._Element, log: LogFunction
) -> GatewaySettings | None:
    settings = GatewaySettings(name=name, profile=profile.name, context=profile.context, username="")
    for key, value in _entries(element, "params", "param"):
        if key in _TEXTS:
            setattr(settings, _TEXTS[key], value)
        elif key in _TRUTHS:
            setattr(settings, _TRUTHS[key], is_true(value))
        elif key in _NUMBERS:
            setattr(settings, _NUMBERS[key], leading_int(value))
        elif key == "register-transport":
            if not _transport(profile, settings, value):
                log(LogLevel.ERR, "ERROR: unsupported transport")
                return None
        elif key == "scheme":
            if value.lower() != "digest":
                log(LogLevel.ERR, f"Invalid option {value} for scheme")
        else:
            log(LogLevel.WARNING, f"Unknown param {key} in gateway {name}")
    for needed in ("username", "password") if settings.register else ():
        if not getattr(settings, needed):
            log(LogLevel.ERR, f"ERROR: {needed} param is REQUIRED!")
            return None
    _complete(settings, log)
    settings.inbound_variables, settings.outbound_variables = _variables(element)
    settings.subscriptions = tuple(_subscriptions(element, log))
    return settings


def _complete(settings: GatewaySettings, log: LogFunction) -> None:
    """Put in what follows from the rest, and right what is out of bounds."""
    settings.realm = settings.realm or settings.proxy or settings.name
    settings.proxy = settings.proxy or settings.realm
    settings.username = settings.username or "FreeSWITCH"
    settings.from_user = settings.from_user or settings.username
    settings.auth_username = settings.auth_username or settings.username
    settings.context = settings.context or "default"
    for attribute in ("register_proxy", "outbound_proxy"):
        value = getattr(settings, attribute)
        if value and not value.lower().startswith(("sip:", "sips:")):
            setattr(settings, attribute, f"sip:{value}")
    bounds = (
        ("retry_seconds", "retry-seconds", DEFAULT_RETRY),
        ("timeout_seconds", "timeout-seconds", DEFAULT_TIMEOUT),
        ("expire_seconds", "register-frequency", DEFAULT_EXPIRE),
    )
    for attribute, word, default in bounds:
        value = getattr(settings, attribute)
        if value < _LEAST_SECONDS:
            log(
                LogLevel.WARNING,
                f"Invalid {word} of {value} on gateway {settings.name}, using the value of {default} instead.",
            )
            setattr(settings, attribute, default)
    if settings.ping and settings.ping < _LEAST_SECONDS:
        log(LogLevel.ERR, "ERROR: invalid ping!")
        settings.ping = 0
    if settings.ping:
        settings.ping_max = max(settings.ping_max, 1)


def _transport(profile: ProfileSettings, settings: GatewaySettings, value: str) -> bool:
    found = next((word for word in _TRANSPORTS if value.lower().startswith(word)), None)
    if found is None or (found in _SECURE and not profile.tls):
        return False
    settings.register_transport = found
    return True


def _entries(element: etree._Element, container: str, tag: str) -> Iterator[tuple[str, str]]:
    inside = element.find(container)
    for entry in (inside if inside is not None else element).iterfind(tag):
        yield entry.get("name") or "", entry.get("value") or ""


def _variables(element: etree._Element) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return what calls from and to the gateway get as variables. FreeSWITCH: another direction gives neither."""
    inside = element.find("variables")
    inbound: list[tuple[str, str]] = []
    outbound: list[tuple[str, str]] = []
    for entry in (inside if inside is not None else element).iterfind("variable"):
        name, value = entry.get("name"), entry.get("value")
        direction = (entry.get("direction") or "both").lower()
        if name is None or value is None:
            continue
        inbound += [(name, value)] if direction in {"inbound", "both"} else []
        outbound += [(name, value)] if direction in {"outbound", "both"} else []
    return tuple(inbound), tuple(outbound)


def _subscriptions(element: etree._Element, log: LogFunction) -> Iterator[GatewaySubscription]:
    for entry in element.iterfind("subscriptions/subscription"):
        params = {param.get("name") or "": param.get("value") or "" for param in entry.iterfind("param")}
        expire = leading_int(params.get("expire-seconds", str(DEFAULT_EXPIRE)))
        retry = leading_int(params.get("retry-seconds", str(DEFAULT_RETRY)))
        if retry < _LEAST_SUBSCRIPTION_RETRY:
            log(LogLevel.WARNING, f"INVALID: retry_seconds correcting the value to {DEFAULT_RETRY}")
            retry = DEFAULT_RETRY
        if expire < _LEAST_SECONDS:
            log(
                LogLevel.WARNING,
                f"Invalid Freq: {expire}.  Setting Register-Frequency to {DEFAULT_EXPIRE}",
            )
            expire = DEFAULT_EXPIRE
        yield GatewaySubscription(
            event=entry.get("event") or "",
            expire_seconds=expire,
            retry_seconds=retry,
            content_type=params.get("content-type", ""),
            username_in_request=is_true(params.get("username-in-request")),
        )


def _is_local(host: str) -> bool:
    """Return whether a proxy is named by an address of a private network."""
    text = host[1:].partition("]")[0] if host.startswith("[") else re.split(r"[;:]", host, maxsplit=1)[0]
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in _LOCAL)
