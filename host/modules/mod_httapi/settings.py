"""The settings of `httapi.conf`: profiles, that is servers, how they are asked, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_httapi.permissions import Permissions, read_permissions
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.switch import Switch

CONFIGURATION: Final = "httapi.conf"
AGENT: Final = "mod_httapi/1.0"

# FreeSWITCH's names of what libcurl calls HTTPAUTH_….
_AUTH_SCHEMES: Final = ("basic", "digest", "ntlm", "gss-negotiate")
# Parameters that are texts, and the fields of a profile.
_TEXTS: Final = {
    "user-agent": "agent",
    "gateway-credentials": "credentials",
    "method": "method",
    "ssl-cert-path": "ssl_certificate",
    "ssl-key-path": "ssl_key",
    "ssl-key-password": "ssl_key_password",
    "ssl-version": "ssl_version",
    "ssl-cacert-file": "ssl_authorities",
    "cookie-file": "cookie_file",
    "bind-local": "bind_local",
}

Log = Callable[[LogLevel, str], object]


@dataclass(slots=True)
class Profile:
    """A server: where it is, how it is asked, and what it may do. Times in seconds, 0: as long as it takes.

    `only` are the fields that are sent, where any are named. FreeSWITCH: of `=digest` the equals sign takes `basic`
    away; a certificate is looked at only where `enable-cacert-check` says so.
    """

    name: str
    url: str
    agent: str = AGENT
    method: str = ""
    credentials: str = ""
    auth_schemes: frozenset[str] = frozenset({"basic"})
    timeout: int = 0
    connect_timeout: int = 0
    expects_continue: bool = False
    checks_certificate: bool = False
    checks_host: bool = False
    ssl_certificate: str = ""
    ssl_key: str = ""
    ssl_key_password: str = ""
    ssl_version: str = ""
    ssl_authorities: str = ""
    cookie_file: str = ""
    bind_local: str = ""
    only: frozenset[str] = frozenset()
    conference_profile: str = "default"
    permissions: Permissions = field(default_factory=Permissions)


@dataclass(slots=True)
class Settings:
    """The profiles by their names, and whether documents are shown on the console."""

    debug: bool = False
    profiles: dict[str, Profile] = field(default_factory=dict)


def read_settings(switch: Switch) -> Settings:
    """Return what httapi.conf says; without it there are no profiles.

    FreeSWITCH: such a module does not load. Here it does, so that a reload brings profiles.
    """
    settings = Settings()
    configuration = switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        switch.log(LogLevel.ERR, f"open of {CONFIGURATION} failed")
        return settings
    for name, value in _params(configuration.find("settings")):
        if name == "debug":
            settings.debug = is_true(value)
    profiles = configuration.find("profiles")
    if profiles is None:
        switch.log(LogLevel.ERR, "Missing <profiles> tag!")
        return settings
    for element in profiles.iterchildren("profile"):
        name = element.get("name", "")
        if not name:
            switch.log(LogLevel.ERR, "profile tag missing name field!")
        elif name in settings.profiles:
            switch.log(LogLevel.ERR, f"Profile {name} already exists")
        else:
            profile = _profile(name, element, switch.log)
            if profile is None:
                switch.log(LogLevel.ERR, "Profile has no url!")
            else:
                switch.log(LogLevel.NOTICE, f"Profile [{name}] JSON Function [{profile.url}]")
                settings.profiles[name] = profile
    return settings


def _params(element: etree._Element | None) -> list[tuple[str, str]]:
    if element is None:
        return []
    return [
        (param.get("name", "").lower(), param.get("value", "")) for param in element.iterchildren("param")
    ]


def _profile(name: str, element: etree._Element, log: Log) -> Profile | None:
    params = _params(element.find("params"))
    urls = [value for param, value in params if param == "gateway-url"]
    if not urls:
        return None
    profile = Profile(name, urls[-1], permissions=read_permissions(element.find("permissions")))
    for param, value in params:
        match param:
            case _ if param in _TEXTS:
                setattr(profile, _TEXTS[param], value)
            case "auth-scheme":
                profile.auth_schemes = _auth_schemes(profile.auth_schemes, value)
            case "disable-100-continue":
                profile.expects_continue = profile.expects_continue or not is_true(value)
            case "timeout" | "connect-timeout":
                seconds = leading_int(value)
                if seconds < 0:
                    log(LogLevel.ERR, f"Can't set a negative {param}!")
                else:
                    setattr(profile, param.replace("-", "_"), seconds)
            case "enable-cacert-check":
                profile.checks_certificate = profile.checks_certificate or is_true(value)
            case "enable-ssl-verifyhost":
                profile.checks_host = profile.checks_host or is_true(value)
            case "enable-post-var":
                profile.only |= {value}
    for param, value in _params(element.find("conference")):
        if param == "default-profile":
            profile.conference_profile = value
    return profile


def _auth_schemes(former: frozenset[str], value: str) -> frozenset[str]:
    if value.startswith("="):
        former, value = frozenset(), value[1:]
    value = value.lower()
    if value == "any":
        return frozenset(_AUTH_SCHEMES)
    return former | {value} if value in _AUTH_SCHEMES else former
