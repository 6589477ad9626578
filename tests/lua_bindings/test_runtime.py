"""What a script finds in its Lua state: its own world, bytes unharmed, nothing of Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.switch import Switch
from lua_bindings.runtime import ChunkCache, LuaVersionError, Runtime, RuntimePool
from lua_bindings.script import find_script, run
from lua_bindings.stream import Stream
from tests.lua_bindings.scripted import VERSIONS, ran, text_of

# Walks everything that a script can reach and names what is not Lua's or a function or object of the contract.
WALK = """
local seen, found = {}, {}
local function walk(value, path)
  local kind = type(value)
  if kind == "userdata" then
    local text = tostring(value)
    if not text:find("^<userdata of type ") and not text:find("^file ") then found[#found + 1] = path .. " " .. text end
  end
  if (kind ~= "table" and kind ~= "userdata" and kind ~= "function") or seen[value] then return end
  seen[value] = true
  local metatable = debug.getmetatable(value)
  if metatable then walk(metatable, path .. "<meta>") end
  if kind == "table" then
    for k, v in next, value do
      walk(k, path .. "<key>")
      walk(v, path .. "." .. tostring(k))
    end
  elseif kind == "function" then
    for i = 1, 60 do
      local name, upvalue = debug.getupvalue(value, i)
      if not name then break end
      walk(upvalue, path .. "^" .. name)
    end
  end
end
-- use a bit of everything first, so that it is bound
local event = freeswitch.Event("CUSTOM", "a::b")
event:addHeader("a", "b")
local session = freeswitch.Session()
session:getVariable("x")
freeswitch.getGlobalVariable("x")
print("walking")
walk(_G, "_G")
walk(event, "event")
walk(session, "session")
local level = 1
while debug.getinfo(level, "f") do
  for i = 1, 200 do
    local name, value = debug.getlocal(level, i)
    if not name then break end
    if value ~= seen then walk(value, "local " .. name) end
  end
  level = level + 1
end
stream:write(table.concat(found, "\\n"))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_no_python_object_can_be_reached(switch: Switch, version: str) -> None:
    assert text_of(switch, WALK, version) == ""


@pytest.mark.parametrize("name", ["python", "jit", "newproxy"])
@pytest.mark.parametrize("version", VERSIONS)
def test_names_of_the_machinery_are_gone(switch: Switch, name: str, version: str) -> None:
    code = f"stream:write(type({name}) .. type(package.loaded.{name}) .. tostring(pcall(require, 'ffi')))"
    assert text_of(switch, code, version) == "nilnilfalse"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_run_has_its_own_world(switch: Switch, version: str) -> None:
    assert text_of(switch, "left = 1 string.upper = nil freeswitch.msleep = nil", version) == ""
    code = "stream:write(type(left) .. type(string.upper) .. type(freeswitch.msleep))"
    assert text_of(switch, code, version) == "nilfunctionfunction"


def test_what_a_script_removes_from_freeswitch_stays_away(switch: Switch) -> None:
    code = """
      freeswitch.API = nil
      freeswitch.msleep, freeswitch.own = nil, 5
      stream:write(type(freeswitch.API) .. type(freeswitch.msleep) .. freeswitch.own)
    """
    assert text_of(switch, code) == "nilnil5"


@pytest.mark.parametrize("version", VERSIONS)
def test_pairs_names_all_of_freeswitch(switch: Switch, version: str) -> None:
    code = "local n = 0 for name in pairs(freeswitch) do n = n + 1 end stream:write(tostring(n >= 28))"
    assert text_of(switch, code, version) == "true"


@given(data=st.binary(max_size=200).filter(lambda data: b"\0" not in data))
def test_bytes_pass_unharmed_both_ways(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    from tests.lua_bindings.scripted import scripted_switch

    with scripted_switch(tmp_path_factory.mktemp("bytes")) as switch:
        literal = "".join(f"\\{byte:03d}" for byte in data)
        code = f"""
          local text = "{literal}"
          freeswitch.setGlobalVariable("bytes", text)
          local event = freeswitch.Event("CUSTOM")
          event:addBody(text)
          local same = freeswitch.API():execute("lua", "~stream:write(freeswitch.getGlobalVariable('bytes') or '')")
          stream:write(tostring((event:getBody() or "") == text))
          stream:write(tostring(same == (text:gsub("%${{", "%%{{"))))
          stream:write(text)
        """
        stream = Stream()
        assert run(switch, "~" + code, stream=stream).ok
        assert stream.data == b"truetrue" + data


def test_an_exception_of_the_host_is_a_text_in_lua(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> str:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("lua_bindings.event_object.Event.getType", broken)
    bugs: list[object] = []
    switch.observers.append(
        lambda kind, channel, facts: bugs.append(facts["error"]) if kind == "bug" else None
    )
    code = """
      local ok, e = pcall(function() freeswitch.Event("CUSTOM"):getType() end)
      stream:write(tostring(ok) .. type(e) .. e)
    """
    text = text_of(switch, code)
    assert text.startswith(
        'falsestring[string "line"]:2: Event::getType: internal error: RuntimeError: broken'
    )
    assert "Traceback" in str(bugs[0])


def test_stack_overflow_ends_the_script_alone(switch: Switch) -> None:
    result = ran(switch, "local function f() return 1 + f() end f()").result
    assert "stack overflow" in result.error
    assert text_of(switch, "stream:write('next')") == "next"


@pytest.mark.parametrize("version", ["luajit", "5.1"])
def test_lua_52_is_there_in_older_versions(switch: Switch, version: str) -> None:
    code = """
      local packed = table.pack(1, nil, 3)
      local out = { packed.n, select("#", table.unpack({ 1, 2 }, 1, 3)), rawlen({ 1, 2 }) }
      out[#out + 1] = load("return a", "name", "t", { a = "env" })()
      out[#out + 1] = tostring(select(2, xpcall(function(...) return select("#", ...) end, print, 1, nil)))
      local ok, how, code = os.execute("exit 3")
      out[#out + 1] = tostring(ok) .. how .. code
      out[#out + 1] = type(package.searchers) .. math.log(8, 2)
      for k in pairs(setmetatable({}, { __pairs = function() return next, { own = 1 } end })) do out[#out + 1] = k end
      out[#out + 1] = tostring(select(2, load("\\27LJ", "x", "t")) ~= nil)
      stream:write(table.concat(out, " "))
    """
    assert text_of(switch, code, version) == "3 3 2 env 2 nilexit3 table3 own true"


def test_script_files_and_their_cache(switch: Switch, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "one.lua"
    script.write_bytes(b"#!/usr/bin/lua\nstream:write(#argv, argv[1] or '')\n")
    assert switch.api("lua", "one.lua a b").startswith("-ERR")  # two values for write
    script.write_bytes(b"#!/usr/bin/lua\nstream:write(#argv .. (argv[1] or ''))\n")
    assert switch.api("lua", "one.lua a b") == "2a"
    assert switch.api("lua", f"{script} 'x y'") == "1x y"
    script.write_bytes(b"\xef\xbb\xbferror('second line')")
    reply = run(switch, "one.lua")
    assert reply.error == f"{script}:1: second line"
    assert find_script(switch, "/a/b.lua") == Path("/a/b.lua")


def test_the_first_line_chooses_the_version(switch: Switch, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "new.lua"
    script.write_text("-- moonline: lua54\nstream:write(7 // 2 .. _VERSION)", encoding="utf-8")
    assert switch.api("lua", "new.lua") == "3Lua 5.4"


def test_errors_name_the_line_of_the_call(switch: Switch, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "bad.lua"
    script.write_text("local e = freeswitch.Event('CUSTOM')\n\ne:addHeader('one')\n", encoding="utf-8")
    result = run(switch, "bad.lua")
    assert result.error == f"{script}:3: Error in Event::addHeader expected 3..3 args, got 2"
    assert f"{script}:3: in main chunk" in result.traceback
    assert "lua_bindings" not in result.traceback
    assert "xpcall" not in result.traceback


def test_pool_and_cache_bounds() -> None:
    pool = RuntimePool(size=1)
    pool.refill()
    pool.refill()
    first = pool.take()
    assert first is not pool.take()
    pool.clear()
    cache = ChunkCache(limit=1)
    cache.put(("a", 1, 1, "luajit"), b"1")
    cache.put(("b", 1, 1, "luajit"), b"2")
    assert cache.get(("a", 1, 1, "luajit")) is None
    assert cache.get(("b", 1, 1, "luajit")) == b"2"
    with pytest.raises(LuaVersionError):
        Runtime("4.0")


@pytest.mark.parametrize(
    ("words", "seen"),
    (
        (r"a\\b c", "a\b|c"),  # `\\b` is taken for `\b`, which Lua reads as a backspace
        (r"\x41\065", "AA"),
        (r"'it\'s' x", "it's|x"),
        (r"tab\there", "tab\there"),
        (r"a\\\\b", "a\\b"),
        ("plain 'two words'", "plain|two words"),
    ),
)
def test_lua_reads_the_backslashes_of_arguments(
    switch: Switch, tmp_path: Path, words: str, seen: str
) -> None:
    (tmp_path / "scripts" / "words.lua").write_text("stream:write(table.concat(argv, '|'))", encoding="utf-8")
    assert switch.api("lua", f"words.lua {words}") == seen


@pytest.mark.parametrize("words", (r"\d+", r"two\nlines", r"a\rb", r"\x4"))
def test_arguments_that_are_no_lua_text_start_no_script(switch: Switch, tmp_path: Path, words: str) -> None:
    (tmp_path / "scripts" / "words.lua").write_text("stream:write('ran')", encoding="utf-8")
    assert switch.api("lua", f"words.lua {words}") == "-ERR Cannot execute script\n"
