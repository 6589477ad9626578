"""How late the media engine's ticks are: ``python -m tests.bench.tick_lateness``, with idle and with busy scripts.

Compares a thread of the host process with the engine's own process, with no script and with 100 that burn
Lua and Python at the same time.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from host.clock import MILLISECOND, SECOND, RealClock
from host.switch import Switch
from media.realtime.remote_engine import RemoteEngine

TICK = 20 * MILLISECOND
SECONDS = 8
BUSY_SCRIPTS = 100

# Two thirds of the time in Lua (which runs without the interpreter lock), the rest in Python.
SCRIPT = """
local sum = 0
while freeswitch.getGlobalVariable("burn") == "on" do
  for i = 1, 20000 do sum = (sum + i * i) % 1000003 end
  for i = 1, 100 do freeswitch.getGlobalVariable("burn") end
  api = api or freeswitch.API()
  for i = 1, 10 do api:executeString("expand ${burn} and ${hostname}") end
  freeswitch.msleep(1)
end
"""


class Ticks:
    """A pacer that notes how late each tick came."""

    def __init__(self) -> None:
        self.first = 0
        self.count = 0
        self.late: list[int] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is due by itself: always."""
        return True

    def horizon(self, now: int, limit: int) -> int:
        """Return `limit`: nothing is due."""
        return limit

    def advance(self, now: int) -> None:
        """Note a tick."""
        self.first = self.first or now
        self.late.append(now - self.first - self.count * TICK)
        self.count += 1


def run() -> None:
    """Print the lateness of both, idle and busy."""
    with tempfile.TemporaryDirectory() as folder:
        for busy in (0, BUSY_SCRIPTS):
            measure_thread(Path(folder), busy)
            measure_process(Path(folder), busy)


def measure_thread(folder: Path, busy: int) -> None:
    """Measure a pacer's thread in the process that runs the scripts."""
    switch = Switch(RealClock(), folder, media_process=False)
    try:
        burn(switch, folder, busy)
        ticks = Ticks()
        switch.clock.add_pacer(ticks)
        time.sleep(SECONDS)
        late = sorted(each - min(ticks.late) for each in ticks.late)  # the earliest tick was in time
        show("thread", busy, late[len(late) // 2], late[len(late) * 99 // 100], late[-1], len(late))
    finally:
        switch.global_variables.set("burn", "off")
        switch.close()


def burn(switch: Switch, folder: Path, busy: int) -> None:
    """Start so many scripts that burn Lua and Python."""
    script = folder / "burn.lua"
    script.write_text(SCRIPT)
    for module in ("mod_commands", "mod_lua"):
        switch.modules.load(module)
    switch.global_variables.set("burn", "on")
    for _ in range(busy):
        switch.api("luarun", str(script))
    switch.clock.sleep(SECOND // 2)


def show(what: str, busy: int, p50: int, p99: int, most: int, ticks: int) -> None:
    """Print one line of figures, all in µs."""
    print(
        f"{what:<8} {busy:3} busy scripts: lateness p50 {p50 / 1000:8.2f} ms, p99 {p99 / 1000:8.2f} ms,"
        f" max {most / 1000:8.2f} ms of {ticks} ticks",
        flush=True,
    )


def measure_process(folder: Path, busy: int) -> None:
    """Measure the engine's process beside the one that runs the scripts."""
    switch = Switch(RealClock(), folder, media_process=True)
    try:
        assert isinstance(switch.engine, RemoteEngine)
        burn(switch, folder, busy)
        switch.engine.start()
        switch.engine.status(renew=True)  # answered when it runs
        time.sleep(SECONDS)
        status = switch.engine.status()
        show("process", busy, status.lateness_p50, status.lateness_p99, status.lateness_max, status.ticks)
    finally:
        switch.global_variables.set("burn", "off")
        switch.close()
