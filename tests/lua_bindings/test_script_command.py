"""`lua ps` and `lua kill`, the limits of lua.conf, and its reload."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from host.hangup_cause import HangupCause
from host.log import LogEntry, LogLevel
from host.switch import Switch
from lua_bindings import lua_conf, mod_lua
from tests.lua_bindings.scripted import Call, configure, lua_conf_with, text_of


def test_ps_lists_what_runs_and_kill_stops_it(switch: Switch) -> None:
    assert switch.api("lua", "ps").endswith("\n0 total.\n")
    switch.api("luarun", "~freeswitch.msleep(3600000) freeswitch.setGlobalVariable('went', 'on')")
    call = Call(switch, "session:sleep(3600000) session:setVariable('went', 'on')")
    switch.clock.sleep(2_000_000)
    lines = switch.api("lua", "ps").splitlines()
    assert lines[0] == "number,uuid,seconds,limit,script"
    assert lines[-1] == "2 total."
    rows = [line.split(",", 4) for line in lines[1:3]]
    assert {row[1] for row in rows} == {"", call.session.uuid}
    assert all(row[2] in ("1", "2") for row in rows), rows
    for row in rows:
        assert switch.api("lua", f"kill {row[0]}") == "+OK\n"
    switch.clock.sleep(1_000_000)
    assert switch.api("lua", "ps").endswith("\n0 total.\n")
    assert switch.global_variables.get("went") is None
    assert call.variable("went") is None
    assert switch.api("lua", f"kill {rows[0][0]}").startswith("-ERR no script runs")


def test_a_script_named_ps_goes_first(switch: Switch, tmp_path: Path) -> None:
    (tmp_path / "scripts" / "ps").write_text("stream:write('mine')", encoding="utf-8")
    assert switch.api("lua", "ps") == "mine"
    (tmp_path / "scripts" / "kill").write_text("stream:write('killer ' .. argv[1])", encoding="utf-8")
    assert switch.api("lua", "kill 1") == "killer 1"


def test_the_wall_limit_counts_waiting(switch: Switch) -> None:
    configure(switch, '<param name="wall-limit-seconds" value="2"/>')
    began = switch.clock.now()
    assert (
        switch.api("lua", "~freeswitch.msleep(100000) stream:write('end')") == "-ERR Cannot execute script\n"
    )
    assert switch.clock.now() - began < 2_100_000
    assert switch.api("lua", "~freeswitch.msleep(1000) stream:write('end')") == "end"


def test_the_real_cause_in_a_hangup_hook(switch: Switch) -> None:
    code = """
      function hook(s) s:setVariable("cause_seen", s:hangupCause()) end
      session:setHangupHook("hook")
      session:sleep(5000)
    """
    for value, wanted in (("false", "NONE"), ("true", "USER_BUSY")):
        configure(switch, f'<param name="hangup-cause-in-hook" value="{value}"/>')
        call = Call(switch, code)
        hangup = partial(call.session.channel.hangup, HangupCause.USER_BUSY)
        switch.clock.call_later(1_000_000, hangup)
        call.finish()
        assert call.variable("cause_seen") == wanted


def test_lua_conf_is_read_anew_with_reloadxml(switch: Switch) -> None:
    mod_lua.unload(switch)
    count = "freeswitch.setGlobalVariable('starts', (freeswitch.getGlobalVariable('starts') or 0) + 1)"
    start = f'<param name="startup-script" value="~{count}"/>'
    switch.xml.load_text(lua_conf_with(start + '<param name="burst-limit-seconds" value="5"/>'))
    mod_lua.load(switch)
    assert lua_conf.limits(switch).burst_s == 5
    switch.xml.load_text(lua_conf_with(start + '<param name="burst-limit-seconds" value="7"/>'))
    switch.fire(switch.new_event("RELOADXML"))
    assert lua_conf.limits(switch).burst_s == 7
    lua_conf.adjust_limits(switch, 3)
    switch.xml.load_text(lua_conf_with(start + '<param name="memory-limit-mb" value="9"/>'))
    switch.fire(switch.new_event("RELOADXML"))
    assert lua_conf.limits(switch).burst_s == 3
    assert lua_conf.limits(switch).memory_mb == 9
    switch.clock.sleep(1_000_000)
    assert switch.global_variables.get("starts") == "1"


def test_errors_are_logged_with_call_file_line_and_traceback(switch: Switch, tmp_path: Path) -> None:
    entries: list[LogEntry] = []
    switch.logs.add_sink(entries.append, LogLevel.ERR)
    path = tmp_path / "scripts" / "bad.lua"
    path.write_text("local function inner() error('no') end\n\ninner()\n", encoding="utf-8")
    call = Call(switch, "session:execute('lua', 'bad.lua')")
    call.finish()
    found = [entry for entry in entries if "no" in entry.text and entry.file]
    assert len(found) == 1
    assert (found[0].uuid, found[0].file, found[0].line) == (call.session.uuid, str(path), 1)
    assert f"{path}:3: in main chunk" in found[0].text


def test_filters_of_a_consumer(switch: Switch) -> None:
    code = """
      local consumer = freeswitch.EventConsumer("CUSTOM", "a::b")
      consumer:filter("Kind", "wanted")
      consumer:filter("Number")
      for _, kind in ipairs { "wanted", "other" } do
        for _, number in ipairs { "1", "" } do
          local event = freeswitch.Event("CUSTOM", "a::b")
          event:addHeader("Kind", kind)
          if number ~= "" then event:addHeader("Number", number) end
          event:fire()
        end
      end
      local count, event = 0, consumer:pop()
      while event do
        count = count + 1
        stream:write(event:getHeader("kind") .. event:getHeader("number"))
        event = consumer:pop()
      end
      stream:write(count)
    """
    assert text_of(switch, code) == "wanted11"
