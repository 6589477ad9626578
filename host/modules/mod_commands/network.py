"""Commands about addresses and networks."""

from __future__ import annotations

import re
import secrets
import socket
from typing import Final

from host.api_table import ApiTable
from host.arguments import separate
from host.clock import MILLISECOND, SECOND, Clock
from host.interfaces import ApiRequest
from host.leading_number import leading_int
from host.modules.mod_commands.interface_address import interface_address
from host.modules.mod_commands.multicast_dns import NoSuchName, look_up, on_the_link
from host.modules.mod_commands.stun_message import StunError, binding_request, mapped_address

commands: Final = ApiTable("mod_commands")
command = commands.command

_INTERFACE_IP: Final = "[auto|ipv4|ipv6] <ifname>"
_STUN_PORT: Final = 3478  # RFC 5389, section 9
_STUN_WAIT: Final = 5 * SECOND
_STUN_RETRY: Final = SECOND // 2  # RFC 5389, section 7.2.1: the first retransmission
_POLL: Final = 10 * MILLISECOND
_HIGHEST_PORT: Final = 65535

# FreeSWITCH looks only at how an address begins.
_LAN: Final = re.compile(
    r"10\.|192\.168\.|127\.|255\.|0\.|1\.|2\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|192\.0\.2\.|169\.254\."
)


@command("acl", "<ip> <list_name>", "Compare an ip to an acl list")
def acl(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 3)
    allowed = len(parts) > 1 and request.switch.access_lists.check(parts[0], parts[1])
    return "true" if allowed else "false"


@command("is_lan_addr", "<ip>", "See if an ip is a lan addr")
def is_lan_addr(request: ApiRequest) -> str:
    return "true" if _LAN.match(request.argument) else "false"


@command("host_lookup", "<hostname>", "Lookup host")
def host_lookup(request: ApiRequest) -> str:
    """Tell the first address of a name, of whichever family."""
    if not request.argument:
        return "parameter missing\n"
    try:
        known = _on_the_link(request)
        if known:
            return known
        *_, address = socket.getaddrinfo(request.argument, None, type=socket.SOCK_DGRAM)[0]
        return str(address[0])
    except (OSError, UnicodeError, ValueError):
        return "!err!"


@command("gethost", "", "gethostbyname")
def gethost(request: ApiRequest) -> str:
    if not request.argument:
        return "-ERR"
    try:
        return _on_the_link(request, "4") or socket.gethostbyname(request.argument)
    except (OSError, UnicodeError, ValueError):
        return "-ERR"


def _on_the_link(request: ApiRequest, families: str = "46") -> str:
    """Return the address that a name of the link has by multicast DNS, "" where that is not to be asked.

    NoSuchName when nobody answers.
    """
    switch, name = request.switch, request.argument
    if not switch.control.mdns_resolve or not on_the_link(name):
        return ""
    found = [address for address in look_up(switch.clock, name) if "6" in families or ":" not in address]
    if not found:
        raise NoSuchName(f"{name} has no such address")
    return found[0]


@command("interface_ip", _INTERFACE_IP, "Return the primary IP of an interface")
def interface_ip(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 3)
    kind = parts[0].lower() if parts else ""
    if len(parts) < 2 or kind not in ("auto", "ipv4", "ipv6"):
        return f"USAGE: interface_ip {_INTERFACE_IP}\n"
    found = interface_address(parts[1], ipv6=False) if kind != "ipv6" else None
    if found is None and kind != "ipv4":
        found = interface_address(parts[1], ipv6=True)
    return found or ""


@command(
    "nat_map",
    "[status|republish|reinit] | [add|del] <port> [tcp|udp] [static]",
    "Manage NAT",
)
def nat_map(request: ApiRequest) -> str:
    """Answer as a switch that no NAT was found for: false, whatever is asked."""
    return "false"


@command("stun", "<stun_server>[:port] [<source_ip>[:<source_port]]", "Execute STUN lookup")
def stun(request: ApiRequest) -> str:
    """Ask a STUN server for the address that it sees."""
    parts = request.argument.split()
    if not parts:
        return "-STUN Failed! NO STUN SERVER\n"
    clock = request.switch.clock
    if clock.virtual:
        return "-STUN Failed! [there is no network in a simulated call]\n"
    server = _address(parts[0], _STUN_PORT)
    source = _address(parts[1], 0) if len(parts) > 1 else ("", 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(source)
            sock.connect(server)
            address, port = _ask(sock, clock)
    except socket.gaierror:
        return "-STUN Failed! [Remote Address Error!]\n"
    except (OSError, UnicodeError, ValueError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"-STUN Failed! [{reason}]\n"
    return f"{address}:{port}\n"


def _ask(sock: socket.socket, clock: Clock) -> tuple[str, int]:
    """Send a binding request, again after a while, and return the address answered; OSError or StunError."""
    transaction = secrets.token_bytes(12)
    question = binding_request(transaction)
    deadline = clock.now() + _STUN_WAIT
    retry, gap = 0, _STUN_RETRY
    while clock.now() < deadline:
        if clock.now() >= retry:
            sock.send(question)
            retry, gap = clock.now() + gap, gap * 2
        try:
            return mapped_address(sock.recv(2048), transaction)
        except BlockingIOError:
            clock.sleep(_POLL)
        except StunError:
            continue  # not an answer to this question
    raise TimeoutError("Timeout")


def _address(text: str, default_port: int) -> tuple[str, int]:
    host, _, port_text = text.partition(":")
    port = leading_int(port_text)
    return host, port if 0 < port < _HIGHEST_PORT else default_port
