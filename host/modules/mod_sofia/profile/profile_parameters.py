"""A `<profile>` of the configuration to its settings: each parameter checked, what is wrong told in the log."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_address import (
    AddressLookup,
    LogFunction,
    external_address,
    own_address,
    system_lookup,
)
from host.modules.mod_sofia.profile.profile_parameter_table import (
    ALSO_CALLED,
    LEAST,
    MAX_PORT,
    MOST,
    NO_PARAMETERS,
    TRUTH_WORDS,
    UNSUPPORTED,
    WITHOUT_EFFECT,
    WORDS,
)
from host.modules.mod_sofia.profile.profile_settings import (
    DEFAULT_PORT,
    DEFAULT_TLS_PORT,
    Binding,
    InboundAcl,
    ProfileDomain,
    ProfileSettings,
)
from host.modules.mod_sofia.profile.profile_tls import (
    tls_bind_params,
    tls_versions,
    verify_policy,
    websocket_binding,
)
from host.truth import is_true
from host.version import full

if TYPE_CHECKING:
    from lxml import etree

    from host.switch import Switch

_Acl = TypeVar("_Acl")

MAX_ACL: Final = 100  # FreeSWITCH's limit for lists of one kind in a profile
MAX_RTP_IP: Final = 50  # FreeSWITCH's limit for addresses of one family
LEAST_NONCE_TTL: Final = 60  # seconds
LEAST_SESSION_EXPIRES: Final = 90  # RFC 4028 section 5
_NUMBER: Final = re.compile(r"\s*[+-]?[0-9]+\s*")
_FALSE_WORDS: Final = frozenset(
    {"", "0", "no", "off", "false", "f", "disabled", "inactive", "disallow", "none"}
)


@dataclass(frozen=True, slots=True)
class ProfileDefaults:
    """What a profile takes from where it runs.

    `digits` are the shortest, the longest and the default duration of a digit, in timestamp units.
    """

    lookup: AddressLookup
    certs_dir: str = ""
    digits: tuple[int, int, int] = (400, 192000, 2000)


def switch_defaults(switch: Switch) -> ProfileDefaults:
    """Return the defaults of a switch."""
    variables = switch.global_variables
    control = switch.control
    return ProfileDefaults(
        system_lookup(variables.get("local_ip_v4") or "127.0.0.1"),
        variables.get("certs_dir") or "",
        (control.shortest_digit, control.longest_digit, control.default_digit),
    )


def parse_profile(
    element: etree._Element, log: LogFunction, defaults: ProfileDefaults
) -> ProfileSettings | None:
    """Return the settings of a `<profile>`, None without `<settings>`. Blocks where a name is to be looked up.

    Gateways and what the directory adds are not read here, see `sofia_conf`. FreeSWITCH: the last of a parameter
    counts, lists grow; a number is read as far as it is one. Unlike there what is none has a line in the log.
    """
    settings_element = element.find("settings")
    if settings_element is None:
        log(LogLevel.ERR, "No Settings, check the new config!")
        return None
    name = element.get("name") or "unnamed"
    settings = ProfileSettings(
        name=name,
        domain=element.get("domain") or "",
        aliases=tuple(a.get("name") or "" for a in element.iterfind("aliases/alias") if a.get("name")),
        domains=tuple(_domain(d) for d in element.iterfind("domains/domain") if d.get("name")),
        user_agent_string=f"FreeSWITCH-mod_sofia/{full()}",
        dbname=f"sofia_reg_{name}",
        tls_cert_dir=defaults.certs_dir,
        sip_ip="",
    )
    reader = _Reader(settings, log, defaults)
    for param in settings_element.iterfind("param"):
        reader.read(param.get("name") or "", param.get("value") or "")
    reader.finish()
    return settings


def _domain(element: etree._Element) -> ProfileDomain:
    return ProfileDomain(
        element.get("name") or "", is_true(element.get("alias")), is_true(element.get("parse"))
    )


class _Reader:
    """Puts one parameter after the other into the settings."""

    def __init__(self, settings: ProfileSettings, log: LogFunction, defaults: ProfileDefaults) -> None:
        self.settings = settings
        self.log = log
        self.defaults = defaults
        self._without_auth: dict[str, bool] = {}
        self._kinds = {field.name: str(field.type) for field in dataclasses.fields(ProfileSettings)}

    def read(self, name: str, value: str) -> None:
        """Take one parameter."""
        self.log(LogLevel.DEBUG, f"{name} [{value}]")
        lowered = name.lower()
        special = _SPECIAL.get(lowered)
        attribute = ALSO_CALLED.get(lowered, lowered.replace("-", "_"))
        if special is not None:
            special(self, value)
        elif lowered in UNSUPPORTED:
            if value.lower() not in _FALSE_WORDS:
                self.log(LogLevel.WARNING, f"{name} is not supported: {UNSUPPORTED[lowered]}")
        elif lowered in WITHOUT_EFFECT:
            pass
        elif "_" in lowered or attribute in NO_PARAMETERS or attribute not in self._kinds:
            self.log(LogLevel.WARNING, f"Unknown param {name} in profile {self.settings.name}")
            self.settings.unknown += (name,)
        else:
            self._set(attribute, name, value)

    def _set(self, attribute: str, name: str, value: str) -> None:
        if attribute in WORDS:
            words, other = WORDS[attribute]
            found = words.get(value.lower())
            if found is None:
                self._invalid(name, value)
            if found is not None or other is not None:
                setattr(self.settings, attribute, found or other)
        elif attribute in TRUTH_WORDS:
            words, true, false = TRUTH_WORDS[attribute]
            found = words.get(value.lower(), true if is_true(value) else false)
            if found == false and value.lower() not in _FALSE_WORDS:
                self._invalid(name, value)
            setattr(self.settings, attribute, found)
        elif self._kinds[attribute] == "bool":
            if not is_true(value) and value.lower() not in _FALSE_WORDS:
                self._invalid(name, value)
            setattr(self.settings, attribute, is_true(value))
        elif self._kinds[attribute] == "int":
            self._set_number(attribute, name, value)
        else:
            setattr(self.settings, attribute, value)

    def _set_number(self, attribute: str, name: str, value: str) -> None:
        if not value:
            return
        number = leading_int(value)
        wrong = (
            not _NUMBER.fullmatch(value) and leading_int(value) == 0 and not value.lstrip().startswith("0")
        )
        if wrong or number < LEAST.get(attribute, number) or number > MOST.get(attribute, number):
            self._invalid(name, value)
            default = next(f.default for f in dataclasses.fields(ProfileSettings) if f.name == attribute)
            setattr(self.settings, attribute, default)
        else:
            setattr(self.settings, attribute, number)

    def _invalid(self, name: str, value: str) -> None:
        self.log(LogLevel.ERR, f"Invalid option {value} for {name}")

    # -- parameters with a rule of their own -------------------------------------------------------------------

    def sip_ip(self, value: str) -> None:
        self.settings.sip_ip = own_address(value, "sip-ip", self.defaults.lookup, self.log)

    def sip_port(self, value: str) -> None:
        if value:
            self.settings.sip_port = self._port(value, "sip-port", DEFAULT_PORT)

    def tls_sip_port(self, value: str) -> None:
        if value:
            self.settings.tls_sip_port = self._port(value, "tls-sip-port", DEFAULT_TLS_PORT)

    def _port(self, value: str, name: str, default: int) -> int:
        """Return a port, 0 for `auto`; a text without a number is FreeSWITCH's 0, which is the default there."""
        if value.lower() == "auto":
            return 0
        number = leading_int(value)
        if 0 < number <= MAX_PORT:
            return number
        self._invalid(name, value)
        return default

    def rtp_ip(self, value: str) -> None:
        address = own_address(value, "rtp-ip", self.defaults.lookup, self.log)
        had = self.settings.rtp_ips6 if ":" in address else self.settings.rtp_ips
        if len(had) >= MAX_RTP_IP:
            self.log(LogLevel.WARNING, f"Max IPs configured for profile {self.settings.name}.")
        elif ":" in address:
            self.settings.rtp_ips6 += (address,)
        else:
            self.settings.rtp_ips += (address,)

    def ext_sip_ip(self, value: str) -> None:
        address, auto_nat = external_address(value, "ext-sip-ip", self.defaults.lookup, self.log)
        if address:
            self.settings.ext_sip_ip, self.settings.auto_nat = address, auto_nat

    def ext_rtp_ip(self, value: str) -> None:
        address, auto_nat = external_address(value, "ext-rtp-ip", self.defaults.lookup, self.log)
        if address:
            self.settings.ext_rtp_ip, self.settings.auto_nat = address, auto_nat
            if auto_nat and not self.settings.ext_sip_ip:
                self.settings.ext_sip_ip = address

    def bind_attempts(self, value: str) -> None:
        if value and leading_int(value) >= 1:
            self.settings.bind_attempts = leading_int(value) - 1

    def alias(self, value: str) -> None:
        if value:
            self.settings.alias_urls += (value,)
        else:
            self.log(LogLevel.DEBUG, "Alias Param has no data...")

    def local_network_acl(self, value: str) -> None:
        self.settings.local_network_acl = "" if value.lower() == "none" else value

    def outbound_proxy(self, value: str) -> None:
        self.settings.outbound_proxy = (
            value if not value or value.lower().startswith(("sip:", "sips:")) else f"sip:{value}"
        )

    def codec_prefs(self, value: str) -> None:
        self.settings.inbound_codec_prefs = self.settings.outbound_codec_prefs = value

    def rtp_timeout_sec(self, value: str) -> None:
        if value:
            self._set_number("rtp_timeout_sec", "rtp-timeout-sec", value)
            self.log(LogLevel.WARNING, "rtp-timeout-sec deprecated use media_timeout variable.")

    def rtp_hold_timeout_sec(self, value: str) -> None:
        if value:
            self._set_number("rtp_hold_timeout_sec", "rtp-hold-timeout-sec", value)
            self.log(LogLevel.WARNING, "rtp-hold-timeout-sec deprecated use media_hold_timeout variable.")

    def minimum_session_expires(self, value: str) -> None:
        if value:
            self.settings.minimum_session_expires = max(leading_int(value), LEAST_SESSION_EXPIRES)

    def dtmf_duration(self, value: str) -> None:
        if not value:
            return
        shortest, longest, default = self.defaults.digits
        duration = leading_int(value)
        if not shortest <= duration <= longest:
            self.log(LogLevel.DEBUG, f"Duration out of bounds, using default of {default}!")
            duration = default
        self.settings.dtmf_duration = duration

    def auto_jitterbuffer_msec(self, value: str) -> None:
        self._set_number("auto_jitterbuffer_msec", "auto-jitterbuffer-msec", value.partition(":")[0])

    def vad(self, value: str) -> None:
        found = {"in": {"in"}, "out": {"out"}, "both": {"in", "out"}, "none": set(), "": set()}.get(
            value.lower()
        )
        if found is None:
            self.log(LogLevel.ERR, f"Invalid option {value} for VAD")
        else:
            self.settings.vad |= found

    def media_option(self, value: str) -> None:
        word = value.lower()
        if word == "none":
            self.settings.media_option = frozenset()
        elif word == "bypass-media-after-hold" and "resume-media-on-hold" not in self.settings.media_option:
            self.log(
                LogLevel.ERR,
                "bypass-media-after-hold can be set only with resume-media-on-hold media-option",
            )
        elif word in {"resume-media-on-hold", "bypass-media-after-att-xfer", "bypass-media-after-hold"}:
            self.settings.media_option |= {word}
        elif word:
            self._invalid("media-option", value)

    def ndlb_force_rport(self, value: str) -> None:
        levels = {"safe": (3, 1), "disabled": (0, 0), "server-only": (1, 0)}.get(value.lower())
        if levels is not None:
            self.settings.server_rport_level, self.settings.client_rport_level = levels
        elif value.lower() == "client-only":
            self.settings.client_rport_level = 1
        elif is_true(value):
            self.settings.server_rport_level, self.settings.client_rport_level = 2, 1
        elif value.lower() not in _FALSE_WORDS:
            self._invalid("NDLB-force-rport", value)

    def disable_auth_messages(self, value: str) -> None:
        self._without_auth["auth_messages"] = is_true(value)

    def disable_auth_subscriptions(self, value: str) -> None:
        self._without_auth["auth_subscriptions"] = is_true(value)

    def apply_inbound_acl(self, value: str) -> None:
        parts = [*value.split(":", 2), "", ""]
        acl = InboundAcl(parts[0], parts[1], parts[2])
        self.settings.apply_inbound_acl = self._grown(self.settings.apply_inbound_acl, acl, value)

    def apply_register_acl(self, value: str) -> None:
        self.settings.apply_register_acl = self._grown(self.settings.apply_register_acl, value, value)

    def apply_proxy_acl(self, value: str) -> None:
        self.settings.apply_proxy_acl = self._grown(self.settings.apply_proxy_acl, value, value)

    def apply_nat_acl(self, value: str) -> None:
        self.settings.apply_nat_acl = self._grown(self.settings.apply_nat_acl, value, value)

    def apply_candidate_acl(self, value: str) -> None:
        self.settings.apply_candidate_acl = self._grown(self.settings.apply_candidate_acl, value, value)

    def _grown(self, lists: tuple[_Acl, ...], entry: _Acl, value: str) -> tuple[_Acl, ...]:
        if not value:
            return lists
        if value.lower() == "none":
            return ()
        if len(lists) >= MAX_ACL:
            self.log(LogLevel.ERR, f"Max acl records of {MAX_ACL} reached")
            return lists
        return (*lists, entry)

    # -- TLS and WebSocket ---------------------------------------------------------------------------------------

    def tls_bind_params(self, value: str) -> None:
        self.settings.tls_bind_params = tls_bind_params(value)

    def tls_cert_dir(self, value: str) -> None:
        self.settings.tls_cert_dir = value or self.settings.tls_cert_dir

    def tls_ciphers(self, value: str) -> None:
        self.settings.tls_ciphers = value or self.settings.tls_ciphers

    def tls_version(self, value: str) -> None:
        if value:
            self.settings.tls_versions = tls_versions(value, lambda word: self._invalid("tls-version", word))

    def tls_verify_policy(self, value: str) -> None:
        self.settings.tls_verify_policy = verify_policy(value, self.log)

    def tls_verify_in_subjects(self, value: str) -> None:
        self.settings.tls_verify_in_subjects = tuple(word for word in value.split("|") if word)

    def ws_binding(self, value: str) -> None:
        self.settings.ws_binding = self._binding("ws-binding", value, self.settings.ws_binding)

    def wss_binding(self, value: str) -> None:
        self.settings.wss_binding = self._binding("wss-binding", value, self.settings.wss_binding)

    def _binding(self, name: str, value: str, former: Binding | None) -> Binding | None:
        if not value:
            return former
        found = websocket_binding(value)
        if found is None:
            self._invalid(name, value)
        return found or former

    def rfc8760_auth_algorithms(self, value: str) -> None:
        words = [word.strip().upper() for word in value.split(",") if word.strip()]
        for word in words:
            if word not in _ALGORITHMS:
                self._invalid("rfc8760-auth-algorithms", word)
        self.settings.rfc8760_auth_algorithms = tuple(word for word in _ALGORITHMS if word in words)

    def finish(self) -> None:
        """Put right what hangs together, and what was not said."""
        settings, guess_ip = self.settings, self.defaults.lookup.guess_ip
        for name, without in self._without_auth.items():
            setattr(settings, name, not without)
        if settings.inbound_bypass_media and not settings.inbound_late_negotiation:
            self.log(LogLevel.WARNING, "inbound-bypass-media  implictly enables inbound-late-negotiation")
            settings.inbound_late_negotiation = True
        if settings.send_display_update and not settings.allow_update:
            self.log(
                LogLevel.WARNING,
                "send-display-update=true is set, but we can't comply because allow-update=false",
            )
            settings.send_display_update = False
        if settings.proxy_hold:
            for option in sorted(settings.media_option & {"resume-media-on-hold", "bypass-media-after-hold"}):
                self.log(LogLevel.WARNING, f"proxy-hold=true is set, incompatible with media-option={option}")
                settings.media_option -= {option}
        if settings.suppress_cng:
            settings.cng_pt = 0
        settings.sip_ip = settings.sip_ip or guess_ip
        if not settings.rtp_ips and not settings.rtp_ips6:
            settings.rtp_ips = (guess_ip,)
        if settings.nonce_ttl < LEAST_NONCE_TTL:
            self.log(LogLevel.INFO, f"Setting nonce TTL to {LEAST_NONCE_TTL} seconds")
            settings.nonce_ttl = LEAST_NONCE_TTL
        settings.sip_domain = settings.sip_domain or settings.sip_ip
        for name, default in (("username", "FreeSWITCH"), ("dialplan", "XML"), ("context", "default")):
            if not getattr(settings, name):
                setattr(settings, name, default)


