"""freeswitch.IVRMenu on a call: menus made by a script, their sub menus, and what cannot be run."""

from __future__ import annotations

from functools import partial

import pytest

from host.inbox import Digit
from host.interfaces import Application
from host.session import Session
from host.switch import Switch
from tests.lua_bindings.scripted import Call, ran

MENU = """
  local function menu(main, name)
    return freeswitch.IVRMenu(main, name, "silence_stream://200", nil, nil, nil, nil, nil, nil, nil, nil,
      3, 100, 1, 1000, 2, 2)
  end
  local main = menu(nil, "main")
  local sub = menu(main, "sub")
  main:bindAction("menu-sub", "sub", "1")
  main:bindAction("MENU-EXIT", nil, "8")
  sub:bindAction("menu-exec-app", "mark ($1)", "/^(2)$/")
  sub:bindAction("menu-back", "", "9")
"""


@pytest.fixture
def calls(switch: Switch) -> Switch:
    def mark(session: Session, data: str) -> None:
        session.channel.set_variable("marks", (session.channel.get_variable("marks") or "") + data)

    switch.applications.add(Application("mark", "mod_test", mark))
    switch.modules.load("mod_tone_stream")
    return switch


def call(switch: Switch, code: str, keys: str) -> Call:
    made = Call(switch, MENU + code)
    for number, key in enumerate(keys):
        when = 100_000 * (number + 1)
        switch.clock.call_later(when, partial(made.session.receive_digit, Digit(key)))
    made.finish()
    assert not made.of_kind("script-error")
    return made


def test_a_menu_and_its_sub_menu(calls: Switch) -> None:
    done = call(calls, 'main:execute(session, "main")', "12298")
    assert (done.variable("marks"), done.variable("ivr_menu_status")) == ("(2)(2)", "success")


def test_a_sub_menu_is_run_through_its_main_menu_or_itself(calls: Switch) -> None:
    assert call(calls, 'main:execute(session, "sub")', "29").variable("marks") == "(2)"
    assert call(calls, 'sub:execute(session, "sub")', "29").variable("marks") == "(2)"
    # a sub menu does not know the menus before it
    assert call(calls, 'sub:execute(session, "main")', "1").variable("ivr_menu_status") is None


def test_the_input_callback_is_not_asked_and_the_script_goes_on(calls: Switch) -> None:
    code = """
      function on_key(s, kind) session:setVariable("asked", kind) end
      session:setInputCallback("on_key")
      main:execute(session, "main")
      session:setVariable("after", tostring(session:ready()))
    """
    done = call(calls, code, "8")
    assert (done.variable("asked"), done.variable("after")) == (None, "true")


def test_what_cannot_be_run(switch: Switch) -> None:
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text))
    code = """
      main:bindAction("menu-fly", "", "1")
      main:bindAction(nil, nil, nil)
      stream:write(select("#", main:execute(nil, "main")) .. select("#", main:execute(freeswitch.Session(), "main")))
    """
    assert ran(switch, MENU + code).text == "00"
    wanted = ["invalid action menu-fly", "invalid action ", "Invalid menu context", "Invalid menu context"]
    assert [text for text in logs if text.lower().startswith("invalid")] == wanted
