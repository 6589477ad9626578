"""Commands about the switch as a whole: what it is, how it does, and its end."""

from __future__ import annotations

import gc
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from host import version as versions
from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.clock import MILLISECOND, SECOND
from host.hangup_cause import HangupCause
from host.interfaces import ApiRequest
from host.leading_number import leading_float, leading_int
from host.log import LogLevel, level_of
from host.media_status import media_figures
from host.session_control import Shutdown
from host.switch import UUID_VERSIONS, Switch
from host.truth import is_true

commands: Final = ApiTable("mod_commands")
command = commands.command

_FSCTL: Final = (
    "[api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]"
    "|shutdown [cancel|elegant|asap|now|restart]|uuid_version [4|7]|sps|sps_peak_reset|sync_clock"
    "|sync_clock_when_idle|reclaim_mem|max_sessions|min_dtmf_duration [num]|max_dtmf_duration [num]"
    "|default_dtmf_duration [num]|min_idle_cpu|loglevel [level]|debug_level [level]"
    "|mdns_resolve [enable|disable]]"
)
_WRONG: Final = f"-ERR Invalid command\nUSAGE: fsctl {_FSCTL}\n"
_UNLIMITED: Final = (1 << 64) - 1
_YEAR: Final = 365 * 86400
# Bounds of what may be set: digits of a minute, and more sessions than a process can have.
_LONGEST_DIGIT: Final = 480_000
_MOST_SESSIONS: Final = 1_000_000


class Uptime(NamedTuple):
    """How long the switch runs, in FreeSWITCH's parts; a year has 365 days."""

    years: int
    days: int
    hours: int
    minutes: int
    seconds: int
    milliseconds: int
    microseconds: int


def uptime(switch: Switch) -> Uptime:
    """Return how long the switch runs."""
    seconds, rest = divmod(switch.clock.time() - switch.started, SECOND)
    years, seconds = divmod(seconds, _YEAR)
    milliseconds, microseconds = divmod(rest, MILLISECOND)
    return Uptime(
        years,
        seconds // 86400,
        seconds // 3600 % 24,
        seconds // 60 % 60,
        seconds % 60,
        milliseconds,
        microseconds,
    )


def stack_sizes() -> tuple[int, int]:
    """Return the limits of a stack in KB: the one in force and the highest that may be set."""
    limits = resource.getrlimit(resource.RLIMIT_STACK)
    current, highest = (_UNLIMITED if n == resource.RLIM_INFINITY else n for n in limits)
    return current // 1024, highest // 1024


@command("status", "", "Show current status")
def status(request: ApiRequest) -> str:
    """Tell how the switch fares, or with `media` its media engine."""
    switch = request.switch
    if request.argument == "media":
        return (
            "".join(f"{name}: {value}\n" for name, value in media_figures(switch))
            or "-ERR no media engine runs\n"
        )
    control = switch.control
    time = ", ".join(
        f"{number} {name.removesuffix('s')}{'' if number == 1 else 's'}"
        for name, number in uptime(switch)._asdict().items()
    )
    ready = "ready" if switch.running and control.shutdown is None else "not ready"
    stack, highest_stack = stack_sizes()
    return (
        f"UP {time}\n"
        f"FreeSWITCH (Version {versions.human()}) is {ready}\n"
        f"{switch.sessions_since_start} session(s) since startup\n"
        f"{len(switch.sessions)} session(s) - peak {control.sessions_peak},"
        f" last 5min {control.sessions_peak_recent} \n"
        f"{control.last_sessions_per_second} session(s) per Sec out of max {control.max_sessions_per_second},"
        f" peak {control.sessions_per_second_peak}, last 5min {control.sessions_per_second_peak_recent} \n"
        f"{control.max_sessions} session(s) max\n"
        f"min idle cpu {control.min_idle_cpu:.2f}/{switch.idle_cpu.percent():.2f}\n"
        f"Current Stack Size/Max {stack}K/{highest_stack}K\n"
    )


@command("version", "[short]", "Version")
def version(request: ApiRequest) -> str:
    word = request.argument.split(" ")[0].lower()
    if "short" in word:
        return f"{versions.FREESWITCH}\n"
    return f"FreeSWITCH Version {versions.full()} ({versions.human()})\n"


@command("banner", "", "Return the system banner")
def banner(request: ApiRequest) -> str:
    lines = (f"Moonline {versions.moonline()}", f"runs the scripts of FreeSWITCH {versions.FREESWITCH}")
    width = max(len(line) for line in lines) + 2
    middle = "".join(f"|{line:^{width}}|\n" for line in lines)
    return f"\n.{'=' * width}.\n{middle}.{'=' * width}.\n"


