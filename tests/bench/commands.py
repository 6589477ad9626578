"""How long commands take that touch every one of 500 calls: `hupall`, and the report of the channels as JSON."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from host.clock import RealClock
from host.switch import Switch

CALLS = 500
HUPALL_SECONDS = 1.0
REPORT_MS = 20.0
_GIVE_UP_SECONDS = 60.0


def run() -> None:
    """Print both; a SystemExit says which is slower than it is meant to be."""
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(RealClock(), Path(folder))
        try:
            for module in ("mod_commands", "mod_dptools", "mod_loopback"):
                switch.modules.load(module)
            switch.control.max_sessions_per_second = CALLS + 1
            for number in range(CALLS):
                reply = switch.api("originate", f"null/{number} &park()")
                assert reply.startswith("+OK"), reply
            report_ms = _best(lambda: switch.api("show", "channels as json")) * 1000
            assert json.loads(switch.api("show", "channels as json"))["row_count"] == CALLS
            began = time.perf_counter()
            switch.api("hupall")
            while switch.sessions and time.perf_counter() - began < _GIVE_UP_SECONDS:
                time.sleep(0.001)
            took = time.perf_counter() - began
        finally:
            switch.close()
    print(f"show channels as json of {CALLS}  {report_ms:8.1f} ms (meant: under {REPORT_MS:.0f})")
    print(
        f"hupall of {CALLS} until all ended {took * 1000:8.1f} ms (meant: under {HUPALL_SECONDS * 1000:.0f})"
    )
    if report_ms >= REPORT_MS or took >= HUPALL_SECONDS:
        raise SystemExit("slower than meant")


def _best(work: Callable[[], object]) -> float:
    """Return the least seconds of several runs: what the work itself takes, without what else the machine does."""
    times = []
    for _ in range(10):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
