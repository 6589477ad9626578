"""Objects in a script's hands: members that are set, errors and their places, equality, metatables."""

from __future__ import annotations

import pytest

from host.switch import Switch
from tests.lua_bindings.scripted import MOST, SHOW, text_of

# Before code: fails(f) shows the error of f with its place cut to `file:` where it has one.
FAILS = (
    SHOW
    + """
  local function fails(f, ...) show((select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", "place: "))) end
"""
)


def test_members_that_point_take_their_own_type_or_nil(switch: Switch) -> None:
    code = """
      local e, other, s = freeswitch.Event("CUSTOM"), freeswitch.Event("MESSAGE"), freeswitch.Session()
      fails(function() e.event = "x" end)
      fails(function() e.event = freeswitch.JSON() end)
      fails(function() s.cb_state = freeswitch.JSON() end)
      fails(function() s.hook_state = nil end)
      fails(function() s.hook_state = s.cause end)
      s.hook_state, s.cause, s.session, s.channel = s.hook_state, s.cause, nil, nil
      s.cb_state = freeswitch.input_callback_state_t()
      local state = freeswitch.input_callback_state_t()
      state.extra = e
      show(swig_type(state.extra), s:hangupCause(), s:ready())
      e.event = other.event
      show(e:getType(), other:getType())
      e.event = nil
      show(e:getType(), e:getHeader("x"), e:addHeader("x", "y"), e:serialize(), e:fire())
      local d = freeswitch.DTMF("5")
      d.duration = d.duration
      d.digit = ""
      show(d.digit == "\\0", freeswitch.DTMF("1", d.duration).digit)
    """
    assert text_of(switch, FAILS + code).split(";") == [
        "Error in Event::event (arg 2), expected 'switch_event_t *' got 'string'",
        "Error in Event_event_set (arg 2), expected 'switch_event_t *' got 'LUA::JSON *'",
        "Error in CoreSession_cb_state_set (arg 2), expected 'input_callback_state_t *|input_callback_state *'"
        " got 'LUA::JSON *'",
        "Error in CoreSession::hook_state (arg 2), expected 'switch_channel_state_t' got 'nil'",
        "Error in CoreSession_hook_state_set (arg 2), expected 'switch_channel_state_t *' got 'switch_call_cause_t *'",
        "void *|NONE|false",
        "MESSAGE|MESSAGE",
        "invalid|nil|false||false",
        "true|1",
        "",
    ]


def test_members_of_callbacks_are_read_only(switch: Switch) -> None:
    code = """
      local s = freeswitch.Session()
      for _, name in ipairs { "cb_function", "cb_arg", "hangup_func_str", "hangup_func_arg" } do
        fails(function() s[name] = "x" end)
        s[name] = nil
        show(s[name])
      end
    """
    refusal = (
        "place: Assignment not possible. No setter/member with this name. "
        "For custom assignments implement __setitem method."
    )
    assert text_of(switch, FAILS + code) == f"{refusal};nil;" * 4


@pytest.mark.parametrize("version", MOST)
def test_only_what_scripts_call_themselves_names_their_place(switch: Switch, version: str) -> None:
    code = """
      fails(function() local e = freeswitch.Event() end)
      fails(function() local e = freeswitch.API(1) end)
      fails(function() local s = freeswitch.Session() s.flags = true end)
      fails(function() freeswitch.API():execute() end)
      fails(function() freeswitch.msleep("x") end)
    """
    told = [text.partition("\n")[0] for text in text_of(switch, FAILS + code, version).split(";")]
    assert told == [
        "Wrong arguments for overloaded function 'new_Event'",
        "Error in API::API (arg 1), expected 'CoreSession *' got 'number'",
        "Error in CoreSession::flags (arg 2), expected 'unsigned int' got 'boolean'",
        "place: Error in API::execute expected 2..3 args, got 1",
        "place: Error in switch_msleep (arg 1), expected 'unsigned int' got 'string'",
        "",
    ]


@pytest.mark.parametrize("version", MOST)
def test_objects_are_equal_that_point_to_the_same(switch: Switch, version: str) -> None:
    code = """
      local s, e = freeswitch.Session(), freeswitch.Event("CUSTOM")
      local state = s.cb_state
      show(state == s.cb_state, state == freeswitch.Session().cb_state, rawequal(state, s.cb_state))
      show(e == freeswitch.Event("CUSTOM"), e == s, e == 1, e.event == e.event) -- pointers without a class are not
    """
    assert text_of(switch, SHOW + code, version) == "true|false|false;false|false|false|false;"


@pytest.mark.parametrize("version", MOST)
def test_methods_can_be_listed_and_added_through_the_metatable(switch: Switch, version: str) -> None:
    code = """
      local metatable = getmetatable(freeswitch.Session())
      show(metatable[".type"], type(metatable[".fn"].ready))
      metatable[".fn"].greet = function(session, name) return "hello " .. name .. session:getState() end
      show(freeswitch.Session():greet("you"))
      local methods, names = getmetatable(freeswitch.API())[".fn"], {}
      show(methods.getTime ~= nil, methods.nosuch)
      if pairs(methods) == next then
        for name in pairs(methods) do names[#names + 1] = name end
        table.sort(names)
        show(table.concat(names, " "))
      end
    """
    listed = text_of(switch, SHOW + code, version)
    assert listed == "Session|function;hello youERROR;true|nil;execute executeString getTime;"
