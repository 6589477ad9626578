"""Make a switch of what the options ask for: its folders, variables, configuration, modules and media engine."""

from __future__ import annotations

import argparse
import socket
from contextlib import ExitStack
from pathlib import Path

from host.clock import RealClock
from host.console_settings import LogFormat
from host.default_config import MEDIA_TIMEOUTS, default_configuration
from host.heartbeat import start_heartbeat
from host.log import LogLevel
from host.log_writer import LogFile, into_file, on_terminal
from host.missing_names import report_missing
from host.module_list import load_modules
from host.modules.mod_sofia import listening_addresses
from host.serve.options import ServeError, Wanted
from host.serve.own_address import own_address, own_mask
from host.serve.phone import phone_ports, serve_phone
from host.serve.readiness import advice, sip_refusal
from host.spoken_prompt import spoken
from host.switch import FOLDERS, Switch, default_base
from host.switch_settings import apply_switch_conf


def start(options: argparse.Namespace, wanted: Wanted, stack: ExitStack) -> tuple[Switch, LogFile | None]:
    """Return a switch that takes calls, and the log file if there is one; `stack` ends both.

    Raises ServeError, XmlConfigError, OSError.
    """
    clock = RealClock()
    stack.callback(clock.close)
    switch = Switch(clock, options.base or default_base())
    log_file = _start_logs(switch, options, wanted.level, stack)
    stack.callback(switch.close)
    _make_folders(switch, options.base)
    _set_variables(switch, options, wanted)
    if wanted.root is not None:
        switch.global_variables.set("conf_dir", str(wanted.root.parent))
        switch.xml.load(wanted.root)
    else:
        scripts = switch.global_variables.get("script_dir") or "scripts"
        phone = phone_ports(wanted.phone) if wanted.phone is not None else None
        for name, value in MEDIA_TIMEOUTS.items():
            switch.global_variables.set(name, value)
        switch.xml.load_text(
            default_configuration(
                scripts,
                sip=wanted.sip or (phone.sip if phone is not None else None),
                websocket=phone.websocket if phone is not None else None,
                page_port=phone.page[1] if phone is not None else 0,
                event_socket_port=wanted.event_socket_port,
            )
        )
        if phone is not None:
            options.speak_missing = True  # who tries scripts out has seldom all of FreeSWITCH's prompts
            serve_phone(switch, phone, stack)
    if options.speak_missing:
        switch.speak_missing = spoken
    apply_switch_conf(switch)
    _serve_metrics(switch, wanted.metrics, stack)
    load_modules(switch)
    if not listening_addresses(switch):
        for option, text in (("--sip", options.sip), ("--phone", options.phone)):
            if text is not None:
                raise ServeError(f"{option} {text}: {sip_refusal(switch)}")
    switch.engine.start()
    if wanted.level is not None:
        switch.console_settings.level = wanted.level  # holds whatever console.conf says
    report_missing(switch)
    start_heartbeat(switch)
    return switch, log_file


def _start_logs(
    switch: Switch, options: argparse.Namespace, level: LogLevel | None, stack: ExitStack
) -> LogFile | None:
    log_file = None
    if options.log_file is not None:
        log_file = LogFile(options.log_file)
        stack.callback(log_file.close)
        to_file = into_file(switch, log_file, LogFormat(options.log_format))
        stack.callback(to_file.close)
        switch.logs.add_sink(to_file, LogLevel.DEBUG)
    settings = switch.console_settings
    settings.level = level if level is not None else LogLevel.INFO
    settings.json = options.log_format == LogFormat.JSON
    settings.syslog = options.log_format == LogFormat.SYSLOG
    if not options.background:
        to_terminal = on_terminal(switch)
        stack.callback(to_terminal.close)
        switch.logs.add_sink(to_terminal, LogLevel.DEBUG)
    return log_file


def _serve_metrics(switch: Switch, where: tuple[str, int] | None, stack: ExitStack) -> None:
    """Answer with figures for Prometheus, where that is wanted. Raises ServeError."""
    if where is None:
        return
    from host.metrics import MetricsServer

    address, port = where
    try:
        server = MetricsServer(switch, address, port)
    except OSError as error:
        raise ServeError(
            f"no metrics on {address}:{port}: {advice(error.strerror or str(error), '--metrics')}"
        ) from None
    stack.callback(server.close)
    switch.log(LogLevel.NOTICE, f"Metrics on http://{address}:{port}/metrics")


def _make_folders(switch: Switch, wanted: Path | None) -> None:
    """Make the folders below the base folder, as FreeSWITCH does when it starts.

    The base folder itself is made where `wanted` names it. Raises ServeError when that cannot be.
    """
    if wanted is not None:
        try:
            wanted.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ServeError(f"--base {wanted}: a file is in the way of that folder") from None
        except OSError as error:
            raise ServeError(f"--base {wanted}: {error.strerror}") from None
    folders = [Path(switch.global_variables.get(name) or "") for name in FOLDERS]
    base = Path(switch.global_variables.get("base_dir") or "")
    if not base.is_dir():
        return
    for folder in folders:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            switch.log(LogLevel.WARNING, f"The folder {folder} cannot be made: {error.strerror}")
            return


def _set_variables(switch: Switch, options: argparse.Namespace, wanted: Wanted) -> None:
    variables = switch.global_variables
    address = own_address(socket.AF_INET, "192.0.2.1") or "127.0.0.1"
    variables.set("local_ip_v4", address)
    mask = own_mask(address)
    if mask is not None:
        variables.set("local_mask_v4", mask)
    variables.set("local_ip_v6", own_address(socket.AF_INET6, "2001:db8::1") or "::1")
    variables.set("sound_prefix", variables.get("sounds_dir"))
    if options.scripts is not None:
        variables.set("script_dir", str(options.scripts))
    elif options.conf is None:
        scripts = Path("scripts").absolute()
        variables.set("script_dir", str(scripts))
        if not scripts.is_dir():
            switch.log(
                LogLevel.WARNING, f"There is no folder {scripts}: name the one of your scripts with --scripts"
            )
    for name, value in wanted.variables:
        variables.set(name, value)
