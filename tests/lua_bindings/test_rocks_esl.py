"""The rock ESL against the host's own event socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.clock import RealClock
from host.interfaces import ApiCommand
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings
from host.switch import Switch
from lua_bindings import mod_lua
from tests.lua_bindings.scripted import MOST, SHOW, ran, text_of

ESL = 'local loaded = require("ESL")' + SHOW


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Switch, int]]:
    """Yield a switch in real time and the port of its event socket."""
    switch = Switch(RealClock(), tmp_path)
    mod_lua.load(switch)
    switch.api_commands.add(ApiCommand("echo", "mod_test", lambda request: request.argument))
    server = EventSocketServer(switch, Settings(port=0))
    server.start()
    assert server.address is not None
    yield switch, server.address[1]
    server.stop()
    mod_lua.unload(switch)
    switch.close()


@pytest.fixture
def shown(live: tuple[Switch, int]) -> Callable[[str, str], str]:
    """Run code with a connection `con` and return what it shows."""
    switch, port = live

    def run(code: str, version: str) -> str:
        return text_of(
            switch, f'{ESL} local con = ESL.ESLconnection("127.0.0.1", "{port}", "ClueCon") {code}', version
        )

    return run


@pytest.mark.parametrize("version", MOST)
def test_commands(shown: Callable[[str, str], str], version: str) -> None:
    code = """
      show(con:connected(), con:socketDescriptor() > 2, con:getInfo(), loaded == ESL)
      local e = con:api("echo", "one two")
      show(e:getBody(), e:getType(), e:getHeader("content-TYPE"), e:getHeader("Content-Length"), e:getHeader("nope"))
      show(con:api("echo"):getBody())
      show(con:sendRecv("api echo x\\n\\n"):getBody(), con:sendRecv("what"):getHeader("Reply-Text"))
      show(con:bgapi("echo", "later", "the-job"):getHeader("Reply-Text"))
      show(con:send("noevents"), con:disconnect(), con:connected(), con:socketDescriptor())
      show(con:api("echo", "x"), con:send("x"), con:recvEvent():getType(), con:recvEventTimed(1))
    """
    assert shown(code, version) == (
        "1|true|nil|true;one two|SOCKET_DATA|api/response|7|nil;-ERR no reply\n;x|-ERR command not found;"
        "+OK Job-UUID: the-job;0|0|0|-1;nil|1|SERVER_DISCONNECTED|nil;"
    )


@pytest.mark.parametrize("form", ["plain", "json"])
@pytest.mark.parametrize("version", MOST)
def test_events(shown: Callable[[str, str], str], version: str, form: str) -> None:
    code = f"""
      show(con:events("{form}", "CUSTOM my::sub"), con:filter("X-Key", "a b"):getHeader("Reply-Text"))
      for _, key in ipairs {{ "other", "a b" }} do
        local event = freeswitch.Event("CUSTOM", "my::sub")
        event:addHeader("X-Key", key)
        event:addBody("line 1\\nline 2")
        event:fire()
      end
      local e = con:recvEvent()
      show(e:getType(), e:getHeader("Event-Subclass"), e:getHeader("X-Key"), e:getBody())
      show(e:firstHeader(), e:nextHeader())
      show(con:recvEventTimed(30), con:connected())
      local sent = ESL.ESLevent("CUSTOM", "my::sub")
      sent:addHeader("X-Key", "a b")
      con:sendEvent(sent)
      show(con:recvEventTimed(2000):getHeader("x-key"))
    """
    wanted = "0|+OK filter added. [X-Key]=[a b];CUSTOM|my::sub|a b|line 1\nline 2;"
    text = shown(code, version)
    assert text.startswith(wanted)
    assert text.endswith(";nil|1;a b;")
    assert form == "json" or text[len(wanted) :].startswith("Event-Subclass|Event-Name;")


def test_an_event_waits_while_a_command_is_answered(shown: Callable[[str, str], str]) -> None:
    code = """
      con:events("plain", "CUSTOM first")
      freeswitch.Event("CUSTOM", "first"):fire()
      show(con:api("echo", "x"):getBody(), con:recvEventTimed(2000):getHeader("Event-Subclass"))
    """
    assert shown(code, "luajit") == "x|first;"


@pytest.mark.parametrize("version", MOST)
def test_events_of_ones_own(shown: Callable[[str, str], str], version: str) -> None:
    code = """
      local e = ESL.ESLevent("custom", "a::b")
      show(e:addHeader("X", "1 2"), e:pushHeader("List", "a"), e:pushHeader("List", "b"), e:unshiftHeader("list", "c"))
      show(e:getHeader("List"), e:getHeader("List", 0), e:getHeader("List", 2), e:getHeader("List", 9))
      show(e:serialize(), e:serialize("json"))
      show(e:addBody("{}"), e:getBody(), e:delHeader("LIST"), e:delHeader("LIST"), e:setPriority(2))
      show(e:serialize())
      show(ESL.ESLevent("no such event"):getType(), ESL.ESLevent("channel_create"):getType())
      show(ESL.ESLevent("json", '{"Event-Name":"HEARTBEAT","_body":"x"}'):getType())
    """
    head = "Event-Name: CUSTOM\nEvent-Subclass: a%3A%3Ab\nX: 1%202\n"
    assert shown(code, version) == (
        "true|true|true|true;ARRAY::c|:a|:b|c|b|nil;"
        f"{head}List: ARRAY%3A%3Ac%7C%3Aa%7C%3Ab\n\n|"
        '{"Event-Name":"CUSTOM","Event-Subclass":"a::b","X":"1 2","List":["c","a","b"]};'
        "true|{}|true|false|true;"
        f"{head}priority: HIGH\nContent-Length: 2\n\n{{}};MESSAGE|CHANNEL_CREATE;HEARTBEAT;"
    )


def test_who_is_not_let_in(live: tuple[Switch, int]) -> None:
    switch, port = live
    code = f"""
      local con = ESL.ESLconnection("127.0.0.1", {port}, "wrong")
      show(con:connected(), con:api("echo", "x"), con:disconnect())
      show(ESL.ESLconnection("127.0.0.1", 1, "ClueCon"):connected())
    """
    assert text_of(switch, ESL + code) == "0|nil|0;0;"
    assert "Wrong arguments" in ran(switch, ESL + 'ESL.ESLconnection("127.0.0.1")').result.error
