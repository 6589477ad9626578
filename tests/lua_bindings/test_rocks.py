"""Where `require` finds rocks, what scripts can reach of the host through them, and what a script's end leaves."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from host.clock import RealClock
from host.switch import Switch
from lua_bindings import script
from lua_bindings.rocks.shelf import ROCKS
from lua_bindings.script_run import Limits, ScriptRun
from lua_bindings.stream import Stream
from tests.eventually import eventually
from tests.lua_bindings.scripted import VERSIONS, ran, text_of


@pytest.mark.parametrize("version", VERSIONS)
def test_every_rock_loads_once(switch: Switch, version: str) -> None:
    for name in ROCKS:
        code = f"""
          local rock = require('{name}')
          stream:write(type(rock) .. tostring(rock == require('{name}') and rock == package.loaded['{name}']))
        """
        assert text_of(switch, code, version) == "tabletrue", name


def test_rocks_come_before_files_and_after_preload(switch: Switch, tmp_path: Path) -> None:
    (tmp_path / "inspect.lua").write_text("return 'file'")
    (tmp_path / "mine.lua").write_text("return 'mine'")
    limits = Limits(path=f"{tmp_path}/?.lua;;")
    code = "stream:write(type(require('inspect')) .. require('mine'))"
    assert ran(switch, code, limits).text == "tablemine"
    code = "package.preload.inspect = function() return 'own' end stream:write(require('inspect'))"
    assert ran(switch, code, limits).text == "own"


@pytest.mark.parametrize("version", ("luajit", "5.1", "5.2"))
def test_a_common_name_is_a_scripts_own_module_first(switch: Switch, tmp_path: Path, version: str) -> None:
    installed = tmp_path / "share" / "lua" / "5.2"
    installed.mkdir(parents=True)
    (installed / "json.lua").write_text("return 'installed'")
    limits = Limits(path=f"{installed}/?.lua;{tmp_path}/?.lua;;", version=version)
    code = "stream:write(type(require('json')))"
    assert ran(switch, code, limits).text == "table"
    assert ran(switch, "package.path = 1 " + code, limits).text == "table"
    (tmp_path / "json.lua").write_text("return 'own'")
    limits = Limits(path=f"{tmp_path}/?.lua;{installed}/?.lua;;", version=version)
    assert ran(switch, "stream:write(require('json'))", limits).text == "own"


def test_a_rock_that_cannot_be_made_is_told(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: ScriptRun) -> object:
        raise OSError("no more")

    monkeypatch.setattr("lua_bindings.rocks.sockets.functions", broken)
    bugs: list[object] = []
    switch.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
    error = ran(switch, "require('socket')").result.error
    assert "error loading module 'socket':\n\tinternal error: OSError: no more" in error
    assert len(bugs) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_module_is_told_as_ever(switch: Switch, version: str) -> None:
    text = ran(switch, "require('no.such.rock')", Limits(version=version)).result.error
    assert "module 'no.such.rock' not found:" in text
    assert "no field package.preload['no.such.rock']" in text
    assert "no file '" in text


# Walks everything that can be reached from a rock: tables, metatables, upvalues, environments.
WALK = """
  local seen, bad = {}, nil
  local function walk(value, path)
    local kind = type(value)
    if kind == "userdata" then
      local shown = tostring(value)
      -- What is of the switch's own classes says so; Python's objects show themselves as Python does.
      if shown:find("^<") and not shown:find("^<userdata of type") then bad = path .. " " .. shown end
    end
    if value == nil or kind == "number" or kind == "string" or kind == "boolean" or seen[value] or bad then return end
    seen[value] = true
    walk(debug.getmetatable(value), path .. ".metatable")
    if kind == "table" then
      for key, inner in next, value do
        walk(key, path .. ".key")
        walk(inner, path .. "." .. tostring(key))
      end
    elseif kind == "function" then
      for i = 1, 60 do
        local name, inner = debug.getupvalue(value, i)
        if not name then break end
        walk(inner, path .. ":" .. name)
      end
    end
  end
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_no_object_of_the_host_is_reachable(switch: Switch, version: str) -> None:
    makers = """
      local socket = require("socket")
      walk(socket.tcp(), "tcp")
      walk(socket.udp(), "udp")
      walk(select(2, require("lfs").dir("/")), "dir")
      local connection = require("luasql.sqlite3").sqlite3():connect(":memory:")
      walk(connection, "sql")
      walk(connection:execute("select 1"), "cursor")
      walk(require("ssl").newcontext({ mode = "client", protocol = "any" }), "context")
      walk(package, "package")
    """
    rocks = "".join(f"walk(require('{name}'), '{name}') " for name in ROCKS)
    assert text_of(switch, WALK + rocks + makers + "stream:write(bad or 'clean')", version) == "clean"


