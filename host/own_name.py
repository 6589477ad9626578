"""By which names a browser may reach a page of this machine, and whether another one's page asks in its place."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

# The port of an origin that names none (RFC 6454 section 4).
_HTTP: Final = 80


def is_own_name(host: str, machine: str) -> bool:
    """Whether the header `Host` names an address or this machine, which is called `machine`.

    A page of somebody else's whose name leads to this machine ("DNS rebinding") would be taken for ours otherwise.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        ip_address(name)
    except ValueError:
        name = host.partition(":")[0].lower()
        return name == "localhost" or name.endswith(".localhost") or name == machine.lower()
    return True


def is_own_page(origin: str, host: str, port: int, machine: str) -> bool:
    """Whether a browser's `Origin` is the page of this machine at `port`, loaded by the name that `Host` asks for.

    RFC 6455 section 10.2: a WebSocket is open to pages of everybody where nobody looks.
    """
    if not is_own_name(host, machine):
        return False
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        told = page.port
    except ValueError:
        return False
    same = page.hostname is not None and page.hostname == asked.hostname
    return same and page.scheme == "http" and (_HTTP if told is None else told) == port
