"""`moonline serve`: a switch that runs until it is told to stop."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gc
import ipaddress
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from host.background import Background, go_to_background
from host.clock import RealClock
from host.console_settings import LogFormat
from host.default_config import EVENT_SOCKET_PASSWORD, default_configuration
from host.error_line import error_line
from host.heartbeat import start_heartbeat
from host.log import LogLevel, level_of
from host.log_writer import LogFile, into_file, on_terminal
from host.missing_names import report_missing
from host.module_list import load_modules
from host.modules.mod_event_socket import listening_address
from host.modules.mod_event_socket.settings import read_settings
from host.modules.mod_sofia import listening_addresses
from host.session_control import Shutdown
from host.switch import FOLDERS, Switch, default_base
from host.switch_settings import apply_switch_conf
from host.xml_preprocess import XmlConfigError
from media.kept_memory import keep_freed_memory

ROOT_FILE: Final = "freeswitch.xml"
SIP_PORT: Final = 5060
# Objects made and not freed before the youngest are looked at for circles: those of some twenty calls. Python's 700
# is less than one call makes, so every look found all of it alive, and a fifth of a call's time went there.
_COLLECT_AFTER: Final = (30_000, 20, 20)

# What Linux is asked for an interface's address and mask, and where that stands in its `struct ifreq`.
_SIOCGIFADDR: Final = 0x8915
_SIOCGIFNETMASK: Final = 0x891B
_ADDRESS: Final = slice(20, 24)
DESCRIPTION: Final = "Answer calls and operators with the scripts and the XML configuration given."
EXAMPLES: Final = """\
examples:
  moonline serve --scripts ivr
        lua-NAME runs ivr/NAME.lua; the event socket listens on 127.0.0.1:8021
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


def main(argv: Sequence[str]) -> int:
    """Run `moonline serve` with these options; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="moonline serve",
        usage="moonline serve [OPTION ...]",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return serve(parser.parse_args(argv))


def serve(options: argparse.Namespace) -> int:
    """Start a switch, say when it is ready and run it until a signal or the API ends it; return the exit status."""
    for name in ("conf", "scripts", "base", "log_file", "pid_file"):
        path = getattr(options, name)
        if path is not None:
            setattr(options, name, path.absolute())
    background = go_to_background() if options.background else None
    keep_freed_memory()
    with ExitStack() as stack:
        wishes = stack.enter_context(Wishes())
        try:
            switch, log_file = _start(options, stack)
            ready = ready_line(switch)
            if options.pid_file is not None:
                _write_pid_file(options.pid_file, stack)
        except (ServeError, XmlConfigError, OSError) as error:
            return _fail(error_line(error), background)
        switch.control.shutdown_listeners.append(wishes.end)
        # What start-up made stays: a full collection that walks it would hold all calls up for nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        switch.log(LogLevel.NOTICE, ready)
        if background is not None:
            background.tell(0, f"{ready}\n")
        else:
            print(ready, flush=True)
            _show_console(switch, options, stack)
        _tell_supervisor("READY=1")
        while wishes.next() == signal.SIGHUP:
            _renew(switch, log_file)
        switch.control.shutdown_listeners.remove(wishes.end)
        switch.log(LogLevel.NOTICE, "Shutting down")
        _tell_supervisor("STOPPING=1")
    if wishes.again:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0


class Wishes:
    """What operators wish of the process, by signals or by the API; one waits for them in the main thread."""

    def __init__(self) -> None:
        self.again = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._former_writer = -1
        self._former: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Wishes:
        # The number is written by the interpreter's own handler: one in Python would not run while `next` blocks,
        # where the signal came just before that.
        self._former_writer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._former[number] = signal.signal(number, lambda number, frame: None)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._former_writer)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def next(self) -> int:
        """Wait for the next wish and return the number of its signal."""
        while (number := os.read(self._reader, 1)[0]) not in self._former:
            continue  # a signal that somebody else handles
        return number

    def end(self, wish: Shutdown) -> None:
        """Take the API's wish that the switch ends, perhaps to start again."""
        self.again = wish.restart
        try:
            os.write(self._writer, bytes([signal.SIGTERM]))
        except BlockingIOError:
            pass  # thousands of wishes wait


def _fail(text: str, background: Background | None) -> int:
    if background is not None:
        background.tell(1, f"moonline: {text}\n")
    else:
        print(f"moonline: {text}", file=sys.stderr)
    return 1


