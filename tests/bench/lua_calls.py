"""What single calls of the scripting floor cost: ``python -m tests.bench.lua_calls`` prints µs per call.

Beside them stands what FreeSWITCH 1.11 takes on a machine of this kind (mod_lua with PUC Lua 5.2).
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from host.caller_profile import CallerProfile
from host.channel_state import ChannelState
from host.clock import RealClock
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings
from host.session import Session
from host.switch import Switch
from lua_bindings import script as scripts
from lua_bindings.runtime import Runtime, RuntimePool
from tests.host.handset import Handset

CLOCK = RealClock()

# FreeSWITCH's µs per call.
FREESWITCH = {
    "lua hello.lua through the event socket": 187.0,
    "getVariable": 0.40,
    "setVariable": 0.80,
    "ready": 0.20,
    "execute set": 124.0,
    "getGlobalVariable": 0.10,
    "executeString expr 1+1": 29.0,
    "Event new+addHeader+getHeader": 4.4,
    "numeric loop of 20 million turns, all": 260_000.0,
    "runtime of the pool, with its refill": 150.0,
}


# Asks in a process of its own: the client's work is not the switch's.
CLIENT = """
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
    client.sendall(b"auth ClueCon\\n\\n")
    while b"accepted" not in client.recv(65536):
        continue
    rounds = []
    for _ in range(6):
        began = time.perf_counter()
        for _ in range(500):
            client.sendall(b"api lua hello.lua\\n\\n")
            assert b"hello" in client.recv(65536)
        rounds.append((time.perf_counter() - began) / 500)
print(min(rounds) * 1e6)
"""

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
measure("execute set", count / 20, function(n) for i = 1, n do session:execute("set", "a=b") end end)
local api = freeswitch.API()
measure("executeString expr 1+1", count / 20, function(n) for i = 1, n do api:executeString("expr 1+1") end end)
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


def show(name: str, us: float) -> None:
    """Print a row."""
    known = FREESWITCH.get(name)
    print(
        f"{name:40}{us:12.2f} µs" + (f"   FreeSWITCH {known:12.2f} µs" if known is not None else ""),
        flush=True,
    )


def through_the_event_socket(switch: Switch) -> float:
    """Return µs of a round trip of `api lua hello.lua`."""
    script = Path(switch.global_variables.get("script_dir") or "") / "hello.lua"
    script.parent.mkdir(exist_ok=True)
    script.write_text('stream:write("hello")\n', encoding="utf-8")
    server = EventSocketServer(switch, Settings(port=0))
    server.start()
    try:
        assert server.address is not None
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, str(server.address[1])],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(done.stdout)
    finally:
        server.stop()


def run() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(CLOCK, Path(folder))
        for module in ("mod_commands", "mod_expr", "mod_dptools", "mod_lua"):
            switch.modules.load(module)
        gc.collect()
        gc.freeze()  # as `moonline serve` does once it has started
        show("new runtime", per_call(500, lambda: Runtime().close()))
        pool = RuntimePool()

        def take() -> None:
            pool.refill()
            pool.take().close()

        show("runtime of the pool, with its refill", per_call(500, take))
        show("run of an empty script", per_call(500, lambda: scripts.run(switch, "~")))
        show("lua hello.lua through the event socket", through_the_event_socket(switch))
        session = Session(switch, "bench/1", CallerProfile(), Handset(), outbound=False, endpoint="bench")
        session.channel.state = session.channel.running_state = ChannelState.CS_EXECUTE
        script = Path(folder) / "bench.lua"
        script.write_text(SCRIPT, encoding="utf-8")
        result = scripts.run(switch, f"{script} 200000", session=session)
        if not result.ok:
            raise SystemExit(result.error)
        for line in (switch.global_variables.get("bench_results") or "").splitlines():
            name, _, value = line.partition("=")
            show(name, float(value))
        switch.close(grace=0)


if __name__ == "__main__":
    run()
