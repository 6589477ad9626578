"""Which modules a switch loads when it starts: those of `modules.conf`, else all but those that must be asked for."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from host.default_config import DEFAULT_MODULES
from host.log import LogLevel
from host.module_loader import PACKAGES, ModuleError, ModuleUnavailable

if TYPE_CHECKING:
    from host.switch import Switch
    from host.xml_registry import XmlRegistry

# What is loaded only when modules.conf names it: whoever may choose what is played runs commands with it.
ASKED_FOR: Final = frozenset({"mod_shell_stream"})

# Loaded behind all others: whoever can connect may rely on what they bring.
_LAST: Final = "mod_event_socket"


def configured_modules(xml: XmlRegistry) -> list[str] | None:
    """Return the modules that `modules.conf` loads, in its order; None when there is no such configuration."""
    configuration = xml.configuration("modules.conf")
    if configuration is None:
        return None
    return [name for load in configuration.findall("modules/load") if (name := load.get("module"))]


def available_modules() -> list[str]:
    """Return the modules that this installation has: first those a call needs, then the others by name."""
    found: set[str] = set()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        folders: Iterable[str] = (spec.submodule_search_locations or ()) if spec is not None else ()
        found |= {info.name for info in pkgutil.iter_modules(folders) if info.name.startswith("mod_")}
    first = [name for name in DEFAULT_MODULES if name in found]
    return first + sorted(found - set(first))


def load_modules(switch: Switch) -> list[str]:
    """Load the modules; what cannot be loaded is reported, once for all that are not there. Return what is missing."""
    there = available_modules()
    wanted = configured_modules(switch.xml)
    missing = [name for name in wanted or () if name not in there]
    names = wanted if wanted is not None else [name for name in there if name not in ASKED_FOR]
    for name in sorted(names, key=lambda name: name == _LAST):
        if name in missing or switch.modules.exists(name):
            continue
        try:
            switch.modules.load(name)
        except ModuleUnavailable as error:
            level = LogLevel.DEBUG if wanted is None else LogLevel.ERR  # nobody asked for it
            switch.log(level, f"{name} is not loaded: {error}")
        except ModuleError as error:
            switch.log(LogLevel.ERR, f"Error Loading module {name}: {error}")
    if missing:
        switch.log(LogLevel.WARNING, f"modules.conf names modules that are not there: {', '.join(missing)}")
    return missing
