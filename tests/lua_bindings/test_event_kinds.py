"""Events of odd kinds in a script's hands: an empty subclass, none of a type, no body, a message that is sent."""

from __future__ import annotations

import pytest

from host.event import Event
from host.interfaces import ChatInterface
from host.switch import Switch
from tests.lua_bindings.scripted import SHOW, text_of


@pytest.mark.parametrize("kind", ["MESSAGE", "HEARTBEAT", "nosuch", "json", ""])
def test_only_a_custom_event_has_an_empty_subclass(switch: Switch, kind: str) -> None:
    code = f"""
      local event = freeswitch.Event("{kind}", "")
      show(event:getType(), event:getHeader("Event-Name"), event:addHeader("a", "b"), event:serialize())
      event = freeswitch.Event("custom", "")
      show(event:getType(), event:getHeader("Event-Subclass"), event:addHeader("a", "b"))
      show(freeswitch.Event("{kind}"):getType() ~= "invalid")
    """
    assert text_of(switch, SHOW + code) == "invalid|nil|false|;CUSTOM|nil|true;true;"


def test_what_has_no_type_of_its_own_is_a_custom_event_without_headers(switch: Switch) -> None:
    code = """
      for _, event in ipairs { freeswitch.Event("CLONE"), freeswitch.Event("json", '{"a":"b"}') } do
        show(event:getType(), event:getHeader("Event-Name"), event:getHeader("a"))
      end
    """
    assert text_of(switch, SHOW + code) == "CUSTOM|nil|nil;CUSTOM|nil|b;"


def test_no_body_is_what_c_prints(switch: Switch) -> None:
    code = """
      local event = freeswitch.Event("CUSTOM")
      show(event:getBody(), event:addBody(nil), event:getBody())
      show(event:addBody(""), event:getBody())
    """
    assert text_of(switch, SHOW + code) == "nil|true|(null);true|;"


def test_a_message_is_sent_whatever_becomes_of_it(switch: Switch) -> None:
    sent: list[Event] = []

    def take(message: Event) -> bool:
        sent.append(message)
        return message.body == "good"

    switch.chats.add(ChatInterface("test", "mod_test", take))
    code = """
      local event = freeswitch.Event("MESSAGE")
      show(event:chat_send(), event:chat_send("nosuch"), event:chat_send("test"))
      event:addHeader("dest_proto", "test")
      event:addBody("good")
      show(event:chat_send(), event:chat_send(""), event:getHeader("proto"))
    """
    assert text_of(switch, SHOW + code) == "0|0|0;0|0|nil;"
    assert [(message.body, message.get_header("dest_proto")) for message in sent] == [
        (None, "test"),
        ("good", "test"),
        ("good", "test"),
    ]


def test_numbers_that_are_none_are_written_as_c_prints_them(switch: Switch) -> None:
    code = """
      local json = freeswitch.JSON()
      json:return_unformatted_json(true)
      show(json:encode({ 0 / 0, 1 / 0, -1 / 0 }))
    """
    assert text_of(switch, SHOW + code) == "[-nan,inf,-inf];"


def test_an_event_of_nothing_is_refused_only_by_a_call(switch: Switch) -> None:
    code = """
      local session = freeswitch.Session()
      show(select("#", session:sendEvent(nil)), select("#", session:setEventData(nil)))
    """
    assert text_of(switch, SHOW + code) == "0|0;"
