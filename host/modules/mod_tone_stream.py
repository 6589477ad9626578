"""Tones and silence as files: `tone_stream://SCRIPT[;loops=N]`, `tone_stream://path=FILE`, `silence_stream://MS[,N]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.interfaces import FileFormat
from host.leading_number import leading_int
from media.source import ComfortNoise, Silence
from media.tone import SCRIPT_LIMIT, ToneError, ToneSource, split_loops

if TYPE_CHECKING:
    from host.switch import Switch
    from media.source import Source

_FILE_MARK: Final = "path="


def load(switch: Switch) -> None:
    """Register the two schemes."""
    switch.file_formats.add(FileFormat("tone_stream", "mod_tone_stream", open_tone))
    switch.file_formats.add(FileFormat("silence_stream", "mod_tone_stream", open_silence))


def open_tone(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open a tone script or a file of tone scripts; `{loops=N}` and `;loops=N` repeat it, below zero for ever."""
    script, loops = split_loops(path)
    if "loops" in parameters:
        loops = leading_int(parameters["loops"])
    try:
        if script[: len(_FILE_MARK)].lower() != _FILE_MARK:
            return ToneSource(script, rate, loops)
        with open(script[len(_FILE_MARK) :], encoding="utf-8", errors="surrogateescape") as file:
            # One character more than a script may have, so that a longer one is told as such.
            return ToneSource.of_lines(file.read(SCRIPT_LIMIT + 1).splitlines(), rate, loops)
    except ToneError as error:
        raise OSError(str(error)) from None


def open_silence(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Open so many ms of silence (below zero: without end), or of noise that is the fainter the greater N is."""
    ms = leading_int(path)
    if not ms:
        raise OSError(f"Invalid Input [{path}] Expect <msec>[,<silence_factor>]")
    length = rate // 1000 * ms if ms > 0 else None
    divisor = leading_int(path.partition(",")[2])
    return ComfortNoise(rate, length, divisor) if divisor > 0 else Silence(rate, length)
