"""Sub-commands of `conference` for a room: its lists, settings, relations, and who is called or sent elsewhere."""

from __future__ import annotations

from typing import Final

from host.arguments import separate
from host.json_text import compact, pretty
from host.leading_number import leading_int
from host.modules.mod_conference import events
from host.modules.mod_conference.listing import json_room, member_list, pretty_list, xml_list
from host.modules.mod_conference.outcall import Outcall, call_in, call_in_background
from host.modules.mod_conference.profile import DEFAULT_PROFILE
from host.modules.mod_conference.subcommand import Call, SubCommands

commands: Final = SubCommands()
room = commands.room

DIAL_SYNTAX: Final = "<endpoint_module_name>/<destination> <callerid number> <callerid name>"
_SOUND_SYNTAX: Final = "on|off|none|file <filename>"
_MEMBERS_LIMIT: Final = 100


@room("count")
def count(call: Call) -> bool:
    """Tell how many members there are."""
    call.write(str(call.room.count))
    return True


@room("list", "[delim <string>]|[count]")
def list_(call: Call) -> bool:
    """Tell the members."""
    how, delimiter = list_options(call.words)
    if how == "count":
        call.write(str(call.room.count))
    else:
        call.write(pretty_list(call.room) if how == "pretty" else member_list(call.room, delimiter))
    return True


def list_options(words: list[str]) -> tuple[str, str]:
    """Return how a list is wanted (`pretty`, `summary`, `count` or nothing) and its delimiter."""
    how = words[0].lower() if words else ""
    if how == "delim" and len(words) > 1:
        delimiter = words[1]
        if delimiter.startswith('"'):
            delimiter = delimiter[1:].partition('"')[0] if len(delimiter) > 1 else ";"
        return "", delimiter
    return (how if how in ("pretty", "summary", "count") else ""), ";"


@room("xml_list")
def xml_list_(call: Call) -> bool:
    """Tell room and members as XML."""
    call.write(xml_list([call.room]))
    return True


@room("json_list", "[compact]")
def json_list(call: Call) -> bool:
    """Tell room and members as JSON."""
    told = [json_room(call.room)]
    call.write(compact(told) if call.words == ["compact"] else pretty(told))
    return True


@room("auto-3d-position", "[on|off]")
def auto_3d_position(call: Call) -> bool:
    """FreeSWITCH without OpenAL cannot place members in a room."""
    call.write("-ERR not supported\n")
    return True


@room(
    "relate",
    "<member_id>[,<member_id>] <other_member_id>[,<other_member_id>] [nospeak|nohear|clear]",
)
def relate(call: Call) -> bool:
    """Tell, make or clear relations: whom a member does not speak to or hear."""
    if len(call.words) <= 1:
        _show_relations(call)
        return True
    if len(call.words) < 3:
        return False
    action = call.words[2]
    clear = action.lower() == "clear"
    wanted = {word: word in action for word in ("nospeak", "nohear", "sendvideo")}
    if not (clear or any(wanted.values())):
        return False
    relation = (not wanted["nospeak"], not wanted["nohear"], wanted["sendvideo"])
    for member in separate(call.words[0], ",", _MEMBERS_LIMIT):
        for other in separate(call.words[1], ",", _MEMBERS_LIMIT):
            if clear:
                _clear_relation(call, leading_int(member), leading_int(other))
            if any(wanted.values()):
                _set_relation(call, leading_int(member), leading_int(other), relation, action)
    call.room.relate()
    return True


def _show_relations(call: Call) -> None:
    if not call.room.relation_count:
        call.write("+OK No relationships\n")
        return
    for text in separate(call.words[0], ",", _MEMBERS_LIMIT) if call.words else ():
        number = leading_int(text)
        for member in list(call.room.members):
            if number and member.id != number:
                continue
            for other, (speaks, hears, sends) in member.relations.items():
                told = f"{'' if speaks else 'NO'}SPEAK {'' if hears else 'NO'}HEAR {'' if sends else 'NO'}SENDVIDEO "
                call.write(f"{member.id} -> {other} {told}\n")