def _sip_address(text: str) -> tuple[str, int]:
    """Return the address and port that `--sip` names; ServeError for what is none."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or ("[" not in text and text.count(":") > 1):
        host, port = text, str(SIP_PORT)
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        raise ServeError(f"--sip {text}: {host} is no IP address") from None
    if not port.isdigit() or not 0 < int(port) < 0x10000:
        raise ServeError(f"--sip {text}: {port} is no port")
    return address, int(port)


def _start(options: argparse.Namespace, stack: ExitStack) -> tuple[Switch, LogFile | None]:
    level = level_of(options.log_level) if options.log_level is not None else None
    if level is None and options.log_level is not None:
        raise ServeError(
            f"{options.log_level} is no log level: debug, info, notice, warning, err, crit, alert"
        )
    sip = _sip_address(options.sip) if options.sip is not None else None
    if sip is not None and options.conf is not None:
        raise ServeError("--sip goes without --conf, whose sofia.conf says where SIP calls are taken")
    clock = RealClock()
    stack.callback(clock.close)
    switch = Switch(clock, options.base or default_base())
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
    stack.callback(switch.close)
    _make_folders(switch, options.base)
    _set_variables(switch, options)
    if options.conf is not None:
        root = options.conf / ROOT_FILE if options.conf.is_dir() else options.conf
        if not root.is_file():
            raise ServeError(f"there is no configuration {root}")
        switch.global_variables.set("conf_dir", str(root.parent))
        switch.xml.load(root)
    else:
        scripts = switch.global_variables.get("script_dir") or "scripts"
        switch.xml.load_text(default_configuration(scripts, sip=sip))
    apply_switch_conf(switch)
    load_modules(switch)
    if sip is not None and not listening_addresses(switch):
        raise ServeError(f"--sip {options.sip}: no SIP calls can be taken there; the log says why")
    switch.engine.start()
    if level is not None:
        settings.level = level  # what is asked for in the command line holds, whatever console.conf says
    report_missing(switch)
    start_heartbeat(switch)
    _serve_metrics(switch, options.metrics, stack)
    _warn_of_the_password(switch)
    return switch, log_file


def _serve_metrics(switch: Switch, where: str | None, stack: ExitStack) -> None:
    """Answer with figures for Prometheus, where that is wanted. Raises ServeError, OSError."""
    if where is None:
        return
    try:
        from host.metrics import MetricsError, MetricsServer, parse_address
    except ModuleNotFoundError as error:
        raise ServeError(f"--metrics needs {error.name}: pip install 'moonline[metrics]'") from None
    try:
        address, port = parse_address(where)
    except MetricsError as error:
        raise ServeError(str(error)) from None
    try:
        server = MetricsServer(switch, address, port)
    except OSError as error:
        raise ServeError(f"no metrics on {where}: {error.strerror or error}") from None
    stack.callback(server.close)
    switch.log(LogLevel.NOTICE, f"Metrics on http://{address}:{server.port}/metrics")


def _show_console(switch: Switch, options: argparse.Namespace, stack: ExitStack) -> None:
    """Show a prompt where the server owns a terminal."""
    if options.no_console or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    try:
        from host.console.own import OwnConsole

        console = OwnConsole(switch)
    except ModuleNotFoundError as error:
        switch.log(LogLevel.NOTICE, f"No prompt without {error.name}: pip install 'moonline[console]'")
        return
    stack.callback(console.stop)
    console.start()


def _tell_supervisor(state: str) -> None:
    """Tell the service manager that started this process how it is (sd_notify(3)); nobody, without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] in ("/", "@"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


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


def _set_variables(switch: Switch, options: argparse.Namespace) -> None:
    variables = switch.global_variables
    address = _own_address(socket.AF_INET, "192.0.2.1") or "127.0.0.1"
    variables.set("local_ip_v4", address)
    mask = _own_mask(address)
    if mask is not None:
        variables.set("local_mask_v4", mask)
    variables.set("local_ip_v6", _own_address(socket.AF_INET6, "2001:db8::1") or "::1")
    variables.set("sound_prefix", variables.get("sounds_dir"))
    if options.scripts is not None:
        if not options.scripts.is_dir():
            raise ServeError(f"there is no folder {options.scripts}")
        variables.set("script_dir", str(options.scripts))
    elif options.conf is None:
        scripts = Path("scripts").absolute()
        variables.set("script_dir", str(scripts))
        if not scripts.is_dir():
            switch.log(
                LogLevel.WARNING, f"There is no folder {scripts}: name the one of your scripts with --scripts"
            )
    for text in options.set:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ServeError(f"--set takes NAME=VALUE, not {text}")
        variables.set(name, value)


def _own_address(family: socket.AddressFamily, far: str) -> str | None:
    """Return the address that packets to `far` (one reserved for examples, nothing is sent) would leave from."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _own_mask(address: str) -> str | None:
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


def ready_line(switch: Switch) -> str:
    """Return the line that tells what the switch listens on."""
    address = listening_address(switch)
    socket_text = f"event socket {address[0]}:{address[1]}" if address is not None else "no event socket"
    modules = len(switch.modules.names())
    scripts = switch.global_variables.get("script_dir")
    sip = listening_addresses(switch)
    sip_text = f"SIP {', '.join(sip)}, " if sip else ""
    return f"moonline is ready: {sip_text}{socket_text}, {modules} modules, scripts in {scripts}"


def _write_pid_file(path: Path, stack: ExitStack) -> None:
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        raise ServeError(f"--pid-file {path}: {error.strerror}") from None
    stack.callback(path.unlink, missing_ok=True)


def _renew(switch: Switch, log_file: LogFile | None) -> None:
    if log_file is not None:
        try:
            log_file.reopen()
        except OSError as error:
            switch.log(LogLevel.ERR, f"The log file could not be opened anew: {error}")
    if switch.bus.wants("TRAP"):  # what other files there are is the modules' business
        event = switch.new_event("TRAP")
        event.add_header("Trapped-Signal", "HUP")
        switch.fire(event)
    answer = (
        switch.api("reloadxml")
        if switch.api_commands.get("reloadxml") is not None
        else f"[{switch.xml.reload()}]"
    )
    switch.log(LogLevel.NOTICE, f"SIGHUP: {answer.strip()}")
