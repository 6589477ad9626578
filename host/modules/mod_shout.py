"""mp3 files, where libsndfile or PyAV decodes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from host.interfaces import FileFormat
from media.sndfile import knows
from media.soundfile import FileError
from media.soundfile import load as load_file

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source


def load(switch: Switch) -> None:
    """Register `mp3` and `mpga`; recording needs libsndfile 1.1."""
    for name in ("mp3", "mpga"):
        writes = name == "mp3" and knows("mpeg")
        switch.file_formats.add(FileFormat(name, "mod_shout", open_file, record=writes))


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open an mp3 file; FileNotFoundError when there is none."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"Error Opening File [{path}] [No such file or directory]")
    try:
        return load_file(path, rate)
    except FileError as error:
        raise OSError(str(error)) from None
