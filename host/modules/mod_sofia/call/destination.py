"""Where `sofia/…` dial strings point: the profile or gateway, the request URI, and the way to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

# What FreeSWITCH's registrar puts into a contact for its own use; it does not go out.
_OWN_PARAMETERS: Final = frozenset({"fs_nat", "fs_path", "received"})
_TRANSPORT: Final = re.compile(r";transport=([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DialledAddress:
    """The parts of `sofia/PLACE/TARGET[^TO]`; `gateway` says that the place is a gateway's name."""

    gateway: bool
    place: str
    target: str
    to: str


@dataclass(frozen=True, slots=True)
class Destination:
    """A request URI, what goes to To, the route before it (Route headers), and the next hop (a URI) in its place."""

    uri: str
    to_uri: str
    routes: tuple[str, ...] = ()
    next_hop: str = ""
    transport: str = ""
    nat: bool = False


def parse_address(address: str) -> DialledAddress | None:
    """Return the parts of what is behind `sofia/`, None when it has no slash (FreeSWITCH: INVALID_URL)."""
    text, _, to = address.partition("^")
    gateway = text[:8].lower() == "gateway/"
    place, slash, target = (text[8:] if gateway else text).partition("/")
    if not slash:
        return None
    return DialledAddress(gateway, place, target, to)


def destination(contact: str, to: str = "") -> Destination:
    """Return the way to a contact (`sip:bob@host;fs_nat=yes;fs_path=…`, also `<…>`).

    FreeSWITCH: `fs_path` is where it is sent; one with `lr` came from a Path header and is a route.
    """
    text = contact.strip()
    if "<" in text:
        text = text.partition("<")[2].partition(">")[0]
    base, *params = text.split(";")
    kept: list[str] = []
    path, nat = "", False
    for param in params:
        name, _, value = param.partition("=")
        if name.lower() == "fs_path":
            path = unquote(value)
        elif name.lower() == "fs_nat":
            nat = True
        elif name.lower() not in _OWN_PARAMETERS:
            kept.append(param)
    uri = ";".join([base, *kept])
    routes: tuple[str, ...] = ()
    next_hop = ""
    if path:
        parts = [part.strip().strip("<>") for part in path.split(",") if part.strip()]
        if any(";lr" in part for part in parts):
            routes = tuple(f"<{part}>" for part in parts)
        else:
            next_hop = parts[0]
    found = _TRANSPORT.search(routes[0] if routes else next_hop or uri)
    transport = found.group(1).lower() if found else ""
    if not transport and base.lower().startswith("sips:"):
        transport = "tls"
    return Destination(uri, to or uri, routes, next_hop, transport, nat)


def to_uri(to: str, host: str) -> str:
    """Return the URI for To of what stands behind `^`: a number belongs to `host`."""
    if not to:
        return ""
    if to.lower().startswith(("sip:", "sips:")):
        return to
    return f"sip:{to}" if "@" in to else f"sip:{to}@{host}"


def host_of(uri: str) -> str:
    """Return `host[:port]` of a URI's text."""
    rest = re.sub(r"^sips?:", "", uri, flags=re.IGNORECASE)
    return re.split(r"[;?>]", rest.rpartition("@")[2])[0]
