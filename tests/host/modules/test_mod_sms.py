"""Text messages that the chatplan routes."""

from __future__ import annotations

import pytest

from host.chat import chat_message, send_chat
from host.event import Event
from host.interfaces import ChatInterface
from host.switch import Switch

CHATPLAN = """<document type="freeswitch/xml"><section name="chatplan"><chatplan>
<context name="default">
  <extension name="first" continue="true">
    <condition field="to" expression="^(desk)@.*$"><action application="set" data="seen=$1 ${from}"/></condition>
  </extension>
  <extension name="echo">
    <condition field="to" expression="^echo@"><action application="reply" data="you said ${_body}"/>
      <action application="stop"/><action application="set" data="late=1"/></condition>
  </extension>
  <extension name="final">
    <condition field="to" expression="^final@"><action application="set" data="gone=1"/>
      <action application="unset" data="gone"/><action application="final"/></condition>
  </extension>
  <extension name="unknown">
    <condition field="to" expression="^unknown@"><action application="no_such"/>
      <action application="set" data="late=1"/></condition>
  </extension>
</context></chatplan></section></document>"""


class Desk:
    """A switch with the chatplan, a protocol `test`, what was delivered by it, all events and all log lines."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.delivered: list[Event] = []
        self.events: list[Event] = []
        self.logs: list[str] = []
        switch.xml.load_text(CHATPLAN)
        switch.modules.load("mod_sms")
        switch.chats.add(ChatInterface("test", "mod_test", self._deliver))
        switch.bus.subscribe(self.events.append)
        switch.logs.add_sink(lambda entry: self.logs.append(entry.text))

    def _deliver(self, message: Event) -> bool:
        self.delivered.append(message)
        return True

    def say(self, to: str, text: str = "hello", **headers: str) -> Event:
        """Send a message from ann@here and return it."""
        message = chat_message(self.switch, "test", "ann@here", to, text, "text/plain")
        for name, value in headers.items():
            message.set_header(name, value)
        send_chat(self.switch, "test", message)
        return message


@pytest.fixture
def desk(virtual_switch: Switch) -> Desk:
    return Desk(virtual_switch)


def test_an_action_sees_the_headers_and_sets_one(desk: Desk) -> None:
    message = desk.say("desk@here")
    assert desk.delivered == [message]
    assert message.get_header("seen") == "desk ann@here"
    assert message.get_header("max_forwards") == "69"
    assert "Processing text message ann@here->desk@here in context default" in desk.logs


def test_a_reply_goes_back_and_what_stops_is_the_last(desk: Desk) -> None:
    message = desk.say("echo@here")
    reply, passed = desk.delivered
    assert passed is message
    assert (reply.get_header("to"), reply.get_header("from")) == ("ann@here", "echo@here")
    assert (reply.get_header("proto"), reply.get_header("replying")) == ("GLOBAL_SMS", "true")
    assert (reply.body, reply.get_header("orig_body")) == ("you said hello", "hello")
    assert message.get_header("late") is None


def test_a_final_delivery_is_not_passed_on(desk: Desk) -> None:
    message = desk.say("final@here")
    assert desk.delivered == []
    assert message.get_header("gone") is None


def test_an_application_that_is_not_there_is_the_last(desk: Desk) -> None:
    assert desk.say("unknown@here").get_header("late") is None
    assert "Invalid chat application interface [no_such]!" in desk.logs


@pytest.mark.parametrize(("allowed", "left"), [("1", "1"), ("0", "0"), ("5", "4")])
def test_a_message_is_passed_on_only_so_often(desk: Desk, allowed: str, left: str) -> None:
    message = desk.say("desk@here", max_forwards=allowed)
    assert message.get_header("max_forwards") == left
    assert ("Max forwards reached" in desk.logs) == (allowed in "01")


def test_without_a_context_the_message_passes(desk: Desk) -> None:
    message = desk.say("desk@here", context="nowhere")
    assert desk.delivered == [message]
    assert "Context nowhere not found" in desk.logs


def test_an_event_sends_and_tells_that_it_was_taken(desk: Desk) -> None:
    event = desk.switch.new_event("CUSTOM", "SMS::SEND_MESSAGE")
    for name, value in (("proto", "test"), ("dest_proto", "test"), ("from", "ann"), ("to", "desk@here")):
        event.add_header(name, value)
    event.body = "hello"
    desk.switch.fire(event)
    assert [message.body for message in desk.delivered] == ["hello"]
    assert desk.delivered[0].get_header("seen") is None
    reports = [event for event in desk.events if event.subclass == "SMS::DELIVERY_REPORT"]
    assert [report.get_header("Status") for report in reports] == ["Accepted"]
    assert reports[0].get_header("to") == "desk@here"


def test_unloading_takes_all_back(desk: Desk) -> None:
    desk.switch.modules.unload("mod_sms")
    assert desk.switch.chats.get("GLOBAL_SMS") is None
    assert desk.switch.chat_applications.get("reply") is None
    message = desk.say("desk@here")
    assert message.get_header("seen") is None
    desk.switch.fire(desk.switch.new_event("CUSTOM", "SMS::SEND_MESSAGE"))
    assert desk.delivered == [message]


@pytest.mark.parametrize(("kind", "told"), [("", None), ("|", None), ("|text/html", "text/html")])
def test_the_command_goes_past_the_chatplan(desk: Desk, kind: str, told: str | None) -> None:
    assert desk.switch.api("chat", f"test|ann@here|desk@here|hi{kind}") == "Sent"
    (message,) = desk.delivered
    assert (message.body, message.get_header("type"), message.get_header("seen")) == ("hi", told, None)
    assert message.get_header("proto") == "global"
    outcomes = [event.get_header("Delivery-Failure") for event in desk.events if event.name == "MESSAGE"]
    assert outcomes == ["false"]
