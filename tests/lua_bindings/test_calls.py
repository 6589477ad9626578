"""Scripts on a call: callbacks, hooks, the end of sessions, what a hung-up or lost session answers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.switch import Switch
from lua_bindings import script
from tests.lua_bindings.scripted import Call, ran

SECOND = 1_000_000


def test_variables_and_state(switch: Switch) -> None:
    code = """
      session:setVariable("a", "one")
      session:setVariable("b", session:getVariable("A") .. "\\0cut")
      session:setVariable("a", "")
      session:setVariable("c", tostring(session:getVariable("a")) .. session:getState() .. tostring(session:ready()))
      session:setVariable("d", tostring(session.uuid == session:get_uuid()) .. session.allocated .. session.flags)
      session:setVariable("number", 5.5)
      session:setVariable("same", tostring(_G[session:get_uuid()] == session))
    """
    call = Call(switch, code)
    call.finish()
    values = [call.variable(name) for name in ("a", "b", "c", "d", "number", "same")]
    assert values == [None, "one", "nilCS_EXECUTEtrue", "true10", "5.5", "true"]


def test_getvariable_sees_every_change(switch: Switch) -> None:
    code = """
      session:setVariable("x", "1")
      local seen = session:getVariable("x")
      freeswitch.API():execute("change", session:get_uuid())
      session:setVariable("seen", seen .. session:getVariable("x") .. tostring(session:getVariable("nosuch")))
      freeswitch.setGlobalVariable("only_global", "g")
      session:setVariable("global", session:getVariable("only_global"))
    """
    from host.interfaces import ApiCommand, ApiRequest

    def change(request: ApiRequest) -> str:
        session = request.switch.find_session(request.argument)
        assert session is not None
        session.channel.variables.set("x", "2")
        return ""

    switch.api_commands.add(ApiCommand("change", "mod_test", change))
    call = Call(switch, code)
    call.finish()
    assert call.variable("seen") == "12nil"
    assert call.variable("global") == "g"


def test_getdigits_and_what_the_transcript_is_told(switch: Switch) -> None:
    call = Call(switch, "session:setVariable('got', session:getDigits(4, '#', 3000, 1000))")
    for when, digit in ((1, "1"), (2, "2"), (3, "#")):
        switch.clock.call_later(when * SECOND // 2, partial(call.session.receive_digit, Digit(digit)))
    call.finish()
    assert call.variable("got") == "12"
    assert call.of_kind("input") == [{"method": "getDigits", "result": "12"}]


def test_input_callback_and_its_results(switch: Switch) -> None:
    code = """
      calls = 0
      argument = { tag = "mine" }
      function on_input(s, kind, key, arg)
        calls = calls + 1
        session:setVariable("seen" .. calls, kind .. key.digit .. key.duration .. arg.tag .. tostring(s == session))
        return key.digit == "9" and "break" or nil
      end
      session:setInputCallback("on_input", "argument")
      session:answer()
      session:setVariable("result", session:sleep(5000))
      session:unsetInputCallback()
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, lambda: call.session.receive_digit(Digit("1", 800)))
    switch.clock.call_later(2 * SECOND, lambda: call.session.receive_digit(Digit("9", 800)))
    began = switch.clock.now()
    call.finish()
    assert switch.clock.now() - began < 3 * SECOND
    assert call.variable("seen1") == "dtmf1800minetrue"
    assert call.variable("seen2") == "dtmf9800minetrue"
    assert call.variable("result") == "0"
    assert [facts["result"] for facts in call.of_kind("callback")] == [None, "break"]


def test_an_error_in_the_callback_breaks_off_and_is_told_once(switch: Switch) -> None:
    code = """
      function on_input() error("on purpose") end
      session:setInputCallback("on_input")
      session:answer()
      session:setVariable("result", session:sleep(5000))
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, lambda: call.session.receive_digit(Digit("1")))
    call.finish()
    assert call.variable("result") == "0"
    (told,) = call.of_kind("callback-error")
    assert "on purpose" in str(told["error"])
    assert "in function" in str(told["traceback"])
    assert not call.of_kind("script-error")


def test_no_key_ends_a_wait_without_media(switch: Switch) -> None:
    code = """
      function on_input() session:setVariable("called", "yes") return "break" end
      session:setInputCallback("on_input")
      session:setVariable("result", session:sleep(1990))
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, lambda: call.session.receive_digit(Digit("1")))
    began = switch.clock.now()
    call.finish()
    assert (switch.clock.now() - began) // 1000 == 1980
    assert (call.variable("result"), call.variable("called")) == ("1", None)


