"""Commands to the file that a session plays: what `uuid_fileman` and input callbacks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.leading_number import leading_int

if TYPE_CHECKING:
    from host.ivr.play import FilePlayback


def command_file(file: FilePlayback, text: str) -> bool:
    """Do `pause`, `restart`, `stop`, `seek:±ms`, `volume:±step`, `speed:±step`; False for anything else.

    FreeSWITCH: with a sign the number is relative; without one `seek` is in ms from the start, and the others set.
    """
    name, _, value = text.partition(":")
    number = leading_int(value)
    relative = value[:1] in ("+", "-")
    match name.lower():
        case "pause":
            file.toggle_pause()
        case "restart":
            file.restart()
        case "stop":
            file.stop()
        case "seek":
            samples = number * file.rate // 1000
            file.seek(file.position + samples if relative else samples)
        case "volume":
            file.set_volume(file.volume_step + number if relative else number)
        case "speed":
            file.set_speed(file.speed_step + number if relative else number)
        case _:
            return False
    return True
