"""mod_sms: text messages are routed by the `chatplan` section of the XML, whose applications are here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from host.array_value import ArrayValue
from host.chat import send_chat
from host.dialplan_hunt import TraceLine, find_context, hunt
from host.event import Event
from host.event_bus import Subscription
from host.expansion import expand
from host.interfaces import ChatApplication, ChatInterface
from host.leading_number import leading_int
from host.local_zone import local_zone
from host.log import LogLevel, level_of
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_sms"
PROTOCOL: Final = "GLOBAL_SMS"
SEND: Final = "SMS::SEND_MESSAGE"
REPORT: Final = "SMS::DELIVERY_REPORT"
# FreeSWITCH: so many protocols pass a message on that does not say how many may.
_FORWARDS: Final = 70
# What a report does not take over from its message.
_OWN_HEADERS: Final = frozenset({"event-name", "event-subclass"})

_subscriptions: Final[dict[str, Subscription]] = {}


class _Message:
    """What the hunt reads and changes of a message; a field of a condition is a header."""

    def __init__(self, switch: Switch, message: Event) -> None:
        self._switch = switch
        self.message = message
        self.goes_on = True

    @property
    def name(self) -> str:
        return self._header("to_user", "to")

    @property
    def sender(self) -> str:
        return self._header("from_user", "from")

    @property
    def context(self) -> str:
        return self.message.get_header("context") or "default"

    def _header(self, *names: str) -> str:
        return next((value for name in names if (value := self.message.get_header(name)) is not None), "")

    def field(self, name: str) -> str | None:
        return self.context if name == "context" else self.message.get_header(name)

    def expand(self, text: str) -> str:
        api = self._switch.api_in_text(None, "<API execute Permission Denied>")
        return expand(text, self.message.get_header, api=api, global_lookup=self._switch.global_variables.get)

    def set_variable(self, name: str, value: str | None) -> None:
        if value is None:
            self.message.delete_header(name)
        else:
            self.message.set_header(name, value)

    def unset_variables(self, prefix: str) -> None:
        for name in {name for name, _ in self.message.headers if name.startswith(prefix)}:
            self.message.delete_header(name)

    def execute_inline(self, application: str, data: str) -> None:
        self.execute(application, data)

    def execute(self, application: str, data: str) -> None:
        """Run an application; one that is not there, or ends the message's way, is the last."""
        found = self._switch.chat_applications.get(application)
        if found is None:
            self._switch.log(LogLevel.ERR, f"Invalid chat application interface [{application}]!")
            self.goes_on = False
        elif not self.goes_on:
            self._switch.log(LogLevel.DEBUG, "Message is not allowed to execute apps")
        else:
            self.goes_on = found.run(self.message, self.expand(data)) is not False


def _text(value: str | ArrayValue) -> str:
    return value.text if isinstance(value, ArrayValue) else value


def route(switch: Switch, message: Event) -> bool:
    """Run what the chatplan says for a message; False when it says nothing, or too many passed the message on."""
    allowed = message.get_header("max_forwards")
    left = _FORWARDS if allowed is None else leading_int(allowed) - 1
    if left <= 0:
        switch.log(LogLevel.ERR, "Max forwards reached")
        return False
    message.set_header("max_forwards", str(left))
    caller = _Message(switch, message)
    switch.log(
        LogLevel.INFO,
        f"Processing text message {caller.sender}->{caller.name} in context {caller.context}",
    )
    chatplan = switch.xml.section("chatplan", {name: _text(value) for name, value in message.headers})
    chatplan = chatplan.find("chatplan") if chatplan is not None and chatplan.tag == "section" else chatplan
    applications: list[tuple[str, str]] = []
    if chatplan is None:
        switch.log(LogLevel.ERR, "Open of chatplan failed")
    elif (context := find_context(chatplan, caller.context)) is None:
        switch.log(LogLevel.WARNING, f"Context {caller.context} not found")
    else:
        now = datetime.fromtimestamp(switch.clock.time() / 1_000_000, local_zone())

        def trace(line: TraceLine) -> None:
            switch.log(line.level, line.text.replace("Dialplan:", "Chatplan:", 1))

        applications = hunt(context, caller, now, on_trace=trace).applications
    if not applications:
        switch.log(LogLevel.DEBUG, "SMS chatplan no actions found")
        return False
    for application, data in applications:
        caller.execute(application, data)
        if not caller.goes_on:
            break
    return True


