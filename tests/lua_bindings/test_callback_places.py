"""Where callbacks may be called from and what they may do: coroutines, files inside files, ending the call."""

from __future__ import annotations

from functools import partial

import pytest

from host.inbox import Digit
from host.interfaces import ApiCommand, Application
from host.session import Session
from host.status import Status
from host.switch import Switch
from lua_bindings import lua_conf
from lua_bindings.script_run import Limits
from tests.host.handset import start_call
from tests.lua_bindings.scripted import MOST, SHOW, Call, ran, text_of

SECOND = 1_000_000


def _pressed(switch: Switch, code: str, digit: str) -> Call:
    """Return a call that runs `code` to its end, in which a key is pressed after a second."""
    switch.modules.load("mod_tone_stream")
    call = Call(switch, code)
    switch.clock.call_later(SECOND, partial(call.session.receive_digit, Digit(digit)))
    call.finish()
    return call


@pytest.mark.parametrize("version", MOST)
def test_an_input_callback_is_called_where_a_coroutine_waits(switch: Switch, version: str) -> None:
    lua_conf.adjust_limits(switch, 0, version)
    code = """
      session:setVariable("version", _VERSION)
      function on_input(s, kind, key) session:setVariable("key", key.digit) return "break" end
      session:setInputCallback("on_input")
      session:answer()
      local made = coroutine.create(function(...)
        coroutine.yield("first")
        return session:streamFile("silence_stream://5000"), ...
      end)
      local _, first = coroutine.resume(made, "a", "b")
      local ok, result, a, b = coroutine.resume(made, "ignored")
      session:setVariable("result", first .. tostring(ok) .. result .. a .. b)
    """
    call = _pressed(switch, code, "4")
    assert call.variable("version") == ("Lua 5.2" if version == "luajit" else f"Lua {version}")
    assert (call.variable("key"), call.variable("result")) == ("4", "firsttrue0ab")
    assert not call.of_kind("script-error")


@pytest.mark.parametrize("version", MOST)
def test_rows_are_handed_over_where_a_coroutine_waits(switch: Switch, version: str) -> None:
    code = """
      local made = coroutine.wrap(function(...)
        local rows = {}
        freeswitch.Dbh("coroutine"):query("SELECT 1 AS n UNION ALL SELECT 2", function(row) rows[#rows + 1] = row.n end)
        return table.concat(rows, ","), ...
      end)
      show(made("a", "b"))
      show(coroutine.wrap(function() return freeswitch.JSON():encode({ "x" }) end)())
    """
    assert text_of(switch, SHOW + code, version) == '1,2|a|b;["x"];'


def test_a_file_goes_on_behind_the_one_that_its_callback_played(switch: Switch) -> None:
    code = """
      function on_input(s, kind, key)
        if key.digit == "1" then session:setVariable("inner", session:streamFile("silence_stream://700")) end
      end
      session:setInputCallback("on_input")
      session:answer()
      session:setVariable("outer", session:streamFile("silence_stream://3000"))
    """
    began = switch.clock.now()
    call = _pressed(switch, code, "1")
    assert (call.variable("inner"), call.variable("outer")) == ("1", "1")
    assert 3.6 * SECOND <= switch.clock.now() - began <= 3.9 * SECOND


@pytest.mark.parametrize("ends", ['s:hangup("USER_BUSY")', 's:transfer("elsewhere", "XML", "default")'])
def test_a_file_whose_callback_ends_the_call_was_played(switch: Switch, ends: str) -> None:
    code = f"""
      function on_input(s) {ends} end
      session:setInputCallback("on_input")
      session:answer()
      session:setVariable("result", session:streamFile("silence_stream://3000") .. tostring(session:ready()))
    """
    began = switch.clock.now()
    call = _pressed(switch, code, "1")
    assert call.variable("result") == "1false"
    assert switch.clock.now() - began < 2 * SECOND


def test_a_leg_is_bridged_to_the_call_whose_script_waits(switch: Switch) -> None:
    def until_hangup(session: Session, data: str) -> Status:
        session.answer()
        session.receive(None, ())
        return Status.SUCCESS

    switch.applications.add(Application("wait_here", "mod_test", until_hangup))
    leg = start_call(switch, ("wait_here", ""))
    code = f"""
      session:answer()
      local leg = freeswitch.Session("{leg.uuid}")
      freeswitch.bridge(leg, session)
      session:setVariable("after", tostring(session:ready()) .. tostring(leg:ready()))
    """
    call = Call(switch, code)
    switch.clock.call_later(2 * SECOND, leg.channel.hangup)
    call.finish(10)
    assert call.variable("after") == "falsefalse"
    assert call.variable("bridge_uuid") == leg.uuid


def test_an_object_loses_its_call_when_it_places_another_in_vain(switch: Switch) -> None:
    call = Call(
        switch,
        """
        local placed = session:originate(nil, "error/USER_BUSY", 5)
        local told = placed .. tostring(session:ready()) .. session:sleep(10) .. session:hangupCause()
        freeswitch.setGlobalVariable("told", told)
        """,
    )
    call.finish()
    assert switch.global_variables.get("told") == "1false-1CHAN_NOT_IMPLEMENTED"


def test_a_command_is_found_among_blanks(switch: Switch) -> None:
    switch.api_commands.add(ApiCommand("say_it", "mod_test", lambda request: f"<{request.argument}>"))
    code = """
      local api = freeswitch.API()
      stream:write(api:execute(" say_it\\t", "x") .. api:execute("  ", "x"))
    """
    assert ran(switch, code, Limits()).text == "<x>INVALID COMMAND!\n"
