"""Which applications and commands may be registered: `interface-allowlist` of switch.conf, as in FreeSWITCH 1.11."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.log import LogLevel

if TYPE_CHECKING:
    from host.interfaces import Interface
    from host.xml_registry import XmlRegistry

# Kinds of registries that are gated: the word for it in a list, and in the log. Endpoints, codecs, formats … never are.
_KINDS: Final = {
    "application": ("app", "Application"),
    "api": ("api", "API"),
    "json_api": ("json_api", "JSON API"),
    "chat_application": ("chat_app", "Chat Application"),
}


class InterfaceAllowlist:
    """The list of one switch, read once: when the first interface is registered after the configuration is there.

    An interface may be registered when an entry names its module (`mod_commands`), its name (`mod_commands.status`)
    or that and its kind (`mod_commands.status.api`), case aside. Without entries everything may.
    """

    def __init__(self, xml: XmlRegistry, log: Callable[[LogLevel, str], object]) -> None:
        self._xml = xml
        self._log = log
        self._entries: frozenset[str] | None = None

    def permits(self, kind: str, interface: Interface) -> bool:
        """Return whether `interface`, of a registry of this kind, may be registered; a refusal is logged."""
        gate = _KINDS.get(kind)
        entries = self._read() if gate is not None else frozenset()
        if gate is None or not entries:
            return True
        word, title = gate
        module, name = interface.module.lower(), interface.name.lower()
        if entries & {module, f"{module}.{name}", f"{module}.{name}.{word}"}:
            return True
        self._log(
            LogLevel.WARNING,
            f"Skipping {title} '{interface.name}' from {interface.module}: not permitted by interface allowlist",
        )
        return False

    def _read(self) -> frozenset[str]:
        if self._entries is not None:
            return self._entries
        configuration = self._xml.configuration("switch.conf")
        if configuration is None:
            return frozenset()
        section = configuration.find("interface-allowlist")
        allowed = section.findall("allow") if section is not None else []
        self._entries = frozenset(name.lower() for allow in allowed if (name := allow.get("name")))
        if self._entries:
            self._log(
                LogLevel.WARNING,
                "Interface allowlist ACTIVE: only explicitly permitted application/api/json_api interfaces will load.",
            )
        elif section is not None:
            self._log(
                LogLevel.ERR, "The interface-allowlist of switch.conf has no entries, so it is not enforced"
            )
        return self._entries


def entry_of(kind: str, interface: Interface) -> str | None:
    """Return the entry that names exactly this interface, None when its kind is not gated."""
    gate = _KINDS.get(kind)
    return f"{interface.module}.{interface.name}.{gate[0]}" if gate is not None else None