def test_callbacks_command_only_the_file_of_the_session_s_own_method(switch: Switch) -> None:
    switch.modules.load("mod_tone_stream")
    code = """
      session:answer()
      function on_input() return "pause" end
      session:setInputCallback("on_input")
      session:setVariable("waited", session:sleep(2000))
      function on_input() session:streamFile("silence_stream://500") return "pause" end
      session:setVariable("nested", session:streamFile("silence_stream://3000"))
      function on_input() return "pause" end
      session:setVariable("played", session:streamFile("silence_stream://2000"))
    """
    call = Call(switch, code)
    began = switch.clock.now()
    # the third pauses for two seconds what would take two
    for seconds in (1, 2, 3, 5):
        switch.clock.call_later(seconds * SECOND, lambda: call.session.receive_digit(Digit("1")))
    call.finish()
    assert (call.variable("waited"), call.variable("nested"), call.variable("played")) == ("0", "0", "1")
    assert (switch.clock.now() - began) // 1_000_000 == 6


def test_a_callback_pauses_a_recording(switch: Switch, tmp_path: Path) -> None:
    switch.modules.load("mod_sndfile")
    code = f"""
      session:answer()
      function on_input(s, kind, key) return key.digit == "1" and "pause" or "stop" end
      session:setInputCallback("on_input")
      session:setVariable("result", session:recordFile("{tmp_path}/paused.wav", 20))
    """
    call = Call(switch, code)

    def press(seconds: int, key: str) -> None:
        switch.clock.call_later(seconds * SECOND, lambda: call.session.receive_digit(Digit(key)))

    press(1, "1")
    press(3, "1")
    press(4, "2")
    call.finish()
    assert (call.variable("result"), call.variable("record_ms")) == ("0", "2000")


def test_events_reach_the_callback(switch: Switch) -> None:
    code = """
      function on_input(s, kind, event) session:setVariable("seen", kind .. event:getHeader("Name")) return "stop" end
      session:setInputCallback("on_input")
      session:answer()
      session:sleep(5000)
    """
    call = Call(switch, code)

    def send() -> None:
        event = switch.new_event("CUSTOM", "test::event")
        event.add_header("Name", "value")
        call.session.queue_event(event)

    switch.clock.call_later(SECOND, send)
    call.finish()
    assert call.variable("seen") == "eventvalue"


def test_hangup_hook(switch: Switch) -> None:
    code = """
      hooked = 0
      extra = "more"
      function on_hangup(s, what, arg)
        hooked = hooked + 1
        s:setVariable("hook" .. hooked, what .. arg .. tostring(s:ready()))
        return "fine"
      end
      session:setHangupHook("on_hangup", "extra")
      session:sleep(5000)
      session:ready()
      session:sleep(100)
      session:setVariable("hooked", hooked)
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, lambda: call.session.channel.hangup(HangupCause.USER_BUSY))
    call.finish()
    assert call.variable("hook1") == "hangupmorefalse"
    assert call.variable("hooked") == "1"
    assert call.variable("lua_hangup_hook_return_val") == "fine"


def test_a_hook_can_end_the_script(switch: Switch) -> None:
    code = """
      function on_hangup() return "die" end
      session:setHangupHook("on_hangup")
      session:sleep(5000)
      session:setVariable("went", "on")
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, call.session.channel.hangup)
    call.finish()
    assert call.variable("went") is None
    (told,) = call.of_kind("script-error")
    assert told["error"] == "die"


def test_auto_hangup_and_destroy(switch: Switch) -> None:
    stays = Call(switch, "session:answer()")
    switch.clock.call_later(SECOND, lambda: None)
    stays.session.ended.wait(switch.clock.now() + SECOND)
    code = """
      session:setAutoHangup(true)
      local ok, message = pcall(session.destroy, session, "the message")
      freeswitch.setGlobalVariable("destroyed", tostring(ok) .. message .. session:getState() .. session:sleep(1))
    """
    call = Call(switch, code)
    call.finish()
    assert switch.global_variables.get("destroyed") == "falsethe messageERROR-1"
    assert call.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_script_finds_calls_by_uuid(switch: Switch) -> None:
    waiting = Call(switch, "session:sleep(20000)")
    code = f"""
      local other = freeswitch.Session("{waiting.session.uuid}")
      stream:write(other:getState() .. tostring(other == freeswitch.Session("{waiting.session.uuid}")))
      other:setVariable("from", "outside")
      other:setPrivate("kept", stream)
      stream:write(type(other:getPrivate("kept")) .. tostring(other:getPrivate("no")))
    """
    waiting.session.ended.wait(switch.clock.now() + SECOND)
    assert ran(switch, code).text == "CS_EXECUTEfalseuserdatanil"
    assert waiting.variable("from") == "outside"
    waiting.session.channel.hangup()
    waiting.finish()