@command("hostname", "", "Return the system hostname")
def hostname(request: ApiRequest) -> str:
    return request.switch.hostname


@command("switchname", "", "Return the switch name")
def switchname(request: ApiRequest) -> str:
    return request.switch.global_variables.get("switchname") or request.switch.hostname


@command("memory", "memory", "Memory usage statistics")
def memory(request: ApiRequest) -> str:
    """Tell how much memory the process has, as Linux counts it."""
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    except OSError as error:
        return f"-ERR {error.strerror}\n"
    return "".join(f"{line}\n" for line in lines if line.startswith(("Vm", "Rss"))) + "+OK\n"


@command("pool_stats", "Core pool memory usage.", "Core pool memory usage")
def pool_stats(request: ApiRequest) -> str:
    """Tell what the process holds: FreeSWITCH's pools are Python's objects here."""
    switch = request.switch
    rows = {
        "allocated blocks": sys.getallocatedblocks(),
        "tracked objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "sessions": len(switch.sessions),
        "media lines": switch.engine.line_count,
    }
    return "".join(f"{name}: {number}\n" for name, number in rows.items())


@command("db_cache", "status", "Manage db cache")
def db_cache(request: ApiRequest) -> str:
    """Tell of the database handles that the core keeps for later: it keeps none."""
    if "status" not in request.argument.lower():
        return "parameter missing\n"
    return "0 total. 0 in use.\n"


@command("msrp", "debug <on|off>|restart", "MSRP Functions")
def msrp(request: ApiRequest) -> str:
    """Answer the usage: there is no MSRP to be debugged or restarted."""
    return "-ERR usage: debug <on|off>|restart\n"


@command("shutdown", "", "Shutdown")
def shutdown(request: ApiRequest) -> str:
    return _shut_down(request.switch)


@command("...", "", "Shutdown")
def dots(request: ApiRequest) -> str:
    return _shut_down(request.switch)


@command("fsctl", _FSCTL, "FS control messages")
def fsctl(request: ApiRequest) -> str:
    words = separate(request.argument, " ", 6)
    if not words:
        raise UsageError
    run = _CONTROLS.get(words[0].lower())
    return _WRONG if run is None else run(request.switch, words[1:])


def _shut_down(switch: Switch, *, patient: bool = False, restart: bool = False) -> str:
    if switch.bus.wants("SHUTDOWN_REQUESTED"):
        switch.fire(switch.new_event("SHUTDOWN_REQUESTED"))
    if not patient:
        switch.hang_up_all(HangupCause.SYSTEM_SHUTDOWN)
    switch.control.request_shutdown(Shutdown(patient, restart), len(switch.sessions))
    return "+OK\n"


def _ctl_shutdown(switch: Switch, words: list[str]) -> str:
    wanted = {word.lower() for word in words}
    if "cancel" in wanted:
        switch.control.cancel_shutdown()
        return "+OK\n"
    return _shut_down(switch, patient=bool(wanted & {"elegant", "asap"}), restart="restart" in wanted)


def _ctl_hupall(switch: Switch, words: list[str]) -> str:
    switch.hang_up_all(HangupCause.MANAGER_REQUEST)
    return "+OK\n"


def _ctl_pause(paused: bool) -> Callable[[Switch, list[str]], str]:
    def run(switch: Switch, words: list[str]) -> str:
        which = words[0].lower() if words else ""
        if which != "outbound":
            switch.control.inbound_paused = paused
        if which != "inbound":
            switch.control.outbound_paused = paused
        return "+OK\n"

    return run


def _ctl_pause_check(switch: Switch, words: list[str]) -> str:
    control = switch.control
    match words[0].lower() if words else "":
        case "inbound":
            paused = control.inbound_paused
        case "outbound":
            paused = control.outbound_paused
        case _:
            paused = control.inbound_paused and control.outbound_paused
    return "true" if paused else "false"


def _ctl_ready_check(switch: Switch, words: list[str]) -> str:
    return "true" if switch.running and switch.control.shutdown is None else "false"


def _ctl_shutdown_check(switch: Switch, words: list[str]) -> str:
    return "false" if switch.control.shutdown is None else "true"


def _ctl_number(attribute: str, label: str, least: int, most: int) -> Callable[[Switch, list[str]], str]:
    """Return what sets a number of the control within bounds, where one is given, and tells it."""

    def run(switch: Switch, words: list[str]) -> str:
        if words:
            number = leading_int(words[0])
            if number:
                setattr(switch.control, attribute, max(least, min(most, number)))
        return f"+OK {label}: {getattr(switch.control, attribute)}\n"

    return run


