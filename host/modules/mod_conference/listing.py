"""How rooms and members are told: the lists of the command `conference`, as text, XML and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.escape import attribute_escape, url_encode, xml_escape

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.recordings import RoomRecording
    from host.modules.mod_conference.room import Room


def member_list(room: Room, delimiter: str = ";") -> str:
    """Return a line for each member, the newest first."""
    return "".join(_line(member, delimiter) for member in list(room.members))


def _line(member: Member, delimiter: str) -> str:
    profile = member.channel.profile
    words = []
    if not member.held:
        words += ["hear"] if member.hears else []
        words += ["speak"] if member.speaks else []
        words += ["talking"] if member.talking else []
    else:
        words.append("hold")
    words += ["floor"] if member.room.floor is member else []
    words += ["moderator"] if member.moderator else []
    words += ["ghost"] if member.ghost else []
    parts = (
        str(member.id),
        member.channel.name,
        member.session.uuid,
        profile.caller_id_name,
        profile.caller_id_number,
        "|".join(words),
        str(member.volume_in),
        str(member.volume_out),
        str(member.energy),
    )
    return delimiter.join(parts) + "\n"


def pretty_list(room: Room) -> str:
    """Return the members for a reader: number, name, caller id."""
    return "".join(
        f"{member.id}) {member.channel.profile.caller_id_name} ({member.channel.profile.caller_id_number})\n"
        for member in list(room.members)
    )


def room_line(room: Room) -> str:
    """Return the line that stands over a room's members."""
    flags = [name for name, on in _flags(room) if on]
    locked = " locked" if room.locked else ""
    plural = "" if room.count == 1 else "s"
    return (
        f"+OK Conference {room.name} ({room.count} member{plural} rate: {room.rate}{locked}"
        f" flags: {'|'.join(flags) or 'none'})\n"
    )


def _flags(room: Room) -> list[tuple[str, bool]]:
    return [
        ("locked", room.locked),
        ("destruct", room.ending),
        ("wait_mod", room.waits_for_moderator),
        ("audio_always", "audio-always" in room.flags),
        ("running", True),
        ("answered", room.answered),
        ("enforce_min", room.enforces_least),
        ("bridge_to", room.bridged),
        ("dynamic", True),
        ("exit_sound", room.exit_sounds),
        ("enter_sound", room.enter_sounds),
        ("recording", room.recordings.count > 0),
        ("json_status", True),
    ]


# -- XML ---------------------------------------------------------------------------------------------------------


def xml_list(rooms: list[Room]) -> str:
    """Return rooms and members as an XML document, in FreeSWITCH's order and indentation."""
    inside = "".join(_xml_room(room) for room in rooms)
    if not inside:
        return '<?xml version="1.0"?>\n<conferences></conferences>\n'
    return f'<?xml version="1.0"?>\n<conferences>\n{inside}</conferences>\n'


def _xml_room(room: Room) -> str:
    attributes = [
        ("name", room.name),
        ("member-count", str(room.count)),
        ("ghost-count", str(room.ghosts)),
        ("rate", str(room.rate)),
        ("uuid", room.uuid),
        *((name, "true") for name, on in _flags(room)[:11] if on),
    ]
    if room.max_members > 0:
        attributes.append(("max_members", str(room.max_members)))
    if room.recordings.count > 0:
        attributes.append(("recording", "true"))
    if room.grace > 0:
        attributes.append(("endconference_grace_time", str(room.grace)))
    attributes.append(("run_time", str(room.run_time)))
    written = " ".join(f'{name}="{attribute_escape(value)}"' for name, value in attributes)
    variables = "".join(
        f'      <variable name="{attribute_escape(name)}" value="{attribute_escape(value)}"></variable>\n'
        for name, value in room.variables.items()
    )
    members = "".join(_xml_recording(one) for one in room.recordings.running())
    members += "".join(_xml_member(member) for member in list(room.members))
    return (
        f"  <conference {written}>\n"
        f"{_nested('variables', variables)}{_nested('members', members)}"
        "  </conference>\n"
    )


def _nested(tag: str, inside: str) -> str:
    return f"    <{tag}>\n{inside}    </{tag}>\n" if inside else f"    <{tag}></{tag}>\n"


def _xml_recording(one: RoomRecording) -> str:
    status = ' status="paused"' if one.paused else ""
    return (
        '      <member type="recording_node">\n'
        f"        <record_path{status}>{xml_escape(one.path)}</record_path>\n"
        f'        <join_time type="UNIX-epoch">{one.began}</join_time>\n'
        "      </member>\n"
    )


