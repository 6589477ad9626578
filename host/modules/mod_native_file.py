"""Raw files in a codec's own encoding, named by the codec: `prompt.PCMU`, `.PCMA`, `.L16`, `.G722`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from host.interfaces import FileFormat
from media import codec_registry
from media.codec import CodecError
from media.resample import resample
from media.sndfile import Format, Sndfile, SndfileError
from media.source import Samples

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

# FreeSWITCH: always 8 kHz and mono; L16 in the machine's own byte order.
ENCODINGS: Final = {
    "PCMU": Format("raw", "ulaw", 8000, mono=True),
    "PCMA": Format("raw", "alaw", 8000, mono=True),
    "L16": Format("raw", "pcm16", 8000, mono=True),
}

# Other codecs whose files are nothing but one packet's bytes after another's, each half of a millisecond or less, so
# that it does not matter how they were cut. A file is decoded from its beginning to its end.
CODECS: Final = ("G722",)
_PTIME: Final = 20  # ms

# Frames decoded at a time.
_BLOCK: Final = 1 << 20


def load(switch: Switch) -> None:
    """Register a file format for each encoding."""
    for name in ENCODINGS:
        switch.file_formats.add(FileFormat(name, "mod_native_file", open_file))
    for name in CODECS:
        switch.file_formats.add(FileFormat(name, "mod_native_file", open_coded))


def open_file(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a raw file by the ending of its name; FileNotFoundError when there is none."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"Error opening {path}")
    form = ENCODINGS[os.path.splitext(path)[1][1:].upper()]
    assert form.rate is not None  # each of ENCODINGS has one
    try:
        file = Sndfile(path, "r", form, form.rate)
    except SndfileError as error:
        raise OSError(str(error)) from None
    parts = [np.zeros(0, np.int16)]
    try:
        while len(part := file.read(_BLOCK)):
            parts.append(part[:, 0])
    except SndfileError as error:
        raise OSError(str(error)) from None
    finally:
        file.close()
    return Samples(resample(np.concatenate(parts), form.rate, rate), rate)


def open_coded(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a raw file of one of CODECS by the ending of its name; FileNotFoundError when there is none."""
    try:
        codec = codec_registry.create(os.path.splitext(path)[1][1:])
        with open(path, "rb") as file:
            coded = file.read()
        info = codec_registry.find(codec.name)
        assert info is not None  # it made the codec
        size = info.bit_rate * _PTIME // 8000
        parts = [np.zeros(0, np.int16)]
        parts += [codec.decode(coded[start : start + size]) for start in range(0, len(coded), size)]
    except FileNotFoundError:
        raise FileNotFoundError(f"Error opening {path}") from None
    except CodecError as error:
        raise OSError(str(error)) from None
    return Samples(resample(np.concatenate(parts), codec.rate, rate), rate)
