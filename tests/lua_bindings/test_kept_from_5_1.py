"""What FreeSWITCH's Lua 5.2 keeps of Lua 5.1: scripts of the field were often written for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.switch import Switch
from lua_bindings.script_run import Limits
from tests.lua_bindings.scripted import SHOW, ran, text_of

BOTH = ("luajit", "5.2")


@pytest.mark.parametrize("version", BOTH)
def test_functions(switch: Switch, version: str) -> None:
    code = """
      show(unpack({1, 2, 3}, 2), loadstring("return 7")(), select("#", unpack({}, 1, 2)))
      show(table.maxn { 1, 2, [10] = 1, x = 1 }, table.maxn {}, math.log10(1000), math.log10("10"))
      show(package.loaders == package.searchers, #package.loaders > 2)
      local m = setmetatable({}, {})
      package.seeall(m)
      show(m.print == print, pcall(package.seeall, 1))
      show(pcall(table.maxn))
      show(pcall(math.log10, {}))
    """
    shown = text_of(switch, SHOW + code, version).split(";")
    assert shown[:3] == ["2|7|2", "10|0|3|1", "true|true"]
    assert shown[3].startswith("true|false|") and "bad argument #1 to" in shown[3]
    assert all(text.startswith("false|") and "bad argument #1 to" in text for text in shown[4:6])


@pytest.mark.parametrize("version", BOTH)
def test_modules(switch: Switch, tmp_path: Path, version: str) -> None:
    (tmp_path / "mods").mkdir()
    (tmp_path / "mods" / "one.lua").write_text(
        "module(..., package.seeall)\\ncount = 1\\nfunction twice(x) count = count + 1 return x * 2 end\\n"
        "name = _NAME .. ' ' .. _PACKAGE .. tostring(_M == package.loaded[_NAME])\\n"
        "kept = string ~= nil\\n".replace("\\n", "\n")
    )
    (tmp_path / "bare.lua").write_text("module('bare') inner = 1")
    code = """
      local one = require("mods.one")
      show(one == mods.one, one.twice(4), one.count, one.name, one.kept, count, twice)
      show(require("bare").inner, bare.inner, inner, bare.string)
      show(pcall(module, nil))
      taken = 1
      show(pcall(function() module("taken.x") end))
    """
    limits = Limits(path=f"{tmp_path}/?.lua", version=version)
    done = ran(switch, SHOW + code, limits)
    assert done.result.ok, done.result.error
    shown = done.text.split(";")
    assert shown[:2] == ["true|8|2|mods.one mods.true|true|nil|nil", "1|1|nil|nil"]
    assert shown[2].startswith("false|") and "(string expected, got nil)" in shown[2]
    assert "name conflict for module 'taken.x'" in shown[3]


def test_a_script_of_5_2_finds_them(switch: Switch) -> None:
    """What LuaJIT cannot run is run by Lua 5.2, where these are as well."""
    code = "local t = setmetatable({}, { __len = function() return 5 end }) stream:write(unpack({ #t }))"
    assert text_of(switch, code) == "5"
