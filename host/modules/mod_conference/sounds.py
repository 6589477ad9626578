"""What a room can play: files, prompts relative to its sound prefix, and spoken text."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.sound_file import SCHEME_MARK, SoundFileError, open_prompt, split_parameters

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_conference.room import Room
    from media.source import Source

# FreeSWITCH: a room's own sounds begin after so many frames.
LEAD_IN: Final = 20

_SAY: Final = "say:"


@dataclass(slots=True)
class RoomSound:
    """An opened sound: the full name as events tell it, what to play, and the parameters before its path."""

    name: str
    source: Source
    parameters: dict[str, str] = field(default_factory=dict)
    speech: bool = False

    @property
    def path(self) -> str:
        """The path as a file handle has it: without parameters and scheme."""
        plain = split_parameters(self.name)[1]
        return plain.partition(SCHEME_MARK)[2] or plain


def is_file_path(path: str) -> bool:
    """Return whether a path stands for itself, not relative to a sound prefix (FreeSWITCH: switch_is_file_path)."""
    plain = split_parameters(path)[1]
    return os.path.isabs(plain) or SCHEME_MARK in plain


def full_name(room: Room, path: str) -> str:
    """Return a path below the room's sound prefix when it is relative, its parameters in front."""
    if is_file_path(path) or not room.sound_prefix:
        return path
    plain = split_parameters(path)[1]
    return f"{path[: len(path) - len(plain)]}{room.sound_prefix}/{plain}"


def open_room_sound(room: Room, path: str, channel: Channel | None = None) -> RoomSound | None:
    """Open a path, expanded for `channel`; None where there is nothing to play.

    FreeSWITCH: `say:TEXT`, and a relative path in a room without sound prefix, are spoken with the profile's
    `tts-engine` and `tts-voice`.
    """
    session = room.switch.find_session(channel.uuid) if channel is not None else None
    path = room.switch.expand(path, session) if session is not None else path
    if path[: len(_SAY)].lower() == _SAY:
        return speak(room, path[len(_SAY) :])
    if not is_file_path(path) and not room.sound_prefix:
        return speak(room, path)
    name = full_name(room, path)
    parameters, plain = split_parameters(name)
    switch = room.switch
    prefixes = [
        room.sound_prefix,
        *(switch.global_variables.get(n) or "" for n in ("sounds_dir", "base_dir")),
    ]
    try:
        source = open_prompt(switch, plain, room.rate, parameters, [p for p in prefixes if p]).source
    except SoundFileError as error:
        switch.log(LogLevel.WARNING, f"Conference {room.name}: can't open {error}")
        return None
    return RoomSound(name, source, parameters)


def speak(room: Room, text: str) -> RoomSound | None:
    """Have `text` spoken by the profile's engine; None where there is none.

    `{tts_engine=,tts_voice=}` in front choose others, `#VOICE#` another voice.
    """
    parameters, plain = split_parameters(text)
    engine = parameters.get("tts_engine") or room.profile.get("tts-engine")
    voice = parameters.get("tts_voice") or room.profile.get("tts-voice")
    if plain.startswith("#") and "#" in plain[1:]:
        voice, _, plain = plain[1:].partition("#")
    if not engine or not voice or not plain:
        if plain:
            room.switch.log(LogLevel.ERR, "Missing TTS engine or voice")
        return None
    found = room.switch.speeches.get(engine.partition(":")[0])
    if found is None:
        room.switch.log(LogLevel.ERR, f"Invalid TTS module [{engine}]!")
        return None
    try:
        source = found.speak(plain, voice, room.rate)
    except OSError as error:
        room.switch.log(LogLevel.ERR, f"{engine}[{voice}]: {error}")
        return None
    return RoomSound(plain, source, parameters, speech=True)
