"""The API commands of this module that send messages and presence, and its chat protocols `event` and `api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.arguments import separate
from host.chat import chat_message, send_chat
from host.escape import url_decode
from host.event import Event
from host.interfaces import ApiRequest, ChatInterface

if TYPE_CHECKING:
    from host.switch import Switch

_commands: Final = ApiTable("mod_dptools")

_PRESENCE_SYNTAX: Final = "[in|out] <user> <rpid> <message>"


@_commands.command("chat", "<proto>|<from>|<to>|<message>|[<content-type>]", "chat")
def chat(request: ApiRequest) -> str:
    """Send a text message by a chat protocol, past the chatplan."""
    parts = separate(request.argument, "|", 5)
    if len(parts) < 4:
        return "Invalid"
    proto, sender, to, text, *kind = parts
    message = request.switch.new_event("MESSAGE")
    for name, value in (
        ("proto", "global"),
        ("from", sender),
        ("to", to),
        ("type", kind[0] if kind else ""),
        ("skip_global_process", "true"),
        ("blocking", "true"),
    ):
        message.add_header(name, value)
    message.body = text
    return "Sent" if send_chat(request.switch, proto, message) else "Error! Message Not Sent"


@_commands.command("presence", _PRESENCE_SYNTAX, "presence")
def presence(request: ApiRequest) -> str:
    """Tell with PRESENCE_IN that somebody's presence has changed, or with PRESENCE_OUT."""
    match separate(request.argument, " ", 4):
        case [way, user, rpid, status] if way.lower() == "in":
            _tell(request.switch, "PRESENCE_IN", user, rpid, status)
        case [way, user, *_] if way.lower() == "out":
            _tell(request.switch, "PRESENCE_OUT", user, "", "CS_HANGUP")
        case _:
            return f"Invalid: presence {_PRESENCE_SYNTAX}"
    return "Event Sent"


def load(switch: Switch) -> None:
    """Bring the commands and protocols."""
    _commands.register(switch)

    def as_event(message: Event) -> bool:
        """Tell the message with RECV_MESSAGE; a global variable named as whom it is for is its `Command`."""
        told = switch.new_event("RECV_MESSAGE")
        told.merge(message)
        told.body = message.body
        command = switch.global_variables.get(message.get_header("to") or "")
        if command:
            told.add_header("Command", command)
        switch.fire(told)
        return True

    def as_command(message: Event) -> bool:
        """Run whom the message is for as an API command, and send what it says back."""
        to = message.get_header("to") or ""
        name, _, argument = url_decode(switch.global_variables.get(to) or to).partition(" ")
        reply = switch.api(name, argument)
        proto = message.get_header("proto")
        if proto:
            back = message.get_header("hint") or ""
            sender = back if "/" in back else message.get_header("from") or ""
            send_chat(switch, proto, chat_message(switch, "api", to, sender, reply, "text/plain"))
        return True

    switch.chats.add(ChatInterface("event", "mod_dptools", as_event))
    switch.chats.add(ChatInterface("api", "mod_dptools", as_command))


def _tell(switch: Switch, name: str, user: str, rpid: str, status: str) -> None:
    if switch.bus.wants(name):
        event = switch.new_event(name)
        for header, value in (
            ("proto", "dp"),
            ("login", "mod_dptools"),
            ("from", user),
            ("rpid", rpid),
            ("status", status),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("event_count", "0"),
        ):
            event.add_header(header, value)
        switch.fire(event)
