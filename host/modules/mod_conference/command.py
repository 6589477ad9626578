"""The command `conference`: finds the room, the sub-command and the members that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.json_text import compact, pretty
from host.leading_number import leading_int
from host.modules.mod_conference import member_commands, room_commands, sound_commands, video_commands
from host.modules.mod_conference.listing import json_room, member_list, pretty_list, room_line, xml_list
from host.modules.mod_conference.outcall import Outcall, call_in, call_in_background
from host.modules.mod_conference.room_commands import DIAL_SYNTAX, list_options
from host.modules.mod_conference.subcommand import Call, SubCommand

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.rooms import Rooms

# FreeSWITCH divides the command into so many words.
_WORDS_LIMIT: Final = 25

# FreeSWITCH tells a member's number without a sign, in 32 bits.
_NUMBERS: Final = 1 << 32

# FreeSWITCH's order, in which the sub-commands are told and looked for.
_ORDER: Final = [
    "canvas-auto-clear",
    "count",
    "list",
    "xml_list",
    "json_list",
    "energy",
    "auto-energy",
    "max-energy",
    "agc",
    "vid-canvas",
    "vid-watching-canvas",
    "vid-layer",
    "volume_in",
    "volume_out",
    "position",
    "auto-3d-position",
    "play",
    "moh",
    "pause_play",
    "play_status",
    "file_seek",
    "say",
    "saymember",
    "cam",
    "stop",
    "dtmf",
    "kick",
    "vid-flip",
    "vid-border",
    "hup",
    "hold",
    "unhold",
    "mute",
    "tmute",
    "unmute",
    "vmute",
    "tvmute",
    "vmute-snap",
    "unvmute",
    "vblind",
    "tvblind",
    "unvblind",
    "deaf",
    "undeaf",
    "vid-filter",
    "relate",
    "getvar",
    "setvar",
    "lock",
    "unlock",
    "dial",
    "bgdial",
    "transfer",
    "record",
    "chkrecord",
    "norecord",
    "pause",
    "resume",
    "recording",
    "exit_sound",
    "enter_sound",
    "pin",
    "nopin",
    "get",
    "set",
    "file-vol",
    "floor",
    "vid-floor",
    "vid-banner",
    "vid-mute-img",
    "vid-logo-img",
    "vid-codec-group",
    "vid-res-id",
    "vid-role-id",
    "get-uuid",
    "clear-vid-floor",
    "vid-layout",
    "vid-write-png",
    "vid-fps",
    "vid-res",
    "vid-fgimg",
    "vid-bgimg",
    "vid-bandwidth",
    "vid-personal",
]

_KNOWN: Final = {
    command.name: command
    for part in (
        room_commands.commands,
        member_commands.commands,
        sound_commands.commands,
        video_commands.commands,
    )
    for command in part
}

SUB_COMMANDS: Final[dict[str, SubCommand]] = {name: _KNOWN[name] for name in _ORDER}


def run_command(rooms: Rooms, request: ApiRequest) -> str:
    """Run one call of `conference` and return its reply."""
    words = separate(request.argument, " ", _WORDS_LIMIT)
    if not words:
        return "".join(f"<conf name> {command.usage}\n" for command in SUB_COMMANDS.values())
    room = rooms.find(words[0])
    if room is None:
        return _without_room(rooms, words)
    if len(words) == 1:
        return "Conference command, not specified.\nTry 'help'\n"
    command = SUB_COMMANDS.get(words[1].lower())
    if command is None:
        return f"-ERR Conference command '{words[1]}' not found.\n"
    text = request.argument.partition(command.name)[2].lstrip(" \t")
    call = Call(room, words[0], command.name, words[2:], text)
    if command.run is not None:
        if not command.run(call):
            call.write(command.usage)
    else:
        _for_members(call, command)
    return "".join(call.output)


def _for_members(call: Call, command: SubCommand) -> None:
    run = command.run_for_member
    assert run is not None
    who = call.word(0)
    data = call.words[1] if len(call.words) > 1 else None
    number = leading_int(who)
    room = call.room
    chosen: Member | None
    if number:
        chosen = room.member(number)
        if chosen is None:
            call.write(f"-ERR Non-Existant ID {number % _NUMBERS}\n")
        else:
            run(call, chosen, data)
    elif who.lower() in ("all", "non_moderator"):
        for member in list(room.members):
            if who.lower() == "non_moderator" and member.moderator:
                call.write(f"Skipping moderator (member id {member.id}).\n")
            else:
                run(call, member, data)
    elif who.lower() == "last":
        chosen = room.last_member
        if chosen is not None:
            run(call, chosen, data)
    elif "=" in who:
        chosen = room.find_member(who)
        if chosen is None:
            call.write("-ERR Non-Existant member\n")
        else:
            run(call, chosen, data)
    else:
        call.write(command.usage)


def _without_room(rooms: Rooms, words: list[str]) -> str:
    """Answer what needs no room, or opens one."""
    first = words[0].lower()
    if first in ("help", "commands"):
        lines = (f"\t\t{command.usage.rstrip(' ')}" for command in SUB_COMMANDS.values())
        return "\n".join(lines) + "\n"
    if first == "list":
        return _list_all(rooms, words[1:])
    if first == "count":
        return str(len(rooms))
    if first == "xml_list":
        return xml_list(list(rooms))
    if first == "json_list":
        told = [json_room(room) for room in rooms]
        return compact(told) if words[1:] == ["compact"] else pretty(told)
    what = words[1].lower() if len(words) > 1 else ""
    if what in ("dial", "bgdial"):
        if len(words) == 2:
            return f"-ERR Bad Args\n{what} {DIAL_SYNTAX}"
        dial_string, number, name = (*words[2:], "", "")[:3]
        wanted = Outcall(dial_string, name, number)
        if what == "bgdial":
            return f"+OK Job-UUID: {call_in_background(rooms.switch, words[0], None, wanted)}\n"
        cause, _ = call_in(rooms.switch, words[0], None, wanted)
        return f"+OK Call Requested: result: [{cause.name}]\n"
    return f"-ERR Conference {words[0]} not found\n"


def _list_all(rooms: Rooms, words: list[str]) -> str:
    how, delimiter = list_options(words)
    told = []
    for room in rooms:
        told.append(room_line(room))
        if how == "pretty":
            told.append(pretty_list(room))
        elif how != "summary":
            told.append(member_list(room, delimiter))
    return "".join(told) or "+OK No active conferences.\n"