def test_foreign_values_do_not_cross(switch: Switch) -> None:
    code = """
      local socket = require("socket")
      local tcp = socket.tcp()
      local results = {
        pcall(tcp.send, freeswitch.Event("CUSTOM"), "x"),
        pcall(tcp.send, setmetatable({}, { __index = tcp }), "x"),
        pcall(tcp.close, io.stdout),
        pcall(tcp.setoption, tcp, "reuseaddr", {}),
      }
      for _, result in ipairs(results) do stream:write(tostring(result) .. ";") end
    """
    assert text_of(switch, code) == (
        "false;false;false;false;bad argument #2 to 'setoption' (boolean expected, got table);"
    )


def test_the_walk_finds_an_object_of_the_host(switch: Switch) -> None:
    def leave_one(running: ScriptRun) -> None:
        running.runtime.call("global", b"left", object())

    stream = Stream()
    code = "~" + WALK + "walk({ { left } }, 'left') stream:write(bad or 'clean')"
    assert script.run(switch, code, stream=stream, prepare=leave_one).ok
    assert stream.data.startswith(b"left.1.1 <object object")


def test_what_a_script_opened_is_closed_at_its_end(switch: Switch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
          kept = {{}}
          for i = 1, 3 do kept[i] = assert(require("socket").connect("127.0.0.1", {port})) end
          lock = assert(require("lfs").lock_dir("{tmp_path}"))
        """
        assert ran(switch, code).result.ok
        for _ in range(3):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                assert connection.recv(1) == b""
    assert not (tmp_path / "lockfile.lfs").is_symlink()


WAITS = {
    "receive": "local c = socket.connect('127.0.0.1', port) c:receive()",
    "accept": "local s = socket.bind('127.0.0.1', 0) s:accept()",
    "udp": "local u = socket.udp() u:setsockname('127.0.0.1', 0) u:receive()",
    "select": "socket.select(nil, nil, 100)",
    "sleep": "socket.sleep(100)",
    "http": "require('socket.http').request('http://127.0.0.1:' .. port)",
    "https": "require('ssl.https').request('https://127.0.0.1:' .. port)",
    "pcall": "while true do pcall(socket.sleep, 100) end",
    "sql": """
      local c = require('luasql.sqlite3').sqlite3():connect(':memory:')
      c:execute('with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n')
    """,
}


@pytest.mark.parametrize("code", WAITS.values(), ids=WAITS.keys())
def test_a_kill_ends_a_script_that_waits(real_switch: Switch, code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        results: list[script.ScriptResult] = []
        text = f"~port = {server.getsockname()[1]} socket = require('socket') started = true {code}"
        thread = threading.Thread(target=lambda: results.append(script.run(real_switch, text)))
        thread.start()
        eventually(lambda: any(running._waiting is not None for running in script.running()))
        for running in script.running():
            running.kill("killed by hand")
        thread.join()
    assert "killed by hand" in results[0].error


def test_a_network_call_takes_no_virtual_time(switch: Switch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                RealClock().sleep(50_000)
                connection.sendall(b"late\n")

        thread = threading.Thread(target=answer)
        thread.start()
        code = f"""
          local socket = require("socket")
          local began = socket.gettime()
          local c = socket.connect("127.0.0.1", {server.getsockname()[1]})
          c:send("x")
          local line = c:receive()
          local between = socket.gettime() - began
          socket.sleep(7200)
          local whole = socket.gettime() - began
          stream:write(line .. (between < 0.001 and " at once " or " late ") .. math.floor(whole))
        """
        assert text_of(switch, code) == "late at once 7200"
        thread.join()


def test_making_a_runtime_does_not_load_the_rocks(switch: Switch) -> None:
    # In a Python of its own: other tests have loaded them here.
    import subprocess

    code = (
        "import sys; from lua_bindings.runtime import Runtime; Runtime(); "
        "print([name for name in sys.modules if name.startswith('lua_bindings.rocks.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['lua_bindings.rocks.shelf']"
