"""Who comes into a room and leaves it, with the sounds, variables and events that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.modules.mod_conference import events, watches
from host.modules.mod_conference.room_sound import look_after_music, play
from host.modules.mod_conference.sounds import LEAD_IN

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room


def add(room: Room, member: Member, *, silent: bool) -> None:
    """Let a member in, with the sounds and events that go with it."""
    channel = member.channel
    with room.lock:
        if member.ghost:
            room.ghosts += 1
        else:
            room.count += 1
        if "endconf" in member.flags:
            room.mandatory_left = None
        if "mandatory_member_endconf" in member.flags:
            room.mandatory += 1
            room.mandatory_left = None
        room.members.insert(0, member)
        room.mixer.join(member.session.line, member.settings)
        if room.waits_for_moderator and member.moderator:
            room.flags.discard("wait-mod")
        room.apply()
    variables = channel.variables
    variables.set("conference_member_id", str(member.id))
    variables.set("conference_moderator", "true" if member.moderator else "false")
    variables.set("conference_ghost", "true" if member.ghost else "false")
    variables.set("conference_recording", room.recordings.last_path)
    variables.set("conference_uuid", room.uuid)
    if not channel.get_variable("conference_call_key"):
        number = channel.get_variable("caller_id_number") or ""
        variables.set("conference_call_key", f"conference_{room.name}_{room.domain}_{number}")
    _welcome(room, member, silent=silent)
    if room.least and room.count >= room.least:
        room.enforces_least = True
    if not silent:
        events.fire(room, "add-member", member=member, known_as="add-member")
    events.fire_presence(room)
    if "talk-data-events" in member.flags:
        watches.report_talk(member)
    room.recordings.start_automatic(channel)
    look_after_music(room)


def _welcome(room: Room, member: Member, *, silent: bool) -> None:
    channel = member.channel
    if room.count > 1:
        music = (room.moh or room.other_moh) and not room.waits_for_moderator
        if music or (room.waits_for_moderator and not channel.is_true("conference_permanent_wait_mod_moh")):
            room.endless.stop(everything=True)
            room.no_moh = False
        if not silent and room.enter_sounds:
            play(room, channel.get_variable("conference_enter_sound") or room.enter_sound, LEAD_IN, channel)
    announce = room.profile.number("announce-count")
    if silent or channel.private.get("conference_outcalls"):
        return
    if room.count >= announce > 1:
        member.say(f"There are {room.count} callers", LEAD_IN)
    elif room.count == 1 and not room.perpetual and not room.waits_for_moderator and not room.bridged:
        alone = room.profile.get("alone-sound")
        if alone and not member.ghost:
            room.endless.stop(everything=True)
            play(room, alone, LEAD_IN, channel)
        else:
            member.say("You are currently the only person in this conference.", LEAD_IN)


def remove(room: Room, member: Member) -> None:
    """Let a member out; with the last one, or too few, the room ends."""
    channel = member.channel
    own_sound = channel.get_variable("conference_exit_sound")
    if own_sound:
        play(room, own_sound, LEAD_IN, channel)
    with room.lock:
        room.members.remove(member)
        room.mixer.leave(member.session.line)
        member.files.clear()
        member.relations.clear()
        for other in room.members:
            other.relations.pop(member.id, None)
        room.relate()
        had_floor = room.floor is member
        if had_floor:
            room.floor = None
    if had_floor:  # FreeSWITCH: who had it is not found any more, and still counted
        events.fire_floor_change(room, None, None)
    with room.lock:
        if member.ghost:
            room.ghosts -= 1
        else:
            room.count -= 1
        room.apply()
    if "mandatory_member_endconf" in member.flags:
        room.mandatory -= 1
        if not room.mandatory:
            room.mandatory_left = room.clock.now()
            watches.end_after_grace(room)
    events.fire_presence(room)
    channel.variables.set("conference_call_key", None)
    left = room.count + room.ghosts
    if left == 0:
        room.recordings.stop_all()
    over = "endconf" in member.flags or left == 0 or (room.enforces_least and left < room.least)
    if over:
        room.end()
    else:
        if room.waits_for_moderator and not channel.is_true("conference_permanent_wait_mod_moh"):
            room.endless.stop(everything=True)
        if not own_sound and room.exit_sounds:
            play(room, room.exit_sound, 0, channel)
        alone = room.profile.get("alone-sound")
        if room.count == 1 and alone and not room.waits_for_moderator and not member.ghost:
            room.endless.stop(everything=True)
            play(room, alone, 0, channel)
        look_after_music(room)
    events.fire(room, "del-member", member=member)
