"""The addresses of a profile's configuration: literal ones, `auto`, `interface:`, `host:`, `stun:`, `autonat:`."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from host.log import LogLevel

_ANY: Final = "0.0.0.0"
_SIOCGIFADDR: Final = 0x8915  # netdevice(7)
_IFREQ_NAME: Final = 15  # bytes of an interface's name, without its end
_FAMILIES: Final = {"auto/": "", "ipv4/": "4", "ipv6/": "6"}

LogFunction = Callable[[LogLevel, str], None]


@dataclass(frozen=True, slots=True)
class AddressLookup:
    """What addresses are looked up with; the functions return None for what is not there, and may block.

    `guess_ip` is this machine's own (`auto`); interfaces are asked by name and `4`, `6` or nothing for any.
    """

    guess_ip: str
    interface: Callable[[str, str], str | None]
    host: Callable[[str], str | None]


def system_lookup(guess_ip: str) -> AddressLookup:
    """Return the look-up that asks this machine."""
    return AddressLookup(guess_ip, interface_address, host_address)


def own_address(text: str, parameter: str, lookup: AddressLookup, log: LogFunction) -> str:
    """Return the address that `sip-ip` or `rtp-ip` stands for: what is wrong is this machine's, with a line."""
    if not text or text.lower() == "auto":
        return lookup.guess_ip
    if text == _ANY:
        log(LogLevel.WARNING, f"Invalid IP 0.0.0.0 replaced with {lookup.guess_ip}")
        return lookup.guess_ip
    if text.lower().startswith("interface:"):
        return _of_interface(text[len("interface:") :], parameter, lookup, log)
    literal = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ip_address(literal)
    except ValueError:
        log(LogLevel.ERR, f"Invalid IP {text} for {parameter} replaced with {lookup.guess_ip}")
        return lookup.guess_ip
    return literal


def external_address(text: str, parameter: str, lookup: AddressLookup, log: LogFunction) -> tuple[str, bool]:
    """Return the address that `ext-sip-ip` or `ext-rtp-ip` stands for and whether it is one of `autonat:`.

    The address is empty for none: `auto-nat`, for no router is asked here, and where the text is empty.
    FreeSWITCH: where nothing is found, this machine's own address is taken.
    """
    lowered = text.lower()
    if not text:
        log(LogLevel.ERR, f"Invalid {parameter}")
        return "", False
    if lowered == "auto-nat":
        return "", False
    if lowered == "auto":
        return lookup.guess_ip, False
    if text == _ANY:
        log(LogLevel.WARNING, f"Invalid IP 0.0.0.0 replaced with {lookup.guess_ip}")
        return lookup.guess_ip, False
    if lowered.startswith("autonat:"):
        return _external(text[len("autonat:") :], parameter, lookup, log), True
    return _external(text, parameter, lookup, log), False


def interface_address(name: str, family: str) -> str | None:
    """Return an address of a network interface (Linux), IPv4 before IPv6 where `family` is empty; None without."""
    if family != "6":
        found = _interface_ip4(name)
        if found is not None:
            return found
    return _interface_ip6(name) if family != "4" else None


def host_address(name: str) -> str | None:
    """Return the first address of a host's name; blocks. None for a name that has none."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0]) if found else None


def _of_interface(text: str, parameter: str, lookup: AddressLookup, log: LogFunction) -> str:
    family, name = "", text
    for prefix, number in _FAMILIES.items():
        if name.lower().startswith(prefix):
            family, name = number, name[len(prefix) :]
    found = lookup.interface(name, family)
    if found is None:
        log(LogLevel.ERR, f"Unknown IP for interface {text} for {parameter}")
        return lookup.guess_ip
    log(LogLevel.DEBUG, f"Using {found} IP for interface {text} for {parameter}")
    return found


def _external(text: str, parameter: str, lookup: AddressLookup, log: LogFunction) -> str:
    lowered = text.lower()
    if lowered.startswith("host:"):
        found = lookup.host(text[len("host:") :])
    elif lowered.startswith("stun:"):
        log(
            LogLevel.ERR,
            f"STUN is not supported: {parameter} [{text}]; name the address, or host: and a name",
        )
        found = None
    else:
        found = _literal(text) or lookup.host(text)
    if found is None:
        log(LogLevel.ERR, "Failed to get external ip.")
        return lookup.guess_ip
    return found


def _literal(text: str) -> str | None:
    literal = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ip_address(literal)
    except ValueError:
        return None
    return literal


def _interface_ip4(name: str) -> str | None:
    wanted = name.encode("utf-8", "surrogateescape")
    if not wanted or len(wanted) > _IFREQ_NAME or b"\0" in wanted:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", wanted))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _interface_ip6(name: str) -> str | None:
    """Return the widest address of an interface; those of the link alone only where there is no other."""
    try:
        lines = Path("/proc/net/if_inet6").read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    rows = [line.split() for line in lines]
    found = sorted((int(row[3], 16), row[0]) for row in rows if len(row) == 6 and row[5] == name)
    return str(IPv6Address(int(found[0][1], 16))) if found else None
