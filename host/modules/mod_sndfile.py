"""Sound files that libsndfile reads and writes: wav, flac, ogg, au, raw ones and more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.interfaces import FileFormat
from media.sndfile import WRITABLE, knows
from media.soundfile import FileError
from media.soundfile import load as load_file

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

# FreeSWITCH's names; libsndfile tells the kind of a file by its content, but for headerless ones.
NAMES: Final = (
    "adpcm", "aiff", "al", "alaw", "au", "avr", "caf", "flac", "gsm", "htk", "iff", "mat", "oga", "ogg", "paf",
    "pvf", "r16", "r24", "r32", "r8", "raw", "rf64", "sd2", "sds", "sf", "ul", "ulaw", "voc", "vox", "w64", "wav",
    "wve", "xi",
)  # fmt: skip


def load(switch: Switch) -> None:
    """Register the file formats."""
    for name in NAMES:
        form = WRITABLE.get(name)
        writes = form is not None and knows(form.major)
        switch.file_formats.add(FileFormat(name, "mod_sndfile", open_file, record=writes))


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a sound file, or the one of its rate folder (`digits/8000/7.wav`); FileNotFoundError when there is none."""
    try:
        return load_file(path, rate)
    except FileError as error:
        if not os.path.exists(error.path):
            raise FileNotFoundError(f"Error Opening File [{error.path}] [{error.reason}]") from None
        raise OSError(str(error)) from None
