"""Access lists: which networks a list lets in (`acl`, `apply-inbound-acl`, user `cidr`s)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from lxml import etree

from host.leading_number import leading_int
from host.truth import is_true
from host.xml_registry import XmlRegistry

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# FreeSWITCH's limit for networks in one argument.
_MOST_NETWORKS: Final = 100
_MAPPED: Final = "::ffff:"
_EVERYTHING: Final = ip_network("::/0")

_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_NOT_WIDE: Final = ("0.0.0.0/8", *_PRIVATE, "169.254.0.0/16", "100.64.0.0/10")

# The lists that every switch has: whether what is not in them is let in, and the networks that are otherwise.
_BUILT_IN: Final[dict[str, tuple[bool, tuple[str, ...]]]] = {
    "rfc6598.auto": (False, ("100.64.0.0/10",)),
    "rfc1918.auto": (False, _PRIVATE),
    "wan.auto": (True, (*_NOT_WIDE, "fe80::/10")),
    "wan_v6.auto": (True, ("0.0.0.0/0", "fe80::/10")),
    "wan_v4.auto": (True, (*_NOT_WIDE, "::/0")),
    "any_v6.auto": (True, ("0.0.0.0/0",)),
    "any_v4.auto": (True, ("::/0",)),
    "loopback.auto": (False, ("127.0.0.0/8", "::1/128")),
}


@dataclass(slots=True)
class AccessList:
    """Networks that are let in or not. The narrowest that holds an address decides, of equal ones the first."""

    default: bool
    nodes: list[tuple[Network, bool]] = field(default_factory=list)
    users: dict[Network, str] = field(
        default_factory=dict
    )  # `user@domain` by networks that are users' `cidr`s

    def allows(self, address: Address) -> bool:
        """Return whether the address is let in."""
        return self.judge(address)[0]

    def judge(self, address: Address) -> tuple[bool, str]:
        """Return whether the address is let in, and the user (`user@domain`) whose network decided, empty without."""
        narrowest, allowed = None, self.default
        for network, allow in self.nodes:
            if network.version != address.version or address not in network:
                continue
            if narrowest is None or network.prefixlen > narrowest.prefixlen:
                narrowest, allowed = network, allow
        return allowed, self.users.get(narrowest, "") if narrowest is not None else ""


class AccessLists:
    """All lists of a switch: the built-in ones and those of `acl.conf`, read at first use and by `reload`.

    `local_network()` is the network of this machine's own address, None when it is not known.
    """

    def __init__(self, xml: XmlRegistry, local_network: Callable[[], str | None]) -> None:
        self._xml = xml
        self._local_network = local_network
        self._lock = threading.Lock()
        self._lists: dict[str, AccessList] | None = None

    def reload(self) -> None:
        """Read the configuration again."""
        with self._lock:
            self._lists = self._load()

    def check(self, address: str, name: str) -> bool:
        """Return whether `address` is let in by a list, by a network (`10.0.0.0/8`), or by one of several with commas.

        FreeSWITCH: among several only networks count. False for what is no address or no such list.
        """
        return self.judge(address, name)[0]

    def judge(self, address: str, name: str) -> tuple[bool, str]:
        """Return what `check` does, and the directory user (`user@domain`) whose `cidr` decided, empty without."""
        try:
            parsed = ip_address(address[len(_MAPPED) :] if address.lower().startswith(_MAPPED) else address)
        except ValueError:
            return False, ""
        with self._lock:
            if self._lists is None:
                self._lists = self._load()
            found = self._lists.get(name)
        if found is not None:
            return found.judge(parsed)
        if "/" not in name:
            return False, ""
        networks = (_cidr(text.strip()) for text in name.split(",")[:_MOST_NETWORKS])
        return any(n is not None and _holds(n, parsed) for n in networks), ""

    def _load(self) -> dict[str, AccessList]:
        lists = {
            name: AccessList(default, [(ip_network(network), not default) for network in networks])
            for name, (default, networks) in _BUILT_IN.items()
        }
        here = _network(self._local_network() or "")
        lists["nat.auto"] = AccessList(False, [(here, False)] if here is not None else [])
        lists["nat.auto"].nodes += [(ip_network(network), True) for network in (*_PRIVATE, "100.64.0.0/10")]
        lists["localnet.auto"] = AccessList(False, [(here, True)] if here is not None else [])
        configuration = self._xml.configuration("acl.conf")
        found = configuration.find("network-lists") if configuration is not None else None
        for element in found.iterchildren("list") if found is not None else ():
            name = element.get("name", "")
            default = element.get("default", "")
            made = AccessList(default == "allow" or is_true(default))
            for network, allow, user in self._nodes(element):
                made.nodes.append((network, allow))
                made.users.setdefault(network, user)
            lists[name] = made
        return lists

    def _nodes(self, element: etree._Element) -> Iterator[tuple[Network, bool, str]]:
        for node in element.iterchildren("node"):
            kind = node.get("type", "")
            allow = kind == "allow" or is_true(kind)
            parse = _network if node.get("host") is not None and node.get("domain") is None else _cidr
            for text, user in self._networks(node):
                network = parse(text.strip())
                if network is not None:
                    yield network, allow, user

    def _networks(self, node: etree._Element) -> Iterable[tuple[str, str]]:
        """Return the networks that a node names, and whose: as CIDRs, as host and mask, or a domain's users'."""
        domain = node.get("domain")
        if domain is not None:
            return self._networks_of_users(domain)
        if node.get("host") is not None:
            return [(f"{node.get('host')}/{node.get('mask', '')}".rstrip("/"), "")]
        return [(cidr, "") for cidr in node.get("cidr", "").split(",")]

    def _networks_of_users(self, name: str) -> Iterator[tuple[str, str]]:
        domain = self._xml.directory.domain(name)
        for _, user in self._xml.directory.users(domain) if domain is not None else ():
            for cidr in (user.get("cidr") or "").split(","):
                yield cidr, f"{user.get('id', '')}@{name}"


def _holds(network: Network, address: Address) -> bool:
    """Tell whether a network holds an address; FreeSWITCH: `::/0`, where no list is named, every IPv4 one, too."""
    if network.version != address.version:
        return network == _EVERYTHING
    return address in network


def _cidr(text: str) -> Network | None:
    """Return the network of `address/bits`, None for anything else.

    FreeSWITCH: the bits are the number that the text behind the stroke begins with, so that a dotted mask has too
    many; none at all behind an address that is not zero mean this address alone.
    """
    host, stroke, behind = text.partition("/")
    bits = leading_int(behind)
    try:
        address = ip_address(host)
        if not stroke or bits < 0:
            return None
        return ip_network(f"{host}/{bits}" if bits or not int(address) else host, strict=False)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    """Return the network of `address/bits` or `address/mask`, None for anything else."""
    if "/" not in text:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
