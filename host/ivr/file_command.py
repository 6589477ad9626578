"""Commands to the file that a session plays: what `uuid_fileman` and input callbacks say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.play import FilePlayback

# How far a signed `seek:` without a number goes, in ms.
_DEFAULT_SEEK_MS: Final = 1000


def command_file(file: FilePlayback, text: str) -> Status | None:
    """Do `pause`, `restart`, `stop`, `seek:±ms`, `volume:±step` or `speed:±step`; None for anything else.

    FALSE where the file is to end, or the command has no value. FreeSWITCH: with a sign the number is relative, and
    0 is one step (or a second); without one `seek` is in ms from the start, and the others set. Of `seek`, `volume`
    and `speed` only the beginning counts, and a `restart` is at the normal speed.
    """
    command, colon, value = text.lower().partition(":")
    if command.startswith("speed"):
        if colon:
            file.set_speed(_stepped(value, file.speed_step))
        return Status.SUCCESS if colon else Status.FALSE
    if command.startswith("volume"):
        if colon:
            file.set_volume(_stepped(value, file.volume_step))
        return Status.SUCCESS if colon else Status.FALSE
    if command.startswith("seek"):
        if colon:
            samples_per_ms = file.rate // 1000
            if value[:1] in ("+", "-"):
                file.seek(file.position + (leading_int(value) or _DEFAULT_SEEK_MS) * samples_per_ms)
            else:
                file.seek(leading_int(value) * samples_per_ms)
        return Status.SUCCESS
    match text.lower():
        case "pause":
            file.toggle_pause()
            return Status.SUCCESS
        case "restart":
            file.set_speed(0)
            file.restart()
            return Status.SUCCESS
        case "stop":
            file.stop()
            return Status.FALSE
    return None


def _stepped(value: str, present: int) -> int:
    if value[:1] in ("+", "-"):
        return present + (leading_int(value) or 1)
    return leading_int(value)
