"""The phone on a web page beside a server: its page, and the ports that it alone has to know."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from host.serve.browser_phone import PhonePage, scripts_in
from host.serve.options import ServeError
from host.serve.readiness import advice
from host.switch import Switch

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class PhonePorts:
    """Where the page is, where its WebSocket leads, and the port of a profile that nobody else asked for."""

    page: Address
    websocket: Address
    sip: Address


def phone_ports(page: Address) -> PhonePorts:
    """Choose what else is needed at the page's address. ServeError where that is not this machine's."""
    address = page[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as first, socket.socket(family) as second:
            first.bind((address, 0))
            second.bind((address, 0))
            return PhonePorts(page, (address, first.getsockname()[1]), (address, second.getsockname()[1]))
    except OSError as error:
        raise _refused(page, error) from None


def serve_phone(switch: Switch, ports: PhonePorts, stack: ExitStack) -> None:
    """Serve the page until `stack` ends it. ServeError where that cannot be."""

    def scripts() -> list[str]:
        return scripts_in(Path(switch.global_variables.get("script_dir") or "scripts"))

    try:
        page = PhonePage(*ports.page, ports.websocket[1], scripts)
    except OSError as error:
        raise _refused(ports.page, error) from None
    stack.callback(page.close)


def page_address(page: Address) -> str:
    """Return what a browser is to open."""
    host = f"[{page[0]}]" if ":" in page[0] else page[0]
    return f"http://{host}:{page[1]}"


def _refused(page: Address, error: OSError) -> ServeError:
    reason = advice(error.strerror or str(error), "--phone ADDRESS:PORT")
    return ServeError(f"no phone on {page_address(page)}: {reason}")
