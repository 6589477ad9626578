"""The declarations of mod_lua's interface, and that the host has something behind each of them."""

from __future__ import annotations

import pytest

from host.switch import Switch
from lua_bindings.contract import CLASSES, FUNCTIONS, Kind
from lua_bindings.functions import Functions
from lua_bindings.runtime import VERSIONS, precompiled
from lua_bindings.script_run import IMPLEMENTATIONS
from lua_bindings.wrappers import wrapper_source
from tests.lua_bindings.scripted import text_of


def test_every_name_has_an_implementation() -> None:
    for cls in CLASSES.values():
        for name in cls.names():
            method = cls.method(name)
            assert method is not None
            assert callable(getattr(IMPLEMENTATIONS[cls.name], method.name)), f"{cls.name}.{name}"
    for name in FUNCTIONS:
        assert name in ("console_log", "console_log2", "console_clean_log") or hasattr(Functions, name)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_wrapper_compiles(version: str) -> None:
    for cls in CLASSES.values():
        for method in (*cls.methods.values(), *([cls.constructor] if cls.constructor else [])):
            assert precompiled(version, wrapper_source(method, cls.name))
    for function in FUNCTIONS.values():
        assert precompiled(version, wrapper_source(function, None))


def test_overloads_and_prototypes() -> None:
    constructor = CLASSES["Session"].constructor
    assert constructor is not None
    assert constructor.symbol == "new_Session"
    assert list(constructor.prototypes()) == [
        "LUA::Session::Session()",
        "LUA::Session::Session(char *,CoreSession *)",
        "LUA::Session::Session(char *)",
        "LUA::Session::Session(switch_core_session_t *)",
    ]


def test_arguments() -> None:
    method = CLASSES["Session"].method("streamFile")
    assert method is not None
    assert method.label == "CoreSession::streamFile"
    (signature,) = method.signatures
    assert (signature.least, signature.most) == (2, 3)
    assert [argument.kind for argument in signature.arguments] == [Kind.POINTER, Kind.STRING, Kind.NUMBER]
    assert CLASSES["Session"].is_a("CoreSession")
    assert CLASSES["Session"].method("setInputCallBack") is CLASSES["Session"].methods["setInputCallback"]


def test_an_event_around_nothing_is_not_ones_own(switch: Switch) -> None:
    code = """
      local theirs, mine = freeswitch.Event(nil), freeswitch.Event(nil, 1)
      stream:write(theirs.mine .. mine.mine .. tostring(theirs:fire()) .. tostring(mine:fire()))
    """
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text))
    assert text_of(switch, code) == "01falsefalse"
    assert [text for text in logs if "vent" in text and "!" in text] == [
        "Not My event!",
        "Trying to fire an event that does not exist!",
    ]


def test_members_are_checked_as_swig_does(switch: Switch) -> None:
    code = """
      local s, d = freeswitch.Session(), freeswitch.DTMF("5")
      local e, c = freeswitch.Event("CUSTOM"), freeswitch.EventConsumer()
      local function fails(f) stream:write((select(2, pcall(f)):gsub("^.-:%d+: ", "")) .. "\\n") end
      fails(function() s.uuid = {} end)
      fails(function() s.uuid = e end)
      fails(function() s.flags = true end)
      fails(function() s.flags = -1 end)
      fails(function() d.digit = nil end)
      fails(function() e.mine = "x" end)
      s.uuid, s.flags, e.mine, d.digit = 5, "3", 1.7, "78"
      stream:write(s.uuid, s.flags, e.mine, d.digit, "\\n")
      stream:write(tostring(s.cb_state):match("'(.*)'"), " ", tostring(s.cb_state.funcargs), "\\n")
      for _, value in ipairs { s.cause, d.duration, e.event, c.events, c.enodes } do
        stream:write(swig_type(value), " ", tostring(value):match("^userdata: 0x") or "?", "\\n")
      end
      stream:write(swig_type(e), " ", swig_type(5), " ", swig_type(), " ", tostring(swig_equals(e, e)), "\\n")
      stream:write(tostring(swig_equals(e, s)), tostring((swig_equals(e, 1))))
    """.replace("stream:write(", "local_write(")
    head = "local function local_write(...) for _, v in ipairs { ... } do stream:write(v) end end "
    assert text_of(switch, head + code).split("\n") == [
        "Error in CoreSession::uuid (arg 2), expected 'char *' got 'table'",
        "Error in CoreSession::uuid (arg 2), expected 'char *' got 'Event *'",
        "Error in CoreSession::flags (arg 2), expected 'unsigned int' got 'boolean'",
        "number must not be negative",
        "Error in DTMF::digit (arg 2), expected 'char' got 'nil'",
        "Error in Event::mine (arg 2), expected 'int' got 'string'",
        "5317",
        "input_callback_state_t *|input_callback_state * nil",
        "switch_call_cause_t * userdata: 0x",
        "uint32_t * userdata: 0x",
        "switch_event_t * userdata: 0x",
        "switch_queue_t * userdata: 0x",
        "switch_event_node_t ** userdata: 0x",
        "Event * number no value true",
        "falsenil",
    ]
