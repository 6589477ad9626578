"""sofia.conf: the settings of the whole module, and its profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel, level_of
from host.modules.mod_sofia.gateway.gateway_settings import parse_gateways
from host.modules.mod_sofia.profile.profile_domains import domain_aliases, gateway_elements
from host.modules.mod_sofia.profile.profile_parameters import ProfileDefaults, parse_profile
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.modules.mod_sofia.profile.profile_address import LogFunction
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.xml_registry import XmlRegistry

CONFIGURATION: Final = "sofia.conf"
MAX_LOG_LEVEL: Final = 9  # of `sofia loglevel`
_UNSUPPORTED: Final = frozenset(
    {
        "capture-server",
        "stir-shaken-as-key",
        "stir-shaken-as-url",
        "stir-shaken-vs-ca-dir",
        "stir-shaken-vs-cert-path-check",
        "stir-shaken-vs-require-date",
        "rewrite-multicasted-fs-path",
        "reg-deny-binding-fetch-and-no-lookup",
    }
)


@dataclass(slots=True)
class GlobalSettings:
    """The `global_settings`: log-level 0 to 9, tracelevel a level of the log."""

    log_level: int = 0
    tracelevel: LogLevel = LogLevel.CONSOLE
    debug_presence: int = 0
    debug_sla: int = 0
    auto_restart: bool = True
    abort_on_empty_external_ip: bool = False
    inbound_reg_in_new_thread: bool = False
    max_reg_threads: int = 0


@dataclass(slots=True)
class SofiaConf:
    """What sofia.conf says; profiles in their order."""

    settings: GlobalSettings
    profiles: list[ProfileSettings]

    def profile(self, name: str) -> ProfileSettings | None:
        """Return a profile by its name, in any case; None without."""
        wanted = name.lower()
        return next((profile for profile in self.profiles if profile.name.lower() == wanted), None)


def parse_sofia_conf(
    element: etree._Element,
    log: LogFunction,
    defaults: ProfileDefaults,
    xml: XmlRegistry | None = None,
    *,
    only: str | None = None,
) -> SofiaConf:
    """Return what the configuration says, of the profiles only the one named `only` (any case) where it is given.

    With `xml` the directory's part in the profiles is read too: aliases, and gateways of users. Never raises;
    what is wrong is told by `log`, and a profile without settings is left out. May block: names are looked up,
    and bindings of the configuration asked.
    """
    profiles: list[ProfileSettings] = []
    for child in element.iterfind("profiles/profile"):
        if only is not None and (child.get("name") or "unnamed").lower() != only.lower():
            continue
        settings = parse_profile(child, log, defaults)
        if settings is None:
            continue
        if any(other.name.lower() == settings.name.lower() for other in profiles):
            log(LogLevel.WARNING, f"Profile [{settings.name}] Already exists.")
            continue
        settings.gateways = tuple(parse_gateways(settings, gateway_elements(settings, child, xml), log))
        settings.domain_aliases = domain_aliases(settings, xml)
        profiles.append(settings)
    return SofiaConf(_global_settings(element, log), profiles)


def _global_settings(element: etree._Element, log: LogFunction) -> GlobalSettings:
    settings = GlobalSettings()
    for param in element.iterfind("global_settings/param"):
        name, value = param.get("name") or "", param.get("value") or ""
        match name.lower():
            case "log-level":
                settings.log_level = min(max(leading_int(value), 0), MAX_LOG_LEVEL)
            case "tracelevel":
                level = level_of(value)
                if level is None:
                    log(LogLevel.ERR, f"Invalid option {value} for {name}")
                else:
                    settings.tracelevel = level
            case "debug-presence":
                settings.debug_presence = leading_int(value)
            case "debug-sla":
                settings.debug_sla = leading_int(value)
            case "auto-restart":
                settings.auto_restart = is_true(value)
            case "abort-on-empty-external-ip":
                settings.abort_on_empty_external_ip = is_true(value)
            case "inbound-reg-in-new-thread":
                settings.inbound_reg_in_new_thread = is_true(value)
            case "max-reg-threads":
                settings.max_reg_threads = max(leading_int(value), 0)
            case lowered if lowered in _UNSUPPORTED:
                if value:
                    log(LogLevel.WARNING, f"{name} is not supported")
            case _:
                log(LogLevel.WARNING, f"Unknown param {name} in {CONFIGURATION}")
    return settings
