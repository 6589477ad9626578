"""The options of `moonline serve`, looked at before anything is started."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.console_settings import LogFormat
from host.default_config import EVENT_SOCKET_PORT
from host.dtls_identity import AVAILABLE
from host.log import LogLevel, level_of
from host.port_number import port_number
from host.serve.browser_phone import PORT as PHONE_PORT

ROOT_FILE: Final = "freeswitch.xml"
SIP_PORT: Final = 5060
DESCRIPTION: Final = "Answer calls and operators with the scripts and the XML configuration given."
EXAMPLES: Final = """\
examples:
  moonline serve --scripts ivr
        lua-NAME runs ivr/NAME.lua; the event socket listens on 127.0.0.1:8021
  moonline serve --scripts ivr --phone
        and http://127.0.0.1:8060 is a phone: call the scripts from a browser on this machine
  moonline serve --scripts ivr --sip 127.0.0.1
        and a SIP phone on this machine that calls sip:lua-NAME@127.0.0.1 hears it
  moonline serve --conf /etc/freeswitch
        the configuration that FreeSWITCH would read
  moonline serve --conf /etc/freeswitch --background --log-file /var/log/moonline.log --pid-file /run/moonline.pid
        as a daemon; kill -HUP opens the log file anew and reloads the configuration
  moonline serve --conf /etc/freeswitch --log-format syslog
        for systemd's journal: priorities instead of times

On a terminal it shows a prompt below the log: API commands, /log, /event, /uuid, /help, the function keys of
switch.conf; `...` ends the server. Elsewhere, and with --no-console, it writes log lines alone. The log level is
that of --log-level, else of console.conf, else info; `console loglevel LEVEL` changes it while the server runs,
`uuid_loglevel UUID debug` shows more of one call. mod_logfile writes the files of logfile.conf.

