"""Text messages between protocols: a message is an event that a chat interface delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.event import Event

if TYPE_CHECKING:
    from host.switch import Switch


def chat_message(switch: Switch, proto: str, sender: str, to: str, text: str, kind: str) -> Event:
    """Return a message: the protocol it came by, from whom, to whom, its text and content type."""
    message = switch.new_event("MESSAGE")
    for name, value in (
        ("proto", proto),
        ("from", sender),
        ("to", to),
        ("type", kind),
        ("max_forwards", "70"),
    ):
        message.add_header(name, value)
    message.body = text
    return message


def send_chat(switch: Switch, protocol: str, message: Event) -> bool:
    """Deliver a message by a chat protocol; False when there is none of that name or it cannot."""
    found = switch.chats.get(protocol)
    if found is None:
        return False
    message.set_header("dest_proto", protocol)
    return found.send(message)
