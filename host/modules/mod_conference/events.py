"""The events of rooms: CUSTOM `conference::maintenance`, and presence."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from host.channel_event import add_channel_headers

if TYPE_CHECKING:
    from host.channel import Channel
    from host.event import Event
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room

SUBCLASS: Final = "conference::maintenance"

_presence_count = itertools.count()

# FreeSWITCH: the word of `suppress-events` under which an action's event is known, where it is not its own.
_KNOWN_AS: Final = {
    "unmute-member": "mute-member",
    "unhold-member": "hold-member",
    "auto-energy-level-member": "energy-level-member",
    "max-energy-level-member": "energy-level-member",
    "play-file-member-done": "play-file-done",
    "start-recording": "record",
    "pause-recording": "record",
    "resume-recording": "record",
    "enter-sounds-on": "lock",
    "enter-sounds-off": "lock",
    "enter-sound-file-changed": "lock",
    "exit-sounds-on": "lock",
    "exit-sounds-off": "lock",
    "exit-sound-file-changed": "lock",
    "execute_app": "dtmf",
}

# FreeSWITCH: what `suppress-events` can name.
SUPPRESSIBLE: Final = frozenset(
    {
        "del-member",
        "energy-level",
        "volume-level",
        "gain-level",
        "dtmf",
        "stop-talking",
        "start-talking",
        "mute-detect",
        "mute-member",
        "hold-member",
        "kick-member",
        "dtmf-member",
        "energy-level-member",
        "volume-in-member",
        "volume-out-member",
        "play-file",
        "play-file-done",
        "play-file-member",
        "speak-text",
        "speak-text-member",
        "lock",
        "unlock",
        "transfer",
        "bgdial-result",
        "floor-change",
        "record",
    }
)

# Headers that stand before Action, in their order.
_Headers = tuple[tuple[str, str], ...]


def fire(
    room: Room,
    action: str,
    *headers: tuple[str, str],
    member: Member | None = None,
    before: _Headers = (),
    known_as: str = "",
) -> None:
    """Fire a room's event, or a member's, unless the profile suppresses it; `before` stands before Action."""
    switch = room.switch
    if not switch.bus.wants("CUSTOM") or (known_as or _KNOWN_AS.get(action, action)) in room.suppressed:
        return
    event = switch.new_event("CUSTOM", SUBCLASS)
    if member is not None:
        add_member(event, member)
    else:
        add_room(event, room)
    for name, value in (*before, ("Action", action), *headers):
        event.add_header(name, value)
    switch.fire(event)


def fire_floor_change(room: Room, former: Member | None, holder: Member | None) -> None:
    """Tell that the floor is somebody else's. FreeSWITCH: the room's headers stand in it twice."""
    switch = room.switch
    if not switch.bus.wants("CUSTOM") or "floor-change" in room.suppressed:
        return
    event = switch.new_event("CUSTOM", SUBCLASS)
    add_room(event, room)
    event.add_header("Action", "floor-change")
    event.add_header("Old-ID", str(former.id) if former is not None else "none")
    if holder is not None:
        add_member(event, holder)
    event.add_header("New-ID", str(holder.id) if holder is not None else "none")
    switch.fire(event)


def add_room(event: Event, room: Room) -> None:
    """Add what events tell of a room, with its variables."""
    for name, value in (
        ("Conference-Name", room.name),
        ("Conference-Domain", room.domain),
        ("Conference-Size", str(room.count)),
        ("Conference-Ghosts", str(room.ghosts)),
        ("Conference-Profile-Name", room.profile.name),
        ("Conference-Unique-ID", room.uuid),
        *room.variables.items(),
    ):
        event.add_header(name, value)


def add_member(event: Event, member: Member) -> None:
    """Add what events tell of a member and its room."""
    room = member.room
    add_room(event, room)
    event.add_header("Floor", _truth(room.floor is member))
    add_channel_headers(event, member.channel, variables=room.verbose)
    talking, score = member.talking, member.score
    for name, value in (
        ("Video", "false"),
        ("Hear", _truth(member.hears)),
        ("See", _truth(member.seen)),
        ("Speak", _truth(member.speaks)),
        ("Talking", _truth(talking)),
        ("Mute-Detect", _truth("mute-detect" in member.flags)),
        ("Hold", _truth(member.held)),
        ("Member-ID", str(member.id)),
        ("Member-Type", "moderator" if member.moderator else "member"),
        ("Member-Ghost", _truth(member.ghost)),
        ("Energy-Level", str(member.energy)),
        ("Current-Energy", str(score)),
    ):
        event.add_header(name, value)


def fire_rejection(channel: Channel, room: str, profile: str) -> None:
    """Tell that somebody with the flag join-only may not open a room."""
    switch = channel.switch
    if switch.bus.wants("CUSTOM"):
        event = switch.new_event("CUSTOM", SUBCLASS)
        add_channel_headers(event, channel, variables=False)
        event.add_header("Conference-Name", room)
        event.add_header("Conference-Profile-Name", profile)
        event.add_header("Action", "rejected-join-only")
        switch.fire(event)


def fire_presence(room: Room) -> None:
    """Tell how many are in a room as PRESENCE_IN, which phones subscribe to."""
    switch = room.switch
    if not switch.bus.wants("PRESENCE_IN"):
        return
    count = room.count
    event = switch.new_event("PRESENCE_IN")
    headers = [
        ("proto", "conf"),
        ("login", room.name),
        ("from", room.name if "@" in room.name else f"{room.name}@{room.domain}"),
        ("event_type", "presence"),
        ("alt_event_type", "dialog"),
        ("event_count", str(next(_presence_count))),
        ("unique-id", room.name),
    ]
    if count:
        headers += [
            ("force-status", f"Active ({count} caller{'' if count == 1 else 's'})"),
            ("channel-state", "CS_ROUTING"),
            ("answer-state", "early" if count == 1 else "confirmed"),
            ("presence-call-direction", "outbound" if count == 1 else "inbound"),
        ]
    else:
        headers += [
            ("force-status", "Inactive"),
            ("channel-state", "CS_HANGUP"),
            ("answer-state", "terminated"),
            ("call-direction", "inbound"),
        ]
    for name, value in headers:
        event.add_header(name, value)
    switch.fire(event)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def fire_member_file_end(room: Room, member: Member, measures: _Headers, file: str) -> None:
    """Tell that a file played to one member is over. FreeSWITCH: Action stands before what tells of the member."""
    switch = room.switch
    if not switch.bus.wants("CUSTOM") or "play-file-done" in room.suppressed:
        return
    event = switch.new_event("CUSTOM", SUBCLASS)
    add_room(event, room)
    for name, value in (*measures, ("Action", "play-file-member-done")):
        event.add_header(name, value)
    if member in room.members:
        add_member(event, member)
    event.add_header("File", file)
    switch.fire(event)