_ALGORITHMS: Final = ("SHA-512-256", "SHA-256", "MD5")  # the strongest first

_SPECIAL: Final[Mapping[str, Callable[[_Reader, str], None]]] = {
    "sip-ip": _Reader.sip_ip,
    "sip-port": _Reader.sip_port,
    "rtp-ip": _Reader.rtp_ip,
    "ext-sip-ip": _Reader.ext_sip_ip,
    "ext-rtp-ip": _Reader.ext_rtp_ip,
    "bind-attempts": _Reader.bind_attempts,
    "alias": _Reader.alias,
    "local-network-acl": _Reader.local_network_acl,
    "outbound-proxy": _Reader.outbound_proxy,
    "codec-prefs": _Reader.codec_prefs,
    "rtp-timeout-sec": _Reader.rtp_timeout_sec,
    "rtp-hold-timeout-sec": _Reader.rtp_hold_timeout_sec,
    "minimum-session-expires": _Reader.minimum_session_expires,
    "dtmf-duration": _Reader.dtmf_duration,
    "auto-jitterbuffer-msec": _Reader.auto_jitterbuffer_msec,
    "vad": _Reader.vad,
    "media-option": _Reader.media_option,
    "ndlb-force-rport": _Reader.ndlb_force_rport,
    "disable-auth-messages": _Reader.disable_auth_messages,
    "disable-auth-subscriptions": _Reader.disable_auth_subscriptions,
    "apply-inbound-acl": _Reader.apply_inbound_acl,
    "apply-register-acl": _Reader.apply_register_acl,
    "apply-proxy-acl": _Reader.apply_proxy_acl,
    "apply-nat-acl": _Reader.apply_nat_acl,
    "apply-candidate-acl": _Reader.apply_candidate_acl,
    "tls-sip-port": _Reader.tls_sip_port,
    "tls-bind-params": _Reader.tls_bind_params,
    "tls-cert-dir": _Reader.tls_cert_dir,
    "tls-ciphers": _Reader.tls_ciphers,
    "tls-version": _Reader.tls_version,
    "tls-verify-policy": _Reader.tls_verify_policy,
    "tls-verify-in-subjects": _Reader.tls_verify_in_subjects,
    "ws-binding": _Reader.ws_binding,
    "wss-binding": _Reader.wss_binding,
    "rfc8760-auth-algorithms": _Reader.rfc8760_auth_algorithms,
}
