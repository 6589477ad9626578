"""Commands about modules and the configuration."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.interfaces import ApiRequest
from host.log import LogLevel
from host.module_loader import ModuleError
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

# FreeSWITCH's word for whatever keeps a module from being loaded; the log tells more.
_LOAD_FAILED: Final = "module load file routine returned an error"


@command("load", "<mod_name>", "Load Module")
def load(request: ApiRequest) -> str:
    if not request.argument:
        raise UsageError
    request.write(_reload_xml(request.switch))
    error = _load(request.switch, request.argument)
    return "+OK\n" if error is None else f"-ERR [{error}]\n"


@command("unload", "[-f] <mod_name>", "Unload module")
def unload(request: ApiRequest) -> str:
    name, force = _name(request)
    try:
        request.switch.modules.unload(name, force=force)
    except ModuleError as error:
        return f"-ERR [{error}]\n"
    return "+OK\n"


@command("reload", "[-f] <mod_name>", "Reload module")
def reload(request: ApiRequest) -> str:
    name, force = _name(request)
    request.write(_reload_xml(request.switch))
    try:
        request.switch.modules.unload(name, force=force)
        request.write("+OK module unloaded\n")
    except ModuleError as error:
        request.write(f"-ERR unloading module [{error}]\n")
    failed = _load(request.switch, name)
    return "+OK module loaded\n" if failed is None else f"-ERR loading module [{failed}]\n"


@command("module_exists", "<module>", "Check if module exists")
def module_exists(request: ApiRequest) -> str:
    """Tell whether a module is loaded, one of the core's included; names are compared with case."""
    name = request.argument
    if not name:
        return ""
    brought = any(found.module == name for registry in request.switch.registries for found in registry)
    return "true" if brought or request.switch.modules.exists(name) else "false"


@command("reloadxml", "", "Reload XML")
def reloadxml(request: ApiRequest) -> str:
    switch = request.switch
    result = switch.xml.reload()
    if switch.bus.wants("RELOADXML"):
        switch.fire(switch.new_event("RELOADXML"))
    return f"+OK [{result}]\n"


@command("reloadacl", "", "Reload XML")
def reloadacl(request: ApiRequest) -> str:
    if "reloadxml" in request.argument.lower():
        request.write("This option is deprecated, we now always reloadxml.\n")
    request.switch.xml.reload()
    request.switch.access_lists.reload()
    return "+OK acl reloaded\n"


@command("reloadcert", "", "Reload Certificates")
def reloadcert(request: ApiRequest) -> str:
    """Ask with CERT_RELOAD all who hold certificates to read them again."""
    switch = request.switch
    if switch.bus.wants("CERT_RELOAD"):
        switch.fire(switch.new_event("CERT_RELOAD"))
    return "+OK cert reload event sent\n"


def _name(request: ApiRequest) -> tuple[str, bool]:
    """Return the module's name and whether `-f` stands before it."""
    name = request.argument
    force = name.startswith("-f")
    if force:
        name = name[2:].strip()
    if not name:
        raise UsageError
    return name, force


def _load(switch: Switch, name: str) -> str | None:
    """Load a module; return FreeSWITCH's word for what is wrong, None when all is well."""
    if switch.modules.exists(name):
        return "Module already loaded"
    try:
        switch.modules.load(name)
    except ModuleError as error:
        switch.log(LogLevel.ERR, f"Cannot load {name}: {error}")
        return _LOAD_FAILED
    return None


def _reload_xml(switch: Switch) -> str:
    """Read the configuration again, as FreeSWITCH does before it loads a module."""
    switch.xml.reload()
    return "+OK Reloading XML\n"
