"""Text messages between protocols: a message is an event that a chat interface delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.event import Event
from host.log import LogLevel
from host.truth import is_true

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
    """Deliver a message by a chat protocol, and tell it with MESSAGE; False when it could not be delivered.

    FreeSWITCH: interfaces named `GLOBAL_…` (a chatplan) come first, unless `skip_global_process` is true; one that
    sets `final_delivery` has done it all.
    """
    message.set_header("dest_proto", protocol)
    done = False
    from_protocol = (message.get_header("proto") or "").lower()
    skips = is_true(message.get_header("replying")) or is_true(message.get_header("skip_global_process"))
    if not skips and "global" not in from_protocol:
        for interface in list(switch.chats):
            if interface.name.upper().startswith("GLOBAL_"):
                done = interface.send(message)
                if done and is_true(message.get_header("final_delivery")):
                    return True
    if "global" not in protocol.lower():
        found = switch.chats.get(protocol)
        if found is None:
            switch.log(LogLevel.ERR, f"Invalid chat interface [{protocol}]!")
        done = found is not None and found.send(message)
    if switch.bus.wants(message.name):
        told = message.copy()
        if is_true(message.get_header("blocking")):
            told.add_header("Delivery-Failure", "false" if done else "true")
        else:
            told.add_header("Nonblocking-Delivery", "true")
        switch.fire(told)
    return done
