"""Recordings of rooms: what all say and hear, into one file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.log import LogLevel
from host.modules.mod_conference import events
from host.sound_file import SCHEME_MARK, split_parameters
from media.recording import RecordingError
from media.recording_form import RecordingForm

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_conference.room import Room
    from media.recording import Recorder

# FreeSWITCH: whom a file of a room is by, where the profile's `recording-metadata` does not say it.
_ARTIST: Final = "FreeSWITCH mod_conference Software Conference Module"


@dataclass(slots=True)
class RoomRecording:
    """One recording: its path as it was given, and since when (seconds since the epoch)."""

    path: str
    automatic: bool
    recording: Recorder
    tap: int
    began: int
    paused: bool = False


class Recordings:
    """The recordings of one room, the newest first."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._running: list[RoomRecording] = []
        self._automatic = False
        self.last_path: str | None = None

    @property
    def count(self) -> int:
        """How many run."""
        return len(self._running)

    def running(self) -> list[RoomRecording]:
        """Return those that run."""
        return list(self._running)

    def uses(self, path: str) -> RoomRecording | None:
        """Return the recording that writes this file, whatever the parameters before the paths."""
        plain = split_parameters(path)[1]
        return next((one for one in self._running if split_parameters(one.path)[1] == plain), None)

    def start(self, path: str, *, automatic: bool = False) -> None:
        """Record into a file from now on; where it cannot be written, an event tells so."""
        room = self._room
        self.last_path = path
        plain = split_parameters(path)[1]
        try:
            if SCHEME_MARK not in plain and os.path.dirname(plain):
                os.makedirs(os.path.dirname(plain), exist_ok=True)
            tags = {
                "title": f"Conference {room.name}",
                "artist": room.profile.get("recording-metadata") or _ARTIST,
            }
            recording = room.switch.engine.recording(plain, room.rate, form=RecordingForm(tags=tags))
        except (OSError, RecordingError) as error:
            room.switch.log(LogLevel.ERR, f"Error Opening File [{path}]: {error}")
            events.fire(
                room,
                "start-recording",
                ("Path", path),
                ("Error", "File could not be opened for recording"),
            )
            return
        events.fire(room, "start-recording", ("Path", path))
        tap = room.mixer.tap(recording)
        began = room.clock.time() // SECOND
        self._running.insert(0, RoomRecording(path, automatic, recording, tap, began))
        room.apply()

    def start_automatic(self, channel: Channel) -> None:
        """Begin the recording that the profile wants, once there are enough members; `channel` expands its path."""
        room = self._room
        if not room.auto_record or self._automatic or not 0 < room.record_participants <= room.count:
            return
        self._automatic = True
        path = channel_expanded(room, room.auto_record, channel)
        room.switch.log(LogLevel.INFO, f"Auto recording file: {path}")
        self.start(path, automatic=True)
        for member in room.members:
            member.channel.variables.set("conference_recording", path)

    def stop(self, path: str | None) -> list[str]:
        """Stop the recording of `path`, or all; return what to say about each.

        FreeSWITCH: stopping the automatic one keeps it from coming again, unless the room has a flag for that.
        """
        room = self._room
        said = []
        for one in self.running():
            if path is not None and one.path != path:
                continue
            if one.automatic and "restart-auto-record" not in room.flags:
                said.append(f"Stopped AUTO recording file {one.path} (Auto Recording Now Disabled)\n")
                room.auto_record = ""
            else:
                said.append(f"Stopped recording file {one.path}\n")
            self._end(one)
            if one.automatic:
                self._automatic = False
                if room.members:
                    self.start_automatic(room.members[0].channel)
        return said

    def pause(self, path: str, paused: bool) -> bool:
        """Leave out what is said from now on, or record again; False when there is no such recording."""
        found = [one for one in self._running if one.path == path]
        for one in found:
            one.paused = paused
            if paused:
                one.recording.pause()
            else:
                one.recording.resume()
        return bool(found)

    def stop_all(self) -> None:
        """End all recordings: the room is over."""
        for one in self.running():
            self._end(one)

    def _end(self, one: RoomRecording) -> None:
        room = self._room
        self._running.remove(one)
        room.mixer.untap(one.tap)
        try:
            one.recording.close()
        except RecordingError as error:
            room.switch.log(LogLevel.ERR, str(error))
        room.apply()
        samples, rate = one.recording.samples, one.recording.rate
        headers = [
            ("Path", one.path),
            ("Other-Recordings", "true" if self._running else "false"),
            ("Samples-Out", str(samples)),
            ("Samplerate", str(rate)),
            ("Milliseconds-Elapsed", str(samples // (rate // 1000))),
        ]
        try:
            headers.append(("Record-File-Size", str(os.path.getsize(split_parameters(one.path)[1]))))
        except OSError:
            pass  # what is recorded to a stream, or was taken away meanwhile, has no size to tell
        events.fire(room, "stop-recording", *headers, known_as="stop-recording")
        room.switch.log(LogLevel.INFO, f"Recording of {one.path} Stopped")


def channel_expanded(room: Room, text: str, channel: Channel) -> str:
    """Return a text with variables replaced for a channel."""
    return room.switch.expand(text, room.switch.find_session(channel.uuid))
