"""mod_png: pictures of the video that a call plays, and sound under a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.arguments import separate
from host.channel_argument import session_of
from host.interfaces import FileFormat
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.sound_file import SoundFileError, open_source
from media.soundfile import FileError
from media.video_file import Picture, beside, has_pictures, picture_at, write_png

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch
    from media.source import Source

NAME: Final = "mod_png"

commands: Final = ApiTable(NAME)

_USAGE: Final = "-USAGE: <uuid> <path> [concat | split <other_path>]\n"
_NO_BUG: Final = "-ERR Could not attach bug.\n"


def load(switch: Switch) -> None:
    """Register the format and the command; ModuleUnavailable without PyAV."""
    if find_spec("av") is None:
        raise ModuleUnavailable("pictures need the extra moonline[av]")
    switch.file_formats.add(FileFormat("png", NAME, open_file))
    commands.register(switch)


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open what sounds under a picture: `{audio_file=…}picture.png`. Without it there is nothing to be played."""
    audio = parameters.get("audio_file")
    if not audio:
        raise SoundFileError("Channel has no video and audio_file is not set!")
    return open_source(switch, audio, rate)


@commands.command("uuid_write_png", "", "grab an image from a call")
def uuid_write_png(request: ApiRequest) -> str:
    """Write what the video that a call plays shows now; `concat` beside that of the other leg, `split` to two files.

    No call here receives video, so what is written to a channel is what there is of it (FreeSWITCH: `write`).
    """
    words = separate(request.argument, " ", 4)
    how = words[2].lower() if len(words) > 2 else ""
    if len(words) < 2 or how not in ("", "concat", "split", "write"):
        return _USAGE
    session = session_of(request, words[0], "-ERR Could not locate session.\n")
    if not _shows(session):
        return "-ERR Session does not have video.\n"
    other = request.switch.find_session(session.partner) if session.partner else None
    if how in ("concat", "split") and (other is None or not _shows(other)):
        return "-ERR Session must be bridged and other leg must have video.\n"
    if how == "split" and len(words) < 4:
        return "-ERR Second filename expected but not given.\n"
    path = _image_path(request.switch, words[1])
    try:
        mine = _picture(session)
        theirs = _picture(other) if other is not None and how in ("concat", "split") else None
        if theirs is None:
            write_png(mine, path)
        elif how == "concat":
            write_png(beside(mine, theirs), path)
        else:
            write_png(mine, path)
            write_png(theirs, _image_path(request.switch, words[3]))
    except (FileError, OSError, ValueError) as error:
        session.channel.log(LogLevel.ERR, f"uuid_write_png: {error}")
        return _NO_BUG
    return "+OK\n"


def _shows(session: Session) -> bool:
    """Whether a call plays a video."""
    playing = session.playing
    return playing is not None and has_pictures(playing.path)


def _picture(session: Session) -> Picture:
    playing = session.playing
    if playing is None:  # it has ended meanwhile
        raise ValueError("no video is played any more")
    return picture_at(playing.path, playing.position / playing.rate)


def _image_path(switch: Switch, path: str) -> str:
    """Return where a picture is written: below `images_dir` unless the path is whole."""
    return os.path.join(switch.global_variables.get("images_dir") or "", path)
