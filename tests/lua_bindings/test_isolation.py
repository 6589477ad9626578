"""Scripts that run wild: each ends as documented, in real time nobody else stutters, and nothing is left behind."""

from __future__ import annotations

import os
import re
import threading
from functools import partial
from pathlib import Path

import pytest

from host.clock import MILLISECOND, SECOND
from host.session import Session
from host.switch import Switch
from lua_bindings import lua_conf, script
from lua_bindings.script import run
from lua_bindings.script_run import Limits
from media.realtime.remote_engine import RemoteEngine
from tests.eventually import eventually
from tests.host.handset import start_call
from tests.lua_bindings.scripted import VERSIONS, ran
from tests.tick import Tick

SHORT = Limits(burst_s=0.1, memory_mb=48)

# Recursions that catch their own errors, finalizers, hooks: what a mere count hook does not stop.
WILD = {
    "pcall recursion": "function f() pcall(f) f() end f()",
    "pcall and tail call": "function f() pcall(f) return f() end f()",
    "pcall as a tail call": "function f() return pcall(f) end while true do f() end",
    "xpcall recursion": "function f() xpcall(f, f) f() end f()",
    "xpcall with a traceback": "function f() xpcall(f, debug.traceback) f() end f()",
    "tail call": "function f() return f() end f()",
    "coroutines in coroutines": "function f() coroutine.wrap(f)() end while true do pcall(f) end",
    "resume recursion": "function f() coroutine.resume(coroutine.create(f)) f() end f()",
    "gsub recursion": "function f() ('x'):gsub('x', f) f() end while true do pcall(f) end",
    "sort recursion": "function f() table.sort({ 3, 2, 1 }, function() f() end) end while true do pcall(f) end",
    "index recursion": (
        "t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) "
        "while true do pcall(function() return t[1] end) end"
    ),
    "finalizer": (
        "setmetatable({}, { __gc = function() while true do end end }) collectgarbage() collectgarbage() "
        "while true do end"
    ),
    "loader": "while true do pcall(load, function() while true do end end) end",
    "hook taken away": "debug.sethook() while true do end",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", WILD.values(), ids=WILD.keys())
def test_wild_code_is_stopped(switch: Switch, code: str, version: str) -> None:
    result = ran(switch, code, Limits(burst_s=0.05, memory_mb=96, version=version)).result
    assert not result.ok
    assert "stopped" in result.error


@pytest.mark.parametrize("version", VERSIONS)
def test_a_single_huge_string_is_refused(switch: Switch, version: str) -> None:
    result = ran(switch, "local s = ('x'):rep(1e9)", Limits(memory_mb=32, version=version)).result
    assert "not enough memory" in result.error


@pytest.mark.parametrize("version", VERSIONS)
def test_recursion_without_end_is_an_error(switch: Switch, version: str) -> None:
    result = ran(switch, "local function f() return 1 + f() end f()", Limits(version=version)).result
    assert "stack overflow" in result.error


def test_a_hook_of_the_script_is_refused(switch: Switch) -> None:
    done = ran(switch, "stream:write(tostring(pcall(debug.sethook, function() end, '', 1)))")
    assert done.text == "false"


@pytest.mark.parametrize("version", ("5.2", "5.3", "5.4", "5.5"))
def test_finalizers_run_within_the_script(switch: Switch, version: str) -> None:
    code = """
      local function thing(name)
        return setmetatable({ name = name }, { __gc = function(t) stream:write(t.name .. " ") end })
      end
      local kept = thing("kept")
      thing("dropped")
      collectgarbage()
      collectgarbage()
      stream:write("end ")
    """
    assert ran(switch, code, Limits(version=version)).text == "dropped end kept "


@pytest.mark.parametrize("version", VERSIONS)
def test_programs_answer_as_in_lua_5_2(switch: Switch, tmp_path: Path, version: str) -> None:
    code = f"""
      local function tell(...)
        for i = 1, select("#", ...) do stream:write(tostring((select(i, ...))) .. " ") end
      end
      local pipe = io.popen("echo one; echo two; exit 3")
      tell(pipe:read(), io.type(pipe))
      for line in pipe:lines() do tell(line) end
      tell(pipe:close())
      tell(io.type(pipe))
      local out = io.popen("cat > {tmp_path}/written", "w")
      out:write("text")
      tell(io.close(out))
      tell(io.open("{tmp_path}/written"):read("*a"))
      tell(os.execute("exit 4"))
      tell(os.execute("kill -9 $$"))
      tell(os.execute())
      tell(select(2, pcall(io.popen, "true", "rw")))
    """
    assert ran(switch, code, Limits(version=version)).text == (
        "one file two nil exit 3 closed file true exit 0 text nil exit 4 nil signal 9 true "
        "nil true: Invalid argument 22 "
    )


# -- in real time ------------------------------------------------------------------------------------------------


def call(switch: Switch, code: str) -> Session:
    return start_call(switch, ("lua", "~" + code))


def test_killing_a_script_ends_the_program_it_waits_for(real_switch: Switch) -> None:
    clock = real_switch.clock
    results: list[script.ScriptResult] = []
    code = "~io.popen('sleep 30; sleep 30'):read('*a')"
    thread = clock.spawn(lambda: results.append(run(real_switch, code)), "waits")
    while not any(run_.programs and run_.programs.running for run_ in script.running()):
        clock.sleep(10 * MILLISECOND)
    began = clock.now()
    for running in script.running():
        running.kill("killed by hand")
    thread.join(10)
    assert not thread.is_alive()
    assert clock.now() - began < 5 * SECOND
    assert "killed by hand" in results[0].error


def test_quick_reads_see_every_change(real_switch: Switch) -> None:
    """What Lua reads without asking is never older than what the host would answer."""
    code = """
      local function writes(name, value) session:setVariable("seen_" .. name, tostring(value)) end
      session:setVariable("v", "1")
      writes("first", session:getVariable("v") .. session:getVariable("V"))
      session:setVariable("V", "2")
      writes("second", session:getVariable("v"))
      session:setVariable("v", nil)
      writes("third", session:getVariable("v"))
      freeswitch.setGlobalVariable("g", "a")
      local a, none = freeswitch.getGlobalVariable("g"), freeswitch.getGlobalVariable("no_such")
      freeswitch.setGlobalVariable("g", "b")
      freeswitch.setGlobalVariable("no_such", "c")
      writes("globals", a .. tostring(none) .. freeswitch.getGlobalVariable("g")
        .. freeswitch.getGlobalVariable("no_such"))
      session:setVariable("asks", "yes")
      local count = 0
      while session:getVariable("told") == nil and session:ready() do count = count + 1 end
      writes("told", session:getVariable("told"))
      session:setVariable("asks", "hangup")
      while session:ready() do count = count + 1 end
      writes("ready", session:ready())
      writes("arguments", pcall(session.ready) or pcall(session.getVariable, session) or
        pcall(freeswitch.getGlobalVariable) or pcall(session.getVariable, session, {}))
    """
    session = call(real_switch, code)
    clock, channel = real_switch.clock, session.channel
    eventually(lambda: channel.get_variable("asks") == "yes")
    channel.set_variable("told", "now")
    eventually(lambda: channel.get_variable("asks") == "hangup")
    channel.hangup()
    assert session.ended.wait(clock.now() + 60 * SECOND)
    seen = {name: channel.get_variable(f"seen_{name}") for name in ("first", "second", "third", "globals")}
    assert seen == {"first": "11", "second": "2", "third": "nil", "globals": "anilbc"}
    assert channel.get_variable("seen_told") == "now"
    assert channel.get_variable("seen_ready") == "false"
    assert channel.get_variable("seen_arguments") == "false"


# Of this run of the tests alone: others may run on the same machine.
SLEEP = f"sleep 30.{os.getpid()}"
# What one of 200 scripts does, and a pattern of its error ("" when it ends well). A burst of 0.3 s, 40 MB, 3 s in all;
# of two limits, which one is first is a matter of the machine.
ENDINGS = {
    "while true do end": "without calling the host",
    "function f() pcall(f) f() end f()": "without calling the host",
    "local function f() return 1 + f() end f()": "stack overflow|stopped",
    "local t = {} while true do t[#t + 1] = {} end": "stopped",
    "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end": "not enough memory|stopped",
    "os.exit() error('after os.exit')": "after os.exit",
    f"io.popen('{SLEEP}'):read('*a')": "more than 3 s",
    f"os.execute('{SLEEP}')": "more than 3 s",
    f"local pipe = io.popen('{SLEEP}')": "",
    "freeswitch.msleep(30000)": "more than 3 s",
    "freeswitch.EventConsumer('CUSTOM', 'nobody::fires'):pop(1, 30000)": "more than 3 s",
    "while true do freeswitch.getGlobalVariable('hostname') end": "more than 3 s",
    "error(setmetatable({}, { __tostring = function() error('again') end }))": "error object is a table",
    "coroutine.wrap(function() while true do pcall(error) end end)()": "without calling the host",
    "function f() coroutine.wrap(f)() end while true do pcall(f) end": "without calling the host",
    "while true do pcall(string.gsub, 'x', 'x', function() while true do end end) end": "without calling the host",
    "local e = freeswitch.Event('CUSTOM', 'a::b') e:addHeader('a', 'b') e:fire() io.open('/dev/null')": "",
    "local dbh = freeswitch.Dbh('sqlite://core') dbh:query('select 1', function() error('in a row') end)": "",
    "require('socket').sleep(30)": "more than 3 s",
    "require('luasql.sqlite3').sqlite3():connect(':memory:'):execute('select 1')": "",
}
# Calls whose callbacks and hooks raise, loop and exit; each ends by itself.
WILD_CALLS = (
    "session:setHangupHook('hook') function hook() error('in the hook') end session:hangup()",
    "session:setHangupHook('hook') function hook() while true do end end session:hangup()",
    "session:setInputCallback('input') function input() error('in the callback') end session:sleep(300)",
    "local other = freeswitch.Session('null/x') error('with a session')",
)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[int]:
    """Return the processes below this one, and the sleeps of its scripts wherever they are, that did not end."""
    asleep = SLEEP.replace(" ", "\0").encode()
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if (parent == str(os.getpid()) or command.startswith(asleep)) and state != "Z":
            found.add(int(folder.name))
    return found


def test_two_hundred_wild_scripts_leave_the_calls_of_others_alone(real_switch: Switch) -> None:
    """Wild scripts at once, and calls that count their own turns, beside a tick of 20 ms and the media engine's."""
    switch, clock = real_switch, real_switch.clock
    lua_conf.adjust_limits(switch, 0.3)
    limits = Limits(burst_s=0.3, memory_mb=40, wall_s=3.0)
    engine = switch.engine
    assert isinstance(engine, RemoteEngine)
    engine.start()
    engine.status(renew=True)
    # What stays open for later scripts.
    assert run(switch, "~freeswitch.Dbh('sqlite://core'):query('select 1')").ok
    clock.sleep(100 * MILLISECOND)
    files, threads, processes = open_files(), threading.active_count(), children()
    tick = Tick()
    clock.add_pacer(tick)
    turns = "for i = 1, 40 do session:sleep(50) session:setVariable('turns', i) end"
    calls = [call(switch, turns) for _ in range(20)]
    wild = [call(switch, WILD_CALLS[number % len(WILD_CALLS)]) for number in range(20)]
    codes = list(ENDINGS)
    results: list[tuple[str, script.ScriptResult]] = []

    def work(code: str) -> None:
        results.append((code, run(switch, "~" + code, limits=limits)))

    workers = [
        clock.spawn(partial(work, codes[number % len(codes)]), f"wild {number}") for number in range(180)
    ]
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()
    for session in calls + wild:
        assert session.ended.wait(clock.now() + 60 * SECOND)
    assert [session.channel.get_variable("turns") for session in calls] == ["40"] * len(calls)
    assert len(results) == 180
    for code, result in results:
        assert result.ok == (not ENDINGS[code]), (code, result)
        assert re.search(ENDINGS[code], result.error), (code, result)
    assert not script.running()
    assert not switch.sessions
    media = engine.status()
    assert media.ticks > 100
    assert media.lateness_p50 < 5 * MILLISECOND
    late = sorted(tick.late)
    assert late[len(late) // 2] < 20 * MILLISECOND
    assert late[len(late) * 9 // 10] < 100 * MILLISECOND, late[-5:]
    eventually(lambda: open_files() <= files + 2)  # runtimes are closed beside
    eventually(lambda: not children() - processes)
    assert threading.active_count() <= threads + 2  # the timers' thread and the tick's
