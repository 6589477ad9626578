"""Sound files that libsndfile reads and writes: wav, flac, ogg, au, raw ones and more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, UsageError
from host.interfaces import ApiRequest, FileFormat
from host.log import LogLevel
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


_SYNTAX: Final = "<on|off>"


def load(switch: Switch) -> None:
    """Register the file formats and the command `sndfile_debug`."""
    commands = ApiTable("mod_sndfile")
    debug = [False]

    @commands.command("sndfile_debug", _SYNTAX, "Set sndfile debug")
    def sndfile_debug(request: ApiRequest) -> str:
        """Log every file that is opened, or no more."""
        word = request.argument.lower()
        if word not in ("on", "off"):
            raise UsageError
        debug[0] = word == "on"
        return f"Sndfile Debug: {word}\n"

    def open_and_tell(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
        source = open_file(switch, path, rate, parameters)
        if debug[0]:
            switch.log(LogLevel.CONSOLE, f"Opening File [{path}] rate [{rate}] samples [{source.length}]")
        return source

    commands.register(switch)
    for name in NAMES:
        form = WRITABLE.get(name)
        writes = form is not None and knows(form.major)
        switch.file_formats.add(FileFormat(name, "mod_sndfile", open_and_tell, record=writes))


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a sound file, or the one of its rate folder (`digits/8000/7.wav`); FileNotFoundError when there is none."""
    try:
        return load_file(path, rate)
    except FileError as error:
        if not os.path.exists(error.path):
            raise FileNotFoundError(f"Error Opening File [{error.path}] [{error.reason}]") from None
        raise OSError(str(error)) from None
