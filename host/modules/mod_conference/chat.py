"""Messages to rooms: the chat interface `conf`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.chat import chat_message, send_chat
from host.modules.mod_conference.listing import pretty_list
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room
    from host.modules.mod_conference.rooms import Rooms

PROTOCOL: Final = "conf"


def deliver(rooms: Rooms, message: Event) -> bool:
    """Hand a message on to the members that can be written to.

    FreeSWITCH: with the profile's `broadcast-chat-messages` off, the word `list` is answered with the members.
    """
    if message.body is None:
        return True
    to = (message.get_header("to") or "").partition("+")
    name = (to[2] if to[1] else to[0]).partition("@")[0]
    room = rooms.find(name)
    if room is None:
        _answer(rooms, message, name, "Conference not active.")
        return False
    wanted = room.profile.get("broadcast-chat-messages")
    if not wanted or is_true(wanted):
        _broadcast(room, message)
    elif "list" in message.body.lower():
        _answer(rooms, message, name, pretty_list(room))
    return True


def take_from_member(member: Member, message: Event) -> None:
    """Deliver what a member wrote while it is in the room."""
    room = member.room
    to = message.get_header("to") or ""
    if to and message.get_header("from") and message.body:
        elsewhere = "+" in to and not to.startswith(PROTOCOL)
        message.set_header("to", f"{PROTOCOL}+{room.name}@{room.domain}" if elsewhere else room.name)
        deliver(room.rooms, message)


def _broadcast(room: Room, message: Event) -> None:
    written: set[str] = set()
    for member in list(room.members):
        presence = member.channel.get_variable("presence_id")
        protocol = member.channel.get_variable("chat_proto")
        if not presence or not protocol or presence in written:
            continue
        written.add(presence)
        copy = message.copy()
        copy.set_header("to", presence)
        copy.set_header("conference_name", room.name)
        copy.set_header("conference_domain", room.domain)
        send_chat(room.switch, protocol, copy)


def _answer(rooms: Rooms, message: Event, name: str, text: str) -> None:
    hint = message.get_header("hint") or ""
    back = hint if "/" in hint else message.get_header("from") or ""
    reply = chat_message(rooms.switch, PROTOCOL, name, back, text, "text/plain")
    send_chat(rooms.switch, message.get_header("proto") or "", reply)
