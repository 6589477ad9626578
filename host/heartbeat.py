"""HEARTBEAT: every twenty seconds the switch tells that it is there and how it fares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host import version
from host.media_status import media_figures

if TYPE_CHECKING:
    from host.scheduler import Task
    from host.switch import Switch

INTERVAL: Final = 20  # seconds, FreeSWITCH's

_UNITS: Final = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def start_heartbeat(switch: Switch) -> Task:
    """Fire HEARTBEAT from now on, as a task of the switch's scheduler."""
    return switch.scheduler.add(
        INTERVAL, "heartbeat", "core", lambda: fire_heartbeat(switch), interval=INTERVAL
    )


def fire_heartbeat(switch: Switch) -> None:
    """Fire one HEARTBEAT, if anybody listens."""
    if not switch.bus.wants("HEARTBEAT"):
        return
    control = switch.control
    up = switch.clock.time() - switch.started
    event = switch.new_event("HEARTBEAT")
    event.add_headers(
        (
            ("Event-Info", "System Ready" if control.shutdown is None else "System Shutting Down"),
            ("Up-Time", up_time(up // 1_000_000, up // 1000 % 1000, up % 1000)),
            ("FreeSWITCH-Version", version.full()),
            ("Uptime-msec", str(up // 1000)),
            ("Session-Count", str(len(switch.sessions))),
            ("Max-Sessions", str(control.max_sessions)),
            ("Session-Per-Sec", str(control.max_sessions_per_second)),
            ("Session-Per-Sec-Last", str(control.last_sessions_per_second)),
            ("Session-Per-Sec-Max", str(control.sessions_per_second_peak)),
            ("Session-Per-Sec-FiveMin", str(control.sessions_per_second_peak_recent)),
            ("Session-Since-Startup", str(switch.sessions_since_start)),
            ("Session-Peak-Max", str(control.sessions_peak)),
            ("Session-Peak-FiveMin", str(control.sessions_peak_recent)),
            ("Idle-CPU", f"{switch.idle_cpu.percent():.6f}"),
        )
    )
    event.add_headers(media_figures(switch))
    switch.fire(event)


def up_time(seconds: int, milliseconds: int, microseconds: int) -> str:
    """Return a span as FreeSWITCH writes it: `0 years, 1 day, 2 hours, … 5 milliseconds, 9 microseconds`."""
    parts = []
    for unit, length in _UNITS:
        number, seconds = divmod(seconds, length)
        parts.append((number, unit))
    parts += [(milliseconds, "millisecond"), (microseconds, "microsecond")]
    return ", ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts)