def _ctl_switch(attribute: str) -> Callable[[Switch, list[str]], str]:
    def run(switch: Switch, words: list[str]) -> str:
        if words:
            setattr(switch.control, attribute, is_true(words[0]))
        return f"+OK {attribute} is {'on' if getattr(switch.control, attribute) else 'off'} \n"

    return run


def _ctl_last_sps(switch: Switch, words: list[str]) -> str:
    return f"+OK last sessions per second: {switch.control.last_sessions_per_second}\n"


def _ctl_sps_peak_reset(switch: Switch, words: list[str]) -> str:
    switch.control.reset_rate_peak()
    return "+OK max sessions per second counter reset\n"


def _ctl_min_idle_cpu(switch: Switch, words: list[str]) -> str:
    if words:
        switch.control.min_idle_cpu = max(0.0, min(100.0, leading_float(words[0])))
    limit = switch.control.min_idle_cpu
    return f"+OK min idle cpu: {limit:.2f}%\n" if limit else "+OK min idle cpu: DISABLED\n"


def _ctl_loglevel(switch: Switch, words: list[str]) -> str:
    if words:
        level = level_of(words[0])
        if level is None:
            return "-ERR syntax error, log level not set!\n"
        switch.logs.set_limit(level)
    level = LogLevel(switch.logs.limit)
    return f"+OK log level: {level.name} [{int(level)}]\n"


def _ctl_reclaim_mem(switch: Switch, words: list[str]) -> str:
    gc.collect()
    return "+OK\n"


def _ctl_send_sighup(switch: Switch, words: list[str]) -> str:
    """Tell with TRAP that files are to be opened anew, as log writers do (FreeSWITCH: HUP)."""
    if switch.bus.wants("TRAP"):
        event = switch.new_event("TRAP")
        event.add_header("Trapped-Signal", "HUP")
        switch.fire(event)
    return "+OK\n"


def _ctl_uuid_version(switch: Switch, words: list[str]) -> str:
    """Tell, and perhaps set, which UUIDs are made: 4 (random) or 7 (ordered by time)."""
    version = leading_int(words[0]) if words else 0
    if version in UUID_VERSIONS:
        switch.uuid_version = version
    return f"+OK set uuid version: {switch.uuid_version}\n"


def _ctl_sync_clock(switch: Switch, words: list[str]) -> str:
    """Say so: the system's time is read anew whenever it is asked for, so it is never behind."""
    return "+OK clock synchronized\n"


def _ctl_recover(switch: Switch, words: list[str]) -> str:
    """Say that no call was recovered: none is kept for that."""
    if words and words[0].lower() == "flush":
        return "+OK flushed\n"
    return "+OK 0 session(s) recovered in total\n"


_CONTROLS: Final[dict[str, Callable[[Switch, list[str]], str]]] = {
    "hupall": _ctl_hupall,
    "pause": _ctl_pause(True),
    "resume": _ctl_pause(False),
    "pause_check": _ctl_pause_check,
    "ready_check": _ctl_ready_check,
    "shutdown_check": _ctl_shutdown_check,
    "shutdown": _ctl_shutdown,
    "max_sessions": _ctl_number("max_sessions", "max sessions", 0, _MOST_SESSIONS),
    "sps": _ctl_number("max_sessions_per_second", "sessions per second", 1, _MOST_SESSIONS),
    "last_sps": _ctl_last_sps,
    "sps_peak_reset": _ctl_sps_peak_reset,
    "min_idle_cpu": _ctl_min_idle_cpu,
    "max_dtmf_duration": _ctl_number("longest_digit", "max dtmf duration", 1000, _LONGEST_DIGIT),
    "min_dtmf_duration": _ctl_number("shortest_digit", "min dtmf duration", 400, _LONGEST_DIGIT),
    "default_dtmf_duration": _ctl_number("default_digit", "default dtmf duration", 400, _LONGEST_DIGIT),
    "verbose_events": _ctl_switch("verbose_events"),
    "api_expansion": _ctl_switch("api_expansion"),
    "loglevel": _ctl_loglevel,
    "uuid_version": _ctl_uuid_version,
    "sync_clock": _ctl_sync_clock,
    "sync_clock_when_idle": _ctl_sync_clock,
    "recover": _ctl_recover,
    "reclaim_mem": _ctl_reclaim_mem,
    "send_sighup": _ctl_send_sighup,
}