def _xml_member(member: Member) -> str:
    room, profile = member.room, member.channel.profile
    heard = member.heard_ago
    flags = (
        ("can_hear", not member.held and member.hears),
        ("can_see", member.sees and not member.held),
        ("can_speak", not member.held and member.speaks),
        ("mute_detect", "mute-detect" in member.flags),
        ("talking", not member.held and member.talking),
        ("hold", member.held),
        ("has_video", False),
        ("video_bridge", False),
        ("has_floor", room.floor is member),
        ("is_moderator", member.moderator),
        ("end_conference", "endconf" in member.flags),
        ("mandatory_member_end_conference", "mandatory_member_endconf" in member.flags),
        ("is_ghost", member.ghost),
    )
    facts = (
        ("uuid", member.session.uuid),
        ("caller_id_name", profile.caller_id_name),
        ("caller_id_number", profile.caller_id_number),
        ("join_time", str(_since(member))),
        ("last_talking", "N/A" if heard is None else str(heard)),
        ("energy", str(member.energy)),
        ("volume_in", str(member.volume_in)),
        ("volume_out", str(member.volume_out)),
        ("output-volume", str(member.volume_out)),
    )
    marked = "".join(f"          <{name}>{_truth(on)}</{name}>\n" for name, on in flags)
    told = "".join(f"        <{name}>{url_encode(value)}</{name}>\n" for name, value in facts)
    return (
        '      <member type="caller">\n'
        f"        <id>{member.id}</id>\n"
        f"        <flags>\n{marked}        </flags>\n"
        f"{told}"
        "      </member>\n"
    )


def _since(member: Member) -> int:
    return member.room.clock.time() // 1_000_000 - member.joined


def _truth(value: bool) -> str:
    return "true" if value else "false"


# -- JSON --------------------------------------------------------------------------------------------------------


def json_room(room: Room) -> dict[str, object]:
    """Return a room with its members as FreeSWITCH tells it in JSON."""
    flags = dict(_flags(room))
    told: dict[str, object] = {
        "conference_name": room.name,
        "member_count": room.count,
        "ghost_count": room.ghosts,
        "rate": room.rate,
        "run_time": room.run_time,
        "conference_uuid": room.uuid,
        "canvas_count": 0,
        "max_bw_in": 0,
        "force_bw_in": 0,
        "video_floor_packets": 0,
    }
    for name in (
        "locked",
        "destruct",
        "wait_mod",
        "audio_always",
        "running",
        "answered",
        "enforce_min",
        "bridge_to",
        "dynamic",
        "exit_sound",
        "enter_sound",
        "recording",
    ):
        told[name] = flags[name]
    told |= {"video_bridge": False, "video_floor_only": False, "video_rfc4579": False}
    if room.max_members > 0:
        told["max_members"] = room.max_members
    told["variables"] = dict(room.variables.items())
    members: list[object] = [_json_recording(one) for one in room.recordings.running()]
    members += [_json_member(member) for member in list(room.members)]
    told["members"] = members
    return told


def _json_recording(one: RoomRecording) -> dict[str, object]:
    told: dict[str, object] = {"type": "recording_node", "record_path": one.path}
    if one.paused:
        told["status"] = "paused"
    told["join_time"] = one.began
    return told


def _json_member(member: Member) -> dict[str, object]:
    room, profile = member.room, member.channel.profile
    return {
        "type": "caller",
        "id": member.id,
        "flags": {
            "can_hear": not member.held and member.hears,
            "can_see": member.sees and not member.held,
            "can_speak": not member.held and member.speaks,
            "hold": member.held,
            "mute_detect": "mute-detect" in member.flags,
            "talking": member.talking,
            "has_video": False,
            "video_bridge": False,
            "has_floor": room.floor is member,
            "is_moderator": member.moderator,
            "end_conference": "endconf" in member.flags,
            "mandatory_member_end_conference": "mandatory_member_endconf" in member.flags,
            "pass_digits": "dist-dtmf" in member.flags,
        },
        "uuid": member.session.uuid,
        "caller_id_name": profile.caller_id_name,
        "caller_id_number": profile.caller_id_number,
        "join_time": _since(member),
        "last_talking": member.heard_ago or 0,
        "energy": member.energy,
        "volume_in": member.volume_in,
        "volume_out": member.volume_out,
        "output-volume": member.volume_out,
        "input-volume": member.volume_in,
    }