def answer_to(message: Event, text: str) -> Event:
    """Return a message back: who sent is whom it is for, with `text`, or the message's own where that is empty."""
    reply = Event(message.name, message.subclass)
    for name, value in message.headers:
        low = name.lower()
        if low in _OWN_HEADERS:
            continue
        if low.startswith("from_") or low == "from":
            name = "to" + name[4:]
        elif low.startswith("to_") or low == "to":
            name = "from" + name[2:]
        reply.add_header(name, _text(value))
    reply.add_header("replying", "true")
    if message.body is not None:
        reply.add_header("orig_body", message.body)
    reply.body = text or message.body
    reply.set_header("proto", PROTOCOL)
    return reply


def _applications(switch: Switch) -> dict[str, Callable[[Event, str], object]]:
    def info(message: Event, data: str) -> None:
        level = level_of(data) or LogLevel.INFO
        switch.log(level, f"CHANNEL_DATA:\n{message.serialize()}")

    def reply(message: Event, data: str) -> None:
        proto = message.get_header("proto")
        if proto is not None:
            send_chat(switch, proto, answer_to(message, data))

    def stop(message: Event, data: str) -> bool:
        return False

    def final(message: Event, data: str) -> bool:
        message.set_header("final_delivery", "true")
        return False

    def set_header(message: Event, data: str) -> None:
        name, _, value = data.partition("=")
        if value:
            message.set_header(name, value)
        else:
            message.delete_header(name)

    def unset(message: Event, data: str) -> None:
        message.delete_header(data)

    def send(message: Event, data: str) -> None:
        message.set_header("skip_global_process", "true")
        send_chat(switch, data or message.get_header("dest_proto") or "", message)

    def fire(message: Event, data: str) -> None:
        switch.fire(message.copy())

    return {
        "info": info,
        "reply": reply,
        "stop": stop,
        "final": final,
        "set": set_header,
        "unset": unset,
        "send": send,
        "fire": fire,
    }


def _deliver(switch: Switch, event: Event) -> None:
    """Deliver what an event SMS::SEND_MESSAGE asks for, or report what became of one that was delivered."""
    failed, assumed = event.get_header("Delivery-Failure"), event.get_header("Nonblocking-Delivery")
    if failed is not None:
        status = "Failure" if is_true(failed) else "Success"
        if status == "Failure":
            switch.log(LogLevel.ERR, "Delivery Failure")
        else:
            switch.log(LogLevel.DEBUG, "SMS Delivery Success")
    elif is_true(assumed):
        switch.log(LogLevel.DEBUG, "SMS Delivery assumed successful due to being sent in non-blocking manner")
        status = "Accepted"
    else:
        message = event.copy()
        message.set_header("skip_global_process", "true")
        send_chat(switch, message.get_header("dest_proto") or "", message)
        return
    report = switch.new_event("CUSTOM", REPORT)
    report.add_header("Status", status)
    report.add_headers(
        (name, _text(value)) for name, value in event.headers if name.lower() not in _OWN_HEADERS
    )
    switch.fire(report)


def load(switch: Switch) -> None:
    """Bring the chat interface of the chatplan and its applications, and deliver what SMS::SEND_MESSAGE asks for."""
    switch.chats.add(ChatInterface(PROTOCOL, NAME, lambda message: route(switch, message)))
    for name, run in _applications(switch).items():
        switch.chat_applications.add(ChatApplication(name, NAME, run))
    _subscriptions[switch.core_uuid] = switch.bus.subscribe(
        lambda event: _deliver(switch, event), ["CUSTOM"], SEND
    )


def unload(switch: Switch) -> None:
    """Take back what the registries do not know of."""
    subscription = _subscriptions.pop(switch.core_uuid, None)
    if subscription is not None:
        switch.bus.unsubscribe(subscription)
