"""The settings of `verto.conf`: profiles, where they listen, who may come, what sound they speak."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.xml_registry import XmlRegistry

Log = Callable[[LogLevel, str], object]

# FreeSWITCH's limits and defaults.
MOST_BINDINGS: Final = 25
MOST_RTP_ADDRESSES: Final = 24
MOST_ACCESS_LISTS: Final = 25
DETACH_TIMEOUT: Final = 120
CODECS: Final = "opus,vp8"
JITTER_BUFFER: Final = "1p:20p"
LOCAL_NETWORK: Final = "localnet.auto"

# What FreeSWITCH has and does not mean anything here.
_WITHOUT_MEANING: Final = {
    "timer-name": "media is paced by the engine",
    "apply-candidate-acl": "the browser checks the paths of media, not this side",
    "enable-text": "there is no text stream",
}
_REFUSED: Final = {
    "mcast-ip": "event channels are those of this switch alone",
}


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a profile listens."""

    ip: str
    port: int
    secure: bool = False

    @property
    def url(self) -> str:
        """As reports show it: `ws:127.0.0.1:8081`."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{'wss' if self.secure else 'ws'}:{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """One profile. `userauth` is empty where nobody has to log in, else `true` or `@domain` for users without one.

    `certificate`, `key` and `chain` are files; `jitter_buffer` is what `uuid_jitterbuffer` takes.
    """

    name: str
    bindings: tuple[Binding, ...]
    certificate: str = ""
    key: str = ""
    chain: str = ""
    userauth: str = ""
    chop_domain: bool = True
    register_domain: str = ""
    root_password: str = ""
    send_password: bool = False
    blind_reg: bool = False
    context: str = "default"
    dialplan: str = "XML"
    inbound_codecs: str = CODECS
    outbound_codecs: str = CODECS
    jitter_buffer: str = JITTER_BUFFER
    local_network: str = LOCAL_NETWORK
    connection_lists: tuple[str, ...] = ()
    rtp_ips: tuple[str, ...] = ()
    ext_rtp_ip: str = ""
    debug: int = 0

    @property
    def wants_login(self) -> bool:
        """Whether clients have to log in."""
        return bool(self.userauth or self.root_password)


@dataclass(frozen=True, slots=True)
class VertoSettings:
    """All profiles, the last of the configuration first, as FreeSWITCH keeps them; times in seconds."""

    profiles: tuple[ProfileSettings, ...] = ()
    detach_timeout: int = DETACH_TIMEOUT
    enable_presence: bool = True
    enable_fs_events: bool = False
    send_password: bool = False
    debug: int = 0


@dataclass(slots=True)
class _Draft:
    name: str
    values: dict[str, str] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    rtp_ips: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)


def read_settings(xml: XmlRegistry, log: Log) -> VertoSettings | None:
    """Read the configuration; None without one. What is wrong with it is logged, a profile without address left out."""
    configuration = xml.configuration("verto.conf")
    if configuration is None:
        return None
    profiles: dict[str, ProfileSettings] = {}
    for element in configuration.iterfind("profiles/profile"):
        name = element.get("name") or ""
        if not name:
            log(LogLevel.ERR, "Required field name missing")
        elif name in profiles:
            log(LogLevel.ERR, f"Profile {name} already exists")
        else:
            made = _profile(name, element, log)
            if made is not None:
                profiles[name] = made
    general = {name: value for name, value, _ in _params(configuration.find("settings"))}
    timeout = leading_int(general.get("detach-timeout-sec", ""))
    return VertoSettings(
        tuple(reversed(profiles.values())),
        timeout if timeout > 0 else DETACH_TIMEOUT,
        is_true(general.get("enable-presence", "true")),
        is_true(general.get("enable-fs-events")),
        is_true(general.get("send-auth-password")),
        leading_int(general.get("debug", "")),
    )


def parse_address(text: str) -> tuple[str, int]:
    """Return the address and port of `127.0.0.1:8081` or `[::1]:8081`; port 0 and "" for what is missing."""
    if "[" in text:
        inside, bracket, port = text.partition("[")[2].partition("]")
        if not bracket:
            return "", 0
        return inside.strip(), leading_int(port[1:]) % 65536 if port.startswith(":") else 0
    ip, colon, port = text.rpartition(":")
    return (ip, leading_int(port) % 65536) if colon else (text, 0)


def _params(element: etree._Element | None) -> Iterator[tuple[str, str, bool]]:
    for param in element.iterchildren("param") if element is not None else ():
        yield param.get("name", "").lower(), param.get("value", ""), is_true(param.get("secure"))


def _profile(name: str, element: etree._Element, log: Log) -> ProfileSettings | None:
    draft = _Draft(name)
    for parameter, value, secure in _params(element):
        _take(draft, parameter, value, secure, log)
    if element.find("vhosts") is not None:
        log(LogLevel.WARNING, f"{name}: vhosts are not supported; serve web pages with a web server")
    first = draft.bindings[0] if draft.bindings else Binding("", 0)
    if not first.ip:
        log(LogLevel.ERR, f"{name}: local_ip bad")
    if not first.port:
        log(LogLevel.ERR, f"{name}: local_port bad")
    if not (first.ip and first.port):
        return None
    get = draft.values.get
    combined = get("secure-combined", "")
    outbound = get("outbound-codec-string") or CODECS
    return ProfileSettings(
        name,
        tuple(draft.bindings),
        certificate=get("secure-cert", combined),
        key=get("secure-key", combined),
        chain=get("secure-chain", ""),
        userauth=get("userauth", ""),
        chop_domain=is_true(get("chop-domain", "true")),
        register_domain=get("force-register-domain", ""),
        root_password=get("root-password", ""),
        send_password=is_true(get("send-auth-password")),
        blind_reg=is_true(get("blind-reg")),
        context=get("context", "default"),
        dialplan=get("dialplan", "XML"),
        inbound_codecs=get("inbound-codec-string") or outbound,
        outbound_codecs=outbound,
        jitter_buffer=get("auto-jitterbuffer-msec") or JITTER_BUFFER,
        local_network=get("local-network") or LOCAL_NETWORK,
        connection_lists=tuple(draft.lists),
        rtp_ips=tuple(draft.rtp_ips),
        ext_rtp_ip=_external(get("ext-rtp-ip", ""), name, log),
        debug=leading_int(get("debug", "")),
    )


def _take(draft: _Draft, parameter: str, value: str, secure: bool, log: Log) -> None:
    """Keep one parameter. FreeSWITCH: an empty value is none, and the last of a name holds."""
    if parameter == "bind-local":
        if len(draft.bindings) < MOST_BINDINGS:
            draft.bindings.append(Binding(*parse_address(value), secure))
        else:
            log(LogLevel.ERR, "Max Bindings Reached!")
    elif parameter == "rtp-ip":
        if not value:
            log(LogLevel.WARNING, "Invalid RTP IP.")
        elif len(draft.rtp_ips) < MOST_RTP_ADDRESSES:
            draft.rtp_ips.append(value)
        else:
            log(LogLevel.WARNING, "Too many RTP IP.")
    elif parameter == "apply-connection-acl":
        if len(draft.lists) < MOST_ACCESS_LISTS:
            draft.lists.append(value)
        else:
            log(LogLevel.ERR, f"Max acl records of {MOST_ACCESS_LISTS} reached")
    elif parameter in _REFUSED:
        log(LogLevel.WARNING, f"{draft.name}: {parameter} is not supported: {_REFUSED[parameter]}")
    elif parameter in _WITHOUT_MEANING:
        reason = _WITHOUT_MEANING[parameter]
        log(LogLevel.DEBUG, f"{draft.name}: {parameter} [{value}] is ignored: {reason}")
    elif value:
        if parameter == "secure-combined":
            draft.values["secure-cert"] = draft.values["secure-key"] = value
            log(LogLevel.INFO, "Secure key and cert specified")
        draft.values[parameter] = value


def _external(value: str, profile: str, log: Log) -> str:
    """Return the address that browsers are told in place of `rtp-ip`, "" for none; blocks for `host:` and a name."""
    lowered = value.lower()
    if not value or lowered in ("auto", "auto-nat"):
        return ""
    if lowered.startswith("stun:"):
        log(
            LogLevel.WARNING,
            f"{profile}: STUN is not supported: ext-rtp-ip [{value}]; name the address, or host: and a name",
        )
        return ""
    name = value[5:] if lowered.startswith("host:") else value
    try:
        return str(ip_address(name))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)[0][4][0])
    except (OSError, UnicodeError):
        log(LogLevel.ERR, f"{profile}: ext-rtp-ip [{value}] has no address")
        return ""
