"""Scripts that would not end by themselves are stopped, whatever they catch, and say where they were."""

from __future__ import annotations

import pytest

from host.switch import Switch
from lua_bindings import script
from lua_bindings.script_run import Limits
from tests.lua_bindings.scripted import VERSIONS, Call, ran

SHORT = 0.05

ENDLESS = {
    "loop": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "xpcall": "xpcall(function() while true do end end, function() while true do end end)",
    "coroutine": "local function f() while true do end end while true do coroutine.resume(coroutine.create(f)) end",
    "wrapped": "while true do pcall(coroutine.wrap(function() while true do end end)) end",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS.keys())
def test_endless_code_is_stopped(switch: Switch, code: str, version: str) -> None:
    result = ran(switch, code, Limits(burst_s=SHORT, version=version)).result
    assert not result.ok
    assert "without calling the host" in result.error
    assert result.error.startswith('[string "line"]:1: ')
    assert '[string "line"]:1:' in result.traceback


def test_calls_of_the_host_begin_the_budget_anew(switch: Switch) -> None:
    code = """
      local event = freeswitch.Event("CUSTOM")
      for i = 1, 30 do
        for j = 1, 1e5 do end
        event:getType()
      end
      stream:write("end")
    """
    assert ran(switch, code, Limits(burst_s=SHORT)).text == "end"


@pytest.mark.parametrize("version", VERSIONS)
def test_memory_is_limited(switch: Switch, version: str) -> None:
    result = ran(
        switch, "local t = {} while true do t[#t + 1] = {} end", Limits(memory_mb=32, version=version)
    ).result
    assert "uses more than 32 MB" in result.error


def test_a_script_that_catches_everything_cannot_go_on(switch: Switch) -> None:
    code = "pcall(function() while true do end end) stream:write('went on')"
    done = ran(switch, code, Limits(burst_s=SHORT))
    assert done.text == ""
    assert not done.result.ok


def test_kill_ends_a_script_that_waits(switch: Switch) -> None:
    def kill() -> None:
        for running in script.running():
            running.kill("killed by hand")

    switch.clock.call_later(5_000_000, kill)
    began = switch.clock.now()
    result = ran(switch, "freeswitch.msleep(100000)").result
    assert "killed by hand" in result.error
    assert switch.clock.now() - began < 6_000_000
    assert script.running() == []


def test_polling_makes_virtual_time_pass(switch: Switch) -> None:
    call = Call(switch, "while session:ready() do end")
    switch.clock.call_later(2_000_000, call.session.channel.hangup)
    call.finish(10)
    assert not call.of_kind("script-error")


def test_the_clock_of_lua_follows_the_virtual_clock(switch: Switch) -> None:
    code = """
      local began, ticks = os.time(), os.clock()
      freeswitch.msleep(3600000)
      stream:write((os.time() - began) .. (os.clock() - ticks > 3599 and " late " or " early ") .. os.date("!%Y", 0))
    """
    assert ran(switch, code).text in ("3600 late 1970", "3601 late 1970")
