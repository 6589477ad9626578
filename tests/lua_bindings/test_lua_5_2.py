"""What FreeSWITCH's Lua 5.2 does and LuaJIT or other versions would not: scripts of the field rest on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.switch import Switch
from lua_bindings import runtime, script
from lua_bindings.script_run import Limits, ScriptRun
from tests.lua_bindings.scripted import SHOW, VERSIONS, ran, text_of


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


ENGINE = "string.dump(load('')):sub(2, 4)"  # what byte code begins with


@pytest.mark.parametrize("needed", ("_ENV", "__len", "__gc", "__lt", "__le"))
def test_code_of_lua_5_2_runs_in_it(switch: Switch, tmp_path: Path, needed: str) -> None:
    code = f"local mine = '{needed}' stream:write({ENGINE})"
    assert text_of(switch, code) == "Lua"
    file = tmp_path / "scripts" / "needs.lua"
    file.write_text(code, encoding="utf-8")
    for _ in range(2):  # the second time its byte code is at hand
        assert switch.api("lua", "needs.lua") == "Lua"
    file.write_text(f"-- moonline: luajit\n{code}")
    assert switch.api("lua", "needs.lua") == "LJ\2"
    assert text_of(switch, code.replace(needed, f"MY{needed}")) == "LJ\2"
    assert text_of(switch, code, "5.4") == "Lua"


def test_environments_lengths_and_comparisons(switch: Switch) -> None:
    code = """
      local function inside(_ENV) x = 5 return x end
      local t = {}
      show(inside(t), t.x, x, _VERSION)
      local compared = { __lt = function() return true end, __le = function() return nil end }
      compared.__len = function() return 42 end
      local thing = setmetatable({}, compared)
      show(thing < 1, 1 < thing, thing <= 1, #thing)
      setmetatable({}, { __gc = function() show("collected") end })
      thing = nil
      collectgarbage()
      collectgarbage()
    """
    assert text_of(switch, SHOW + code) == "5|5|nil|Lua 5.2;true|true|false|42;collected;"


def test_what_luajit_refuses_runs_in_lua_5_2(switch: Switch, tmp_path: Path) -> None:
    code = f"while true do break local x end stream:write({ENGINE})"
    assert text_of(switch, code) == "Lua"
    (tmp_path / "scripts" / "refused.lua").write_text(code, encoding="utf-8")
    assert switch.api("lua", "refused.lua") == "Lua"
    assert text_of(switch, f"stream:write({ENGINE})") == "LJ\2"


def test_errors_of_syntax_are_those_of_lua_5_2(switch: Switch, tmp_path: Path) -> None:
    assert ran(switch, "x = ").result.error == '[string "line"]:1: unexpected symbol near <eof>'
    (tmp_path / "scripts" / "bad.lua").write_text("for", encoding="utf-8")
    assert switch.api("lua", "bad.lua") == "-ERR Cannot execute script\n"
    code = """
      local texts = { "x = ", "for", "goto nowhere", "x = 'abc", ";; return 7", "while 1 do break local x end" }
      for _, text in ipairs(texts) do
        local f, message = load(text)
        show(f and f(), message)
      end
      show(load("return 1", "n", "b"))
      show(load("return x", "n", "t", { x = 7 })())
      show(select(2, pcall(load, "x", true)))
    """
    assert text_of(switch, SHOW + code).split(";") == [
        'nil|[string "x = "]:1: unexpected symbol near <eof>',
        'nil|[string "for"]:1: <name> expected near <eof>',
        "nil|[string \"goto nowhere\"]:1: no visible label 'nowhere' for <goto> at line 1",
        'nil|[string "x = \'abc"]:1: unfinished string near <eof>',
        "7|nil",
        "nil|[string \"while 1 do break local x end\"]:1: 'end' expected near 'local'",
        "nil|attempt to load a text chunk (mode is 'b')",
        "7",
        "bad argument #2 to 'load' (string expected, got boolean)",
        "",
    ]


def line_of(code: str, text: str) -> int:
    """Return the line of `code` in which `text` first stands."""
    return code[: code.index(text)].count("\n") + 1


@pytest.mark.parametrize("version", ("luajit", "5.2"))
def test_errors_read_as_in_lua_5_2(switch: Switch, version: str) -> None:
    code = (
        SHOW
        + """
      local function fails(f, ...) show(select(2, pcall(f, ...))) end
      fails(function() assert(nil, "plain") end)
      fails(function() assert(false) end)
      fails(function() assert(false, {}) end)
      fails(assert, false, "without a place")
      fails(function() return error("returned") end)
      fails(function() if true then return error "literal" end end)
      fails(function() coroutine.wrap(function() error("inside", 0) end)() end)
      fails(function() coroutine.wrap(nil) end)
      fails(function() for k in pairs(nil) do end end)
      fails(function() for k in next, nil do end end)
      fails(function() pairs() end)
      fails(function() table.insert({ 1 }, 5, "x") end)
      fails(function() table.remove({ 1 }, 7) end)
      fails(function() ("x"):gsub("x", "%y") end)
      fails(function() ("x"):gsub("(", print) end)
      fails(function() ("x"):gsub("x", function() error("own") end) end)
      fails(function() tonumber({}, 10) end)
      fails(function() string.format("%s") end)
      fails(function() string.char(-1) end)
      fails(function() io.open("x", "rw") end)
      fails(function() io.lines("/nonexistent/x") end)
      fails(function() io.stdout:write({}) end)
      fails(function() os.date("%Q", 0) end)
      fails(function() math.deg("x") end)
      fails(function() bit32.band(1, "x") end)
      fails(function() bit32.lshift(1) end)
      fails(function() bit32.extract(1, -1) end)
      fails(function() collectgarbage("nothing") end)
      fails(string.rep)
      fails(table.concat, 5)
      fails(tostring)
    """
    )
    if version == "5.2":  # where the function of simulated time calls Lua's
        code = code.replace(
            'os.date("%Q", 0)', "error(\"bad argument #1 to 'date' (invalid conversion specifier '%Q')\")"
        )
    shown = ran(switch, code, Limits(version=version)).text.split(";")
    at = '[string "line"]:'
    expected = [
        ("plain", "plain"),
        ("assert(false) end", "assertion failed!"),
        ("assert(false, {})", "bad argument #2 to 'assert' (string expected, got table)"),
        ("", "without a place"),
        ("returned", "returned"),
        ("literal", "literal"),
        ('error("inside"', "inside"),
        ("wrap(nil)", "bad argument #1 to 'wrap' (function expected, got nil)"),
        ("pairs(nil)", "bad argument #1 to 'pairs' (table expected, got nil)"),
        ("next, nil", "bad argument #1 to 'for iterator' (table expected, got nil)"),
        ("pairs() end", "bad argument #1 to 'pairs' (table expected, got no value)"),
        ("insert({ 1 }", "bad argument #2 to 'insert' (position out of bounds)"),
        ("remove({ 1 }", "bad argument #1 to 'remove' (position out of bounds)"),
        ("%y", "invalid use of '%' in replacement string"),
        ('gsub("("', "unfinished capture"),
        ('error("own")', "own"),
        ("tonumber({}", "bad argument #1 to 'tonumber' (string expected, got table)"),
        ('format("%s")', "bad argument #2 to 'format' (no value)"),
        ("char(-1)", "bad argument #1 to 'char' (value out of range)"),
        ('"rw"', "bad argument #2 to 'open' (invalid mode)"),
        ("io.lines", "cannot open file '/nonexistent/x' (No such file or directory)"),
        ("write({})", "bad argument #1 to 'write' (string expected, got table)"),
        ("%Q", "bad argument #1 to 'date' (invalid conversion specifier '%Q')"),
        ("math.deg", "bad argument #1 to 'deg' (number expected, got string)"),
        ("bit32.band", "bad argument #2 to 'band' (number expected, got string)"),
        ("bit32.lshift", "bad argument #2 to 'lshift' (number expected, got no value)"),
        ("bit32.extract", "bad argument #2 to 'extract' (field cannot be negative)"),
        ('"nothing"', "bad argument #1 to 'collectgarbage' (invalid option 'nothing')"),
        ("", "bad argument #1 to 'string.rep' (string expected, got no value)"),
        ("", "bad argument #1 to 'table.concat' (table expected, got number)"),
        ("", "bad argument #1 to 'tostring' (value expected)"),
    ]
    wanted = [f"{at}{line_of(code, text)}: {error}" if text else error for text, error in expected]
    got = [text.replace("'_G.", "'") for text in shown[:-1]]
    assert got == wanted


@pytest.mark.parametrize("version", ("luajit", "5.1", "5.2"))
def test_the_library_answers_as_in_lua_5_2(switch: Switch, tmp_path: Path, version: str) -> None:
    code = f"""
      show(select("#", table.remove({{}})), table.remove({{ 1, 2 }}, 1), table.remove({{ 1, 2 }}))
      local list = {{ 1, 2, 3 }}
      show(table.remove(list, "2"), table.remove(list, 3), #list, table.remove(list), #list, table.remove({{}}, 0))
      local file = io.open("{tmp_path}/chain", "w")
      show(file:write("a", 1):write("b") == file, file:close(), io.open("{tmp_path}/chain"):read("*a"))
      show(tonumber("1.5", 10), tonumber(" 12 ", 10), tonumber("ff", 16), tonumber("7", nil), tonumber("0x10"))
      show(math.log(8, 2), math.log(1, nil), math.deg(math.pi), math.rad("180") == math.pi, (pcall(math.random, 0)))
      local main, is_main = coroutine.running()
      show(type(main), is_main, coroutine.status(main), coroutine.running() == main, (coroutine.resume(main)))
      coroutine.wrap(function() show(coroutine.status(main), coroutine.running() == main) end)()
      show(collectgarbage("generational"), collectgarbage("incremental"), select("#", collectgarbage("count")))
      show(_VERSION, os.rename("/nonexistent/a", "/nonexistent/b"))
    """
    assert text_of(switch, SHOW + code, version).split(";") == [
        "1|1|2",
        "2|nil|2|3|1|nil",
        "true|true|a1b",
        "nil|12|255|7|16",
        "3|0|180|true|false",
        "thread|true|running|true|false",
        "normal|false",
        "0|0|2",
        "Lua 5.2|nil|No such file or directory|2",
        "",
    ]


def test_error_is_not_taken_for_another_function(switch: Switch) -> None:
    code = """
      local function with(error) return error("x") end
      show(with(function(text) return "called " .. text end))
      local mine = { error = function(text) return "method " .. text end }
      show((function() return mine.error("y") end)())
      show((function() return (error and "z") or error("never") end)())
    """
    assert text_of(switch, SHOW + code) == "called x;method y;z;"


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


def test_modules_are_looked_for_where_lua_5_2_does(switch: Switch) -> None:
    path = text_of(switch, "stream:write(package.path)")
    assert path.startswith(
        "/usr/local/share/lua/5.2/?.lua;/usr/local/share/lua/5.2/?/init.lua;/usr/local/lib/lua/5.2/"
    )
    assert ";/usr/share/lua/5.2/?/init.lua;./?.lua;/usr/local/share/luajit" in path


@pytest.mark.parametrize("version", ("luajit", "5.1", "5.2"))
def test_what_is_no_number(switch: Switch, version: str) -> None:
    code = """
      local nan = 0 / 0
      show(nan, tostring(nan), ("%5.1f|%g|%s|%6s"):format(nan, nan, nan, nan))
      show(("%g %g"):format(1 / 0, -1 / 0))
      stream:write(nan)
      show(pcall(string.format, "%d", "x"))
      local _, message = pcall(function() return string.format(nan, {}) .. string.format("%d", {}) end)
      show((message:gsub("^.-:%d+: ", "")))
    """
    assert text_of(switch, SHOW + code, version) == (
        "-nan|-nan| -nan|-nan|-nan|  -nan;inf -inf;-nan"
        "false|bad argument #2 to 'string.format' (number expected, got string);"
        "bad argument #2 to 'format' (number expected, got table);"
    )
