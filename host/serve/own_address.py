"""The addresses that this machine is reached at: what `local_ip_v4` and its like say."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from typing import Final

# What Linux is asked for an interface's address and mask, and where that stands in its `struct ifreq`.
_SIOCGIFADDR: Final = 0x8915
_SIOCGIFNETMASK: Final = 0x891B
_ADDRESS: Final = slice(20, 24)


def own_address(family: socket.AddressFamily, far: str) -> str | None:
    """Return the address that packets to `far` (one reserved for examples, nothing is sent) would leave from."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def own_mask(address: str) -> str | None:
    """Return the network mask of the interface that has an IPv4 address, None when none has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", os.fsencode(name))
            try:
                found = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)[_ADDRESS]
                if socket.inet_ntoa(found) == address:
                    return socket.inet_ntoa(fcntl.ioctl(sock.fileno(), _SIOCGIFNETMASK, request)[_ADDRESS])
            except OSError:
                continue  # an interface without an address
    return None
