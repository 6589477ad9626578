"""What all members hear of the room itself: files, the endless sound beside them, music on hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.clock import MILLISECOND
from host.modules.mod_conference import events
from host.modules.mod_conference.sounds import LEAD_IN, open_room_sound

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_conference.room import Room


def play(
    room: Room, path: str, lead_in: int = 0, channel: Channel | None = None, *, beside: bool = False
) -> bool:
    """Play a path to all, after what is played already or `beside` it; False when there is nothing to play."""
    if not path or not room.count or room.ending:
        return False
    sound = open_room_sound(room, path, channel)
    if sound is None:
        events.fire(
            room,
            "play-file",
            ("File", path),
            ("Async", "true" if beside else "false"),
            ("Error", "File could not be played"),
        )
        return False
    (room.endless if beside else room.files).add(sound, lead_in)
    return True


def stop_files(room: Room, which: str) -> int:
    """Stop the `current` file, the `async` one, or `all`; return how many that were."""
    with room.lock:
        if which == "current":
            return room.files.stop(everything=False)
        stopped = room.files.stop(everything=True) if which == "all" else 0
        return stopped + room.endless.stop(everything=True)


def set_moh(room: Room, what: str) -> None:
    """Switch music on hold: `on`, `off`, `toggle`, `reset` to the profile's, or a path of its own."""
    lowered = what.lower()
    if lowered in ("on", "off", "toggle"):
        room.no_moh = {"on": False, "off": True, "toggle": not room.no_moh}[lowered]
    else:
        room.other_moh = "" if lowered == "reset" else what
    if room.no_moh or room.other_moh:
        room.endless.stop(everything=True)
    look_after_music(room)


def look_after_music(room: Room) -> None:
    """See in the next frame whether music has to be played: to somebody alone, or until a moderator comes."""
    room.clock.call_later(room.interval * MILLISECOND, lambda: _play_music(room))


def _play_music(room: Room) -> None:
    with room.lock:
        if room.ending or len(room.endless):
            return
        music = room.other_moh or room.moh
        quiet = room.no_moh or any("nomoh" in member.flags for member in room.members)
        alone = room.count == 1 and not quiet
        if room.perpetual:
            play(room, room.perpetual, LEAD_IN, beside=True)
        elif music and (alone or room.waits_for_moderator) and not len(room.files):
            play(room, music, LEAD_IN, beside=True)
