"""What FreeSWITCH's Lua 5.2 does and LuaJIT or other versions would not: scripts of the field rest on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.switch import Switch
from lua_bindings import runtime, script
from lua_bindings.script_run import Limits, ScriptRun
from tests.lua_bindings.scripted import VERSIONS, ran, text_of

SHOW = """
  local function show(...)
    local t = {}
    for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end
    stream:write(table.concat(t, "|") .. ";")
  end
"""


@pytest.mark.parametrize("version", ("luajit", "5.1", "5.2"))
def test_xpcall_takes_a_handler_that_is_no_function(switch: Switch, version: str) -> None:
    """Scripts that make `debug` a table of their own hand over its missing `traceback`."""
    code = """
      debug = {}
      show(xpcall(function(...) return ... end, debug.traceback, 1, nil))
      show(xpcall(function() error("x") end, debug.traceback))
      show(xpcall(function() error("x") end, setmetatable({}, { __call = function() return "handled" end })))
      show(pcall(xpcall, function() end))
    """
    shown = text_of(switch, SHOW + code, version).split(";")
    assert shown[:3] == ["true|1|nil", "false|error in error handling", "false|error in error handling"]
    assert shown[3].startswith("false|") and shown[3].endswith("bad argument #2 to 'xpcall' (value expected)")


@pytest.mark.parametrize("version", ("luajit", "5.1", "5.2"))
def test_names_are_no_numbers(switch: Switch, version: str) -> None:
    code = """
      for _, text in ipairs { "Nan", "inf", "-Infinity", "0b11", "0xab", " 0xB ", "1e3", "10", "", "x" } do
        show(text, tonumber(text))
      end
      show(tonumber("bn", 36), tonumber("1e999") == math.huge, pcall(tonumber))
    """
    assert text_of(switch, SHOW + code, version).startswith(
        "Nan|nil;inf|nil;-Infinity|nil;0b11|nil;0xab|171; 0xB |11;1e3|1000;10|10;|nil;x|nil;419|true|false|"
    )


@pytest.mark.parametrize("version", ("luajit", "5.2"))
def test_bit32(switch: Switch, version: str) -> None:
    code = """
      show(bit32.band(), bit32.bnot(0), bit32.bxor(5, 3, 1), bit32.btest(4, 3))
      show(bit32.lshift(1, 31), bit32.lshift(1, 32))
      show(bit32.rshift(-1, 28), bit32.rshift(256, -4), bit32.arshift(-8, 1), bit32.arshift(-8, 40))
      show(bit32.lrotate(0x80000001, 1), bit32.rrotate(1, 1), bit32.extract(0xABCD, 4, 8), bit32.replace(0, 0xFF, 4, 4))
      show(pcall(bit32.extract, 1, 30, 4))
      show((pcall(bit32.extract, 1, -1)))
      local names = {}
      for name in pairs(bit32) do names[#names + 1] = name end
      table.sort(names)
      show(require("bit32") == bit32, table.concat(names, " "))
    """
    assert text_of(switch, SHOW + code, version).split(";") == [
        "4294967295|4294967295|7|false",
        "2147483648|0",
        "15|4096|4294967292|4294967295",
        "3|2147483648|188|240",
        "false|trying to access non-existent bits",
        "false",
        "true|arshift band bnot bor btest bxor extract lrotate lshift replace rrotate rshift",
        "",
    ]


def test_code_with_env_runs_in_lua_5_2(switch: Switch, tmp_path: Path) -> None:
    code = """
      local function inside(_ENV) x = 5 return x end
      local t = {}
      stream:write(_VERSION .. " " .. inside(t) .. " " .. t.x .. " " .. tostring(x))
    """
    assert text_of(switch, code) == "Lua 5.2 5 5 nil"
    file = tmp_path / "scripts" / "env.lua"
    file.write_text(code, encoding="utf-8")
    for _ in range(2):  # the second time its byte code is at hand
        assert switch.api("lua", "env.lua") == "Lua 5.2 5 5 nil"
    file.write_text("-- moonline: luajit\nlocal MY_ENVIRONMENT = 1 stream:write(_VERSION .. tostring(_ENV))")
    assert switch.api("lua", "env.lua") == "Lua 5.1nil"
    assert text_of(switch, "local MY_ENV = 1 stream:write(_VERSION)") == "Lua 5.1"
    assert text_of(switch, code.replace("inside(t)", "'-'").replace("t.x", "'-'"), "5.4").startswith(
        "Lua 5.4"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_without_debug_harms_nobody(switch: Switch, version: str) -> None:
    """The host looks for `debug.traceback` whenever it calls Lua; errors in there would end the process."""
    rows = "freeswitch.Dbh('sqlite://core'):query('select 1', function() stream:write('row') end)"
    strict = "setmetatable(_G, { __index = function(_, key) error('undeclared ' .. key) end })"
    for code in (
        f"debug = nil {strict} {rows}",
        f"debug = nil {strict}",
        f"debug.traceback = nil setmetatable(debug, {{ __index = function() error('x') end }}) {rows}",
        f"debug = setmetatable({{}}, {{ __index = function() error('x') end }}) {rows}",
        f"debug = 5 {rows}",
    ):
        done = ran(switch, code, Limits(version=version))
        assert done.result.ok, (code, done.result)
        assert done.text == ("row" if "query" in code else "")


@pytest.mark.parametrize("version", VERSIONS)
def test_debug_has_what_it_should(switch: Switch, version: str) -> None:
    code = """
      local names = {}
      for name in pairs(debug) do names[#names + 1] = name end
      table.sort(names)
      show(type(debug.getlocal), type(debug.sethook), debug.gethook(), require("debug") == debug, debug.getregistry)
      local kept = 7
      show(debug.getlocal(1, 1) ~= nil, (select(2, debug.getupvalue(function() return kept end, 1))))
      show(table.concat(names, " "))
    """
    shown = text_of(switch, SHOW + code, version).split(";")
    assert shown[0].startswith("function|function|nil|true|nil")
    assert shown[1] == "true|7"
    names = set(shown[2].split())
    assert {
        "getinfo",
        "getlocal",
        "getmetatable",
        "getupvalue",
        "gethook",
        "sethook",
        "setlocal",
        "traceback",
    } <= names
    assert not {"getregistry", "getuservalue", "setuservalue"} & names


@pytest.mark.parametrize("version", ("5.2", "5.3", "5.4", "5.5"))
def test_dropped_objects_are_let_go(switch: Switch, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    alive = 0

    class Handle:
        def __init__(self) -> None:
            nonlocal alive
            alive += 1

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    monkeypatch.setattr(runtime, "_Handle", Handle)
    counted: list[int] = []

    def finish(run: ScriptRun) -> None:
        counted.append(alive)

    code = "~kept = freeswitch.Event('CUSTOM') for i = 1, 3000 do freeswitch.Event('CUSTOM') end "
    code += "for i = 1, 4 do collectgarbage() end assert(kept:getType() == 'CUSTOM')"
    result = script.run(switch, code, limits=Limits(version=version), finish=finish)
    assert result.ok, result.error
    assert counted[0] < 50