def test_media_on_another_leg_is_done_in_its_own_thread(switch: Switch) -> None:
    other = Call(switch, "session:answer() while session:ready() do session:sleep(100) end")
    code = f"""
      local leg = freeswitch.Session("{other.session.uuid}")
      function on_input(s, kind, key) seen = kind .. key.digit return "break" end
      leg:setInputCallback("on_input")
      local result = leg:sleep(8000)
      stream:write(result .. tostring(seen))
    """
    switch.clock.call_later(3 * SECOND, lambda: other.session.receive_digit(Digit("7")))
    assert ran(switch, code).text == "0dtmf7"
    other.session.channel.hangup()
    other.finish()


def test_setEventData_and_record(switch: Switch) -> None:
    code = """
      session:setVariable("odd name", "a <b>")
      local event = freeswitch.Event("CUSTOM", "a::b")
      session:setEventData(event)
      session:setVariable("id", tostring(event:getHeader("Unique-ID") == session:get_uuid()))
      session:setVariable("cdr", session:getXMLCDR():match("<odd_name>(.-)</odd_name>"))
    """
    call = Call(switch, code)
    call.finish()
    assert call.variable("id") == "true"
    assert call.variable("cdr") == "a%20%3Cb%3E"


def test_nothing_is_left_behind(switch: Switch) -> None:
    listeners = len(switch.bus._subscriptions)
    for _ in range(20):
        code = """
          local c = freeswitch.EventConsumer("ALL")
          local d = freeswitch.Dbh("left_behind")
          d:query("SELECT 1")
          error("leaves it all")
        """
        assert not ran(switch, code).result.ok
    assert len(switch.bus._subscriptions) == listeners
    assert script.running() == []


def test_a_dead_session_answers(switch: Switch) -> None:
    code = """
      local s = freeswitch.Session()
      stream:write(table.concat({ s:print("x"), tostring(s:playAndDetectSpeech("a", "b", "c")), s:executeString("x"),
        s:speak("x"), s:insertFile("a", "b", 1) }, ","))
      s:execute("x") s:say("a", "b", "c", "d") s:detectSpeech("x") s:sendEvent(freeswitch.Event("CUSTOM"))
    """
    assert ran(switch, code).text.startswith("-1,,")


def test_where_freeswitch_crashes_there_is_an_answer(switch: Switch) -> None:
    code = """
      local e = freeswitch.Event("CUSTOM")
      local function fails(f, ...) return (pcall(f, ...)) and "ok " or "error " end
      local out = { fails(e.getType, nil), fails(freeswitch.Session, nil, nil), fails(freeswitch.DTMF, nil),
        fails(stream.raw_write, stream, "x", -1), fails(freeswitch.Event, nil, "x"), tostring(e:merge(e)) .. " " }
      local data, length = stream:read()
      out[#out + 1] = tostring(data) .. length .. " "
      local json = freeswitch.JSON()
      local deep = {}
      for i = 1, 5000 do deep = { deep } end
      out[#out + 1] = fails(json.encode, json, deep) .. fails(json.execute2, json, "{}")
      out[#out + 1] = select("#", json:execute({}))
      stream:write(table.concat(out))
    """
    assert ran(switch, code).text == "error ok error error error true nil0 error error 0"


def test_transfer_keeps_the_script_running(switch: Switch) -> None:
    code = """
      local moved = session:transfer("100", "XML", "there")
      session:setVariable("moved", moved .. session:getState() .. tostring(session:ready()))
    """
    call = Call(switch, code)
    switch.clock.call_later(SECOND, call.session.channel.hangup)
    call.finish()
    assert call.variable("moved") == f"1{ChannelState.CS_ROUTING.name}false"


def test_a_callback_that_fails_ends_the_playback(switch: Switch) -> None:
    code = """
      function callback() local x = nil; x.y = 1 end
      session:setInputCallback("callback")
      session:setVariable("ready", session:streamFile("silence_stream://5000") .. tostring(session:ready()))
    """
    switch.modules.load("mod_tone_stream")
    call = Call(switch, code)
    switch.clock.call_later(SECOND, partial(call.session.receive_digit, Digit("1")))
    call.finish()
    assert call.variable("ready") == "0true"
    (played,) = call.of_kind("played")
    assert (played["ms"], played["ended"]) == (1000, "input")
