"""What enum.conf says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.modules.mod_enum.naptr import Route
from host.truth import is_true

if TYPE_CHECKING:
    from host.xml_registry import XmlRegistry

MAX_NAME_SERVERS: Final = 10  # FreeSWITCH's limit
# A caller hears nothing meanwhile: what takes longer than this is a mistake in the configuration.
_LONGEST_TIMEOUT_MS: Final = 60_000
_MOST_TRIES: Final = 255


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of enum.conf, by default FreeSWITCH's; `timeout_ms` is that of one of `tries` with a server."""

    root: str = "e164.org"
    isn_root: str = "freenum.org"
    auto_reload: bool = False
    timeout_ms: int = 5000
    tries: int = 3
    random: bool = False
    name_servers: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


def read_settings(xml: XmlRegistry) -> Settings:
    """Read enum.conf; the defaults where there is none."""
    configuration = xml.configuration("enum.conf")
    if configuration is None:
        return Settings()
    default = Settings()
    root, isn_root, auto_reload = default.root, default.isn_root, default.auto_reload
    timeout, tries, random = default.timeout_ms, default.tries, default.random
    servers: list[str] = []
    for param in configuration.iterfind("settings/param"):
        value = param.get("value", "")
        match param.get("name", "").lower():
            case "default-root":
                root = value
            case "default-isn-root":
                isn_root = value
            case "auto-reload":
                auto_reload = is_true(value)
            case "query-timeout":
                timeout = leading_int(value) * 1000
            case "query-timeout-ms":
                timeout = leading_int(value)
            case "query-timeout-retry":
                tries = leading_int(value)
            case "random-nameserver":
                random = is_true(value)
            case "nameserver" | "use-server":
                servers.append(value)
    return Settings(
        root,
        isn_root,
        auto_reload,
        min(max(timeout, 1), _LONGEST_TIMEOUT_MS),
        min(max(tries, 1), _MOST_TRIES),
        random,
        tuple(servers[:MAX_NAME_SERVERS]),
        tuple(
            Route(route.get("service", ""), route.get("regex", ""), route.get("replace", ""))
            for route in configuration.iterfind("routes/route")
        ),
    )
