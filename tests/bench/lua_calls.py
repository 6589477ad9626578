"""What single calls of the scripting floor cost: ``python -m tests.bench.lua_calls`` prints µs per call."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from host.caller_profile import CallerProfile
from host.clock import RealClock
from host.session import Session
from host.switch import Switch
from lua_bindings.runtime import Runtime, RuntimePool
from lua_bindings.script import run

CLOCK = RealClock()


class Line:
    """An endpoint that only takes what it is told."""

    def answer(self, session: Session) -> None:
        """Take it."""

    def pre_answer(self, session: Session) -> None:
        """Take it."""

    def ring_ready(self, session: Session) -> None:
        """Take it."""

    def send_dtmf(self, session: Session, digit: str, duration: int) -> None:
        """Take it."""

    def hangup(self, session: Session) -> None:
        """Take it."""

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Know no messages."""
        return False


SCRIPT = """
local count = tonumber(argv[1])
local clock = os.clock
local function measure(name, times, f)
  local best = math.huge
  for _ = 1, 5 do
    local began = clock()
    f(times)
    best = math.min(best, clock() - began)
  end
  results[#results + 1] = name .. "=" .. best / times * 1e6
end
results = {}
session:setVariable("name", "value")
freeswitch.setGlobalVariable("bench", "value")
local get_global, Event = freeswitch.getGlobalVariable, freeswitch.Event
measure("empty loop turn", count, function(n) for i = 1, n do end end)
measure("getVariable", count, function(n) for i = 1, n do session:getVariable("name") end end)
measure("setVariable", count, function(n) for i = 1, n do session:setVariable("other", "value") end end)
measure("ready", count, function(n) for i = 1, n do session:ready() end end)
measure("getGlobalVariable", count, function(n) for i = 1, n do get_global("bench") end end)
measure("Event new+addHeader+getHeader", count / 10, function(n)
  for i = 1, n do
    local event = Event("CUSTOM", "bench::event")
    event:addHeader("Name", "value")
    event:getHeader("Name")
  end
end)
measure("numeric loop of 20 million turns, all", 1, function()
  local sum = 0
  for i = 1, 20000000 do sum = sum + i end
end)
freeswitch.setGlobalVariable("bench_results", table.concat(results, "\\n"))
"""


def per_call(times: int, call: Callable[[], object]) -> float:
    """Return µs per call: the best of five rounds, for the machine does other things, too."""
    call()
    rounds = []
    for _ in range(5):
        began = CLOCK.now()
        for _ in range(times):
            call()
        rounds.append((CLOCK.now() - began) / times)
    return min(rounds)


def main() -> None:
    """Print the table."""
    print(f"{'new runtime':40}{per_call(500, lambda: Runtime().close()):12.2f} µs")
    pool = RuntimePool()

    def take() -> None:
        pool.refill()
        pool.take().close()

    print(f"{'runtime of the pool, with its refill':40}{per_call(500, take):12.2f} µs")
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(CLOCK, Path(folder))
        session = Session(switch, "bench/1", CallerProfile(), Line(), outbound=False, endpoint="bench")
        print(f"{'run of an empty script':40}{per_call(500, lambda: run(switch, '~')):12.2f} µs")
        script = Path(folder) / "bench.lua"
        script.write_text(SCRIPT, encoding="utf-8")
        result = run(switch, f"{script} 200000", session=session)
        if not result.ok:
            raise SystemExit(result.error)
        for line in (switch.global_variables.get("bench_results") or "").splitlines():
            name, _, value = line.partition("=")
            print(f"{name:40}{float(value):12.2f} µs")
        switch.close(grace=0)


if __name__ == "__main__":
    main()
