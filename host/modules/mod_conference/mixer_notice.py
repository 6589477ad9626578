"""What a room's mixer tells: a file has ended, somebody talks or has stopped, somebody has taken the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.modules.mod_conference import events
from media.notice import FloorTaken, Notice, PlaybackEnded, Talking

if TYPE_CHECKING:
    from host.modules.mod_conference.room import Room


def take_notice(room: Room, notice: Notice) -> None:
    """Heed a notice in the switch's time, not here: the media engine must not wait for the room."""
    room.clock.call_later(0, lambda: _heed(room, notice))


def _heed(room: Room, notice: Notice) -> None:
    with room.lock:
        if isinstance(notice, PlaybackEnded):
            for playlist in (room.files, room.endless, *(member.files for member in room.members)):
                if playlist.take_end(notice.playback):
                    return
            return
        if not isinstance(notice, Talking | FloorTaken):
            return
        member = next((m for m in room.members if m.session.line.number == notice.line), None)
    if member is None:
        return
    if isinstance(notice, FloorTaken):
        if room.floor is not member:
            former, room.floor = room.floor, member
            events.fire_floor_change(room, former, member)
        return
    member.talking = notice.statistics is None
    if notice.statistics is not None:
        member.end_talk(notice.statistics)
    elif member.speaks and not member.held:
        member.note_talk()
        events.fire(room, "start-talking", member=member)
    elif "mute-detect" in member.flags and not member.speaks:
        member.tell_muted_talk()
