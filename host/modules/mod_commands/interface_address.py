"""The addresses of this machine's network interfaces (Linux)."""

from __future__ import annotations

import fcntl
import socket
import struct
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

_SIOCGIFADDR: Final = 0x8915
_IPV6_TABLE: Final = Path("/proc/net/if_inet6")
_LONGEST_NAME: Final = 15  # IFNAMSIZ without its zero


def interface_address(name: str, *, ipv6: bool) -> str | None:
    """Return an interface's first address, None when it has none or there is no such interface."""
    raw = name.encode("utf-8", "surrogateescape")
    if not raw or len(raw) > _LONGEST_NAME or b"\0" in raw:
        return None
    return _ipv6(name) if ipv6 else _ipv4(raw)


def _ipv4(name: bytes) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, struct.pack("256s", name))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _ipv6(name: str) -> str | None:
    try:
        lines = _IPV6_TABLE.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) == 6 and fields[5] == name:
            return str(IPv6Address(bytes.fromhex(fields[0])))
    return None
