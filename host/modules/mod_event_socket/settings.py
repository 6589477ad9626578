"""The settings of `event_socket.conf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.truth import is_true

if TYPE_CHECKING:
    from host.xml_registry import XmlRegistry

# FreeSWITCH: what holds where the configuration says nothing.
ADDRESS: Final = "127.0.0.1"
PORT: Final = 8021
PASSWORD: Final = "ClueCon"
ACL: Final = "loopback.auto"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the event socket listens, and whom it lets in: an address must be on every one of the lists."""

    address: str = ADDRESS
    port: int = PORT
    password: str = PASSWORD
    acl: tuple[str, ...] = (ACL,)
    stop_on_bind_error: bool = False
    debug: int = 0


def read_settings(xml: XmlRegistry) -> Settings:
    """Return the settings; what is missing, empty or 0 has FreeSWITCH's default."""
    configuration = xml.configuration("event_socket.conf")
    params = [] if configuration is None else configuration.findall("settings/param")
    values: dict[str, str] = {}
    acl: list[str] = []
    for param in params:
        name, value = param.get("name", "").lower(), param.get("value", "")
        if name == "apply-inbound-acl":
            acl += [value] if value else []
        else:
            values[name] = value
    port = leading_int(values.get("listen-port", "")) % 65536
    return Settings(
        values.get("listen-ip") or ADDRESS,
        port or PORT,
        values.get("password") or PASSWORD,
        tuple(acl) or (ACL,),
        is_true(values.get("stop-on-bind-error")),
        leading_int(values.get("debug", "")),
    )
