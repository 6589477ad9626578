"""What `verto status`, `xmlstatus` and `jsonstatus` tell: profiles with their listeners, and who is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.escape import xml_escape
from host.json_text import pretty

if TYPE_CHECKING:
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.settings import Binding, ProfileSettings
    from host.modules.mod_verto.verto import Verto

_RULE: Final = "=" * 97
# FreeSWITCH: what stands for what a client has not told.
_NOTHING: Final = "(null)"


def text(verto: Verto) -> str:
    """A table."""
    lines = [_row("Name", "   Type", "Data", "State"), _RULE]
    profiles = clients = 0
    for profile in verto.settings.profiles:
        profiles += 1
        for binding in profile.bindings:
            lines.append(_row(profile.name, "profile", binding.url, _state(verto, binding)))
        for client in _clients(verto, profile):
            clients += 1
            name = f"{profile.name}::{_address(client)}"
            lines.append(_row(name, "client", client.name, f"{_stage(client)} ({_kind(client)})"))
    lines.append(_RULE)
    lines.append(f"{profiles} profile{_plural(profiles)} , {clients} client{_plural(clients)}")
    return "\n".join(lines) + "\n"


def _row(name: str, kind: str, data: str, state: str) -> str:
    return f"{name:>25}\t{kind}\t  {data:>40}\t{state}"


def xml(verto: Verto) -> str:
    """An XML document."""
    parts = ['<?xml version="1.0" encoding="ISO-8859-1"?>\n<profiles>\n']
    for profile in verto.settings.profiles:
        name = xml_escape(profile.name)
        for binding in profile.bindings:
            parts.append(
                f"<profile>\n<name>{name}</name>\n<type>profile</type>\n<data>{xml_escape(binding.url)}</data>\n"
                f"<state>{_state(verto, binding)}</state>\n</profile>\n"
            )
        for client in _clients(verto, profile):
            parts.append(
                f"<client>\n<profile>{name}</profile>\n<name>{xml_escape(_address(client))}</name>\n"
                f"<type>client</type>\n<data>{xml_escape(client.name)}</data>\n"
                f"<state>{_stage(client)} ({_kind(client)})</state>\n</client>\n"
            )
    return "".join(parts) + "</profiles>\n"


def json(verto: Verto) -> str:
    """A JSON object, on several lines."""
    profiles: list[object] = []
    for profile in verto.settings.profiles:
        for binding in profile.bindings:
            users: list[object] = [
                {
                    "user": client.user,
                    "domain": client.domain,
                    "entity": _address(client),
                    "type": _kind(client),
                    "remoteHost": client.name,
                    "state": _stage(client),
                }
                for client in _clients(verto, profile)
                if client.secure == binding.secure
            ]
            profiles.append(
                {
                    "name": profile.name,
                    "id": binding.url,
                    "type": "SECURE" if binding.secure else "BASIC",
                    "state": _state(verto, binding),
                    "users": users,
                }
            )
    return pretty({"profiles": profiles}) + "\n"


def _clients(verto: Verto, profile: ProfileSettings) -> list[Client]:
    with verto.lock:
        return [client for client in verto.clients if client.profile.name == profile.name]


def _state(verto: Verto, binding: Binding) -> str:
    return "RUNNING" if binding.url in verto.running else "DOWN"


def _address(client: Client) -> str:
    return f"{client.user or _NOTHING}@{client.domain or _NOTHING}"


def _stage(client: Client) -> str:
    return "CONN_REG" if client.uid else "CONN_NO_REG"


def _kind(client: Client) -> str:
    return "WSS" if client.secure else "WS"


def _plural(count: int) -> str:
    return "" if count == 1 else "s"
