"""Loading and unloading of modules: `load(switch)` brings capabilities in, `unload(switch)` takes them back."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from host.channel_state import ChannelState
from host.log import LogLevel

if TYPE_CHECKING:
    from host.switch import Switch

# Where modules are looked for, in this order; the name is FreeSWITCH's (`mod_dptools`).
PACKAGES = ("host.modules", "lua_bindings")


class ModuleError(Exception):
    """A module that cannot be loaded or unloaded; the text says why, in FreeSWITCH's words."""


class ModuleUnavailable(ModuleError):
    """Raised by a module's `load` that has nothing to do here: no configuration, or a library that is not there."""


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module and the Python module behind it."""

    name: str
    code: ModuleType


def is_core(name: str) -> bool:
    """Return whether a name is one of the core's own modules, which is no file (`CORE_PCM_MODULE`)."""
    return name.startswith("CORE_")


class ModuleLoader:
    """The modules of one switch, in order of loading."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._loaded: dict[str, LoadedModule] = {}
        # What takes in again what the core's own modules, where they were unloaded, had brought.
        self._core: dict[str, list[Callable[[], None]]] = {}
        self._lock = threading.RLock()

    def load(self, name: str) -> None:
        """Load a module; ModuleError when there is none, it is loaded already, or its `load` fails."""
        with self._lock:
            if self.exists(name):
                raise ModuleError("Module already loaded")
            if is_core(name):
                self._load_core(name)
                return
            code = self._find(name)
            try:
                code.load(self._switch)
            except ModuleUnavailable:
                self._take_back(name)
                raise
            except Exception as error:
                self._take_back(name)
                self._switch.report_bug(f"loading {name}", error)
                raise ModuleError(f"Module load routine returned an error: {error}") from error
            self._loaded[name] = LoadedModule(name, code)
        self._switch.log(LogLevel.CONSOLE, f"Successfully Loaded [{name}]")
        self._tell("MODULE_LOAD", name)

    def unload(self, name: str, *, force: bool = False) -> None:
        """Unload a module and take back all it registered; ModuleError when it is not loaded.

        One that says `UNLOADABLE = False` is unloaded only by `force`.
        """
        with self._lock:
            if is_core(name):
                self._unload_core(name)
                return
            module = self._loaded.get(name)
            if module is None:
                raise ModuleError("No such module!")
            if not (force or self.unloadable(name)):
                raise ModuleError("Module is not unloadable")
            del self._loaded[name]
            if hasattr(module.code, "unload"):
                module.code.unload(self._switch)
            self._take_back(name)
        self._tell("MODULE_UNLOAD", name)

    def exists(self, name: str) -> bool:
        """Return whether the module is loaded, one of the core's included."""
        return name in self._loaded or (is_core(name) and self._brings(name))

    def unloadable(self, name: str) -> bool:
        """Return whether a loaded module lets itself be unloaded without force."""
        module = self._loaded.get(name)
        return module is None or bool(getattr(module.code, "UNLOADABLE", True))

    def in_use(self, name: str) -> bool:
        """Return whether a call needs the module: its endpoint, the application that it executes, or the core."""
        sessions = [session for session in list(self._switch.sessions.values()) if not session.channel.down]
        if is_core(name):
            return bool(sessions)
        for session in sessions:
            endpoint = self._switch.endpoints.get(session.endpoint)
            if endpoint is not None and endpoint.module == name:
                return True
            if session.channel.running_state is ChannelState.CS_EXECUTE:
                running = self._switch.applications.get(
                    session.channel.get_variable("current_application") or ""
                )
                if running is not None and running.module == name:
                    return True
        return False

    def _brings(self, name: str) -> bool:
        return any(one.module == name for registry in self._switch.registries for one in registry.offered())

    def _load_core(self, name: str) -> None:
        kept = self._core.pop(name, None)
        if kept is None:
            raise ModuleError(f"there is no module {name}")
        for give_back in kept:
            give_back()

    def _unload_core(self, name: str) -> None:
        kept = [give_back for registry in self._switch.registries for give_back in registry.take_out(name)]
        if not kept:
            raise ModuleError("No such module!")
        self._core[name] = kept

    def file(self, name: str) -> str:
        """Return the file that a loaded module came from, this program's own for the core's modules."""
        module = self._loaded.get(name)
        return (module.code.__file__ if module is not None else None) or __file__

    def names(self) -> list[str]:
        """Return the loaded modules' names, in order of loading."""
        return list(self._loaded)

    def unload_all(self) -> None:
        """Unload everything, the last first."""
        for name in reversed(self.names()):
            self.unload(name, force=True)

    def _find(self, name: str) -> ModuleType:
        if not name.isidentifier() or not name.startswith("mod_"):
            raise ModuleError(f"[{name}] is no module's name")
        for package in PACKAGES:
            try:
                return importlib.import_module(f"{package}.{name}")
            except ModuleNotFoundError as error:
                if error.name not in (f"{package}.{name}", package):
                    raise ModuleError(f"{name} needs the Python package {error.name}") from error
        raise ModuleError(f"there is no module {name}")

    def _take_back(self, name: str) -> None:
        for registry in self._switch.registries:
            registry.remove_module(name)

    def _tell(self, event_name: str, module: str) -> None:
        if self._switch.bus.wants(event_name):
            event = self._switch.new_event(event_name)
            event.add_header("type", "generic")
            event.add_header("name", module)
            event.add_header("key", module)
            self._switch.fire(event)
