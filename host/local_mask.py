"""The network mask of an address of this machine (Linux)."""

from __future__ import annotations

import fcntl
import socket
import struct
from typing import Final

_SIOCGIFADDR: Final = 0x8915
_SIOCGIFNETMASK: Final = 0x891B
_ADDRESS: Final = slice(20, 24)  # of a `struct ifreq` that holds a sockaddr_in


def local_mask(address: str) -> str | None:
    """Return the mask of the interface that has an IPv4 address, None when none has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode("utf-8", "surrogateescape"))
            try:
                found = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)[_ADDRESS]
                if socket.inet_ntoa(found) == address:
                    return socket.inet_ntoa(fcntl.ioctl(sock.fileno(), _SIOCGIFNETMASK, request)[_ADDRESS])
            except OSError:
                continue  # an interface without an address
    return None
