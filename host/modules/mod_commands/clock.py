"""Commands about time: formatting, waiting, measuring."""

from __future__ import annotations

from typing import Final

from host import time_format
from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.clock import MILLISECOND, SECOND
from host.interfaces import ApiRequest
from host.leading_number import leading_int, leading_long
from host.local_zone import local_zone

commands: Final = ApiTable("mod_commands")
command = commands.command

# An API command must come back: a console or a script waits for it.
_LONGEST_SLEEP: Final = 24 * 3600 * SECOND
_MOST_TESTS: Final = 100
_MOST_TICKS: Final = 400
_TICKS: Final = 50
_INTERVALS: Final = (10, 20, 30, 32, 40, 60, 120)
_UNITS: Final = {
    "us": 1,
    "microseconds": 1,
    "ms": MILLISECOND,
    "milliseconds": MILLISECOND,
    "s": SECOND,
    "seconds": SECOND,
    "m": 60 * SECOND,
    "minutes": 60 * SECOND,
    "h": 3600 * SECOND,
    "hours": 3600 * SECOND,
    "d": 86400 * SECOND,
    "days": 86400 * SECOND,
}


@command("strftime_tz", "<timezone_name> [<epoch>|][format string]", "Display formatted time of timezone")
def strftime_tz(request: ApiRequest) -> str:
    return time_format.strftime_tz(request.argument, request.switch.clock.time(), local_zone())


@command(
    "uptime",
    "[us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]",
    "Show uptime",
)
def uptime(request: ApiRequest) -> str:
    unit = _UNITS.get(request.argument.lower() or "s")
    if unit is None:
        raise UsageError
    return f"{(request.switch.clock.time() - request.switch.started) // unit}\n"


@command("msleep", "<milliseconds>", "Sleep N milliseconds")
def msleep(request: ApiRequest) -> str:
    duration = leading_long(request.argument) * MILLISECOND
    request.switch.clock.sleep(min(duration, _LONGEST_SLEEP))
    return "+OK"


@command("time_test", "<mss> [count]", "Show time jitter")
def time_test(request: ApiRequest) -> str:
    """Sleep so many microseconds, so many times (10), and tell how long it took."""
    parts = separate(request.argument, " ", 2)
    if not parts:
        return "parameter missing\n"
    clock = request.switch.clock
    duration = min(max(leading_int(parts[0]), 0), SECOND)
    count = leading_int(parts[1]) if len(parts) > 1 else 10
    count = min(count, _MOST_TESTS) if count > 0 else 10
    total = 0
    for number in range(1, count + 1):
        before = clock.now()
        clock.sleep(duration)
        took = clock.now() - before
        total += took
        request.write(f"test {number} sleep {duration} {took}\n")
    return f"avg {total // count}\n"


@command("timer_test", "<10|20|40|60|120> [<1..200>] [<timer_name>]", "Exercise FS timer")
def timer_test(request: ApiRequest) -> str:
    """Wait for so many ticks (50) of a timer (20 ms) and tell what one took on the average."""
    parts = separate(request.argument, " ", 3)
    interval = leading_int(parts[0]) if parts else 20
    if interval not in _INTERVALS:
        return "parameter missing: <10|20|40|60|120> [<1..200>] [<timer_name>]\n"
    ticks = leading_int(parts[1]) if len(parts) > 1 else 0
    ticks = ticks if 0 < ticks <= _MOST_TICKS else _TICKS
    if request.switch.timers.get(parts[2] if len(parts) > 2 else "soft") is None:
        return "Timer Error!\n"
    clock = request.switch.clock
    began = clock.now()
    waiter = clock.waiter()
    for tick in range(1, ticks + 1):
        waiter.wait(began + tick * interval * MILLISECOND)
    took = clock.now() - began
    return f"Avg: {took / ticks / 1000:.3f}ms Total Time: {took / 1000:.3f}ms\n"
