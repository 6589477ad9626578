"""What a server that has started tells: where it listens, where it cannot and what helps, and that it is ready."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from host.default_config import EVENT_SOCKET_PASSWORD
from host.log import LogLevel
from host.modules.mod_event_socket import listening_address, listening_refusal
from host.modules.mod_event_socket.settings import read_settings
from host.modules.mod_sofia import listening_addresses, profile_refusals
from host.serve.options import ServeError
from host.switch import Switch

_TAKEN: Final = os.strerror(errno.EADDRINUSE)
_NOT_HERE: Final = os.strerror(errno.EADDRNOTAVAIL)


def advice(reason: str, setting: str) -> str:
    """Return why an address cannot be listened on, with what helps; `setting` names it."""
    if reason.endswith(_TAKEN):
        return f"{reason}. Another server has the port: stop that one, or choose another port with {setting}"
    if reason.endswith(_NOT_HERE):
        return f"{reason}. This machine has no such address: choose one of its own with {setting}"
    return reason


def ready_line(switch: Switch, phone: str | None = None) -> str:
    """Return the line that tells what the switch listens on; `phone` is the address of its page."""
    address = listening_address(switch)
    if address is not None:
        socket_text = f"event socket {address[0]}:{address[1]}"
    else:
        refusal = listening_refusal(switch)
        socket_text = f"no event socket ({refusal})" if refusal else "no event socket"
    modules = len(switch.modules.names())
    scripts = switch.global_variables.get("script_dir")
    sip = listening_addresses(switch)
    sip_text = f"SIP {', '.join(sip)}, " if sip else ""
    for name, reason in profile_refusals(switch).items():
        sip_text += f"no SIP profile {name} ({reason}), "
    phone_text = f"a phone on {phone}, " if phone is not None else ""
    return f"moonline is ready: {phone_text}{sip_text}{socket_text}, {modules} modules, scripts in {scripts}"


def warn(switch: Switch, *, own_configuration: bool) -> None:
    """Warn of what keeps the server from being reached, or lets everybody reach it."""
    for name, reason in profile_refusals(switch).items():
        switch.log(
            LogLevel.WARNING,
            f"The SIP profile {name} does not run: {advice(reason, 'sip-port in sofia.conf')}",
        )
    refusal = listening_refusal(switch)
    if refusal is not None:
        setting = "listen-port in event_socket.conf" if own_configuration else "--port"
        switch.log(LogLevel.WARNING, f"The event socket does not listen: {advice(refusal, setting)}")
    _warn_of_the_password(switch)


def sip_refusal(switch: Switch) -> str:
    """Return why no SIP calls can be taken where the option `--sip` says."""
    reasons = [advice(reason, "--sip ADDRESS:PORT") for reason in profile_refusals(switch).values()]
    return "; ".join(reasons) or "no SIP calls can be taken there; the log says why"


def _warn_of_the_password(switch: Switch) -> None:
    address = listening_address(switch)
    if address is None:
        return
    if (
        read_settings(switch.xml).password == EVENT_SOCKET_PASSWORD
        and not ipaddress.ip_address(address[0]).is_loopback
    ):
        switch.log(
            LogLevel.WARNING,
            f"The event socket listens on {address[0]}:{address[1]} with the default password "
            f"{EVENT_SOCKET_PASSWORD}; change it in event_socket.conf",
        )


def write_pid_file(path: Path, stack: ExitStack) -> None:
    """Write the number of the process into a file that goes with it. Raises ServeError."""
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        raise ServeError(f"--pid-file {path}: {error.strerror}") from None
    stack.callback(path.unlink, missing_ok=True)


def tell_supervisor(state: str) -> None:
    """Tell the service manager that started this process how it is (sd_notify(3)); nobody, without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] in ("/", "@"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
