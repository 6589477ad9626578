"""Sounds that are played one after another, to a room or to one member, and a room's endless one beside them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND
from host.leading_number import leading_int
from host.modules.mod_conference import events
from host.modules.mod_conference.room_sound import look_after_music
from media.mix import GRANULAR_LIMIT
from media.source import Repeat

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room
    from host.modules.mod_conference.sounds import RoomSound
    from media.mixer_handle import MixerSound
    from media.source import Source

_FOR_EVER: Final = frozenset({"inf", "infinite"})


@dataclass(slots=True)
class _Entry:
    sound: RoomSound
    lead_in: int
    mux: bool
    playing: MixerSound | None = None
    paused: bool = False
    stopped: bool = False
    decibels: int = 0


class Playlist:
    """Sounds in a row. What is stopped is silent at once and stays in the list until the next frame, as in FreeSWITCH.

    `beside` is for the room's endless sound, of which there is only one: a new one takes its place.
    """

    def __init__(self, room: Room, member: Member | None = None, *, beside: bool = False) -> None:
        self._room = room
        self._member = member
        self._beside = beside
        self._entries: deque[_Entry] = deque()
        self._sweeping = False

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> RoomSound | None:
        """The sound that is played now."""
        return self._entries[0].sound if self._entries else None

    def add(self, sound: RoomSound, lead_in: int = 0, *, mux: bool = True) -> None:
        """Play a sound after those that wait."""
        with self._room.lock:
            if self._beside:
                self.clear()
            entry = _Entry(sound, lead_in, mux, decibels=leading_int(sound.parameters.get("vol", "")))
            self._entries.append(entry)
            if len(self._entries) == 1:
                self._start(entry)

    def take_end(self, number: int) -> bool:
        """Go on when it is the playback of this number that ended; False when it is another's."""
        with self._room.lock:
            playing = self._entries[0].playing if self._entries else None
            if playing is None or playing.number != number:
                return False
            self._finish()
            return True

    def stop(self, *, everything: bool) -> int:
        """Stop what is played now, or all that waits as well; return how many that were."""
        with self._room.lock:
            chosen = list(self._entries) if everything else list(self._entries)[:1]
            for entry in chosen:
                entry.stopped = True
                if entry.playing is not None:
                    entry.playing.stop()
            if chosen and not self._sweeping:
                self._sweeping = True
                self._room.clock.call_later(self._room.interval * MILLISECOND, self._sweep)
            return len(chosen)

    def clear(self) -> None:
        """End everything at once."""
        with self._room.lock:
            for entry in self._entries:
                entry.stopped = True
                if entry.playing is not None:
                    entry.playing.stop()
            while self._entries:
                self._finish()

    def toggle_pause(self) -> bool | None:
        """Hold what is played now, or let it go on; return whether it is held, None when nothing is played."""
        with self._room.lock:
            if not self._entries:
                return None
            entry = self._entries[0]
            entry.paused = not entry.paused
            if entry.playing is not None:
                entry.playing.pause(entry.paused)
            return entry.paused

    def seek(self, milliseconds: int, *, relative: bool) -> int | None:
        """Go to a place of a file in ms; return the sample, None when no file is played."""
        with self._room.lock:
            entry = self._file()
            if entry is None or entry.playing is None:
                return None
            position = milliseconds * (self._room.rate // 1000)
            if relative:
                position = max(0, position + entry.playing.position)
            entry.playing.seek(position)
            return position

    def set_volume(self, decibels: int) -> bool:
        """Set the volume of the file that is played; False when none is."""
        with self._room.lock:
            entry = self._file()
            if entry is None:
                return False
            entry.decibels = decibels
            self._scale(entry)
            return True

    def _file(self) -> _Entry | None:
        """Return what is played now when it is a file."""
        return self._entries[0] if self._entries and not self._entries[0].sound.speech else None

    def _start(self, entry: _Entry) -> None:
        room = self._room
        entry.playing = room.mixer.play(
            _repeated(entry.sound),
            self._member.session.line if self._member is not None else None,
            delay=entry.lead_in * room.rate * room.interval // 1000,
            mux=entry.mux,
        )
        self._scale(entry)
        if entry.paused:
            entry.playing.pause(True)

    def _scale(self, entry: _Entry) -> None:
        level = max(-GRANULAR_LIMIT, min(GRANULAR_LIMIT, entry.decibels))
        if entry.playing is not None:
            entry.playing.gain(0.0 if level == -GRANULAR_LIMIT else 10 ** (level / 20))

    def _sweep(self) -> None:
        with self._room.lock:
            self._sweeping = False
            while self._entries and self._entries[0].stopped:
                self._finish()

    def _finish(self) -> None:
        """Take the first out, tell its end, and go on with the next."""
        entry = self._entries.popleft()
        self._tell_end(entry)
        if self._entries and not self._entries[0].stopped:
            self._start(self._entries[0])
        if not self._entries and self._member is None:
            look_after_music(self._room)

    def _tell_end(self, entry: _Entry) -> None:
        if entry.sound.speech:
            return
        room = self._room
        samples = entry.playing.played if entry.playing is not None else 0
        length = entry.sound.source.length
        if length is not None and "loops" not in entry.sound.parameters:
            samples = min(samples, length)
        measures = (
            ("seconds", str(samples // room.rate)),
            ("milliseconds", str(samples // (room.rate // 1000))),
            ("samples", str(samples)),
            *entry.sound.parameters.items(),
        )
        if self._member is not None:
            events.fire_member_file_end(room, self._member, measures, entry.sound.name)
            return
        headers = [("File", entry.sound.name)]
        if self._beside:
            headers.append(("Async", "true"))
        events.fire(room, "play-file-done", *headers, before=measures)


def _repeated(sound: RoomSound) -> Source:
    """Return the sound as often as its parameter `loops` says; `inf` is for ever."""
    loops = sound.parameters.get("loops", "")
    if loops.lower() in _FOR_EVER:
        return Repeat(sound.source)
    times = leading_int(loops)
    return Repeat(sound.source, times) if times > 1 else sound.source