def _clear_relation(call: Call, number: int, other: int) -> None:
    member = call.room.member(number)
    if member is None:
        call.write(f"-ERR relationship {number}->{other} not found.\n")
        return
    if other:
        member.relations.pop(other, None)
    else:
        member.relations.clear()
    call.write(f"+OK relationship {number}->{other} cleared.\n")


def _set_relation(
    call: Call, number: int, other: int, relation: tuple[bool, bool, bool], action: str
) -> None:
    member = call.room.member(number)
    if member is None or call.room.member(other) is None:
        call.write(f"-ERR relationship {number}->{other} not found.\n")
        return
    member.relations = {other: relation} | {n: r for n, r in member.relations.items() if n != other}
    call.write(f"+OK {number}->{other} {action} set\n")


@room("getvar", "<varname>")
def getvar(call: Call) -> bool:
    """Tell a variable of the room."""
    call.write((call.room.variables.get(call.word(0)) or "") if call.words else "")
    return True


@room("setvar", "<varname> <value>")
def setvar(call: Call) -> bool:
    """Set a variable of the room to one word, or unset it."""
    if call.words:
        call.room.variables.set(call.word(0), call.word(1) or None)
    call.write("+OK\n")
    return True


@room("lock")
def lock(call: Call) -> bool:
    """Let nobody in any more."""
    call.room.set_lock(True)
    call.write(f"+OK {call.called} locked\n")
    return True


@room("unlock")
def unlock(call: Call) -> bool:
    """Let callers in again."""
    call.room.set_lock(False)
    call.write(f"+OK {call.called} unlocked\n")
    return True


@room("dial", DIAL_SYNTAX)
def dial(call: Call) -> bool:
    """Call somebody in and wait for the answer."""
    wanted = _wanted(call)
    if wanted is None:
        return False
    cause, _ = call_in(call.room.switch, call.room.name, call.room, wanted)
    call.write(f"+OK Call Requested: result: [{cause.name}]\n")
    return True


@room("bgdial", DIAL_SYNTAX)
def bgdial(call: Call) -> bool:
    """Call somebody in without waiting."""
    wanted = _wanted(call)
    if wanted is None:
        return False
    job = call_in_background(call.room.switch, call.room.name, call.room, wanted)
    call.write(f"+OK Job-UUID: {job}\n")
    return True


def _wanted(call: Call) -> Outcall | None:
    """Return who is to be called; None, told to the caller, where nobody is named."""
    if not call.words:
        call.write("-ERR Bad Args\n")
        return None
    return Outcall(call.word(0), call.word(2), call.word(1))


@room("transfer", "<conference_name> <member id> [...<member id>]")
def transfer(call: Call) -> bool:
    """Send members to another room."""
    if len(call.words) < 2 or not call.words[0]:
        return False
    target = call.words[0]
    name, at, profile = target.partition("@")
    for text in call.words[1:]:
        member = call.room.find_member(text)
        if member is None:
            call.write(f"-ERR No Member {text} in conference {call.room.name}.\n")
            continue
        member.session.transfer(f"conference:{name}@{profile if at else DEFAULT_PROFILE}", "inline")
        member.channel.variables.set("last_transfered_conference", name)
        call.write(f"+OK Member '{member.id}' sent to conference {target}.\n")
        events.fire(
            call.room,
            "transfer",
            member=member,
            before=(("Old-Conference-Name", call.room.name), ("New-Conference-Name", target)),
        )
    return True


@room("exit_sound", _SOUND_SYNTAX)
def exit_sound(call: Call) -> bool:
    """Switch the sound that all hear when somebody leaves, or set it."""
    return _change_sound(call, "exit")


