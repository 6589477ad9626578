"""mod_av: the sound of files with pictures: mp4, m4a, mov, mkv, webm. Pictures are not sent to anybody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.interfaces import FileFormat
from host.module_loader import ModuleUnavailable
from media.soundfile import FileError
from media.video_file import load_sound

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

NAME: Final = "mod_av"
NAMES: Final = ("m4a", "mkv", "mov", "mp4", "webm")


def load(switch: Switch) -> None:
    """Register the formats, to be played alone; ModuleUnavailable without PyAV."""
    if find_spec("av") is None:
        raise ModuleUnavailable("files with pictures need the extra moonline[av]")
    for name in NAMES:
        switch.file_formats.add(FileFormat(name, NAME, open_file))


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a file's sound; FileNotFoundError when there is none."""
    try:
        return load_sound(path, rate)
    except FileError as error:
        if not os.path.exists(path):
            raise FileNotFoundError(f"Error Opening File [{path}] [{error.reason}]") from None
        raise OSError(str(error)) from None
