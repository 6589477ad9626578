"""Commands about the switch as a whole: what it is, how it does, and its end."""

from __future__ import annotations

import gc
import resource
import sys
import threading
from pathlib import Path
from typing import Final, NamedTuple

from host import version as versions
from host.api_table import ApiTable
from host.clock import MILLISECOND, SECOND
from host.interfaces import ApiRequest
from host.media_status import media_figures
from host.modules.mod_commands.fsctl import shut_down
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

_UNLIMITED: Final = (1 << 64) - 1
_YEAR: Final = 365 * 86400


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
    return shut_down(request.switch)


@command("...", "", "Shutdown")
def dots(request: ApiRequest) -> str:
    return shut_down(request.switch)
