"""mod_conference: rooms in which any number of calls hear each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.interfaces import ApiCommand, Application, ChatInterface
from host.modules.mod_conference.chat import PROTOCOL, deliver
from host.modules.mod_conference.command import run_command
from host.modules.mod_conference.entry import conference
from host.modules.mod_conference.outcall import remember_outcall
from host.modules.mod_conference.profile import advertise
from host.modules.mod_conference.rooms import Rooms

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_conference"

_rooms: Final[dict[int, Rooms]] = {}


def load(switch: Switch) -> None:
    """Bring the application and the command `conference`, and the chat interface `conf`."""
    rooms = _rooms[id(switch)] = Rooms(switch)
    switch.applications.add(
        Application(
            "conference",
            NAME,
            lambda session, data: conference(rooms, session, data),
            description="conference",
        )
    )
    switch.applications.add(
        Application(
            "conference_set_auto_outcall",
            NAME,
            remember_outcall,
            description="conference_set_auto_outcall",
            needs_media=True,
        )
    )
    switch.api_commands.add(
        ApiCommand(
            "conference",
            NAME,
            lambda request: run_command(rooms, request),
            description="Conference module commands",
        )
    )
    switch.chats.add(ChatInterface(PROTOCOL, NAME, lambda message: deliver(rooms, message)))
    advertise(switch)


def unload(switch: Switch) -> None:
    """End all rooms."""
    rooms = _rooms.pop(id(switch), None)
    if rooms is not None:
        rooms.end_all()