SIGTERM and SIGINT hang all calls up, close their recordings and end with status 0.
"""


class ServeError(Exception):
    """Why the server cannot start."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options ask for, as values: addresses are (IP address, port), None is what is not asked for."""

    root: Path | None
    level: LogLevel | None
    sip: tuple[str, int] | None
    phone: tuple[str, int] | None
    event_socket_port: int
    metrics: tuple[str, int] | None
    variables: tuple[tuple[str, str], ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `moonline serve`."""
    parser.add_argument(
        "--conf", type=Path, metavar="PATH", help=f"a FreeSWITCH configuration: folder or {ROOT_FILE}"
    )
    parser.add_argument("--scripts", type=Path, metavar="DIR", help="the folder of the Lua scripts (scripts)")
    parser.add_argument(
        "--sip",
        metavar="ADDRESS[:PORT]",
        help="without --conf: take every SIP call there (port: 5060; by default none is taken)",
    )
    parser.add_argument(
        "--phone",
        nargs="?",
        const=str(PHONE_PORT),
        metavar="[ADDRESS:]PORT",
        help=f"without --conf: a phone on a web page there (127.0.0.1:{PHONE_PORT}); whoever opens it can call",
    )
    parser.add_argument(
        "--speak-missing",
        action="store_true",
        help="speak prompts named like FreeSWITCH's that are missing, as moonline call does; with --phone always",
    )
    parser.add_argument(
        "--port", metavar="PORT", help=f"without --conf: the event socket's port ({EVENT_SOCKET_PORT})"
    )
    parser.add_argument(
        "--base", type=Path, metavar="DIR", help="the folder that sounds/, scripts/, db/ … lie below"
    )
    parser.add_argument(
        "--background", action="store_true", help="go to the background once calls are answered"
    )
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="write the log to this file, too")
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        help="least severe log lines on the terminal (that of console.conf, else info)",
    )
    parser.add_argument(
        "--log-format",
        choices=[form.value for form in LogFormat],
        default=LogFormat.PLAIN.value,
        help="how log lines are written: plain, json, or syslog for journald and its like (plain)",
    )
    parser.add_argument(
        "--metrics",
        metavar="[ADDRESS:]PORT",
        help="answer GET /metrics with figures for Prometheus there (address: 127.0.0.1; by default nowhere)",
    )
    parser.add_argument("--no-console", action="store_true", help="no prompt, also on a terminal")
    parser.add_argument("--pid-file", type=Path, metavar="FILE", help="write the process's number here")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a global variable, set before the rest",
    )


def check_options(options: argparse.Namespace) -> Wanted:
    """Return what the options ask for; make their paths absolute. Raises ServeError for what cannot be."""
    for name in ("conf", "scripts", "base", "log_file", "pid_file"):
        path = getattr(options, name)
        if path is not None:
            setattr(options, name, path.absolute())
    level = level_of(options.log_level) if options.log_level is not None else None
    if level is None and options.log_level is not None:
        raise ServeError(
            f"{options.log_level} is no log level: debug, info, notice, warning, err, crit, alert"
        )
    sip = _sip_address(options.sip) if options.sip is not None else None
    phone = _phone_address(options.phone) if options.phone is not None else None
    if options.conf is not None:
        if options.phone is not None:
            raise ServeError("--phone goes without --conf: a ws-binding in sofia.conf lets browsers in")
        if options.sip is not None:
            raise ServeError("--sip goes without --conf, whose sofia.conf says where SIP calls are taken")
        if options.port is not None:
            raise ServeError(
                "--port goes without --conf, whose event_socket.conf says where clients are taken"
            )
    port = EVENT_SOCKET_PORT if options.port is None else _port("--port", options.port)
    metrics = _metrics_address(options.metrics) if options.metrics is not None else None
    variables = tuple(_variable(text) for text in options.set)
    if options.scripts is not None and not options.scripts.is_dir():
        raise ServeError(f"there is no folder {options.scripts}")
    if options.pid_file is not None and not options.pid_file.parent.is_dir():
        raise ServeError(f"--pid-file {options.pid_file}: there is no folder {options.pid_file.parent}")
    return Wanted(_root_file(options.conf), level, sip, phone, port, metrics, variables)


def _root_file(conf: Path | None) -> Path | None:
    if conf is None:
        return None
    root = conf / ROOT_FILE if conf.is_dir() else conf
    if not root.is_file():
        raise ServeError(f"there is no configuration {root}")
    return root


def _port(option: str, text: str) -> int:
    try:
        return port_number(text)
    except ValueError as error:
        raise ServeError(f"{option}: {error}") from None


def _sip_address(text: str) -> tuple[str, int]:
    """Return the address and port that `--sip` names; ServeError for what is none."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or ("[" not in text and text.count(":") > 1):
        host, port = text, str(SIP_PORT)
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        raise ServeError(f"--sip {text}: {host} is no IP address") from None
    return address, _port(f"--sip {text}", port)


def _phone_address(text: str) -> tuple[str, int]:
    """Return the address and port that `--phone` names; ServeError for what is none, and without what it needs."""
    host, _, port = text.rpartition(":")
    try:
        address = str(ipaddress.ip_address(host.strip("[]"))) if host else "127.0.0.1"
    except ValueError:
        raise ServeError(f"--phone {text}: {host} is no IP address") from None
    if not AVAILABLE:
        raise ServeError("--phone needs more: pip install 'moonline[sip,webrtc]'")
    return address, _port(f"--phone {text}", port)


def _metrics_address(text: str) -> tuple[str, int]:
    try:
        from host.metrics import MetricsError, parse_address
    except ModuleNotFoundError as error:
        raise ServeError(f"--metrics needs {error.name}: pip install 'moonline[metrics]'") from None
    try:
        return parse_address(text)
    except MetricsError as error:
        raise ServeError(str(error)) from None


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ServeError(f"--set takes NAME=VALUE, not {text}")
    return name, value