@room("enter_sound", _SOUND_SYNTAX)
def enter_sound(call: Call) -> bool:
    """Switch the sound that all hear when somebody comes, or set it."""
    return _change_sound(call, "enter")


def _change_sound(call: Call, which: str) -> bool:
    target = call.room
    if not call.words:
        call.write("-ERR Not enough args\n")
        return False
    what = call.word(0).lower()
    former = target.exit_sound if which == "exit" else target.enter_sound
    if what in ("on", "off", "none"):
        on = what == "on"
        if which == "exit":
            target.exit_sounds = on
        else:
            target.enter_sounds = on
        state = "on" if on else "off"
        call.write(f"+OK {call.called} {which} sounds {state} ({former})\n")
        events.fire(target, f"{which}-sounds-{state}")
        return True
    if what != "file":
        call.write("-ERR Bad args\n")
        return False
    path = call.word(1)
    if not path:
        call.write("-ERR No filename specified\n")
        return True
    if which == "exit":
        call.write(f"+OK Old exit sound: [{former}]\n")
        target.exit_sound = path
    else:
        target.enter_sound = path
    call.write(f"+OK {call.called} {which} sound file set to {path}\n")
    events.fire(target, f"{which}-sound-file-changed")
    return True


@room("pin", "<pin#>")
def pin(call: Call) -> bool:
    """Set the pin, or with `mod` the moderators'."""
    if len(call.words) == 2 and call.words[0] == "mod":
        call.room.moderator_pin = call.words[1]
        call.write(f"+OK Moderator Pin for conference {call.called} set: {call.words[1]}\n")
    elif len(call.words) == 1:
        call.room.pin = call.words[0]
        call.write(f"+OK Pin for conference {call.called} set: {call.words[0]}\n")
    else:
        call.write("-ERR Invalid parameters:\n")
        return False
    return True


@room("nopin")
def nopin(call: Call) -> bool:
    """Take the pin away; FreeSWITCH: `mod` and a pin set the moderators', as with `pin`."""
    if len(call.words) == 2 and call.words[0] == "mod":
        return pin(call)
    if call.words:
        call.write("-ERR Invalid parameters:\n")
        return False
    call.room.pin = ""
    call.write(f"+OK Pin for conference {call.called} deleted\n")
    return True


@room("get", "<parameter-name>")
def get(call: Call) -> bool:
    """Tell a setting."""
    target = call.room
    if len(call.words) != 1:
        return False
    values = {
        "run_time": str(target.run_time),
        "count": str(target.count),
        "count_ghosts": str(target.ghosts),
        "max_members": str(target.max_members),
        "rate": str(target.rate),
        "profile_name": target.profile.name,
        "sound_prefix": target.sound_prefix,
        "caller_id_name": target.caller_id_name,
        "caller_id_number": target.caller_id_number,
        "is_locked": "locked" if target.locked else "",
        "endconference_grace_time": str(target.grace),
        "uuid": target.uuid,
        "wait_mod": "true" if target.waits_for_moderator else "",
    }
    value = values.get(call.words[0].lower())
    if value is None:
        return False
    call.write(value)
    return True


@room(
    "set",
    "<max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>",
)
def set_(call: Call) -> bool:
    """Set a setting and tell what it was."""
    target = call.room
    if len(call.words) != 2 or not call.words[1]:
        return False
    name, value = call.words[0].lower(), call.words[1]
    number = leading_int(value)
    if name in ("max_members", "endconference_grace_time") and number < 0:
        return False
    if name == "max_members":
        former, target.max_members = str(target.max_members), number
    elif name == "endconference_grace_time":
        former, target.grace = str(target.grace), number
    elif name == "sound_prefix":
        former, target.sound_prefix = target.sound_prefix, value
    elif name == "caller_id_name":
        former, target.caller_id_name = target.caller_id_name, value
    elif name == "caller_id_number":
        former, target.caller_id_number = target.caller_id_number, value
    else:
        return False
    call.write(former)
    return True
