"""What crashes or hangs FreeSWITCH answers a script with an error or a documented value."""

from __future__ import annotations

import pytest

from host.switch import Switch
from tests.lua_bindings.scripted import Call, text_of

DEAD = "local s = freeswitch.Session('no/such') "

# Code -> what `tried` writes: the answer, or the error's beginning.
CASES = {
    "read of the API stream": ("tried(function() return stream:read() end)", "true nil 0"),
    "raw_write of a negative length": (
        "tried(function() return stream:raw_write('abc', -1) end)",
        "false number must not be negative",
    ),
    "nil as self of an event": (
        "tried(freeswitch.Event('CUSTOM').getHeader, nil, 'x')",
        "false Error in Event::getHeader (arg 1), expected 'Event *' got 'nil'",
    ),
    "a session of nil": (
        "tried(function() return freeswitch.Session(nil, nil):getState() end)",
        "true ERROR",
    ),
    "a digit of nil": (
        "tried(freeswitch.DTMF, nil)",
        "false Error in DTMF::DTMF (arg 1), expected 'char' got 'nil'",
    ),
    "execute2 without a result": (
        "local j = freeswitch.JSON() tried(function() return j:execute2('{}') end)",
        "false Error in LUA::JSON::execute2: the command has no answer",
    ),
    "execute of an empty table": (
        "local j = freeswitch.JSON() tried(function() return j:execute({}) end)",
        "true",
    ),
    "deeply nested tables": (
        "local t = {} for i = 1, 5000 do t = { t } end "
        "local j = freeswitch.JSON() tried(function() return j:encode(t) end)",
        "false Error in LUA::JSON::encode: tables nested deeper than 1000",
    ),
    "a table in itself": (
        "local t = {} t.t = t local j = freeswitch.JSON() tried(function() return j:encode(t) end)",
        "false Error in LUA::JSON::encode: tables nested deeper than 1000",
    ),
    "print on a dead session": (DEAD + "tried(function() return s:print('x') end)", "true -1"),
    "playAndDetectSpeech on a dead session": (
        DEAD + "tried(function() return s:playAndDetectSpeech('a', 'b', 'c') end)",
        "true ",
    ),
    "an event merged with itself": (
        "local e = freeswitch.Event('CUSTOM') e:addHeader('a', 'b') "
        "tried(function() return e:merge(e) and #e:serialize():gsub('[^\\n]', '') end)",
        "true 15",
    ),
    "a C++ string of nil": (
        "tried(function() return freeswitch.string('a'):assign(nil) end)",
        "false Error in std::string::assign (arg 2), expected 'char const *' got 'nil'",
    ),
}

TRIED = """
local function tried(...)
  local answers = { pcall(...) }
  local count = select('#', pcall(...))
  local parts = {}
  for i = 1, 3 do if i <= count then parts[i] = tostring(answers[i]) end end
  local text = table.concat(parts, ' '):gsub('%[string "line"%]:%d+: ', '')
  stream:write(text)
end
"""


@pytest.mark.parametrize(("code", "wanted"), CASES.values(), ids=CASES.keys())
def test_an_answer_in_place_of_a_crash(switch: Switch, code: str, wanted: str) -> None:
    assert text_of(switch, TRIED + code) == wanted


def test_print_on_a_call(switch: Switch) -> None:
    call = Call(switch, "session:setVariable('printed', tostring(session:print('text')))")
    call.finish()
    assert call.variable("printed") == "0"


def test_speech_recognition_without_an_engine(switch: Switch) -> None:
    code = """
      session:detectSpeech("init", "pocketsphinx", "")
      session:detectSpeech("stop")
      session:setVariable("heard", "something")
      session:setVariable("heard", session:playAndDetectSpeech("silence_stream://10", "engine", "grammar"))
    """
    call = Call(switch, code)
    call.finish()
    assert call.variable("heard") is None  # the empty text unsets it
    assert not call.of_kind("script-error")


def test_events_go_to_the_endpoint(switch: Switch) -> None:
    got: list[tuple[str, str]] = []
    call = Call(
        switch,
        """
        local event = freeswitch.Event("CUSTOM", "a::b")
        event:addHeader("Name", "value")
        freeswitch.msleep(10)
        session:sendEvent(event)
        """,
    )

    def take(session: object, kind: str, argument: str) -> bool:
        got.append((kind, argument))
        return False

    call.session.io.message = take  # type: ignore[method-assign]
    call.finish()
    events = [argument for kind, argument in got if kind == "event"]
    assert len(events) == 1
    assert '"Name":"value"' in events[0]


def test_the_string_of_cpp(switch: Switch) -> None:
    code = """
      local s = freeswitch.string("abc")
      s:assign(s:c_str() .. "d\\195\\164")
      stream:write(s:size() .. s:length() .. s:data() .. tostring(s:empty()) .. tostring(freeswitch.string():empty()))
    """
    assert text_of(switch, code) == "66abcdäfalsetrue"
